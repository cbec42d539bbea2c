// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace curlicue::detail {

/// The text with U+FFFD in place of what is no UTF-8, as the WHATWG's decoder has it (Encoding,
/// 8.1.1).
std::string valid_utf8(std::string text);

} // namespace curlicue::detail
