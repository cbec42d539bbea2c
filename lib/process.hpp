// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <mutex>

namespace curlicue::detail {

/// Tells the process that it was made in from the children that forked from it. Those share its
/// sockets, and must leave alone all that libcurl and libuv have there.
/// @threading thread-safe
class process_mark {
public:
    process_mark() noexcept;
    /// Whether this is a child of that process.
    bool elsewhere() const noexcept { return forks_ != forks.load(std::memory_order_relaxed); }

private:
    friend struct fork_handlers;
    static std::atomic<unsigned> forks; // on the way from the first process to this one

    const unsigned forks_;
};

/// The mutex of something that there is once, and to the end. No other thread has it while the
/// process forks, or the child could never take it.
class fork_mutex : public std::mutex {
public:
    fork_mutex() noexcept;

private:
    friend struct fork_handlers;
    fork_mutex* next_;
};

} // namespace curlicue::detail
