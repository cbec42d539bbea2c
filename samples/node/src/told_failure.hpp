// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace curlicue::node {

/// What JavaScript is told of a failure. *Lifetime:* the failure's.
struct told_failure {
    /// @param body_began see `fetch_error`
    told_failure(const std::exception& failure, bool body_began);

    std::string_view category; ///< of the code, or what the error is to be
    int code = 0;
    std::string_view words;
    std::string_view phase, limit; ///< empty: none
    unsigned attempts = 1;
    int os_error = 0;
    std::exception_ptr nested;
};

} // namespace curlicue::node
