// SPDX-License-Identifier: MIT
#include "engine.hpp"
#include "known_faults.hpp"
#include "scheme.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/error.hpp>
#include <curlicue/version.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

namespace curlicue {

using detail::engine;

namespace {

// vtls/openssl.c has Curl_ssl_setup_x509_store from 7.87 on, gtls.c Curl_gtls_client_trust_setup
// from 8.9 on.
bool keeps_parsed_authorities() {
    const auto* const libcurl = curl_version_info(CURLVERSION_NOW);
    const std::string_view tls = libcurl->ssl_version != nullptr ? libcurl->ssl_version : "";
    return libcurl->version_num >= (tls.starts_with("GnuTLS") ? 0x080900 : 0x075700);
}

std::string on_authorities(bool cached) {
    const bool directory = curl_version_info(CURLVERSION_NOW)->capath != nullptr;
    const bool may_be_left_out = !has(detail::fault::insists_on_directory);
    if (cached && (may_be_left_out || !directory))
        return std::string("CA certificates: the default bundle file alone, parsed ") +
               (keeps_parsed_authorities() ? "once" : "for each connection") +
               "; as strict as with the directory\n";
    if (!directory)
        return {};
    return std::string("CA certificates: the loop stands still while the default directory is "
                       "parsed, for each connection; ") +
           (may_be_left_out ? "ca_cache avoids that\n" : "this libcurl does not leave it out\n");
}

// What the loop cannot be shielded from.
std::string on_blocking(bool refused) {
    const auto whole = detail::those_that(detail::waits::throughout);
    const auto at_times = detail::those_that(detail::waits::at_the_end);
    std::string text;
    if (!whole.empty())
        text = "stops the loop: " + whole +
               (refused
                    ? " (refused)\n"
                    : ", all of a transfer, of rtmp the handshake; refuse_blocking refuses them\n");
    if (!at_times.empty())
        text +=
            "stops the loop for a server's answer: " + at_times + ", at the end of a transfer\n";
    return text.empty() ? text : text + "for these: a loop_thread or loop_pool of their own\n";
}

std::string on_longest(const multi_stats& stats) {
    const auto milliseconds = [](std::chrono::nanoseconds time) {
        return std::to_string(std::chrono::duration<double, std::milli>(time).count()) + " ms";
    };
    return "longest so far: " + milliseconds(stats.libcurl_longest) + " in libcurl, " +
           milliseconds(stats.continuations_longest) + " in continuations\n";
}

} // namespace

async_multi::async_multi(async_multi_options options)
    : engine_(detail::make_intrusive<engine>(std::move(options))) {}

async_multi::async_multi(uv_loop_t* loop, async_multi_options options)
    : async_multi(std::move(options)) {
    if (loop == nullptr)
        throw usage_error(errc::null_handle, "async_multi");
    engine_->bind(loop);
}

async_multi::~async_multi() { engine_->begin_close(); }

void async_multi::setopt(CURLMoption option, curl_off_t value) {
    constexpr auto call = "async_multi::setopt";
    if (detail::kind_of(option) != detail::multi_option_kind::number)
        throw std::invalid_argument("async_multi::setopt: this option is the multi's own, or does "
                                    "not take a number");
    engine_->check_not_closing(call);
    engine_->check_thread(call);
    engine_->set(option, value);
}

future<easy> async_multi::add_handle(const easy& handle) { return engine_->add(handle); }

void async_multi::remove_handle(const easy& handle) {
    constexpr auto call = "async_multi::remove_handle";
    engine_->check_not_closing(call);
    engine_->check_thread(call);
    const auto item = engine_->find(handle);
    if (!item)
        throw usage_error(errc::not_added, call);
    item->cancel();
    item->leave(); // also one that is over, and lingers
}

std::vector<shared_future<easy>> async_multi::futures() const {
    engine_->check_thread("async_multi::futures");
    std::vector<shared_future<easy>> pending;
    for (auto& each : engine_->transfers().all())
        if (!each->leaving() && !each->has_outcome())
            pending.emplace_back(std::move(each));
    return pending;
}

std::vector<shared_future<easy>> async_multi::futures(std::span<const easy> handles) const {
    engine_->check_thread("async_multi::futures");
    std::vector<shared_future<easy>> pending;
    pending.reserve(handles.size());
    for (const auto& each : handles) {
        auto item = engine_->find(each);
        if (!item || item->has_outcome())
            throw std::out_of_range("async_multi::futures: this easy is not pending here");
        pending.emplace_back(std::move(item));
    }
    return pending;
}

future<void> async_multi::close() { return engine_->close(); }

future<void> async_multi::drain(std::chrono::milliseconds patience) {
    return engine_->drain(patience);
}

bool async_multi::closed() const noexcept { return engine_->closed(); }

bool async_multi::contains(const easy& handle) const noexcept {
    return static_cast<bool>(engine_->find(handle));
}

std::size_t async_multi::size() const noexcept { return engine_->transfers().size(); }

uv_loop_t* async_multi::loop() const noexcept { return engine_->loop(); }

void async_multi::keep_loop(hold how) {
    engine_->check_thread("async_multi::keep_loop");
    engine_->hold_loop(how);
}

void async_multi::ref() {
    engine_->check_thread("async_multi::ref");
    engine_->hold_loop(hold::always);
}

void async_multi::unref() {
    engine_->check_thread("async_multi::unref");
    const auto asked = engine_->asked_hold();
    engine_->hold_loop(asked == hold::always ? hold::never : asked);
}

executor& async_multi::open_executor() {
    engine_->check_open("async_multi::post");
    return executor();
}

executor& async_multi::executor() {
    if (engine_->loop() == nullptr)
        throw usage_error(errc::no_loop, "async_multi::executor");
    return engine_->executor();
}

multi_stats async_multi::stats() const { return engine_->stats(); }

std::string async_multi::diagnostics() const {
    engine_->check_thread("async_multi::diagnostics");
    const auto named = [](const char* name, const library_version& version) {
        // Not "text" + string(): g++ 12 warns of its own std::string there when it optimizes.
        return std::string(name) + " " + to_string(version.found) + " (built against " +
               to_string(version.compiled) + ")\n";
    };
    auto text = named("libcurl", libcurl_version()) + named("libuv", libuv_version());
    const auto& options = engine_->options();
    for (const auto& each : detail::known_faults())
        if (detail::has(each.which))
            text +=
                "this libcurl: " + std::string(each.what) + "; " + std::string(each.answer) + '\n';
    text += on_authorities(options.ca_cache);
    text += on_blocking(options.refuse_blocking);
    text += on_longest(stats());
    const auto on = [&text](const char* name, bool is_on) {
        text += std::string(name) + ": " + (is_on ? "on\n" : "off\n");
    };
    on("spin guard", options.spin_guard);
    on("own deadlines", options.deadlines);
    if (detail::has(detail::fault::ends_no_shutdown))
        on("upkeep", options.upkeep);
    text +=
        "heartbeat: " +
        (options.heartbeat.count() > 0 ? std::to_string(options.heartbeat.count()) + " ms" : "off");
    return text + "\n";
}

void async_multi::run_until(detail::state_base& awaited) { engine_->run_until(awaited); }

void async_multi::check_runnable() const { engine_->check_runnable(); }

} // namespace curlicue
