// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>

struct sockaddr;

namespace curlicue::detail {

/// Asks of an address in text, as libcurl tells it; of what is none it is not.
bool is_allowed(const std::function<bool(const sockaddr&)>& allow, const std::string& text,
                std::uint16_t port);

} // namespace curlicue::detail
