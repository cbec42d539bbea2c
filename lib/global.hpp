// SPDX-License-Identifier: MIT
#pragma once

namespace curlicue::detail {

/// `curl_global_init`, once, at first use, on any thread. Never undone: a resolver thread of
/// libcurl may outlive the last handle.
/// @throws std::system_error
void global_init();

} // namespace curlicue::detail
