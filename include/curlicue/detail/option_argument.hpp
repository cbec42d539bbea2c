// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/callbacks.hpp>
#include <curlicue/detail/export.hpp>
#include <curlicue/detail/option_traits.hpp>
#include <curlicue/detail/slist.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdio>
#include <iosfwd>
#include <limits>
#include <ranges>
#include <ratio>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace curlicue {

class mime;
class share;
class url;

namespace detail {

// What fits an option. -------------------------------------------------------------------------

template <class T> struct is_duration : std::false_type {};
template <class Rep, class Period>
struct is_duration<std::chrono::duration<Rep, Period>> : std::true_type {};
template <class T> struct is_system_time : std::false_type {};
template <class Duration>
struct is_system_time<std::chrono::time_point<std::chrono::system_clock, Duration>>
    : std::true_type {};

template <class T>
concept number_like = std::is_integral_v<T> || std::is_enum_v<T>;
template <class T>
concept text_like = std::convertible_to<T, std::string_view> || std::convertible_to<T, std::string>;
template <class T>
concept text_range =
    !text_like<T> && std::ranges::input_range<T> && text_like<std::ranges::range_reference_t<T>>;
template <class T>
concept byte_range = std::ranges::contiguous_range<T> && std::ranges::sized_range<T> &&
                         sizeof(std::ranges::range_value_t<T>) == 1 &&
                     std::is_trivially_copyable_v<std::ranges::range_value_t<T>>;
template <class T>
concept bytes_like = text_like<T> || byte_range<T>;
template <class T>
concept data_pointer = std::is_pointer_v<T> && !std::is_function_v<std::remove_pointer_t<T>>;

/// Numbers have no null: what `nullptr` would put back is known for the sizes of bodies only.
constexpr bool may_be_unset(CURLoption option) noexcept {
    const auto kind = kind_of(option);
    if (option == CURLOPT_ERRORBUFFER)
        return false;
    return (kind != option_kind::number && kind != option_kind::big_number) ||
           option == CURLOPT_POSTFIELDSIZE || option == CURLOPT_POSTFIELDSIZE_LARGE ||
           option == CURLOPT_INFILESIZE || option == CURLOPT_INFILESIZE_LARGE;
}

template <CURLoption Option, class T> constexpr bool number_fits() {
    return number_like<T> || (unit_of(Option) != time_unit::none && is_duration<T>::value) ||
           (is_point_in_time(Option) && is_system_time<T>::value);
}

constexpr bool is_stream_dependency(CURLoption option) noexcept {
    return option == CURLOPTTYPE_OBJECTPOINT + 240 || option == CURLOPTTYPE_OBJECTPOINT + 241;
}

template <CURLoption Option, class T> constexpr bool object_fits() {
    switch (static_cast<int>(Option)) {
    case CURLOPT_POSTFIELDS:
    case CURLOPT_COPYPOSTFIELDS:
        return bytes_like<T>;
    case CURLOPT_STDERR:
        return std::convertible_to<T, std::FILE*>;
    case CURLOPT_MIMEPOST:
        return std::same_as<T, mime> || data_pointer<T>;
    case CURLOPT_SHARE:
        return std::same_as<T, share> || data_pointer<T>;
    case CURLOPT_CURLU:
        return std::same_as<T, url> || data_pointer<T>;
    case CURLOPT_ERRORBUFFER:
        return false;
    default:
        return is_stream_dependency(Option) ? std::same_as<T, easy> || data_pointer<T>
                                            : data_pointer<T>;
    }
}

template <CURLoption Option, class Value> constexpr bool data_fits() {
    using T = std::remove_cvref_t<Value>;
    constexpr bool writable =
        std::is_lvalue_reference_v<Value> && !std::is_const_v<std::remove_reference_t<Value>>;
    if constexpr (Option == CURLOPT_WRITEDATA || Option == CURLOPT_HEADERDATA)
        return data_pointer<std::decay_t<T>> ||
               (writable && (std::same_as<T, std::string> || std::derived_from<T, std::ostream>));
    else if constexpr (Option == CURLOPT_READDATA)
        return data_pointer<std::decay_t<T>> || bytes_like<T> ||
               (writable && std::derived_from<T, std::istream>);
    else
        return data_pointer<std::decay_t<T>>;
}

template <CURLoption Option, class T> constexpr bool function_fits() {
    return std::is_convertible_v<T, c_function_of<Option>> ||
           fits<std::decay_t<T>, signature_of<Option>>::value;
}

template <CURLoption Option, class Value> constexpr bool accepts() {
    using T = std::remove_cvref_t<Value>;
    constexpr auto kind = kind_of(Option);
    if constexpr (std::is_null_pointer_v<T>)
        return may_be_unset(Option);
    else if constexpr (kind == option_kind::number || kind == option_kind::big_number)
        return number_fits<Option, T>();
    else if constexpr (kind == option_kind::string)
        return text_like<Value>;
    else if constexpr (kind == option_kind::list)
        return text_range<Value>;
    else if constexpr (kind == option_kind::blob)
        return bytes_like<T>;
    else if constexpr (kind == option_kind::object)
        return object_fits<Option, std::conditional_t<bytes_like<T>, T, std::decay_t<T>>>();
    else if constexpr (kind == option_kind::callback_data)
        return data_fits<Option, Value>();
    else
        return function_fits<Option, T>();
}

/// One error for a wrong type: the compiler shows `Option` by name, and the signature of a
/// callable.
template <CURLoption Option, class Value, class Signature = signature_of<Option>>
constexpr void require_fit() {
    constexpr bool fit = accepts<Option, Value>();
    constexpr auto kind = kind_of(Option);
    constexpr bool time = unit_of(Option) != time_unit::none;
    static_assert(fit || kind != option_kind::number || time,
                  "this option wants a long: an integer, a bool or an enumerator");
    static_assert(fit || kind != option_kind::number || !time,
                  "this option wants a time: a std::chrono duration, or a long in its own unit");
    static_assert(fit || kind != option_kind::big_number,
                  "this option wants a curl_off_t: an integer");
    static_assert(fit || kind != option_kind::string,
                  "this option wants a string: std::string, std::string_view or const char*");
    static_assert(fit || kind != option_kind::list,
                  "this option wants a list of strings: std::vector<std::string> or braces");
    static_assert(fit || kind != option_kind::blob,
                  "this option wants bytes: std::span<const std::byte>, std::string or the like");
    static_assert(fit || Option != CURLOPT_ERRORBUFFER,
                  "this option belongs to the easy: read easy::error() or transfer_error");
    static_assert(
        fit || kind != option_kind::object || Option == CURLOPT_ERRORBUFFER,
        "this option wants an object: POSTFIELDS bytes, MIMEPOST a curlicue::mime, SHARE a "
        "curlicue::share, CURLU a curlicue::url, STREAM_DEPENDS an easy, STDERR a FILE*, "
        "PRIVATE and HTTPPOST a pointer");
    static_assert(fit || kind != option_kind::callback_data,
                  "this option wants a pointer for its C callback; WRITEDATA and HEADERDATA also a "
                  "std::string& or std::ostream& to append to, READDATA a std::istream& or a body");
    static_assert(fit || kind != option_kind::function,
                  "this option wants a callable of its Signature, with or without a leading easy&, "
                  "or libcurl's own C callback");
}

// What it becomes. -----------------------------------------------------------------------------

/// A string that ends in a NUL, as libcurl needs it; copied only where the source has none.
class text {
public:
    text(const char* terminated) : view_(terminated) {}
    text(const std::string& terminated) : view_(terminated) {}
    text(std::string&& terminated) : copy_(std::move(terminated)), view_(copy_) {}
    text(std::string_view source) : copy_(source), view_(copy_) {}
    text(const text&) = delete;
    text& operator=(const text&) = delete;

