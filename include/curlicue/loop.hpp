// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/async_multi.hpp>
#include <curlicue/detail/export.hpp>
#include <curlicue/detail/intrusive_ptr.hpp>
#include <curlicue/loop_scope.hpp>
#include <curlicue/unique_function.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

struct uv_loop_s;

namespace curlicue {

/// A loop of its own, on a thread of its own, with an `async_multi`: for programs that have none.
/// It runs until it is destroyed, which cancels what is pending. What you have left open on
/// `loop()` is closed then, without a callback: its memory must outlive the destructor.
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

/// Several `loop_thread`s behind one `add_handle`, for a program whose transfers keep more than one
/// core busy. Continuations run on the thread of the loop where their transfer ran. It runs until
/// it is destroyed, which cancels what is pending and joins all threads; destroying it on one of
/// them ends the program with a message.
///
/// *Placement:* every server (scheme, host and port of the URL) has a home among the loops, where
/// its connections are found again. While 32 or more transfers are pending there, the next goes to
/// the loop with the fewest, if those are clearly fewer. One whose connection may carry others
/// stays at home all the same: from libcurl 8.4 on, `https` and where CURLOPT_HTTP_VERSION is
/// set. A borrowed easy with a CURLOPT_CURLU goes to the loop with the fewest.
///
/// Easies whose `share` shares connections cannot run on several loops: add them to the multi of
/// one, `pool[0].multi()` say.
/// @threading thread-safe, but for the destructor
class CURLICUE_EXPORT loop_pool {
public:
    /// The options of a loop, by its number from 0 on. They are made one by one because they cannot
    /// be copied; what theirs share is captured: `[&](std::size_t) { return
    /// async_multi_options{.on_unobserved_error = [&](std::exception_ptr) { ++failures; }}; }`.
    /// Called by the constructor only, on its thread; what its `on_unobserved_error` refers to is
    /// used on the threads of all loops, to the end of the pool.
    using options_of = unique_function<async_multi_options(std::size_t)>;

    /// @param size how many loops
    /// @param options null: the defaults for each
    /// @throws std::invalid_argument if the size is 0; std::system_error if there are no threads or
    ///     loops to be had; what `options` throws
    explicit loop_pool(std::size_t size = cores(), options_of options = nullptr);
    loop_pool(const loop_pool&) = delete;
    loop_pool& operator=(const loop_pool&) = delete;
    ~loop_pool();

    /// `std::thread::hardware_concurrency()`, or 1 where that is not known.
    static std::size_t cores() noexcept;

    std::size_t size() const noexcept { return loops_.size(); }
    /// *Ownership:* the pool's. What is added to its multi counts as its load. Closing that multi
    /// alone leaves the servers at home there without one: their transfers are refused.
    /// @param loop less than `size()`
    loop_thread& operator[](std::size_t loop) noexcept { return *loops_[loop]; }

    /// Starts a transfer, as `async_multi::add_handle` on another thread.
    /// @throws usage_error closed, already_added
    future<easy> add_handle(const easy& handle);
    /// The same, under the name that reads well with `co_await`.
    future<easy> perform(const easy& handle) { return add_handle(handle); }

    /// Closes all multis. The future is ready when the last one is closed, and its continuations
    /// run at once, on the thread that closed it. Idempotent: each call returns a future of the
    /// same completion, whose `cancel` does nothing. Do not wait for it on a thread of the pool's:
    /// that never ends, and nothing tells.
    /// @throws usage_error{errc::forked} in a child process
    future<void> close();
    /// No new work; each loop closes when what runs there is over, tasks on its executor included,
    /// or when `patience` is. What such a task gives to the pool runs on the task's own loop, and
    /// one that itself awaits this future is not waited for; it sees `cancelled`. The future is
    /// that of `close`, which may still be called.
    future<void> drain(std::chrono::milliseconds patience);
    /// From the first `close` or `drain` on.
    bool closed() const noexcept { return closed_.load(std::memory_order_acquire); }

    /// The sums over all loops; of the longest times, the longest.
    multi_stats stats() const;

private:
    class completion;

    loop_thread& loop_for(const easy& handle) const;
    loop_thread* loop_of_task() const noexcept;
    template <class End> future<void> end(End end);

    std::atomic<bool> closed_{false};
    detail::intrusive_ptr<completion> completion_;
    std::vector<std::unique_ptr<loop_thread>> loops_;
};

} // namespace curlicue
