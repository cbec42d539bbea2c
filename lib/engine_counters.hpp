// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace curlicue::detail {

/// A number that the loop's thread counts and any thread reads.
class counter {
public:
    void add(std::uint64_t count = 1) noexcept {
        value_.store(value() + count, std::memory_order_relaxed);
    }
    void raise_to(std::uint64_t least) noexcept {
        value_.store(std::max(value(), least), std::memory_order_relaxed);
    }
    void set(std::uint64_t now) noexcept { value_.store(now, std::memory_order_relaxed); }
    std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

/// Nanoseconds spent on something: in all, and at the longest.
struct time_counter {
    counter total;
    counter longest;

    // Not by uv_hrtime(), which calls as many functions again.
    void add_since(std::chrono::steady_clock::time_point begun) noexcept {
        const std::chrono::nanoseconds spent = std::chrono::steady_clock::now() - begun;
        total.add(static_cast<std::uint64_t>(spent.count()));
        longest.raise_to(static_cast<std::uint64_t>(spent.count()));
    }
};

/// What `async_multi::stats` tells, as far as it is counted and not looked up.
struct engine_counters {
    counter running, sockets, shards;
    counter completed, failed, cancelled, wakeups, heartbeats, waits, spins, deadlines, upkeeps,
        rebuilds;
    time_counter libcurl, continuations;
};

} // namespace curlicue::detail
