// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <system_error>

namespace curlicue::detail {

/// Codes that curlicue throws as an exception of a type of their own, wherever one is given.
class throwing_category : public std::error_category {
public:
    virtual std::exception_ptr exception_of(int code) const = 0;
};

} // namespace curlicue::detail
