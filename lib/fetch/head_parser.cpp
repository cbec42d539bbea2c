// SPDX-License-Identifier: MIT
#include "head_parser.hpp"

#include "header_access.hpp"

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
    if (line.starts_with("HTTP/")) {
        start(line);
        return found::nothing;
    }
    if (!line.empty()) {
        take_field(line, behind_ ? trailers_ : head_.headers);
        return found::nothing;
    }
    if (behind_)
        return found::end_of_trailers;
    if (head_.status < 200 && head_.status != 101)
        return found::end_of_interim;
    behind_ = true;
    return found::end_of_head;
}

// Another one: after an interim response, or where libcurl has answered a challenge.
void head_parser::start(std::string_view line) {
    head_ = {};
    behind_ = false;
    head_.version = version_named(line);
    const auto space = line.find(' ');
    if (space == std::string_view::npos)
        return;
    line = trimmed(line.substr(space));
    std::from_chars(line.data(), line.data() + line.size(), head_.status);
    if (const auto next = line.find(' '); next != std::string_view::npos)
        head_.reason = trimmed(line.substr(next));
}

void head_parser::take_field(std::string_view line, header_list& to) {
    if (line.front() == ' ' || line.front() == '\t') {
        header_access::extend(to, trimmed(line)); // RFC 9112 5.2
        return;
    }
    const auto colon = line.find(':');
    if (colon != std::string_view::npos && colon != 0)
        header_access::add(to, trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
}

} // namespace curlicue::detail
