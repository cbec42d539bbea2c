// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/export.hpp>

#include <cstddef>

namespace curlicue::detail {

/// Base of what comes and goes with every transfer: the memory that a thread frees it keeps for the
/// next object of about that size. Some kilobytes a thread; the allocator has the rest.
/// @threading thread-safe
class CURLICUE_EXPORT recycled {
public:
    // NOLINTNEXTLINE(misc-new-delete-overloads): the sized form is its match
    static void* operator new(std::size_t size);
    static void operator delete(void* memory, std::size_t size) noexcept;

protected:
    recycled() = default;
    ~recycled() = default;
};

} // namespace curlicue::detail
