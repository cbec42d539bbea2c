// SPDX-License-Identifier: MIT
#include <curlicue/fetch_error.hpp>

#include <curl/curl.h>

namespace curlicue {
namespace {

const char* name_of(time_limit limit) noexcept {
    switch (limit) {
    case time_limit::queue:
        return "queue";
    case time_limit::connect:
        return "connect";
    case time_limit::first_byte:
        return "first_byte";
    case time_limit::stall:
        return "stall";
    case time_limit::total:
        return "total";
    }
    return "";
}

std::string words_of(const std::error_code& code, std::optional<time_limit> limit,
                     std::string_view words) {
    if (limit)
        return std::string("fetch: the limit time_limits::") + name_of(*limit) + " is over";
    return "fetch: " + (words.empty() ? code.message() : std::string(words));
}

} // namespace

fetch_error::fetch_error(std::error_code code, fetch_phase phase, unsigned attempts,
                         std::optional<time_limit> limit, std::string_view words)
    : std::system_error(code), phase_(phase), attempts_(attempts), limit_(limit),
      words_(std::make_shared<const std::string>(words_of(code, limit, words))) {}
fetch_error::~fetch_error() = default;

status_error::status_error(int status, std::string_view reason, header_list headers,
                           std::string body, unsigned attempts)
    : fetch_error(std::error_code(CURLE_HTTP_RETURNED_ERROR, easy_category()), fetch_phase::headers,
                  attempts, std::nullopt,
                  "status " + std::to_string(status) +
                      (reason.empty() ? std::string() : " " + std::string(reason))),
      status_(status), headers_(std::make_shared<const header_list>(std::move(headers))),
      body_(std::make_shared<const std::string>(std::move(body))) {}
status_error::~status_error() = default;

} // namespace curlicue
