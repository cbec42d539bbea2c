// SPDX-License-Identifier: MIT
// curlicue.h: every function does what a member in C++ does, and tells a status where that throws.
#include "easy_core.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/curlicue.h>
#include <curlicue/error.hpp>
#include <curlicue/loop.hpp>
#include <curlicue/version.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

struct curlicue_multi {
    curlicue_multi(uv_loop_s* loop, curlicue::async_multi_options options)
        : own(std::in_place, loop, std::move(options)), multi(*own) {}
    explicit curlicue_multi(curlicue::async_multi& of) : multi(of) {}

    std::optional<curlicue::async_multi> own;
    curlicue::async_multi& multi;
};

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

constexpr int no_memory = -ENOMEM; // UV_ENOMEM

constexpr int own_status(errc code) noexcept {
    return CURLICUE_OWN_STATUS + static_cast<int>(code);
}
static_assert(CURLICUE_CLOSED == own_status(errc::closed));
static_assert(CURLICUE_ALREADY_ADDED == own_status(errc::already_added));
static_assert(CURLICUE_ATTACHED == own_status(errc::attached));
static_assert(CURLICUE_NOT_ADDED == own_status(errc::not_added));
static_assert(CURLICUE_NULL_HANDLE == own_status(errc::null_handle));
static_assert(CURLICUE_WRONG_THREAD == own_status(errc::wrong_thread));
static_assert(CURLICUE_INSIDE_CALLBACK == own_status(errc::inside_callback));
static_assert(CURLICUE_FORKED == own_status(errc::forked));
static_assert(CURLICUE_WOULD_BLOCK == own_status(errc::would_block));
static_assert(CURLICUE_CANCELLED == own_status(errc::cancelled));

int status_of(const std::error_code& code) noexcept {
    if (code.category() == curlicue_category())
        return CURLICUE_OWN_STATUS + code.value();
    if (code.category() == multi_category())
        return CURLICUE_MULTI_STATUS + code.value();
    if (is_easy_error(code) || code.category() == uv_category())
        return code.value();
    return CURLICUE_FAILED;
}

// Of the exception that is being handled.
int current_status() noexcept {
    try {
        throw;
    } catch (const usage_error& error) {
        return status_of(error.code());
    } catch (const std::system_error& error) {
        return status_of(error.code());
    } catch (const std::bad_alloc&) {
        return no_memory;
    } catch (const std::invalid_argument&) {
        return CURLICUE_BAD_OPTION;
    } catch (...) {
        return CURLICUE_FAILED;
    }
}

template <class Call> int status_of_call(Call call) noexcept {
    try {
        call();
        return CURLICUE_OK;
    } catch (...) {
        return current_status();
    }
}

template <class Object, class... Arguments> int make(Object** made, Arguments&&... arguments) {
    if (made == nullptr)
        return CURLICUE_NULL_HANDLE;
    *made = nullptr;
    return status_of_call(
        [&] { *made = std::make_unique<Object>(std::forward<Arguments>(arguments)...).release(); });
}

std::string words_for(int status) {
    switch (status) {
    case CURLICUE_OK:
        return "success";
    case CURLICUE_BAD_OPTION:
        return "an option that curlicue sets itself, or that takes no number";
    case CURLICUE_FAILED:
        return "it failed";
    default:
        return status < 0                       ? uv_category().message(status)
               : status < CURLICUE_MULTI_STATUS ? easy_category().message(status)
               : status < CURLICUE_OWN_STATUS
                   ? multi_category().message(status - CURLICUE_MULTI_STATUS)
                   : curlicue_category().message(status - CURLICUE_OWN_STATUS);
    }
}

hold hold_of(curlicue_hold asked) noexcept {
    switch (asked) {
    case CURLICUE_HOLD_ALWAYS:
        return hold::always;
    case CURLICUE_HOLD_NEVER:
        return hold::never;
    default:
        return hold::while_busy;
    }
}

async_multi_options options_of(const curlicue_options* given) {
    curlicue_options asked;
    curlicue_options_init(&asked);
    if (given != nullptr) // of an older caller, who knows fewer, the rest are the defaults
        std::memcpy(&asked, given, std::min(given->size, sizeof asked));
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
        done(data, handle, current_status(), failure.what());
    } catch (...) {
        done(data, handle, CURLICUE_FAILED, curlicue_strerror(CURLICUE_FAILED));
    }
}

