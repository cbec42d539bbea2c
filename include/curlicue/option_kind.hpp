// SPDX-License-Identifier: MIT
#pragma once

namespace curlicue {

/// What an option of an easy handle takes. The same distinctions as libcurl's `curl_easytype`.
enum class option_kind {
    number,        ///< `long`
    big_number,    ///< `curl_off_t`
    string,        ///< copied by libcurl
    list,          ///< `curl_slist*`, kept by the easy
    blob,          ///< bytes, copied by libcurl
    object,        ///< each its own: a body, a `mime`, a `share`, a `url`, another easy, a `FILE*`
    callback_data, ///< what a C callback gets back, or where the default callbacks write
    function,      ///< a callable
};

} // namespace curlicue
