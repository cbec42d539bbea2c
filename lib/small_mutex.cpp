// SPDX-License-Identifier: MIT
#include <curlicue/detail/small_mutex.hpp>

namespace curlicue::detail {

// Whoever has slept cannot know whether others still do, and so leaves it marked.
[[gnu::noinline]] void small_mutex::wait() noexcept {
    const auto mine = taken() | awaited;
    for (auto seen = state_.load(std::memory_order_relaxed);;) {
        const bool of_this_process = (seen ^ mine) >> 2 == 0;
        if (seen == free || !of_this_process) {
            if (state_.compare_exchange_weak(seen, mine, std::memory_order_acquire,
                                             std::memory_order_relaxed))
                return;
        } else if (seen == mine ||
                   state_.compare_exchange_weak(seen, mine, std::memory_order_relaxed)) {
            state_.wait(mine, std::memory_order_relaxed);
            seen = state_.load(std::memory_order_relaxed);
        }
    }
}

// The mutex may be gone by now, with whoever took it in between: its address is all that is used.
[[gnu::noinline]] void small_mutex::wake() noexcept { state_.notify_one(); }

} // namespace curlicue::detail
