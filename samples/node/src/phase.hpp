// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/easy.hpp>

#include <string_view>

namespace curlicue::node {

/// How far a transfer came that failed: "url", "resolve", "connect", "tls", "headers" (from the
/// request to the last line of the response's head) or "body".
/// @param body_began whether its write callback was called, if that is known
std::string_view phase_of(const easy& handle, CURLcode failure, bool body_began);

} // namespace curlicue::node