detail::easy_core& core_of(const curlicue_easy& easy, const char* call) {
    auto& core = *detail::easy_access::core_of(easy.handle);
    core.require_idle(call);
    return core;
}

/// Waits for a future, to tell a callback of its outcome. It is there before anything begins: what
/// has begun is not refused for lack of memory.
template <class T, class F> class told final : private detail::continuation, private detail::work {
public:
    explicit told(F callback) noexcept : callback_(callback) {}

    /// Ends by itself.
    static void wait_for(std::unique_ptr<told> waiting, const future<T>& awaited) noexcept {
        waiting->state_ = awaited.checked();
        waiting->state_->observe();
        const auto state = waiting->state_;
        state->attach(*waiting.release());
    }

private:
    void source_ready() noexcept override { enqueue(state_->link(), *this); }
    void run() noexcept override {
        const std::unique_ptr<told> self(this);
        callback_(state_->take_noexcept());
    }

    const F callback_;
    detail::intrusive_ptr<detail::state<T>> state_;
};

template <class T, class F> auto made_to_tell(F callback) {
    return std::make_unique<told<T, F>>(callback);
}

} // namespace
} // namespace curlicue

using namespace curlicue;

const char* curlicue_strerror(int status) {
    thread_local std::string words;
    return status_of_call([&] { words = words_for(status); }) == CURLICUE_OK ? words.c_str()
                                                                             : "out of memory";
}

const char* curlicue_version() { return CURLICUE_VERSION; }

void curlicue_options_init(curlicue_options* options) {
    *options = {};
    options->size = sizeof *options;
    options->heartbeat_ms = static_cast<long>(async_multi_options().heartbeat.count());
}

int curlicue_multi_new(uv_loop_s* loop, const curlicue_options* options, curlicue_multi** made) {
    return make(made, loop, options_of(options));
}

int curlicue_multi_setopt(curlicue_multi* multi, CURLMoption option, curl_off_t value) {
    return status_of_call([&] { multi->multi.setopt(option, value); });
}

int curlicue_multi_add(curlicue_multi* multi, CURL* handle, curlicue_done done, void* data) {
    if (done == nullptr)
        return CURLICUE_NULL_HANDLE;
    return status_of_call([&] {
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
    if (call == nullptr)
        return CURLICUE_NULL_HANDLE;
    return status_of_call([&] { multi->multi.executor().post([=]() noexcept { call(data); }); });
}

int curlicue_multi_ref(curlicue_multi* multi) {
    return status_of_call([&] { multi->multi.ref(); });
}

int curlicue_multi_unref(curlicue_multi* multi) {
    return status_of_call([&] { multi->multi.unref(); });
}

int curlicue_multi_close(curlicue_multi* multi, void (*closed)(void* data), void* data) {
    return status_of_call([&] {
        auto waiting = made_to_tell<void>([=](result<void>&&) noexcept {
            if (closed != nullptr)
                closed(data);
        });
        decltype(waiting)::element_type::wait_for(std::move(waiting), multi->multi.close());
    });
}

void curlicue_multi_free(curlicue_multi* multi) { delete multi; }

int curlicue_multi_diagnostics(const curlicue_multi* multi, char* text, size_t size) {
    int length = 0;
    const int status = status_of_call(
        [&] { length = std::snprintf(text, size, "%s", multi->multi.diagnostics().c_str()); });
    return status == CURLICUE_OK ? length : -std::abs(status);
}

int curlicue_easy_new(curlicue_easy** made) { return make(made); }

int curlicue_easy_reset(curlicue_easy* easy) {
    return status_of_call([&] { easy->handle.reset(); });
}

int curlicue_easy_ca_cache(curlicue_easy* easy) {
    return status_of_call([&] { core_of(*easy, "curlicue_easy_ca_cache").prefer_ca_bundle(); });
}

CURL* curlicue_easy_handle(const curlicue_easy* easy) { return easy->handle.native_handle(); }

void curlicue_easy_free(curlicue_easy* easy) { delete easy; }

int curlicue_thread_new(const curlicue_options* options, curlicue_thread** made) {
    return make(made, options_of(options));
}

curlicue_multi* curlicue_thread_multi(curlicue_thread* thread) { return &thread->multi; }

void curlicue_thread_free(curlicue_thread* thread) { delete thread; }
