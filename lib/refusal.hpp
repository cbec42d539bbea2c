// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include <curl/curl.h>

namespace curlicue::detail {

/// A call that libcurl refused. The name of the option or call is told, its value never: it may be
/// a secret, or a URL with one.
/// @throws std::system_error, std::bad_alloc for CURLE_OUT_OF_MEMORY
[[noreturn]] void refuse(CURLcode code, std::string_view what);
[[noreturn]] void refuse(CURLcode code, CURLoption option);

inline void require_ok(CURLcode code, std::string_view what) {
    if (code != CURLE_OK)
        refuse(code, what);
}
inline void require_ok(CURLcode code, CURLoption option) {
    if (code != CURLE_OK)
        refuse(code, option);
}

/// @throws usage_error{errc::embedded_nul}
void refuse_nul(std::string_view text, std::string_view what);
void refuse_nul(std::string_view text, CURLoption option);

} // namespace curlicue::detail
