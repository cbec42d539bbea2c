// SPDX-License-Identifier: MIT
#include "standing_executor.hpp"

#include <curlicue/detail/clock.hpp>
#include <curlicue/detail/executor_link.hpp>

#include <algorithm>
#include <utility>

namespace curlicue::detail {

standing_executor::standing_executor() { executor_link::of(*this)->run_at_once(); }

void standing_executor::advance(std::chrono::milliseconds time) {
    const auto end = later(now_, time);
    while (!timers_.empty() && timers_.begin()->first <= end) {
        auto& due = *timers_.begin()->second;
        now_ = std::max(now_, timers_.begin()->first);
        stop_timer(due);
        due.expired();
    }
    now_ = end;
}

void standing_executor::start_timer(timed_work& timer, clock::time_point deadline) {
    timer.position = timers_.emplace(deadline, &timer);
    timer.armed = true;
}

void standing_executor::stop_timer(timed_work& timer) noexcept {
    if (std::exchange(timer.armed, false))
        timers_.erase(timer.position);
}

} // namespace curlicue::detail
