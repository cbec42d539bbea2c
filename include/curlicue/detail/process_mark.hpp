// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/export.hpp>

#include <atomic>

namespace curlicue::detail {

/// Tells the process that it was made in from the children that forked from it. Those share its
/// sockets, and must leave alone all that libcurl and libuv have there.
/// @threading thread-safe
class CURLICUE_EXPORT process_mark {
public:
    process_mark() noexcept;
    /// Whether this is a child of that process.
    bool elsewhere() const noexcept { return forks_ != here(); }
    /// How many forks lie between the first process and this one.
    static unsigned here() noexcept { return forks.load(std::memory_order_relaxed); }

private:
    friend struct fork_handlers;
    static std::atomic<unsigned> forks;

    const unsigned forks_;
};

} // namespace curlicue::detail
