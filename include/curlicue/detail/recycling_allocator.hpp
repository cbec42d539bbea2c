// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/recycled.hpp>

#include <cstddef>

namespace curlicue::detail {

/// For what the standard library allocates with every request, as `recycled` is for classes.
template <class T> struct recycling_allocator {
    using value_type = T;

    recycling_allocator() noexcept = default;
    template <class U> recycling_allocator(const recycling_allocator<U>&) noexcept {}

    // NOLINTBEGIN(bugprone-sizeof-expression): of pointers, too
    T* allocate(std::size_t count) {
        return static_cast<T*>(recycled::operator new(count * sizeof(T)));
    }
    void deallocate(T* memory, std::size_t count) noexcept {
        recycled::operator delete(memory, count * sizeof(T));
    }
    // NOLINTEND(bugprone-sizeof-expression)
    friend bool operator==(const recycling_allocator&, const recycling_allocator&) noexcept {
        return true;
    }
};

} // namespace curlicue::detail
