// SPDX-License-Identifier: MIT
#pragma once

#include "response_state.hpp"

#include <cstddef>
#include <string_view>

namespace curlicue::detail {

/// Makes a head of the lines that libcurl gives one by one.
class head_parser {
public:
    enum class found { nothing, end_of_interim, end_of_head, end_of_trailers, too_much };

    /// @param line with its end
    found take(std::string_view line);
    /// It was the last: what comes now are trailers.
    void is_final() noexcept { next_ = part::trailers; }
    response_head& head() noexcept { return head_; }
    int status() const noexcept { return head_.status; }
    /// Whether nothing has come yet.
    bool empty() const noexcept { return size_ == 0; }
    const header_list& trailers() const noexcept { return trailers_; }

private:
    enum class part : unsigned char { status_line, fields, trailers };

    found take_end() noexcept;
    void take_field(std::string_view line, header_list& to);
    void start(std::string_view line);

    response_head head_;
    header_list trailers_;
    std::size_t size_ = 0;
    part next_ = part::status_line;
    bool dropped_ = false; // the last field, and the lines that go on with it
};

} // namespace curlicue::detail
