// SPDX-License-Identifier: MIT
#include "file_worker.hpp"

#include "../event_state.hpp"
#include "../process.hpp"
#include <curlicue/detail/process_mark.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace curlicue::detail {
namespace {

// So long it waits for more, the next block of a file: a thread for each would cost more.
constexpr std::chrono::milliseconds lull{10};

/// glibc unloads no library while a thread has still to destroy a thread_local of it.
struct stays_loaded {
    ~stays_loaded() { std::atomic_signal_fence(std::memory_order_seq_cst); } // or it were trivial
};

/// A thread that is there while there is something to do, and a moment longer.
class file_worker {
public:
    /// That of this process. It is never destroyed: the thread may outlive everything static.
    static file_worker& here() {
        static fork_mutex mutex;
        static file_worker* one = nullptr;
        const std::lock_guard lock(mutex);
        if (one == nullptr || one->process_.elsewhere())
            one = new file_worker;
        return *one;
    }

    void queue(unique_function<void()> job) {
        const std::lock_guard lock(mutex_);
        jobs_.push_back(std::move(job));
        more_.notify_one();
        if (!std::exchange(running_, true)) {
            try {
                std::thread([this] { run(); }).detach();
            } catch (...) {
                running_ = false;
                jobs_.pop_back();
                throw;
            }
        }
    }

private:
    // NOLINTNEXTLINE(bugprone-exception-escape): jobs keep their failures
    void run() noexcept {
        const thread_local stays_loaded until_it_ends{};
        while (auto job = next())
            job();
    }
    /// Empty where there is nothing to do: the thread ends.
    unique_function<void()> next() noexcept {
        std::unique_lock lock(mutex_);
        if (!more_.wait_for(lock, lull, [this] { return !jobs_.empty(); })) {
            running_ = false;
            return nullptr;
        }
        auto job = std::move(jobs_.front());
        jobs_.pop_front();
        return job;
    }

    const process_mark process_;
    std::mutex mutex_; // guards what follows
    std::condition_variable more_;
    std::deque<unique_function<void()>> jobs_;
    bool running_ = false;
};

/// One job, and its future's state.
class file_job final : public event_state, private timed_work {
public:
    file_job(const intrusive_ptr<executor_link>& link, unique_function<void()> job)
        : event_state(link), job_(std::move(job)) {}

private:
    struct way_back final : detail::work {
        explicit way_back(file_job& whose) noexcept : of(whose) {}
        void run() noexcept override { of.came_back(); }
        file_job& of;
    };

    ~file_job() override = default;

    void begin() override {
        link()->start_timer(*this, executor::clock::time_point::max()); // that holds the loop
        try {
            file_worker::here().queue([kept = intrusive_ptr<file_job>::share(this)] {
                kept->do_it();
                kept->retain();
                kept->link()->enqueue(kept->coming_back_);
            });
        } catch (...) {
            link()->stop_timer(*this);
            throw;
        }
    }
    void do_it() noexcept {
        try {
            job_();
        } catch (...) {
            outcome_ = failure(std::current_exception());
        }
        job_ = nullptr; // what it holds may be a file
    }
    void came_back() noexcept {
        const auto queued = intrusive_ptr<file_job>::adopt(this);
        link()->stop_timer(*this);
        if (!stopped_)
            end(std::move(outcome_));
    }
    void stop() noexcept override {
        stopped_ = true;
        link()->stop_timer(*this);
    }
    void expired() noexcept override {}

    way_back coming_back_{*this};
    unique_function<void()> job_;
    result<void> outcome_;
    bool stopped_ = false;
};

} // namespace

future<void> run_with_files(const intrusive_ptr<executor_link>& link, unique_function<void()> job) {
    if (link->runs_at_once()) { // there is no thread to which the job could come back
        job();
        return make_ready_future();
    }
    const auto one = make_intrusive<file_job>(link, std::move(job));
    one->start("fetch");
    return future<void>(one);
}

} // namespace curlicue::detail
