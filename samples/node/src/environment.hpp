// SPDX-License-Identifier: MIT
#pragma once

#include "blocks.hpp"
#include "value.hpp"
#include <curlicue/async_multi.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <node_api.h>

namespace curlicue::node {

class multi;

/// One instance of Node: the main thread's, or a worker's. It lives until the last `async_multi` on
/// its loop is closed, which is after JavaScript has ended there.
/// @threading the environment's own
class environment : public std::enable_shared_from_this<environment> {
public:
    /// Enters the addon into a new environment.
    static environment& open(napi_env env);
    static environment& of(napi_env env);

    explicit environment(napi_env env);
    environment(const environment&) = delete;
    environment& operator=(const environment&) = delete;
    ~environment() = default;

    napi_env env() const noexcept { return env_; }
    /// Whether JavaScript has ended here: soon `env` is no more.
    bool ended() const noexcept { return ending_; }
    uv_loop_s* loop() const noexcept { return loop_; }
    /// For every `async_multi` here.
    host_hooks hooks() noexcept { return {&enter, &leave, this}; }

    /// Runs what calls JavaScript from the loop, be it through libcurl or a continuation. One scope
    /// is enough for all of it until libcurl and curlicue have returned to the loop: at its end
    /// Node runs what is due, nextTick callbacks and then microtasks. Once JavaScript has ended
    /// here, nobody is left to be told.
    /// @param failed (napi_value) called with the Error of what `call` threw: it settles what is
    ///     left
    template <class Call, class Failed> void run(Call call, Failed failed) noexcept {
        if (ending_)
            return;
        try {
            enter_js();
            try {
                call();
            } catch (...) {
                failed(error(std::current_exception()));
            }
        } catch (...) {
            // JavaScript is being ended: a worker that is terminated.
        }
    }
    /// Before a call of JavaScript's.
    /// @throws std::runtime_error once JavaScript has ended, and in a finalizer
    void enter_js();

    /// While it is there, the collector is at work: nothing of JavaScript's is called.
    class finalizing {
    public:
        explicit finalizing(environment& where) noexcept
            : where_(where), before_(std::exchange(where.finalizing_, true)) {}
        finalizing(const finalizing&) = delete;
        finalizing& operator=(const finalizing&) = delete;
        ~finalizing() { where_.finalizing_ = before_; }

    private:
        environment& where_;
        const bool before_;
    };

    /// What this Node can have in one string and in one array.
    struct limits {
        std::size_t characters = 0;
        std::size_t bytes = 0;
    };
    const limits& most() const noexcept { return most_; }

    /// The easy of the Curl that `curl::wrap` is making, and none else: null.
    const easy* lent = nullptr;

    /// For the bodies of `fetch`.
    const std::shared_ptr<blocks>& memory() const noexcept { return memory_; }

    /// @param make_error (category, code, message, phase, errno, attempts, limit, cause) => Error
    /// @param redirect (from, location) => the URL that it leads to
    void begin(napi_value make_error, napi_value redirect, limits most) {
        make_error_.emplace(env_, make_error);
        redirect_.emplace(env_, redirect);
        most_ = most;
    }
    /// @throws js_exception
    std::string redirected(const std::string& from, std::string_view location);
    /// @param body_began whether the WRITEFUNCTION of the transfer that failed was called
    napi_value error(const std::exception_ptr& failure, bool body_began = false);
    void throw_js(const std::exception_ptr& failure) noexcept;

    // The end of the environment waits for these.
    void opened(multi& one) { multis_.push_back(&one); }
    void closing(multi& one, future<void> closed) noexcept;

private:
    static void* enter(void* self) noexcept;
    static void leave(void* self, void* token) noexcept;
    static void end(napi_async_cleanup_hook_handle handle, void* self) noexcept;
    void end_if_closed() noexcept;
    void open_scope();
    napi_value made_error(const std::exception& failure, bool body_began);

    const napi_env env_;
    uv_loop_s* loop_ = nullptr;
    std::optional<reference> make_error_, redirect_;
    const std::shared_ptr<blocks> memory_ = std::make_shared<blocks>();
    limits most_;
    bool finalizing_ = false;

    std::vector<multi*> multis_;
    std::size_t closing_ = 0; // multis that are gone, or going
    bool ending_ = false;
    napi_async_cleanup_hook_handle cleanup_ = nullptr;

    int entries_ = 0;                     // from the loop
    std::shared_ptr<environment> inside_; // kept meanwhile
    napi_async_context context_ = nullptr;
    napi_handle_scope handles_ = nullptr;
    napi_callback_scope scope_ = nullptr; // which may be null when it is open, too
    bool scope_is_open_ = false;
};

} // namespace curlicue::node
