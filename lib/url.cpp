// SPDX-License-Identifier: MIT
#include "global.hpp"
#include "refusal.hpp"
#include <curlicue/url.hpp>

#include <new>

namespace curlicue {
namespace {

void require_ok(CURLUcode code, const char* what) {
    if (code == CURLUE_OUT_OF_MEMORY)
        throw std::bad_alloc();
    if (code != CURLUE_OK)
        throw std::system_error(code, what);
}

bool is_missing(CURLUcode code) noexcept {
    switch (code) {
    case CURLUE_NO_SCHEME:
    case CURLUE_NO_USER:
    case CURLUE_NO_PASSWORD:
    case CURLUE_NO_OPTIONS:
    case CURLUE_NO_HOST:
    case CURLUE_NO_PORT:
    case CURLUE_NO_QUERY:
    case CURLUE_NO_FRAGMENT:
    case CURLUE_NO_ZONEID:
        return true;
    default:
        return false;
    }
}

} // namespace

url::url() : handle_(curl_url()) {
    if (!handle_)
        throw std::bad_alloc();
}

url::url(std::string_view text, unsigned flags) : url() { set(CURLUPART_URL, text, flags); }

url::url(const url& other) : handle_(other.handle_ ? curl_url_dup(other.handle_.get()) : nullptr) {
    if (other.handle_ && !handle_)
        throw std::bad_alloc();
}

url& url::operator=(const url& other) {
    auto copy = other;
    handle_.swap(copy.handle_);
    return *this;
}

void url::cleanup::operator()(CURLU* handle) const noexcept { curl_url_cleanup(handle); }

std::optional<std::string> url::get(CURLUPart part, unsigned flags) const {
    char* text = nullptr;
    const auto code = curl_url_get(handle_.get(), part, &text, flags);
    const std::unique_ptr<char, void (*)(void*)> owner(text, &curl_free);
    if (is_missing(code))
        return std::nullopt;
    require_ok(code, "url::get");
    return text != nullptr ? text : ""; // an empty part that 7.88 has encoded
}

url& url::set(CURLUPart part, std::string_view text, unsigned flags) {
    detail::refuse_nul(text, "url::set");
    // Encoding nothing, 7.88 has no buffer and asks for its length all the same (urlapi.c,
    // curl_url_set: a host with NO_AUTHORITY, and what is appended to a query).
    if (text.empty() && (part == CURLUPART_HOST || (flags & CURLU_APPENDQUERY) != 0))
        flags &= ~unsigned{CURLU_URLENCODE};
    require_ok(curl_url_set(handle_.get(), part, std::string(text).c_str(), flags), "url::set");
    return *this;
}

url& url::unset(CURLUPart part) {
    require_ok(curl_url_set(handle_.get(), part, nullptr, 0), "url::unset");
    return *this;
}

std::string url::to_string(unsigned flags) const {
    char* text = nullptr;
    const auto code = curl_url_get(handle_.get(), CURLUPART_URL, &text, flags);
    const std::unique_ptr<char, void (*)(void*)> owner(text, &curl_free);
    require_ok(code, "url::to_string");
    return text;
}

bool operator==(const url& left, const url& right) {
    return left.get(CURLUPART_URL, CURLU_NO_DEFAULT_PORT) ==
           right.get(CURLUPART_URL, CURLU_NO_DEFAULT_PORT);
}

} // namespace curlicue
