// SPDX-License-Identifier: MIT
#pragma once

#include <system_error>

#include <curl/curl.h>

namespace curlicue::detail {

/// A failed transfer's, which equals the portable condition of the system's reason.
/// @param os_error `errno`; 0: the system has no part in it
std::error_code transfer_code(CURLcode code, int os_error) noexcept;

} // namespace curlicue::detail
