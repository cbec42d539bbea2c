// SPDX-License-Identifier: MIT
#pragma once

#include "class.hpp"
#include <curlicue/request.hpp>

#include <optional>

namespace curlicue::node {

/// Of (…, url, method, headers, body, settings, retries): headers are names and values in turn; a
/// body is a string, bytes or undefined, and of one that is written piece by piece its size in
/// bytes, or `true` if that is not known, which leaves its writer in `writer`; settings are
/// numbers, in the order of lib/settings.js, and so are retries.
/// @param usual where they say nothing else
/// @throws type_error; std::invalid_argument
request request_of(const arguments& given, const redirect_policy& usual,
                   std::optional<body_writer>& writer);

} // namespace curlicue::node
