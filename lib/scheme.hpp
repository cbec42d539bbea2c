// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include <curl/curl.h>

namespace curlicue::detail {

class easy_core;

/// That of the URL which an easy names, as libcurl will read it, in lower case. Empty where there
/// is none yet, or where libcurl does not tell: of a `CURLOPT_CURLU` that is not ours.
/// @throws std::bad_alloc
std::string scheme_of(const easy_core& handle);
/// Whether libcurl does all of such a transfer, or its handshake, in one call.
/// @throws std::bad_alloc
bool may_block(const easy_core& handle);
/// Whether a transfer speaks this protocol, over TLS or not. None before it has a connection.
bool speaks(CURL* transfer, std::string_view scheme) noexcept;

} // namespace curlicue::detail
