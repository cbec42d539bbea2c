// SPDX-License-Identifier: MIT
#include "os_error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

namespace curlicue::node {
namespace {

// Of a connection that stood.
constexpr std::array broken = {ECONNRESET, ECONNABORTED, EPIPE, ENOTCONN, ETIMEDOUT};

} // namespace

// libcurl tells what the system said last. That may be of an address that was refused before the
// next one was not; and 7.88 keeps it for the easy's next transfers, `reset` or not.
long os_error_of(const easy& handle, CURLcode failure) {
    const auto last = handle.getinfo<CURLINFO_OS_ERRNO>();
    switch (failure) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
        return last;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
        return std::ranges::find(broken, last) != broken.end() ? last : 0;
    default:
        return 0;
    }
}

} // namespace curlicue::node
