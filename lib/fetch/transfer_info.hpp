// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/easy.hpp>

#include <chrono>

#include <curl/curl.h>

namespace curlicue::detail {

// What libcurl tells of a transfer on the thread that drives it, where nothing may be thrown. Of a
// handle that is closed that is nothing.
inline curl_off_t count_of(const easy& handle, CURLINFO what) noexcept {
    curl_off_t count = 0;
    curl_easy_getinfo(handle.native_handle(), what, &count);
    return count;
}
inline std::chrono::microseconds time_of(const easy& handle, CURLINFO what) noexcept {
    return std::chrono::microseconds(count_of(handle, what));
}
inline long number_of(const easy& handle, CURLINFO what) noexcept {
    long number = 0;
    curl_easy_getinfo(handle.native_handle(), what, &number);
    return number;
}

} // namespace curlicue::detail
