// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/executor.hpp>

#include <chrono>

namespace curlicue::detail {

/// The executor of a mock without a loop: what would be queued runs at once, in whoever queues it,
/// and time stands still but for `advance`.
/// @threading one thread at a time
class standing_executor final : public executor {
public:
    standing_executor();
    ~standing_executor() override { retire(); }

    void post(unique_function<void()> callable) override { callable(); }
    bool runs_here() const noexcept override { return true; }
    clock::time_point now() const noexcept override { return now_; }

    /// Lets time pass, and runs what is due by then, at its time.
    void advance(std::chrono::milliseconds time);

private:
    void enqueue(work& item, work_queue& refused) noexcept override { refused.push(item); }
    void start_timer(timed_work& timer, clock::time_point deadline) override;
    void stop_timer(timed_work& timer) noexcept override;

    clock::time_point now_ = clock::now();
    timed_work::queue timers_;
};

} // namespace curlicue::detail
