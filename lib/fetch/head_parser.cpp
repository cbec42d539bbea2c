// SPDX-License-Identifier: MIT
#include "head_parser.hpp"

#include "header_access.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace curlicue::detail {
namespace {

// Of all lines together, trailers too.
constexpr std::size_t most = std::size_t{256} << 10;

http_version version_named(std::string_view line) noexcept {
    if (line.starts_with("HTTP/2"))
        return http_version::http2;
    return line.starts_with("HTTP/3") ? http_version::http3 : http_version::http1;
}

} // namespace

head_parser::found head_parser::take(std::string_view line) {
    size_ += line.size();
    if (size_ > most)
        return found::too_much;
    while (line.ends_with('\n') || line.ends_with('\r'))
        line.remove_suffix(1);
    if (line.empty())
        return take_end();
    if (next_ == part::status_line)
        start(line);
    else
        take_field(line, next_ == part::trailers ? trailers_ : head_.headers);
    return found::nothing;
}

// After it comes another one, where that was an interim response, or libcurl answers a challenge.
head_parser::found head_parser::take_end() noexcept {
    if (next_ == part::trailers)
        return found::end_of_trailers;
    next_ = part::status_line;
    return head_.status < 200 && head_.status != 101 ? found::end_of_interim : found::end_of_head;
}

void head_parser::start(std::string_view line) {
    head_ = {};
    next_ = part::fields;
    head_.version = version_named(line);
    const auto space = line.find_first_of(" \t");
    if (space == std::string_view::npos)
        return;
    line = trimmed(line.substr(space));
    std::from_chars(line.data(), line.data() + line.size(), head_.status);
    if (const auto next = line.find(' '); next != std::string_view::npos)
        head_.reason = trimmed(line.substr(next));
}

// What is no field is left out, and what no value may have is a blank (RFC 9110 5.5).
void head_parser::take_field(std::string_view line, header_list& to) {
    std::string value;
    const auto value_of = [&value](std::string_view text) {
        if (!is_field_value(text)) {
            value = text;
            std::ranges::replace_if(
                value, [](char each) { return each == '\r' || each == '\0'; }, ' ');
            text = value;
        }
        return trimmed(text);
    };
    if (line.front() == ' ' || line.front() == '\t') { // RFC 9112 5.2
        if (!dropped_)
            header_access::extend(to, value_of(line));
        return;
    }
    const auto colon = std::min(line.find(':'), line.size());
    const auto name = trimmed(line.substr(0, colon));
    dropped_ = colon == line.size() || !is_token(name);
    if (!dropped_)
        header_access::add(to, name, value_of(line.substr(colon + 1)));
}

} // namespace curlicue::detail
