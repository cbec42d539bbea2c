// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace curlicue::detail {

/// Everything but letters, digits and -._~ in percent signs (RFC 3986 2.3).
std::string percent_encoded(std::string_view text);

/// `name=value&…`
template <class Fields> std::string urlencoded(const Fields& fields) {
    std::string text;
    for (const auto& [name, value] : fields) {
        if (!text.empty())
            text += '&';
        text += percent_encoded(name) + '=' + percent_encoded(value);
    }
    return text;
}

/// As HTTP's Basic authentication wants it (RFC 4648).
std::string base64(std::string_view text);

} // namespace curlicue::detail
