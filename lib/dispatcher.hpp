// SPDX-License-Identifier: MIT
#pragma once

#include "uv_owned.hpp"
#include <curlicue/detail/executor_link.hpp>

#include <atomic>
#include <mutex>
#include <thread>

namespace curlicue::detail {

/// The executor of an `async_multi`: a queue for the loop's thread, another for all the others, and
/// one `uv_async_t` that brings the loop here. Its owner runs it, a bounded batch at a time, when
/// nothing of libcurl is on the stack.
class dispatcher final : public executor {
public:
    class owner {
    public:
        /// The loop was woken; run what there is.
        virtual void woken() noexcept = 0;
        /// Something was queued on the loop's thread.
        virtual void queued() noexcept = 0;
        virtual void start_timer(timed_work& timer, clock::time_point deadline) = 0;
        virtual void stop_timer(timed_work& timer) noexcept = 0;
        /// Thread-safe.
        virtual void task_rests() noexcept = 0;
        virtual void unobserved(std::exception_ptr failure) noexcept = 0;

    protected:
        ~owner() = default;
    };

    explicit dispatcher(owner& told) : owner_(told) {
        executor_link::of(*this)->end_with_process();
    }
    ~dispatcher() override = default;

    void post(unique_function<void()> callable) override;
    bool runs_here() const noexcept override;

    /// @throws std::system_error if libuv refuses
    void open(uv_loop_t* loop, intrusive_ptr<ref_counted> keep);
    /// The calling thread is the loop's, from now on.
    /// @returns whether that is news
    bool adopt_thread() noexcept {
        const auto here = std::this_thread::get_id();
        if (thread_.load(std::memory_order_relaxed) == here)
            return false;
        thread_.store(here, std::memory_order_release);
        return true;
    }
    std::thread::id thread() const noexcept { return thread_.load(std::memory_order_acquire); }
    /// Wakes the loop once, from any thread; while it is waking that costs nothing.
    void wake() noexcept;
    /// Whether the uv handle keeps the loop alive.
    void hold_loop(bool on) noexcept;

    /// False if it is closed, and `item` is not queued. Thread-safe.
    bool enqueue(work& item) noexcept;
    /// Takes over these items. On the loop's thread.
    void run_later(work_queue& items) noexcept;
    /// Takes over what other threads have queued. On the loop's thread.
    void take_remote() noexcept;
    /// Runs at the most `limit` items of those that are here; how many it ran.
    std::size_t run(std::size_t limit) noexcept;
    /// Whether anything is queued by other threads.
    bool any_remote() const noexcept { return any_remote_.load(std::memory_order_relaxed); }
    /// Whether anything is queued by the loop's thread.
    bool busy() const noexcept { return !local_.empty(); }
    /// No posts from now on; what futures queue is still taken.
    void refuse_posts() noexcept { refusing_.store(true, std::memory_order_release); }
    /// The end, if nothing is queued: false otherwise. What futures queue later runs at once.
    bool close() noexcept;

    using executor::cancel_pending;
    using executor::retire;

private:
    friend class invariants;
    class posted;

    void enqueue(work& item, work_queue& refused) noexcept override {
        if (!enqueue(item))
            refused.push(item);
    }
    void start_timer(timed_work& timer, clock::time_point deadline) override;
    void stop_timer(timed_work& timer) noexcept override;
    void task_rests() noexcept override { owner_.task_rests(); }
    void unobserved(std::exception_ptr failure) noexcept override;

    static void woken(uv_async_t* async) noexcept;

    owner& owner_;
    work_queue local_;
    std::atomic<std::thread::id> thread_;
    std::atomic<bool> refusing_{false};
    std::atomic<bool> any_remote_{false};
    bool holds_loop_ = true; // as libuv has it after the init

    std::mutex mutex_; // guards what follows
    work_queue remote_;
    bool closed_ = false;
    uv_owned<uv_async_t> async_;
};

} // namespace curlicue::detail
