// SPDX-License-Identifier: MIT
#include "phase.hpp"

#include <chrono>

namespace curlicue::node {

std::string_view phase_of(const easy& handle, CURLcode failure, bool body_began) {
    using namespace std::chrono_literals;
    switch (failure) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return "url";
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return "resolve";
    case CURLE_COULDNT_CONNECT:
        return "connect";
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
        return "tls";
    default:
        break;
    }
    // What has happened has a time.
    if (handle.getinfo<CURLINFO_PRETRANSFER_TIME_T>() == 0us) {
        if (handle.getinfo<CURLINFO_NAMELOOKUP_TIME_T>() == 0us)
            return "resolve";
        // 7.88 has no time until TLS is through, but a port; 8.10 and newer have -1 there until
        // then, and from 8.14 on no time either.
        return handle.getinfo<CURLINFO_CONNECT_TIME_T>() == 0us &&
                       handle.getinfo<CURLINFO_LOCAL_PORT>() <= 0
                   ? "connect"
                   : "tls";
    }
    // From 8.7 on libcurl counts what the write callback has taken, not what it was given (sendf.c,
    // cw_download_write).
    return body_began || handle.getinfo<CURLINFO_SIZE_DOWNLOAD_T>() != 0 ? "body" : "headers";
}

} // namespace curlicue::node
