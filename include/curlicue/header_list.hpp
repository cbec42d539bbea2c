// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/export.hpp>
#include <curlicue/detail/recycling_allocator.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace curlicue {

namespace detail {
struct header_access;
}

/// A field of a `header_list`: both parts are valid until the list is changed, or gone.
struct header_field {
    std::string_view name, value;
    friend bool operator==(const header_field&, const header_field&) = default;
};

/// The headers of a request or a response, in their order; a name may come several times. Names are
/// compared without regard to case (RFC 9110 5.1).
///
/// A name that is no token (RFC 9110 5.6.2), and a value with a control character other than a tab,
/// CR, LF and NUL among them, is `std::invalid_argument`, whose message holds no value; the list is
/// as it was then. *Ownership:* a value.
/// @threading one thread at a time
class CURLICUE_EXPORT header_list {
public:
    class const_iterator;
    using value_type = header_field;

    header_list() = default;
    header_list(std::initializer_list<header_field> fields);

    /// One more of that name, at the end.
    header_list& add(std::string_view name, std::string_view value);
    /// The only one of that name: in place of the first, or at the end.
    header_list& set(std::string_view name, std::string_view value);
    /// @returns how many there were
    std::size_t erase(std::string_view name) noexcept;

    /// The first of that name, or none.
    std::optional<std::string_view> get(std::string_view name) const noexcept;
    /// All of that name, in their order.
    std::vector<std::string_view> all(std::string_view name) const;
    bool contains(std::string_view name) const noexcept;

    bool empty() const noexcept { return places_.empty(); }
    std::size_t size() const noexcept { return places_.size(); }
    const_iterator begin() const noexcept;
    const_iterator end() const noexcept;

    friend CURLICUE_EXPORT bool operator==(const header_list& left, const header_list& right);

private:
    friend struct detail::header_access;
    // Where a field stands in the text.
    struct place {
        std::uint32_t name, value, end;
    };

    header_field at(std::size_t index) const noexcept;
    std::size_t find(std::string_view name, std::size_t from = 0) const noexcept;
    place append(std::string_view name, std::string_view value);
    void forget_replaced();

    template <class T> using kept = detail::recycling_allocator<T>;
    using text = std::basic_string<char, std::char_traits<char>, kept<char>>;

    text text_;
    std::vector<place, kept<place>> places_;
};

class header_list::const_iterator {
public:
    using iterator_category = std::input_iterator_tag;
    using iterator_concept = std::forward_iterator_tag;
    using value_type = header_field;
    using difference_type = std::ptrdiff_t;
    using reference = header_field;

    const_iterator() = default;
    header_field operator*() const noexcept { return list_->at(index_); }
    const_iterator& operator++() noexcept {
        ++index_;
        return *this;
    }
    const_iterator operator++(int) noexcept {
        auto before = *this;
        ++index_;
        return before;
    }
    friend bool operator==(const const_iterator&, const const_iterator&) = default;

private:
    friend class header_list;
    const_iterator(const header_list& list, std::size_t index) noexcept
        : list_(&list), index_(index) {}

    const header_list* list_ = nullptr;
    std::size_t index_ = 0;
};

inline header_list::const_iterator header_list::begin() const noexcept { return {*this, 0}; }
inline header_list::const_iterator header_list::end() const noexcept { return {*this, size()}; }

} // namespace curlicue
