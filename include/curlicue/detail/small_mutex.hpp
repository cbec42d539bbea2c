// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/export.hpp>

#include <atomic>

namespace curlicue::detail {

/// A mutex for sections of a few instructions, of which a transfer has nine. Free, it is taken and
/// given back by one atomic instruction each, in place of two calls; who has to wait sleeps. Four
/// bytes, where a `std::mutex` has forty.
/// @threading thread-safe
class CURLICUE_EXPORT small_mutex {
public:
    small_mutex() = default;
    small_mutex(const small_mutex&) = delete;
    small_mutex& operator=(const small_mutex&) = delete;

    void lock() noexcept {
        auto seen = state::free;
        if (!state_.compare_exchange_strong(seen, state::taken, std::memory_order_acquire,
                                            std::memory_order_relaxed))
            wait();
    }
    // Compilers take it for too long to be inlined: it is not.
    [[gnu::always_inline]] void unlock() noexcept {
        if (state_.exchange(state::free, std::memory_order_release) == state::awaited)
            wake();
    }

private:
    enum class state : int { free, taken, awaited };

    void wait() noexcept;
    void wake() noexcept;

    std::atomic<state> state_{state::free};
};

} // namespace curlicue::detail
