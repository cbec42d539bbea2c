// SPDX-License-Identifier: MIT
#pragma once

#include "cache_control.hpp"
#include <curlicue/cache.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace curlicue::detail {

using wall_clock = std::chrono::system_clock;

/// Whether the cache has anything to do with a request.
bool is_for_cache(const request& what);
/// The one of these that may answer the request: its Vary is met; of several the youngest.
cache_store::entry chosen(const std::vector<cache_store::entry>& all, const request& what);
/// Whether a response to it may be kept (RFC 9111 3).
bool may_be_kept(const request& what, const response& one);
/// What is kept of it, but for its body.
cached_response kept_of(const request& what, const response& one, wall_clock::time_point asked,
                        wall_clock::time_point now);

/// How old a kept response is (4.2.3).
std::chrono::seconds age_of(const cached_response& one, wall_clock::time_point now) noexcept;

/// How a request may be answered by a kept response.
enum class cache_use { fresh, stale_while_revalidated, to_be_validated };
cache_use use_of(const cached_response& one, const cache_control& asked,
                 wall_clock::time_point now);
/// Whether it may take the place of an error (RFC 5861 4).
bool may_hide_an_error(const cached_response& one, const cache_control& asked,
                       wall_clock::time_point now);

/// Has the request validate it (4.3.1). @returns false if it has nothing to validate by
bool ask_whether_changed(request& what, const cached_response& one);
/// Whether a 304 is about it (4.3.4).
bool is_confirmed_by(const cached_response& one, const response& not_modified);
/// The same with the headers of the 304 (3.2), which was the answer to this request.
cached_response freshened(const cached_response& one, const request& what,
                          const response& not_modified, wall_clock::time_point asked,
                          wall_clock::time_point now);

/// What an unsafe request that went well makes invalid: its URL, and those of the same origin that
/// Location and Content-Location name (4.4).
std::vector<std::string> invalidated_by(const request& what, const response& one);
/// A URL without its fragment.
std::string key_of(const std::string& url);

} // namespace curlicue::detail
