// SPDX-License-Identifier: MIT
#include "global.hpp"

#include "refusal.hpp"
#include <curlicue/error.hpp>

namespace curlicue::detail {

void global_init() {
    if (curl_version_info(CURLVERSION_NOW)->version_num < 0x075800)
        throw usage_error(errc::too_old, "libcurl below 7.88");
    static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    require_ok(code, "curl_global_init");
}

} // namespace curlicue::detail
