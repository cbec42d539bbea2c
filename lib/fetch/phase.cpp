// SPDX-License-Identifier: MIT
#include "phase.hpp"

#include "transfer_info.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

namespace curlicue::detail {

std::optional<fetch_phase> usual_phase_of(CURLcode failure) noexcept {
    switch (failure) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return fetch_phase::resolve;
    case CURLE_COULDNT_CONNECT:
        return fetch_phase::connect;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
        return fetch_phase::tls;
    case CURLE_SEND_ERROR:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_READ_ERROR:
        return fetch_phase::send;
    default:
        return std::nullopt;
    }
}

fetch_phase phase_of(const easy& handle, CURLcode failure, bool body_began) noexcept {
    using namespace std::chrono_literals;
    if (const auto phase = usual_phase_of(failure))
        return *phase;
    // What has happened has a time.
    if (time_of(handle, CURLINFO_PRETRANSFER_TIME_T) == 0us) {
        if (time_of(handle, CURLINFO_NAMELOOKUP_TIME_T) == 0us)
            return fetch_phase::resolve;
        // 7.88 has no time until TLS is through, but a port; 8.10 and newer have -1 there until
        // then, and from 8.14 on no time either.
        return time_of(handle, CURLINFO_CONNECT_TIME_T) == 0us &&
                       number_of(handle, CURLINFO_LOCAL_PORT) <= 0
                   ? fetch_phase::connect
                   : fetch_phase::tls;
    }
    // From 8.7 on libcurl counts what the write callback has taken, not what it was given (sendf.c,
    // cw_download_write).
    return body_began || count_of(handle, CURLINFO_SIZE_DOWNLOAD_T) != 0 ? fetch_phase::body
                                                                         : fetch_phase::headers;
}

// libcurl tells what the system said last. That may be of an address that was refused before the
// next one was not.
std::error_code system_cause_of(CURLcode failure, int os_error) noexcept {
    constexpr std::array broken{ECONNRESET, ECONNABORTED, EPIPE, ENOTCONN, ETIMEDOUT};
    switch (failure) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
        break;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR: // of a connection that stood
        if (std::ranges::find(broken, os_error) != broken.end())
            break;
        [[fallthrough]];
    default:
        return {};
    }
    return {os_error, std::system_category()}; // none, if that is 0
}

} // namespace curlicue::detail
