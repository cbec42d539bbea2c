// SPDX-License-Identifier: MIT
// The timer of futures that belong to no executor: that of a `loop_pool`'s close, say.
#include "process.hpp"
#include <curlicue/detail/executor_link.hpp>
#include <curlicue/error.hpp>

#include <condition_variable>
#include <system_error>
#include <thread>
#include <utility>

namespace curlicue::detail {
namespace {

thread_local bool here_are_timers = false;

/// An executor with a thread of its own, which is there while somebody waits for a time.
/// @threading thread-safe
class timer_thread final : public executor {
public:
    /// That of this process. It is never destroyed: the thread may outlive everything static.
    static timer_thread& here() {
        static fork_mutex mutex;
        static timer_thread* one = nullptr;
        const std::lock_guard lock(mutex);
        if (one == nullptr || executor_link::of(*one)->left_behind())
            one = new timer_thread;
        return *one;
    }

    void post(unique_function<void()>) override { throw usage_error(errc::closed, "timer"); }
    bool runs_here() const noexcept override {
        return thread_.load(std::memory_order_relaxed) == std::this_thread::get_id();
    }

private:
    timer_thread() { executor_link::of(*this)->end_with_process(); }
    ~timer_thread() override = default;

    void enqueue(work& item, work_queue& refused) noexcept override {
        const std::lock_guard lock(mutex_);
        if (runs()) {
            queue_.push(item);
            changed_.notify_one();
        } else {
            refused.push(item);
        }
    }

    // Who could not start the thread is elsewhere.
    void start_timer(timed_work& timer, clock::time_point deadline) override {
        if (!runs_here())
            throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again),
                                    "future::timeout: no thread for its timer");
        timer.position = timers_.emplace(deadline, &timer);
        timer.armed = true;
    }
    void stop_timer(timed_work& timer) noexcept override {
        if (std::exchange(timer.armed, false))
            timers_.erase(timer.position);
    }

    bool runs() noexcept {
        if (running_)
            return true;
        try {
            std::thread([this] { run(); }).detach();
            running_ = true;
        } catch (const std::system_error&) {
            // The process has as many threads as it may.
        } catch (const std::bad_alloc&) {
        }
        return running_;
    }

    void run() noexcept {
        here_are_timers = true;
        thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
        work_queue items;
        while (take(items)) {
            while (auto* const each = items.pop())
                each->run();
            while (!timers_.empty() && timers_.begin()->first <= clock::now()) {
                auto& late = *timers_.begin()->second;
                stop_timer(late);
                late.expired();
            }
        }
    }

    /// Waits for something to do. False if nobody waits for anything: the thread ends.
    bool take(work_queue& items) noexcept {
        std::unique_lock lock(mutex_);
        if (queue_.empty() && !timers_.empty())
            changed_.wait_until(lock, timers_.begin()->first);
        items.splice(queue_);
        if (items.empty() && timers_.empty()) {
            thread_.store({}, std::memory_order_relaxed);
            running_ = false;
        }
        return running_;
    }

    std::atomic<std::thread::id> thread_;
    timed_work::queue timers_; // the thread's own

    std::mutex mutex_; // guards what follows
    std::condition_variable changed_;
    work_queue queue_;
    bool running_ = false;
};

} // namespace

intrusive_ptr<executor_link> with_timer(const intrusive_ptr<executor_link>& link) {
    return link && !link->gone() ? link : executor_link::of(timer_thread::here());
}

bool is_timer_thread() noexcept { return here_are_timers; }

} // namespace curlicue::detail
