// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/header_list.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace curlicue::detail {

/// Whether two names of headers, or other tokens, are the same but for their case.
bool same_token(std::string_view one, std::string_view other) noexcept;
/// In lower case, whatever the locale.
std::string in_lower_case(std::string_view text);
/// A token as RFC 9110 5.6.2 has it: at least one character, and none that separates.
bool is_token(std::string_view text) noexcept;
/// No control characters but tabs.
bool is_field_value(std::string_view text) noexcept;
/// Without blanks and tabs around it.
std::string_view trimmed(std::string_view text) noexcept;

/// What a server has sent, which is taken as it came.
struct header_access {
    static void add(header_list& to, std::string_view name, std::string_view value) {
        if (to.places_.empty()) { // as many as most have
            to.places_.reserve(16);
            to.text_.reserve(400);
        }
        to.places_.push_back(to.append(name, value));
    }
    /// The value of the last one that was added goes on: on a line of its own, of old.
    static void extend(header_list& to, std::string_view more) {
        if (to.places_.empty() || more.empty())
            return;
        auto& last = to.places_.back();
        if (last.end != last.value)
            to.text_ += ' ';
        last.end = static_cast<std::uint32_t>(to.text_.append(more).size());
    }
};

} // namespace curlicue::detail
