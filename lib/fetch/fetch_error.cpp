// SPDX-License-Identifier: MIT
#include "phase.hpp"
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

/// What libcurl calls the same.
std::error_code cause_of(const std::error_code& code, std::optional<time_limit> limit) noexcept {
    if (limit)
        return {CURLE_OPERATION_TIMEDOUT, easy_category()};
    return code == errc::too_large ? std::error_code(CURLE_FILESIZE_EXCEEDED, easy_category())
                                   : std::error_code();
}

CURLcode number_of(const transfer_error& failure) noexcept {
    return static_cast<CURLcode>(failure.code().value());
}

fetch_phase phase_of(const transfer_error& failure, bool body_began) {
    const auto code = number_of(failure);
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
        return fetch_phase::url;
    return failure.handle().closed() ? detail::usual_phase_of(code).value_or(fetch_phase::connect)
                                     : detail::phase_of(failure.handle(), code, body_began);
}

} // namespace

fetch_error::fetch_error(std::error_code code, fetch_phase phase, unsigned attempts,
                         std::optional<time_limit> limit, std::string_view words,
                         std::error_code cause)
    : std::system_error(code), phase_(phase), attempts_(attempts), limit_(limit),
      cause_(cause ? cause : cause_of(code, limit)),
      words_(std::make_shared<const std::string>(words_of(code, limit, words))) {}
fetch_error::fetch_error(const transfer_error& failure, bool body_began)
    : fetch_error(failure.code(), phase_of(failure, body_began), 1, std::nullopt, failure.what(),
                  detail::system_cause_of(number_of(failure), failure.os_error())) {}
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
