// SPDX-License-Identifier: MIT
#include "header_access.hpp"
#include <curlicue/header_list.hpp>

#include <algorithm>
#include <stdexcept>

namespace curlicue {
namespace detail {
namespace {

constexpr char lower_of(char each) noexcept { // whatever the locale
    return each >= 'A' && each <= 'Z' ? static_cast<char>(each - 'A' + 'a') : each;
}

constexpr bool is_token_character(char each) noexcept {
    return (each >= '0' && each <= '9') || (lower_of(each) >= 'a' && lower_of(each) <= 'z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(each) != std::string_view::npos;
}

constexpr bool is_control(char each) noexcept {
    const auto code = static_cast<unsigned char>(each);
    return (code < 0x20 && each != '\t') || code == 0x7f;
}

} // namespace

bool same_token(std::string_view one, std::string_view other) noexcept {
    return std::ranges::equal(one, other, {}, lower_of, lower_of);
}

std::string in_lower_case(std::string_view text) {
    std::string made(text);
    std::ranges::transform(made, made.begin(), lower_of);
    return made;
}

bool is_token(std::string_view text) noexcept {
    return !text.empty() && std::ranges::all_of(text, is_token_character);
}

bool is_field_value(std::string_view text) noexcept {
    return std::ranges::none_of(text, is_control);
}

std::string_view trimmed(std::string_view text) noexcept {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

} // namespace detail

namespace {

void check(std::string_view name, std::string_view value) {
    if (!detail::is_token(name))
        throw std::invalid_argument("header_list: a header's name is letters, digits and some "
                                    "signs, at least one");
    if (!detail::is_field_value(value))
        throw std::invalid_argument("header_list: the value of " + std::string(name) +
                                    " has a control character in it; take it out, or encode it");
}

} // namespace

header_list::header_list(std::initializer_list<header_field> fields) {
    for (const auto& each : fields)
        add(each.name, each.value);
}

header_list& header_list::add(std::string_view name, std::string_view value) {
    check(name, value);
    places_.push_back(append(name, value));
    return *this;
}

header_list& header_list::set(std::string_view name, std::string_view value) {
    check(name, value);
    const auto first = find(name);
    if (first == size())
        return add(name, value);
    places_[first] = append(name, value);
    std::size_t kept = first + 1;
    for (auto i = kept; i != size(); ++i)
        if (!detail::same_token(at(i).name, name))
            places_[kept++] = places_[i];
    places_.resize(kept);
    forget_replaced();
    return *this;
}

std::size_t header_list::erase(std::string_view name) noexcept {
    std::size_t kept = 0;
    for (std::size_t i = 0; i != size(); ++i)
        if (!detail::same_token(at(i).name, name))
            places_[kept++] = places_[i];
    const auto erased = size() - kept;
    places_.resize(kept);
    return erased;
}

// Of a list that is set again and again.
void header_list::forget_replaced() {
    std::size_t used = 0;
    for (const auto& each : places_)
        used += each.end - each.name;
    if (text_.size() < 2 * used + 1024)
        return;
    header_list kept;
    kept.text_.reserve(2 * used);
    kept.places_.reserve(size());
    for (const auto field : *this)
        kept.places_.push_back(kept.append(field.name, field.value));
    *this = std::move(kept);
}

std::optional<std::string_view> header_list::get(std::string_view name) const noexcept {
    const auto found = find(name);
    return found != size() ? std::optional(at(found).value) : std::nullopt;
}

std::vector<std::string_view> header_list::all(std::string_view name) const {
    std::vector<std::string_view> values;
    for (auto i = find(name); i != size(); i = find(name, i + 1))
        values.push_back(at(i).value);
    return values;
}

bool header_list::contains(std::string_view name) const noexcept { return find(name) != size(); }

header_field header_list::at(std::size_t index) const noexcept {
    const std::string_view all(text_);
    const auto& where = places_[index];
    return {all.substr(where.name, where.value - where.name),
            all.substr(where.value, where.end - where.value)};
}

std::size_t header_list::find(std::string_view name, std::size_t from) const noexcept {
    while (from < size() && !detail::same_token(at(from).name, name))
        ++from;
    return std::min(from, size());
}

// What is of the text already may be given: `list.add("B", *list.get("A"))`.
header_list::place header_list::append(std::string_view name, std::string_view value) {
    const auto start = text_.size();
    const auto more = name.size() + value.size();
    if (more > UINT32_MAX - start)
        throw std::invalid_argument("header_list: more than 4 GiB of headers");
    if (more <= text_.capacity() - start) {
        text_.append(name).append(value);
    } else {
        text grown;
        grown.reserve(2 * (start + more));
        grown.append(text_).append(name).append(value);
        text_.swap(grown);
    }
    const auto offset = [start](std::size_t within) {
        return static_cast<std::uint32_t>(start + within);
    };
    return {offset(0), offset(name.size()), offset(more)};
}

bool operator==(const header_list& left, const header_list& right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [](const header_field& one, const header_field& other) {
                          return detail::same_token(one.name, other.name) &&
                                 one.value == other.value;
                      });
}

} // namespace curlicue
