// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/executor_link.hpp>
#include <curlicue/error.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace curlicue::test {

/// An executor whose queue and timers a test runs by hand, on the thread that made it or adopted
/// it.
class manual_executor final : public executor {
public:
    manual_executor() = default;
    ~manual_executor() override { close(); }

    void post(unique_function<void()> callable) override {
        auto item = std::make_unique<posted>(std::move(callable));
        if (!enqueue(*item))
            throw usage_error(errc::closed, "post");
        item.release();
    }
    bool runs_here() const noexcept override { return thread_ == std::this_thread::get_id(); }

    clock::time_point now() const noexcept override { return now_; }
    void start_timer(timed_work& timer, clock::time_point deadline) override {
        timer.position = timers_.emplace(deadline, &timer);
        timer.armed = true;
    }
    void stop_timer(timed_work& timer) noexcept override {
        if (std::exchange(timer.armed, false))
            timers_.erase(timer.position);
    }

    /// Runs what is queued, and what that queues. How many it ran.
    std::size_t run() {
        std::size_t count = 0;
        for (; auto* const item = pop(); ++count)
            item->run();
        return count;
    }
    /// Lets time pass, as far as timers are concerned, and runs what they queue.
    void pass(std::chrono::milliseconds time) {
        now_ = now_.load() + time;
        while (!timers_.empty() && timers_.begin()->first <= now_.load()) {
            auto& timer = *timers_.begin()->second;
            stop_timer(timer);
            timer.expired();
        }
        run();
    }
    std::size_t armed_timers() const noexcept { return timers_.size(); }
    /// When the first of them comes; there is one.
    clock::time_point earliest_timer() const noexcept { return timers_.begin()->first; }

    /// Cancels what is pending, runs what that queues, and is gone.
    void close() {
        cancel_pending();
        run();
        {
            const std::lock_guard lock(mutex_);
            closed_ = true;
        }
        run();
        retire();
    }
    using executor::cancel_pending;

    /// From now on the calling thread is the one that runs it.
    void adopt_thread() noexcept { thread_ = std::this_thread::get_id(); }
    /// Runs until `stop`.
    void serve() {
        adopt_thread();
        std::unique_lock lock(mutex_);
        while (!stopping_) {
            changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
            lock.unlock();
            run();
            lock.lock();
        }
    }
    void stop() {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        changed_.notify_one();
    }

    /// The failures that nobody has looked at.
    std::vector<std::exception_ptr> unobserved_failures() const {
        const std::lock_guard lock(mutex_);
        return unobserved_;
    }

private:
    class posted final : public detail::work {
    public:
        explicit posted(unique_function<void()> callable) noexcept
            : callable_(std::move(callable)) {}
        void run() noexcept override {
            const std::unique_ptr<posted> self(this);
            callable_();
        }

    private:
        unique_function<void()> callable_;
    };

    void enqueue(detail::work& item, detail::work_queue& refused) noexcept override {
        if (!enqueue(item))
            refused.push(item);
    }
    bool enqueue(detail::work& item) noexcept {
        const std::lock_guard lock(mutex_);
        if (closed_)
            return false;
        queue_.push(item);
        changed_.notify_one();
        return true;
    }
    detail::work* pop() {
        const std::lock_guard lock(mutex_);
        return queue_.pop();
    }
    void unobserved(std::exception_ptr failure) noexcept override {
        const std::lock_guard lock(mutex_);
        unobserved_.push_back(std::move(failure));
    }

    std::atomic<std::thread::id> thread_ = std::this_thread::get_id();
    std::atomic<clock::time_point> now_ = clock::now();
    timed_work::queue timers_;

    mutable std::mutex mutex_; // guards what follows
    std::condition_variable changed_;
    detail::work_queue queue_;
    std::vector<std::exception_ptr> unobserved_;
    bool closed_ = false;
    bool stopping_ = false;
};

/// A `manual_executor` that a thread of its own runs.
class thread_executor {
public:
    thread_executor() : thread_([this] { executor_.serve(); }) {
        executor& started = executor_;
        std::mutex mutex;
        std::condition_variable changed;
        bool runs = false;
        started.post([&] {
            const std::lock_guard lock(mutex);
            runs = true;
            changed.notify_one();
        });
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return runs; });
    }
    ~thread_executor() {
        executor_.stop();
        thread_.join();
        executor_.adopt_thread();
    }
    thread_executor(const thread_executor&) = delete;
    thread_executor& operator=(const thread_executor&) = delete;

    manual_executor& operator*() noexcept { return executor_; }
    manual_executor* operator->() noexcept { return &executor_; }

private:
    manual_executor executor_;
    std::thread thread_;
};

} // namespace curlicue::test
