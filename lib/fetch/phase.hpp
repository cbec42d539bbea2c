// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/easy.hpp>
#include <curlicue/fetch_error.hpp>

#include <optional>
#include <system_error>

namespace curlicue::detail {

/// CURLE_TOO_LARGE, of 8.6: one line of a head, or all of it.
constexpr auto head_too_long = static_cast<CURLcode>(100);

/// What a code says of that by itself.
std::optional<fetch_phase> usual_phase_of(CURLcode failure) noexcept;

/// How far a transfer came that failed.
/// @param body_began whether its write callback was called
fetch_phase phase_of(const easy& handle, CURLcode failure, bool body_began) noexcept;

/// What the system has to do with it, if it has.
/// @param os_error CURLINFO_OS_ERRNO
std::error_code system_cause_of(CURLcode failure, int os_error) noexcept;

} // namespace curlicue::detail
