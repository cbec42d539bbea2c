// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/export.hpp>
#include <curlicue/detail/process_mark.hpp>

#include <atomic>

namespace curlicue::detail {

/// A mutex for sections of a few instructions, of which a transfer has nine. Free, it is taken and
/// given back by one atomic instruction each, in place of two calls; who has to wait sleeps. Four
/// bytes, where a `std::mutex` has forty. In a child process nobody waits for a thread that had it
/// in the parent: that does not exist there.
/// @threading thread-safe
class CURLICUE_EXPORT small_mutex {
public:
    small_mutex() = default;
    small_mutex(const small_mutex&) = delete;
    small_mutex& operator=(const small_mutex&) = delete;

    void lock() noexcept {
        auto seen = free;
        if (!state_.compare_exchange_strong(seen, taken(), std::memory_order_acquire,
                                            std::memory_order_relaxed))
            wait();
    }
    // Compilers take it for too long to be inlined: it is not.
    [[gnu::always_inline]] void unlock() noexcept {
        if ((state_.exchange(free, std::memory_order_release) & awaited) != 0)
            wake();
    }

private:
    static constexpr unsigned free = 0;
    static constexpr unsigned awaited = 2;
    /// Taken by a thread of this process: its forks are above two flags.
    static unsigned taken() noexcept { return process_mark::here() << 2 | 1; }

    void wait() noexcept;
    void wake() noexcept;

    std::atomic<unsigned> state_{free};
};

} // namespace curlicue::detail
