// SPDX-License-Identifier: MIT
#pragma once

#include <curl/curl.h>

namespace curlicue::detail {

// Numbers that libcurl's headers name only later than 7.88. A libcurl that does not know one
// answers CURLM_UNKNOWN_OPTION, so that the libcurl found at run time decides, not the header.
inline constexpr auto multiopt_notifyfunction = static_cast<CURLMoption>(20018); // 8.17
inline constexpr auto multiopt_notifydata = static_cast<CURLMoption>(10019);     // 8.17

/// What a multi option takes.
enum class multi_option_kind {
    number,          ///< an integer, which the option's own number says how to pass
    list,            ///< strings; libcurl >= 7.62 ignores these options
    socket_function, ///< see `multi_socket_function`
    timer_function,  ///< see `multi_timer_function`
    notify_function, ///< see `multi_notify_function`
    owned,           ///< ours: the data pointers, and server push, which we do not offer
    unknown,         ///< no libcurl that we know of has it
};

constexpr multi_option_kind kind_of(CURLMoption option) noexcept {
    const int number = option;
    switch (number) {
    case CURLMOPT_SOCKETFUNCTION:
        return multi_option_kind::socket_function;
    case CURLMOPT_TIMERFUNCTION:
        return multi_option_kind::timer_function;
    case multiopt_notifyfunction:
        return multi_option_kind::notify_function;
    case CURLMOPT_PIPELINING_SITE_BL:
    case CURLMOPT_PIPELINING_SERVER_BL:
        return multi_option_kind::list;
    case CURLMOPT_SOCKETDATA:
    case CURLMOPT_TIMERDATA:
    case multiopt_notifydata:
    case CURLMOPT_PUSHFUNCTION:
    case CURLMOPT_PUSHDATA:
        return multi_option_kind::owned;
    default:
        break;
    }
    // Numbers of libcurls to come are passed on too; pointers are not.
    const bool is_number = (number > 0 && number < CURLOPTTYPE_OBJECTPOINT) ||
                           (number >= CURLOPTTYPE_OFF_T && number < CURLOPTTYPE_BLOB);
    return is_number ? multi_option_kind::number : multi_option_kind::unknown;
}

} // namespace curlicue::detail
