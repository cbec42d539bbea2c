// SPDX-License-Identifier: MIT
#pragma once

#include "value.hpp"
#include <curlicue/async_multi.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
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
    template <class Call> void run(Call call) noexcept {
        if (ending_)
            return;
        try {
            enter_js();
            call();
        } catch (...) {
            // JavaScript is being ended: a worker that is terminated.
        }
    }
    /// The same, but throws. @throws what `call` does; std::runtime_error once JavaScript has ended
    void enter_js();

    /// Who makes errors: (category, code, message, phase, errno) => Error.
    void make_errors_by(napi_value function) { make_error_.emplace(env_, function); }
    napi_value error(const std::exception_ptr& failure);
    void throw_js(const std::exception_ptr& failure) noexcept;

    // The end of the environment waits for these.
    void opened(multi& one) { multis_.push_back(&one); }
    void closing(multi& one, future<void> closed) noexcept;

private:
    static void* enter(void* self) noexcept;
    static void leave(void* self, void* token) noexcept;
    static void end(napi_async_cleanup_hook_handle handle, void* self) noexcept;
    void end_if_closed() noexcept;
    napi_value made_error(const std::exception& failure);

    const napi_env env_;
    uv_loop_s* loop_ = nullptr;
    std::optional<reference> make_error_;

    std::vector<multi*> multis_;
    std::size_t closing_ = 0; // multis that are gone, or going
    bool ending_ = false;
    napi_async_cleanup_hook_handle cleanup_ = nullptr;

    int entries_ = 0;                     // from the loop
    std::shared_ptr<environment> inside_; // kept meanwhile
    napi_async_context context_ = nullptr;
    napi_handle_scope handles_ = nullptr;
    napi_callback_scope scope_ = nullptr;
};

} // namespace curlicue::node
