// SPDX-License-Identifier: MIT
#pragma once

#include <cstring>

namespace curlicue::test {

/// As C may: a number that may be none of the enumeration's.
template <class Enumeration> void put(int number, Enumeration& into) noexcept {
    static_assert(sizeof number == sizeof into);
    std::memcpy(&into, &number, sizeof number);
}

} // namespace curlicue::test
