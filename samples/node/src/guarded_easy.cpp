// SPDX-License-Identifier: MIT
#include "guarded_easy.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

namespace curlicue::node {
namespace {

// One of libcurl's header lines: "Name;" is one without a value, which "Name:" would leave out.
std::string header_line(const std::string& name, const std::string& value) {
    return value.empty() ? name + ';' : name + ": " + value;
}

std::vector<std::string> header_lines(const arguments& given) {
    std::vector<std::string> lines;
    if (!given.has(3))
        return lines;
    const auto text = [&](std::uint32_t index) {
        return to_latin1(given.env, element(given.env, given[3], index), "a header");
    };
    const auto size = length_of(given.env, given[3], "headers");
    for (std::uint32_t i = 0; i + 1 < size; i += 2)
        lines.push_back(header_line(text(i), text(i + 1)));
    return lines;
}

constexpr std::size_t most_idle = 256;

} // namespace

guarded_easy::guarded_easy() {
    easy_.setopt<CURLOPT_PROTOCOLS_STR>("http,https");
    easy_.setopt<CURLOPT_PROXY>(""); // not even what the environment names
    easy_.setopt<CURLOPT_SUPPRESS_CONNECT_HEADERS>(true);
    easy_.setopt<CURLOPT_ACCEPT_ENCODING>(""); // all that it can decode
    easy_.setopt<CURLOPT_LOW_SPEED_LIMIT>(1);
    set_callbacks();
}

void guarded_easy::set_callbacks() {
    easy_.setopt<CURLOPT_WRITEFUNCTION>(
        [to = target_](std::span<const char> data) { return to->now().receive(data); });
    easy_.setopt<CURLOPT_HEADERFUNCTION>(
        [to = target_](std::string_view line) { return to->now().header(line); });
    easy_.setopt<CURLOPT_READFUNCTION>(
        [to = target_](std::span<char> buffer) { return to->now().send(buffer); });
}

guarded_easy::callbacks& guarded_easy::target::now() const {
    if (called == nullptr)
        throw usage_error(errc::closed, "fetch");
    return *called;
}

void guarded_easy::prepare(const arguments& given) {
    easy_.setopt<CURLOPT_URL>(given.text(1, "the URL"));
    auto headers = header_lines(given);
    set_body(given, headers);
    set_method(given);
    set_limits(given);
    has_headers_ = !headers.empty();
    if (has_headers_)
        easy_.setopt<CURLOPT_HTTPHEADER>(headers);
}

void guarded_easy::set_body(const arguments& given, std::vector<std::string>& headers) {
    const auto type = type_of(given.env, given[4]);
    if (type == napi_undefined)
        return;
    has_body_ = true;
    if (type == napi_boolean) {
        easy_.setopt<CURLOPT_UPLOAD>(true);
    } else if (type == napi_number) {
        easy_.setopt<CURLOPT_UPLOAD>(true);
        easy_.setopt<CURLOPT_INFILESIZE_LARGE>(
            static_cast<curl_off_t>(given.number(4, "the body's size")));
    } else {
        if (type == napi_string)
            easy_.setopt<CURLOPT_POSTFIELDS>(given.text(4, "the body"));
        else
            easy_.setopt(CURLOPT_COPYPOSTFIELDS, to_bytes(given.env, given[4], "the body"));
        headers.emplace_back(
            "Content-Type:"); // none, unless the caller named one, which goes first
    }
    headers.emplace_back("Expect:"); // many servers let libcurl wait a second for their answer
}

void guarded_easy::set_method(const arguments& given) {
    const auto method = given.text(2, "the method");
    has_method_ = has_body_ || method != "GET";
    if (!has_method_)
        return;
    if (method == "HEAD")
        easy_.setopt<CURLOPT_NOBODY>(true);
    else
        easy_.setopt<CURLOPT_CUSTOMREQUEST>(method);
}

void guarded_easy::set_limits(const arguments& given) {
    const auto milliseconds = [&](std::uint32_t index) {
        return std::chrono::duration<double, std::milli>(
            to_number(given.env, element(given.env, given[5], index), "a time"));
    };
    easy_.setopt<CURLOPT_TIMEOUT_MS>(milliseconds(0));
    easy_.setopt<CURLOPT_CONNECTTIMEOUT_MS>(milliseconds(1));
    easy_.setopt<CURLOPT_LOW_SPEED_TIME>(milliseconds(2));
}

void guarded_easy::clear() {
    target_->called = nullptr;
    if (std::exchange(has_headers_, false))
        easy_.unset<CURLOPT_HTTPHEADER>();
    if (std::exchange(has_body_, false)) {
        easy_.unset<CURLOPT_POSTFIELDS>();
        easy_.unset<CURLOPT_INFILESIZE_LARGE>();
    }
    if (std::exchange(has_method_, false)) {
        easy_.unset<CURLOPT_CUSTOMREQUEST>();
        easy_.setopt<CURLOPT_HTTPGET>(true); // takes NOBODY, UPLOAD and POST back
    }
}

std::unique_ptr<guarded_easy> guarded_easies::take() {
    if (idle_.empty())
        return std::make_unique<guarded_easy>();
    auto handle = std::move(idle_.back());
    idle_.pop_back();
    return handle;
}

void guarded_easies::give_back(std::unique_ptr<guarded_easy> handle) {
    // An errno stays in an easy of libcurl 7.88 for good, as one of an address that was refused
    // before another was not: it would be told of a later request's.
    if (!handle->reusable() || idle_.size() == most_idle ||
        handle->handle().getinfo<CURLINFO_OS_ERRNO>() != 0)
        return;
    handle->clear();
    idle_.push_back(std::move(handle));
}

} // namespace curlicue::node
