// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace curlicue::test {

/// Lets allocations of this thread fail: the one after `skip` others, or all from there on. Linked
/// into a test, it replaces operator new.
class out_of_memory {
public:
    enum class lasting { once, from_there_on };
    explicit out_of_memory(std::size_t skip, lasting how = lasting::once) noexcept;
    out_of_memory(const out_of_memory&) = delete;
    out_of_memory& operator=(const out_of_memory&) = delete;
    ~out_of_memory();

    /// Whether it came to that.
    static bool happened() noexcept;
};

/// None fails as long as this lives; for what is not under test.
class enough_memory {
public:
    enough_memory() noexcept;
    enough_memory(const enough_memory&) = delete;
    enough_memory& operator=(const enough_memory&) = delete;
    ~enough_memory();

private:
    const bool armed_;
};

} // namespace curlicue::test
