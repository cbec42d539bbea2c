// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/header_list.hpp>

#include <chrono>
#include <optional>
#include <string_view>

namespace curlicue::detail {

/// What Cache-Control says, in a request or a response (RFC 9111 5.2, RFC 5861). Of directives that
/// come twice the first counts; those with a field name in quotes are taken for the plain ones.
struct cache_control {
    using seconds = std::chrono::seconds;

    bool no_store = false, no_cache = false, must_revalidate = false, is_public = false,
         is_private = false, only_if_cached = false;
    std::optional<seconds> max_age, min_fresh, max_stale, stale_while_revalidate, stale_if_error;

    /// Of all lines of that name, and, in a request without any, of `Pragma: no-cache`.
    static cache_control of(const header_list& headers);

private:
    void take(std::string_view name, std::string_view value);
};

/// delta-seconds (RFC 9111 1.2.2): digits; what is too large is 2^31. None if it is anything else.
std::optional<std::chrono::seconds> delta_seconds(std::string_view text) noexcept;

} // namespace curlicue::detail
