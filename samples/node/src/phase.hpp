// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/easy.hpp>

#include <string_view>

namespace curlicue::node {

/// How far a transfer came that failed: "url", "resolve", "connect", "tls", "headers" (from the
/// request to the last line of the response's head) or "body".
std::string_view phase_of(const easy& handle, CURLcode failure);

} // namespace curlicue::node
