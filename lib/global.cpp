// SPDX-License-Identifier: MIT
#include "global.hpp"

#include "refusal.hpp"
#include <curlicue/error.hpp>

namespace curlicue::detail {
namespace {

CURLcode init_once() {
    if (curl_version_info(CURLVERSION_NOW)->version_num < 0x075800)
        throw usage_error(errc::too_old, "curlicue (libcurl 7.88)");
    return curl_global_init(CURL_GLOBAL_DEFAULT);
}

} // namespace

/// One that threw is tried again at the next use.
void global_init() {
    static const CURLcode code = init_once(); // once: curl_version_info writes its strings anew
    require_ok(code, "curl_global_init");
}

} // namespace curlicue::detail
