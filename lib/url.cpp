// SPDX-License-Identifier: MIT
#include "global.hpp"
#include "refusal.hpp"
#include <curlicue/url.hpp>

#include <new>
#include <utility>

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

struct answer {
    CURLUcode code;
    std::string text;
};

answer ask(CURLU* handle, CURLUPart part, unsigned flags) {
    char* text = nullptr;
    const auto code = curl_url_get(handle, part, &text, flags);
    const std::unique_ptr<char, void (*)(void*)> owner(text, &curl_free);
    return {code, text != nullptr ? text : ""}; // 7.88 gives null for an empty part, encoded
}

// Asked for the whole, 7.88 encodes the percent signs of the host for good (urlapi.c,
// curl_url_get).
answer ask_for_all(CURLU* handle, unsigned flags) {
    const auto host = ask(handle, CURLUPART_HOST, 0).text;
    if (host.starts_with('[') || host.find('%') == std::string::npos)
        return ask(handle, CURLUPART_URL, flags);
    const std::unique_ptr<CURLU, void (*)(CURLU*)> copy(curl_url_dup(handle), &curl_url_cleanup);
    return copy ? ask(copy.get(), CURLUPART_URL, flags) : answer{CURLUE_OUT_OF_MEMORY, {}};
}

} // namespace

url::url() : handle_(curl_url()) {
    if (!handle_)
        throw std::bad_alloc();
}

url::url(std::string_view text, unsigned flags) : url() {
    detail::refuse_nul(text, "url");
    const std::string value(text);
    require_ok(curl_url_set(handle_.get(), CURLUPART_URL, value.c_str(), flags), "url");
}

url::url(const url& other) : handle_(other.handle_ ? curl_url_dup(other.handle_.get()) : nullptr) {
    if (!other.handle_)
        return;
    if (!handle_)
        throw std::bad_alloc();
    // 7.88 leaves the zone of an address behind (urlapi.c, curl_url_dup).
    if (const auto zone = other.get(CURLUPART_ZONEID))
        require_ok(curl_url_set(handle_.get(), CURLUPART_ZONEID, zone->c_str(), 0), "url");
}

url& url::operator=(const url& other) {
    auto copy = other;
    handle_.swap(copy.handle_);
    return *this;
}

void url::cleanup::operator()(CURLU* handle) const noexcept { curl_url_cleanup(handle); }

std::optional<std::string> url::get(CURLUPart part, unsigned flags) const {
    auto [code, text] =
        part == CURLUPART_URL ? ask_for_all(handle_.get(), flags) : ask(handle_.get(), part, flags);
    if (is_missing(code))
        return std::nullopt;
    require_ok(code, "url::get");
    return std::move(text);
}

url& url::set(CURLUPart part, std::string_view text, unsigned flags) {
    detail::refuse_nul(text, "url::set");
    // Encoding nothing, 7.88 has no buffer and asks for its length all the same (urlapi.c,
    // curl_url_set: a host with NO_AUTHORITY, and what is appended to a query).
    if (text.empty() && (part == CURLUPART_HOST || (flags & CURLU_APPENDQUERY) != 0))
        flags &= ~unsigned{CURLU_URLENCODE};
    // libcurl may have changed some of it when it refuses the rest (a host's zone, say), so a copy
    // is asked first. It does not take the place of this one: in a copy libcurl does not know any
    // more whether the scheme was guessed.
    const std::string value(text);
    const url trial(*this);
    require_ok(curl_url_set(trial.native_handle(), part, value.c_str(), flags), "url::set");
    require_ok(curl_url_set(native_handle(), part, value.c_str(), flags), "url::set");
    return *this;
}

url& url::unset(CURLUPart part) {
    require_ok(curl_url_set(handle_.get(), part, nullptr, 0), "url::unset");
    return *this;
}

std::string url::to_string(unsigned flags) const {
    auto [code, text] = ask_for_all(handle_.get(), flags);
    require_ok(code, "url::to_string");
    return std::move(text);
}

bool operator==(const url& left, const url& right) {
    return left.get(CURLUPART_URL, CURLU_NO_DEFAULT_PORT) ==
           right.get(CURLUPART_URL, CURLU_NO_DEFAULT_PORT);
}

} // namespace curlicue
