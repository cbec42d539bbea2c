// SPDX-License-Identifier: MIT
#include "refusal.hpp"

#include <curlicue/easy.hpp>
#include <curlicue/option.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>
#include <string>

namespace curlicue {

std::string name_of(CURLoption option) {
    const auto* const known = curl_easy_option_by_id(option);
    return std::string("CURLOPT_") + (known != nullptr ? known->name : std::to_string(option));
}

namespace detail {

[[gnu::noinline]] void refuse(CURLcode code, std::string_view what) {
    if (code == CURLE_OUT_OF_MEMORY)
        throw std::bad_alloc();
    throw std::system_error(code, std::string(what));
}

void refuse(CURLcode code, CURLoption option) { refuse(code, name_of(option)); }

void refuse_nul(std::string_view text, std::string_view what) {
    if (text.find('\0') != std::string_view::npos)
        throw usage_error(errc::embedded_nul, what);
}

// A name is looked up only where it is told: that costs more than all else here.
void refuse_nul(std::string_view text, CURLoption option) {
    if (text.find('\0') != std::string_view::npos)
        refuse_nul(text, name_of(option));
}

curl_off_t whole_number(CURLoption option, long double value) {
    constexpr auto most = static_cast<long double>(std::numeric_limits<curl_off_t>::max());
    if (!(value >= 0 && value <= most)) // not a number either
        refuse(CURLE_BAD_FUNCTION_ARGUMENT, name_of(option) + " is out of range");
    return static_cast<curl_off_t>(value);
}

namespace {

long double longest_time(CURLoption option) noexcept {
    if (kind_of(option) == option_kind::big_number)
        return static_cast<long double>(std::numeric_limits<curl_off_t>::max());
    // libcurl counts these in milliseconds, and up to 8.14 refuses more (setopt.c).
    if (option == CURLOPT_TIMEOUT || option == CURLOPT_CONNECTTIMEOUT ||
        option == CURLOPT_SERVER_RESPONSE_TIMEOUT)
        return std::floor(std::numeric_limits<int>::max() / 1000.0L);
    return static_cast<long double>(std::numeric_limits<long>::max());
}

} // namespace

curl_off_t whole_time(CURLoption option, long double value) {
    return whole_number(option, std::min(std::ceil(value), longest_time(option)));
}

} // namespace detail
} // namespace curlicue
