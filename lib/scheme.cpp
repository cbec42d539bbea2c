// SPDX-License-Identifier: MIT
#include "scheme.hpp"

#include "easy_core.hpp"
#include <curlicue/url.hpp>

#include <algorithm>
#include <cctype>
#include <memory>
#include <new>

namespace curlicue::detail {
namespace {

const char* url_of(const easy_core& handle) noexcept {
    const char* url = nullptr;
    curl_easy_getinfo(handle.handle(), CURLINFO_EFFECTIVE_URL, &url);
    return url != nullptr ? url : "";
}

/// As Curl_is_absolute_url sees it (urlapi.c).
bool names_scheme(std::string_view url) noexcept {
    const auto end = std::ranges::find_if_not(url, [](char each) {
        return std::isalnum(static_cast<unsigned char>(each)) != 0 || each == '+' || each == '-' ||
               each == '.';
    });
    return end != url.begin() && std::string_view(end, url.end()).starts_with(":/");
}

std::string scheme_of(CURLU* parsed) {
    char* scheme = nullptr;
    if (curl_url_get(parsed, CURLUPART_SCHEME, &scheme, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
        return {};
    const std::unique_ptr<char, decltype(&curl_free)> owned(scheme, &curl_free);
    return scheme;
}

} // namespace

std::string scheme_of(const easy_core& handle) {
    if (const auto* const address = handle.address())
        return scheme_of(address->native_handle());
    const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), &curl_url_cleanup);
    if (!parsed)
        throw std::bad_alloc();
    // As libcurl itself does (url.c, parseurlandfillconn).
    const auto flags = CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME;
    if (curl_url_set(parsed.get(), CURLUPART_URL, url_of(handle), flags) != CURLUE_OK)
        return {};
    return scheme_of(parsed.get());
}

bool may_block(const easy_core& handle) {
    // What the user has named for such a case libcurl does not tell.
    if (handle.is_set(CURLOPT_DEFAULT_PROTOCOL) && handle.address() == nullptr &&
        !names_scheme(url_of(handle)))
        return true;
    const auto scheme = scheme_of(handle);
    return scheme == "telnet" || scheme == "file" || scheme.starts_with("rtmp");
}

bool speaks(CURL* transfer, std::string_view scheme) noexcept {
    const char* found = nullptr;
    return curl_easy_getinfo(transfer, CURLINFO_SCHEME, &found) == CURLE_OK && found != nullptr &&
           curl_strnequal(found, scheme.data(), scheme.size()) != 0;
}

} // namespace curlicue::detail
