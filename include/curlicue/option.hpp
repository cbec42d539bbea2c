// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/export.hpp>
#include <curlicue/detail/option_traits.hpp>

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <curl/curl.h>

namespace curlicue {

/// The value of an option whose number is known at run time only. It owns what it holds, pointers
/// excepted. Objects (`share`, `mime`, `url`) and callables go through the typed `easy::setopt`.
class option_value {
public:
    using bytes = std::vector<std::byte>;
    using function = void (*)();

    /// A string in braces. Neither `nullptr` nor 0 is one.
    struct item {
        template <class Text>
            requires(!std::is_null_pointer_v<Text> &&
                     (std::convertible_to<const Text&, std::string> ||
                      std::convertible_to<const Text&, std::string_view>))
        item(const Text& source) : text(source) {}
        operator const std::string&() const noexcept { return text; }

        std::string text;
    };

    option_value(std::nullptr_t) {}
    /// Integers, bool and enumerators; the bits of an unsigned value count (CURLAUTH_ANY).
    template <class Number>
        requires(std::is_integral_v<Number> || std::is_enum_v<Number>)
    option_value(Number number) : value_(static_cast<curl_off_t>(number)) {}
    option_value(std::string text) : value_(std::move(text)) {}
    option_value(std::string_view text) : value_(std::string(text)) {}
    /// Null is `nullptr`.
    option_value(const char* text) {
        if (text != nullptr)
            value_ = std::string(text);
    }
    option_value(std::vector<std::string> list) : value_(std::move(list)) {}
    /// Strings in braces are a list. One alone is a string, unless the option takes a list.
    option_value(std::initializer_list<item> list) : braced_(list.size() == 1) {
        if (braced_)
            value_ = list.begin()->text;
        else
            value_ = std::vector<std::string>(list.begin(), list.end());
    }
    option_value(bytes data) : value_(std::move(data)) {}
    option_value(std::span<const std::byte> data) : value_(bytes(data.begin(), data.end())) {}
    /// A raw pointer, for the data of a C callback and for the objects of libcurl's own types.
    option_value(void* pointer) : value_(pointer) {}
    /// A C callback of libcurl's own type for that option, cast to this one.
    option_value(function callback) : value_(callback) {}

    const auto& alternatives() const noexcept { return value_; }
    /// Whether it is a string that stood in braces, and so may be a list of one.
    bool braced() const noexcept { return braced_; }

private:
    std::variant<std::nullptr_t, curl_off_t, std::string, std::vector<std::string>, bytes, void*,
                 function>
        value_;
    bool braced_ = false;
};

/// One entry of the HSTS cache, as HSTSREADFUNCTION gives and HSTSWRITEFUNCTION gets it.
struct hsts_entry {
    std::string host;
    std::string expire; ///< "YYYYMMDD HH:MM:SS" in UTC, empty for never
    bool include_subdomains = false;
};

/// The name of an option as libcurl spells it, e.g. "CURLOPT_URL"; "CURLOPT_<number>" for one that
/// the libcurl at hand does not know.
/// @threading thread-safe
CURLICUE_EXPORT std::string name_of(CURLoption option);

/// What an option takes. Equals what `curl_easy_option_by_id` tells, without asking libcurl.
/// @threading thread-safe
constexpr option_kind kind_of(CURLoption option) noexcept { return detail::kind_of(option); }

} // namespace curlicue
