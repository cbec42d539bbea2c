// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/option_kind.hpp>

#include <curl/curl.h>

namespace curlicue::detail {

/// libcurl numbers its options in ranges of 10000 by type, which is part of its ABI: long, pointer,
/// function, curl_off_t, blob. Only the pointers need a list; one that is not on it is a string,
/// as nearly all that libcurl ever adds are. Deprecated ones are numbers here, because naming them
/// warns.
constexpr option_kind kind_of(CURLoption option) noexcept {
    const int number = option;
    switch (number) {
    case CURLOPT_HTTPHEADER:
    case CURLOPT_QUOTE:
    case CURLOPT_POSTQUOTE:
    case CURLOPT_TELNETOPTIONS:
    case CURLOPT_PREQUOTE:
    case CURLOPT_HTTP200ALIASES:
    case CURLOPT_MAIL_RCPT:
    case CURLOPT_RESOLVE:
    case CURLOPT_PROXYHEADER:
    case CURLOPT_CONNECT_TO:
        return option_kind::list;
    case CURLOPT_ERRORBUFFER:
    case CURLOPT_POSTFIELDS:
    case CURLOPTTYPE_OBJECTPOINT + 24: // HTTPPOST
    case CURLOPT_STDERR:
    case CURLOPT_SHARE:
    case CURLOPT_PRIVATE:
    case CURLOPT_COPYPOSTFIELDS:
    case CURLOPTTYPE_OBJECTPOINT + 240: // STREAM_DEPENDS
    case CURLOPTTYPE_OBJECTPOINT + 241: // STREAM_DEPENDS_E
    case CURLOPT_MIMEPOST:
    case CURLOPT_CURLU:
        return option_kind::object;
    case CURLOPT_WRITEDATA:
    case CURLOPT_READDATA:
    case CURLOPT_HEADERDATA:
    case CURLOPT_XFERINFODATA: // PROGRESSDATA is the same number
    case CURLOPT_DEBUGDATA:
    case CURLOPT_SSL_CTX_DATA:
    case CURLOPTTYPE_CBPOINT + 131: // IOCTLDATA
    case CURLOPT_SOCKOPTDATA:
    case CURLOPT_OPENSOCKETDATA:
    case CURLOPT_SEEKDATA:
    case CURLOPT_SSH_KEYDATA:
    case CURLOPT_INTERLEAVEDATA:
    case CURLOPT_CHUNK_DATA:
    case CURLOPT_FNMATCH_DATA:
    case CURLOPT_CLOSESOCKETDATA:
    case CURLOPT_RESOLVER_START_DATA:
    case CURLOPT_TRAILERDATA:
    case CURLOPT_HSTSREADDATA:
    case CURLOPT_HSTSWRITEDATA:
    case CURLOPT_PREREQDATA:
    case CURLOPT_SSH_HOSTKEYDATA:
        return option_kind::callback_data;
    default:
        break;
    }
    if (number < CURLOPTTYPE_OBJECTPOINT)
        return option_kind::number;
    if (number < CURLOPTTYPE_FUNCTIONPOINT)
        return option_kind::string;
    if (number < CURLOPTTYPE_OFF_T)
        return option_kind::function;
    return number < CURLOPTTYPE_BLOB ? option_kind::big_number : option_kind::blob;
}

/// The unit of an option that is a time, so that `std::chrono` durations fit it.
enum class time_unit { none, seconds, milliseconds };

constexpr time_unit unit_of(CURLoption option) noexcept {
    switch (static_cast<int>(option)) {
    case CURLOPT_TIMEOUT:
    case CURLOPT_LOW_SPEED_TIME:
    case CURLOPT_CONNECTTIMEOUT:
    case CURLOPT_DNS_CACHE_TIMEOUT:
    case CURLOPT_SERVER_RESPONSE_TIMEOUT:
    case CURLOPT_TCP_KEEPIDLE:
    case CURLOPT_TCP_KEEPINTVL:
    case CURLOPT_MAXAGE_CONN:
    case CURLOPT_MAXLIFETIME_CONN:
    case CURLOPT_CA_CACHE_TIMEOUT:
        return time_unit::seconds;
    case CURLOPT_TIMEOUT_MS:
    case CURLOPT_CONNECTTIMEOUT_MS:
    case CURLOPT_ACCEPTTIMEOUT_MS:
    case CURLOPT_EXPECT_100_TIMEOUT_MS:
    case CURLOPT_HAPPY_EYEBALLS_TIMEOUT_MS:
    case CURLOPT_UPKEEP_INTERVAL_MS:
    case CURLOPTTYPE_LONG + 324: // SERVER_RESPONSE_TIMEOUT_MS, libcurl 8.6
        return time_unit::milliseconds;
    default:
        return time_unit::none;
    }
}

/// The options that take a point in time, as seconds since 1970.
constexpr bool is_point_in_time(CURLoption option) noexcept {
    return option == CURLOPT_TIMEVALUE || option == CURLOPT_TIMEVALUE_LARGE;
}

} // namespace curlicue::detail
