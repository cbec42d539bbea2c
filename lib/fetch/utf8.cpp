// SPDX-License-Identifier: MIT
#include "utf8.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace curlicue::detail {
namespace {

// What may follow a first byte: how many, and between what the second is (Unicode, table 3-7).
struct sequence {
    std::size_t more;
    unsigned char lowest, highest;
};

constexpr sequence begun_by(unsigned char first) noexcept {
    if (first >= 0xc2 && first <= 0xdf)
        return {1, 0x80, 0xbf};
    if (first >= 0xe0 && first <= 0xef)
        return {2, first == 0xe0 ? std::uint8_t{0xa0} : std::uint8_t{0x80},
                first == 0xed ? std::uint8_t{0x9f} : std::uint8_t{0xbf}};
    if (first >= 0xf0 && first <= 0xf4)
        return {3, first == 0xf0 ? std::uint8_t{0x90} : std::uint8_t{0x80},
                first == 0xf4 ? std::uint8_t{0x8f} : std::uint8_t{0xbf}};
    return {0, 1, 0};
}

/// How much of the text is one character, or the beginning of one that is to be replaced.
std::size_t length_of_first(std::string_view text, bool& valid) noexcept {
    const auto at = [text](std::size_t index) { return static_cast<unsigned char>(text[index]); };
    valid = at(0) < 0x80;
    if (valid)
        return 1;
    const auto rest = begun_by(at(0));
    auto lowest = rest.lowest, highest = rest.highest;
    std::size_t length = 1;
    while (length <= rest.more && length < text.size() && at(length) >= lowest &&
           at(length) <= highest) {
        ++length;
        lowest = 0x80;
        highest = 0xbf;
    }
    valid = rest.more != 0 && length == rest.more + 1;
    return length;
}

} // namespace

std::string valid_utf8(std::string text) {
    if (std::ranges::all_of(text, [](char each) { return (each & 0x80) == 0; }))
        return text;
    std::string decoded;
    for (std::string_view left = text; !left.empty();) {
        bool valid = false;
        const auto length = length_of_first(left, valid);
        decoded += valid ? left.substr(0, length) : "\xEF\xBF\xBD";
        left.remove_prefix(length);
    }
    return decoded;
}

} // namespace curlicue::detail
