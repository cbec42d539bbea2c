// SPDX-License-Identifier: MIT
#include "global.hpp"

#include "refusal.hpp"

namespace curlicue::detail {

void global_init() {
    static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    require_ok(code, "curl_global_init");
}

} // namespace curlicue::detail
