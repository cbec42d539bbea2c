// SPDX-License-Identifier: MIT
#include "urlencoded.hpp"

#include <cstdint>

namespace curlicue::detail {

// Not curl_easy_escape, which wants a handle below 7.82 and has no idea of a string with a NUL.
std::string percent_encoded(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string encoded;
    encoded.reserve(text.size());
    for (const char each : text) {
        const auto code = static_cast<unsigned char>(each);
        const bool plain = (code >= '0' && code <= '9') || (code >= 'A' && code <= 'Z') ||
                           (code >= 'a' && code <= 'z') || code == '-' || code == '.' ||
                           code == '_' || code == '~';
        if (plain)
            encoded += each;
        else
            (encoded += '%').append({digits[code >> 4U], digits[code & 15U]});
    }
    return encoded;
}

std::string base64(std::string_view text) {
    constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string encoded;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char each : text) {
        bits = bits << 8U | static_cast<unsigned char>(each);
        for (count += 8; count >= 6; count -= 6)
            encoded += digits[bits >> (count - 6) & 63U];
    }
    if (count != 0)
        encoded += digits[bits << (6 - count) & 63U];
    encoded.append((4 - encoded.size() % 4) % 4, '=');
    return encoded;
}

} // namespace curlicue::detail
