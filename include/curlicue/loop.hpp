// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/async_multi.hpp>
#include <curlicue/detail/export.hpp>
#include <curlicue/detail/loop_scope.hpp>

#include <memory>

struct uv_loop_s;

namespace curlicue {

/// A loop of its own, on a thread of its own, with an `async_multi`: for programs that have none.
/// It runs until it is destroyed, which cancels what is pending.
///
/// Destroying it on its own thread (in a continuation, say) ends the program with a message, as a
/// `std::thread` that joins itself would.
/// @threading the constructor, `multi()` and `loop()` on any thread; of what they give, the
///     thread-safe members only, and the rest by `multi().post`
class CURLICUE_EXPORT loop_thread {
public:
    /// @throws std::system_error if there is no thread or loop to be had
    explicit loop_thread(async_multi_options options = {});
    loop_thread(const loop_thread&) = delete;
    loop_thread& operator=(const loop_thread&) = delete;
    ~loop_thread();

    async_multi& multi() noexcept;
    uv_loop_s* loop() noexcept;

private:
    class running_loop;
    std::unique_ptr<running_loop> running_;
};

} // namespace curlicue
