// SPDX-License-Identifier: MIT
#include "told_failure.hpp"

#include "value.hpp"
#include <curlicue/error.hpp>
#include <curlicue/fetch_error.hpp>

#include <new>
#include <stdexcept>
#include <system_error>

#include <curl/curl.h>

namespace curlicue::node {
namespace {

std::string_view name_of(fetch_phase phase) noexcept {
    constexpr std::string_view names[] = {"url", "queue", "resolve", "connect",
                                          "tls", "send",  "headers", "body"};
    return names[static_cast<unsigned>(phase)];
}

std::string_view name_of(time_limit limit) noexcept {
    constexpr std::string_view names[] = {"queue", "connect", "firstByte", "stall", "total"};
    return names[static_cast<unsigned>(limit)];
}

/// By libcurl's own code where it has one for it.
void tell(told_failure& told, const fetch_error& failure) {
    const auto& cause = failure.cause();
    const auto& code = is_easy_error(cause) ? cause : failure.code();
    told.category = code.category().name();
    told.code = code.value();
    told.phase = name_of(failure.phase());
    told.attempts = failure.attempts();
    if (const auto limit = failure.limit())
        told.limit = name_of(*limit);
    if (cause.category() == std::system_category())
        told.os_error = cause.value();
}

/// A TypeError, but of what only libcurl takes for no URL.
void tell(told_failure& told, const std::invalid_argument& failure) {
    told.category = "TypeError";
    if (dynamic_cast<const std::nested_exception*>(&failure) == nullptr)
        return;
    told.category = easy_category().name();
    told.code = CURLE_URL_MALFORMAT;
    told.phase = name_of(fetch_phase::url);
}

} // namespace

told_failure::told_failure(const std::exception& failure, bool body_began) : words(failure.what()) {
    if (const auto* fetched = dynamic_cast<const fetch_error*>(&failure)) {
        tell(*this, *fetched);
        if (const auto* nests = dynamic_cast<const std::nested_exception*>(&failure))
            nested = nests->nested_ptr();
    } else if (const auto* transfer = dynamic_cast<const transfer_error*>(&failure)) {
        tell(*this, fetch_error(*transfer, body_began));
    } else if (const auto* coded = dynamic_cast<const coded_error*>(&failure)) {
        category = coded->code();
    } else if (const auto* wrong = dynamic_cast<const std::invalid_argument*>(&failure)) {
        tell(*this, *wrong);
    } else if (const auto* usage = dynamic_cast<const usage_error*>(&failure)) {
        category = usage->code().category().name();
        code = usage->code().value();
    } else if (const auto* system = dynamic_cast<const std::system_error*>(&failure)) {
        category = system->code().category().name();
        code = system->code().value();
    } else if (dynamic_cast<const std::bad_alloc*>(&failure) != nullptr) {
        category = easy_category().name();
        code = CURLE_OUT_OF_MEMORY;
        words = "there is no memory for it";
    }
}

} // namespace curlicue::node
