// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace curlicue::test {

/// Whose allocations fail: those of C++ code (ours and the test's), of libcurl, and of libuv. What
/// TLS libraries and the C library ask for themselves is not counted and does not fail.
///
/// Linked into a test it replaces operator new. As long as one of these lives, the allocation with
/// the number `site`, from 1, fails, whichever thread makes it; or all from there on.
class scarce_memory {
public:
    enum class lasting { once, from_there_on };
    scarce_memory(std::size_t site, lasting how) noexcept;
    scarce_memory(const scarce_memory&) = delete;
    scarce_memory& operator=(const scarce_memory&) = delete;
    ~scarce_memory();

    /// Whether an allocation has failed.
    static bool felt() noexcept;

    /// Makes libcurl and libuv ask here. Before anything else uses them.
    static void rule_libraries();
};

/// On this thread nothing fails, and nothing is counted.
class plenty_of_memory {
public:
    plenty_of_memory() noexcept;
    plenty_of_memory(const plenty_of_memory&) = delete;
    plenty_of_memory& operator=(const plenty_of_memory&) = delete;
    ~plenty_of_memory();

private:
    const bool before_;
};

} // namespace curlicue::test
