// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <curl/curl.h>

namespace curlicue::detail {

template <class T> struct info_is { using type = T; };

constexpr bool is_in(int number, std::initializer_list<int> numbers) noexcept {
    for (const int candidate : numbers)
        if (number == candidate)
            return true;
    return false;
}

/// The type of an info follows from the range of its number, but for a few that are named by the
/// rest of it: PRIVATE is a pointer, times are durations, two of the pointers are lists.
template <CURLINFO Info> constexpr auto info_type() {
    constexpr int number = Info & CURLINFO_MASK;
    constexpr int range = Info & CURLINFO_TYPEMASK;
    if constexpr (range == CURLINFO_STRING)
        return std::conditional_t<Info == CURLINFO_PRIVATE, info_is<void*>,
                                  info_is<std::optional<std::string_view>>>{};
    else if constexpr (range == CURLINFO_LONG)
        return info_is<long>{};
    else if constexpr (range == CURLINFO_DOUBLE)
        return info_is<double>{};
    else if constexpr (range == CURLINFO_SOCKET)
        return info_is<curl_socket_t>{};
    else if constexpr (range == CURLINFO_OFF_T &&
                       is_in(number, {50, 51, 52, 53, 54, 55, 56, 65, 67}))
        return info_is<std::chrono::microseconds>{}; // *_TIME_T
    else if constexpr (Info == CURLINFO_RETRY_AFTER)
        return info_is<std::chrono::seconds>{};
    else if constexpr (range == CURLINFO_OFF_T)
        return info_is<curl_off_t>{};
    else if constexpr (Info == CURLINFO_CERTINFO)
        return info_is<std::vector<std::vector<std::string>>>{};
    else if constexpr (is_in(number, {43, 45})) // TLS_SESSION, TLS_SSL_PTR
        return info_is<curl_tlssessioninfo>{};
    else
        return info_is<std::vector<std::string>>{};
}

template <CURLINFO Info> using info_t = typename decltype(info_type<Info>())::type;

} // namespace curlicue::detail