    const char* c_str() const noexcept { return view_.data(); }
    std::string_view view() const noexcept { return view_; }

private:
    std::string copy_;
    std::string_view view_;
};

using bytes = std::span<const std::byte>;

template <class Value> bytes as_byte_span(const Value& value) {
    if constexpr (std::convertible_to<const Value&, std::string_view>)
        return std::as_bytes(std::span(std::string_view(value)));
    else
        return std::as_bytes(std::span(std::ranges::data(value), std::ranges::size(value)));
}

template <class Range> slist as_list(const Range& range) {
    slist list;
    for (const auto& item : range)
        list.append(item);
    return list;
}

/// A C callback of any type; `curl_easy_setopt` reads it back as the option's own.
using raw_function = void (*)();

/// @throws std::system_error if it is negative or does not fit, naming the option
CURLICUE_EXPORT curl_off_t whole_number(CURLoption option, long double value);
/// A time in the option's unit, rounded up; what is too long for it is as long as it takes.
/// @throws std::system_error if it is negative, naming the option
CURLICUE_EXPORT curl_off_t whole_time(CURLoption option, long double value);

/// Durations are rounded up: 500 ms of CURLOPT_TIMEOUT must not become 0, which is for ever.
/// Negative ones, as of a deadline that has passed, are refused: libcurl 7.88 takes them for 49
/// days (setopt.c, CURLOPT_TIMEOUT_MS).
template <CURLoption Option, class Value> curl_off_t as_number(const Value& value) {
    if constexpr (is_duration<Value>::value) {
        using unit =
            std::conditional_t<unit_of(Option) == time_unit::seconds, std::ratio<1>, std::milli>;
        return whole_time(Option, std::chrono::duration<long double, unit>(value).count());
    } else if constexpr (is_system_time<Value>::value) {
        return std::chrono::floor<std::chrono::seconds>(value).time_since_epoch().count();
    } else if constexpr (kind_of(Option) == option_kind::big_number &&
                         std::unsigned_integral<Value>) {
        return whole_number(Option, static_cast<long double>(value));
    } else {
        // Bit masks such as CURLAUTH_ANY are unsigned long with all bits set: the bits count.
        return static_cast<curl_off_t>(value);
    }
}

template <class Signature, class F> intrusive_ptr<ref_counted> as_callable(F&& function) {
    return make_intrusive<callable_of<std::decay_t<F>, Signature>>(std::forward<F>(function));
}

} // namespace detail
} // namespace curlicue
