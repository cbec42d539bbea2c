// SPDX-License-Identifier: MIT
#include "request.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace curlicue::node {
namespace {

// RFC 9110, 5.6.2.
bool is_token(std::string_view text) noexcept {
    return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               (c != 0 && std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) !=
                              std::string_view::npos);
    });
}

bool is_header_value(std::string_view text) noexcept {
    return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

// One of libcurl's header lines: "Name;" is one without a value, which "Name:" would leave out.
std::string header_line(const std::string& name, const std::string& value) {
    if (!is_token(name))
        throw type_error("a header's name has characters that none may have");
    if (!is_header_value(value))
        throw type_error("the value of header " + name + " has a line break or NUL in it");
    return value.empty() ? name + ';' : name + ": " + value;
}

std::vector<std::string> header_lines(const arguments& given) {
    std::vector<std::string> lines;
    const auto headers = given.has(3) ? to_strings(given.env, given[3], "headers")
                                      : std::vector<std::string>();
    for (std::size_t i = 0; i + 1 < headers.size(); i += 2)
        lines.push_back(header_line(headers[i], headers[i + 1]));
    return lines;
}

void set_body(easy& handle, const arguments& given, std::vector<std::string>& headers) {
    const auto type = type_of(given.env, given[4]);
    if (type == napi_undefined)
        return;
    if (type == napi_boolean) {
        handle.setopt<CURLOPT_UPLOAD>(true);
    } else {
        if (type == napi_string)
            handle.setopt<CURLOPT_POSTFIELDS>(given.text(4, "the body"));
        else
            handle.setopt(CURLOPT_COPYPOSTFIELDS, to_bytes(given.env, given[4], "the body"));
        headers.emplace_back("Content-Type:"); // none, unless the caller named one, which goes first
    }
    headers.emplace_back("Expect:"); // many servers let libcurl wait a second for their answer
}

void set_method(easy& handle, const arguments& given) {
    const auto method = given.text(2, "the method");
    if (!is_token(method))
        throw type_error("the method has characters that none may have");
    if (method == "HEAD")
        handle.setopt<CURLOPT_NOBODY>(true);
    else if (method != "GET" || given.has(4))
        handle.setopt<CURLOPT_CUSTOMREQUEST>(method);
}

void set_limits(easy& handle, const arguments& given) {
    const auto milliseconds = [&](std::uint32_t index) {
        return std::chrono::duration<double, std::milli>(
            to_number(given.env, element(given.env, given[5], index), "a time"));
    };
    handle.setopt<CURLOPT_TIMEOUT_MS>(milliseconds(0));
    handle.setopt<CURLOPT_CONNECTTIMEOUT_MS>(milliseconds(1));
    handle.setopt<CURLOPT_LOW_SPEED_TIME>(milliseconds(2));
    handle.setopt<CURLOPT_LOW_SPEED_LIMIT>(1);
}

} // namespace

void prepare(const easy& with, const arguments& given) {
    auto handle = with;
    handle.setopt<CURLOPT_URL>(given.text(1, "the URL"));
    handle.setopt<CURLOPT_PROTOCOLS_STR>("http,https");
    handle.setopt<CURLOPT_REDIR_PROTOCOLS_STR>("http,https");
    handle.setopt<CURLOPT_PROXY>(""); // not even what the environment names
    handle.setopt<CURLOPT_SUPPRESS_CONNECT_HEADERS>(true);
    handle.setopt<CURLOPT_ACCEPT_ENCODING>(""); // all that it can decode
    auto headers = header_lines(given);
    set_body(handle, given, headers);
    if (!headers.empty())
        handle.setopt<CURLOPT_HTTPHEADER>(headers);
    set_method(handle, given);
    set_limits(handle, given);
}

} // namespace curlicue::node
