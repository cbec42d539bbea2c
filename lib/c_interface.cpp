// SPDX-License-Identifier: MIT
// curlicue.h: every function does what a member in C++ does, and tells a status where that throws.
#include "c_interface_multi.hpp"
#include "c_interface_status.hpp"
#include "c_interface_told.hpp"
#include "easy_core.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/curlicue.h>
#include <curlicue/error.hpp>
#include <curlicue/loop.hpp>
#include <curlicue/version.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

struct curlicue_easy {
    curlicue::easy handle =
        curlicue::detail::easy_access::wrap(curlicue::detail::easy_core::create_by_hand().get());
};

struct curlicue_thread {
    explicit curlicue_thread(curlicue::async_multi_options options) : loop(std::move(options)) {}

    curlicue::loop_thread loop;
    curlicue_multi multi{loop.multi()};
};

namespace curlicue {
namespace {

hold hold_of(const curlicue_hold& asked) {
    switch (detail::number_of(asked)) {
    case CURLICUE_HOLD_WHILE_BUSY:
        return hold::while_busy;
    case CURLICUE_HOLD_ALWAYS:
        return hold::always;
    case CURLICUE_HOLD_NEVER:
        return hold::never;
    }
    throw std::invalid_argument("curlicue_options: there is no such hold");
}

async_multi_options multi_options_of(const curlicue_options* given) {
    curlicue_options defaults;
    curlicue_options_init(&defaults);
    const auto asked = detail::known_part(given, "curlicue_options", defaults);
    async_multi_options options;
    options.keep_loop = hold_of(asked.hold);
    // What is promised not to throw differs in type alone; functions of C do not.
    options.hooks = {reinterpret_cast<decltype(host_hooks::enter)>(asked.enter),
                     reinterpret_cast<decltype(host_hooks::leave)>(asked.leave), asked.arg};
    if (asked.shards != 0)
        options.sharding = shards::fixed(asked.shards);
    options.ca_cache = asked.ca_cache != 0;
    options.refuse_blocking = asked.refuse_blocking != 0;
    options.heartbeat = std::chrono::milliseconds(asked.heartbeat_ms);
    return options;
}

void tell(curlicue_done done, void* data, CURL* handle, result<easy>&& outcome) noexcept {
    if (outcome.has_value())
        return done(data, handle, CURLICUE_OK, curlicue_strerror(CURLICUE_OK));
    try {
        std::rethrow_exception(outcome.exception());
    } catch (const std::exception& failure) {
        done(data, handle, detail::current_status(), failure.what());
    } catch (...) {
        done(data, handle, CURLICUE_FAILED, curlicue_strerror(CURLICUE_FAILED));
    }
}

detail::easy_core& core_of(const curlicue_easy& easy, const char* call) {
    auto& core = *detail::easy_access::core_of(easy.handle);
    core.require_idle(call);
    return core;
}

} // namespace
} // namespace curlicue

using namespace curlicue;
using namespace curlicue::detail;

const char* curlicue_version() { return CURLICUE_VERSION; }

void curlicue_options_init(curlicue_options* options) {
    *options = {};
    options->size = sizeof *options;
    options->heartbeat_ms = static_cast<long>(async_multi_options().heartbeat.count());
}

int curlicue_multi_new(uv_loop_s* loop, const curlicue_options* options, curlicue_multi** made) {
    return make(made, "curlicue_multi_new",
                [&] { return std::make_unique<curlicue_multi>(loop, multi_options_of(options)); });
}

int curlicue_multi_setopt(curlicue_multi* multi, CURLMoption option, curl_off_t value) {
    return status_of_call([&] { multi->multi.setopt(option, value); }, CURLICUE_BAD_OPTION);
}

int curlicue_multi_add(curlicue_multi* multi, CURL* handle, curlicue_done done, void* data) {
    return status_of_call([&] {
        require(done != nullptr, "curlicue_multi_add");
        auto waiting = made_to_tell<easy>(
            [=](result<easy>&& outcome) noexcept { tell(done, data, handle, std::move(outcome)); });
        decltype(waiting)::element_type::wait_for(std::move(waiting),
                                                  multi->multi.add_handle(easy::borrow(handle)));
    });
}

int curlicue_multi_remove(curlicue_multi* multi, CURL* handle) {
    return status_of_call([&] { multi->multi.remove_handle(easy::borrow(handle)); });
}

int curlicue_multi_pause(curlicue_multi* multi, CURL* handle, int bitmask) {
    return status_of_call([&] {
        const auto paused = easy::borrow(handle);
        if (paused.attached() && !multi->multi.contains(paused))
            throw usage_error(errc::not_added);
        paused.pause(bitmask);
    });
}

size_t curlicue_multi_size(const curlicue_multi* multi) { return multi->multi.size(); }

int curlicue_multi_post(curlicue_multi* multi, void (*call)(void* data), void* data) {
    return status_of_call([&] {
        require(call != nullptr, "curlicue_multi_post");
        multi->multi.executor().post([=]() noexcept { call(data); });
    });
}

int curlicue_multi_ref(curlicue_multi* multi) {
    return status_of_call([&] { multi->multi.ref(); });
}

int curlicue_multi_unref(curlicue_multi* multi) {
    return status_of_call([&] { multi->multi.unref(); });
}

int curlicue_multi_close(curlicue_multi* multi, void (*closed)(void* data), void* data) {
    return status_of_call(
        [&] { close_and_tell([&] { return multi->multi.close(); }, closed, data); });
}

int curlicue_multi_drain(curlicue_multi* multi, long patience_ms, void (*closed)(void* data),
                         void* data) {
    return status_of_call([&] {
        const std::chrono::milliseconds patience(patience_ms);
        close_and_tell([&] { return multi->multi.drain(patience); }, closed, data);
    });
}

void curlicue_multi_free(curlicue_multi* multi) { delete multi; }

int curlicue_multi_diagnostics(const curlicue_multi* multi, char* text, size_t size) {
    int length = 0;
    const int status = status_of_call(
        [&] { length = std::snprintf(text, size, "%s", multi->multi.diagnostics().c_str()); });
    return status == CURLICUE_OK ? length : -std::abs(status);
}

int curlicue_easy_new(curlicue_easy** made) {
    return make(made, "curlicue_easy_new", [] { return std::make_unique<curlicue_easy>(); });
}

int curlicue_easy_reset(curlicue_easy* easy) {
    return status_of_call([&] { easy->handle.reset(); });
}

int curlicue_easy_ca_cache(curlicue_easy* easy) {
    return status_of_call([&] { core_of(*easy, "curlicue_easy_ca_cache").prefer_ca_bundle(); });
}

CURL* curlicue_easy_handle(const curlicue_easy* easy) { return easy->handle.native_handle(); }

void curlicue_easy_free(curlicue_easy* easy) { delete easy; }

int curlicue_thread_new(const curlicue_options* options, curlicue_thread** made) {
    return make(made, "curlicue_thread_new",
                [&] { return std::make_unique<curlicue_thread>(multi_options_of(options)); });
}

curlicue_multi* curlicue_thread_multi(curlicue_thread* thread) { return &thread->multi; }

void curlicue_thread_free(curlicue_thread* thread) { delete thread; }
