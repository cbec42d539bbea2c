// SPDX-License-Identifier: MIT
#include <curlicue/detail/small_mutex.hpp>

namespace curlicue::detail {

// Whoever has slept cannot know whether others still do, and so leaves it marked.
[[gnu::noinline]] void small_mutex::wait() noexcept {
    while (state_.exchange(state::awaited, std::memory_order_acquire) != state::free)
        state_.wait(state::awaited, std::memory_order_relaxed);
}

// The mutex may be gone by now, with whoever took it in between: its address is all that is used.
[[gnu::noinline]] void small_mutex::wake() noexcept { state_.notify_one(); }

} // namespace curlicue::detail
