// SPDX-License-Identifier: MIT
#include "scheme.hpp"

#include "easy_core.hpp"
#include <curlicue/url.hpp>
#include <curlicue/version.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <memory>
#include <new>

namespace curlicue::detail {
namespace {

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

struct waiting_protocol {
    const char* name;
    waits when;
};
// Not LDAP, which waits for nothing, and whose library writes to what is shut down so that SIGPIPE
// comes of it (liblber). HTTP's connections may carry other transfers.
constexpr std::array<waiting_protocol, 9> waiting_protocols{{
    {"file", waits::throughout},
    {"telnet", waits::throughout},
    {"rtmp", waits::throughout},
    {"ftp", waits::at_the_end},
    {"smtp", waits::at_the_end},
    {"imap", waits::at_the_end},
    {"sftp", waits::at_the_end},
    {"scp", waits::at_the_end},
    {"pop3", waits::for_goodbye},
}};

/// Of a transfer that has, or had, a connection.
const char* scheme_of(CURL* transfer) noexcept {
    const char* scheme = nullptr;
    curl_easy_getinfo(transfer, CURLINFO_SCHEME, &scheme);
    return scheme;
}

/// That protocol, or a variant of it: over TLS (s), encrypted (e), through HTTP (t). In upper case
/// below 8.9.
bool is_variant(const char* scheme, const char* name) noexcept {
    const auto size = std::strlen(name);
    return curl_strnequal(scheme, name, size) != 0 &&
           scheme[size + std::strspn(scheme + size, "setSET")] == '\0';
}

/// Whether its connection is over TLS by now: where it begins without, from the answer to AUTH on.
bool has_tls(CURL* transfer) noexcept {
    const curl_tlssessioninfo* session = nullptr;
    curl_easy_getinfo(transfer, CURLINFO_TLS_SSL_PTR, &session);
    return session != nullptr && session->internals != nullptr;
}

template <class Condition> bool is_one(const char* scheme, Condition condition) noexcept {
    return std::ranges::any_of(waiting_protocols, [&](const waiting_protocol& each) {
        return condition(each.when) && is_variant(scheme, each.name);
    });
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

const char* url_of(const easy_core& handle) noexcept {
    const char* url = nullptr;
    curl_easy_getinfo(handle.handle(), CURLINFO_EFFECTIVE_URL, &url);
    return url != nullptr ? url : "";
}

bool may_block(const easy_core& handle) {
    // What the user has named for such a case libcurl does not tell.
    if (handle.is_set(CURLOPT_DEFAULT_PROTOCOL) && handle.address() == nullptr &&
        !names_scheme(url_of(handle)))
        return true;
    return is_one(scheme_of(handle).c_str(), [](waits when) { return when == waits::throughout; });
}

std::string those_that(waits when) {
    std::string names;
    for (const auto& each : waiting_protocols)
        if (each.when == when && has_protocol(each.name))
            names += names.empty() ? each.name : std::string(", ") + each.name;
    return names;
}

bool says_goodbye(CURL* transfer) noexcept {
    const auto* const scheme = scheme_of(transfer);
    return scheme != nullptr && *scheme != 'h' && *scheme != 'H' && // nearly all
           is_one(scheme, [](waits when) { return when != waits::throughout; });
}

bool speaks(CURL* transfer, std::string_view scheme) noexcept {
    const auto* const found = scheme_of(transfer);
    return found != nullptr && curl_strnequal(found, scheme.data(), scheme.size()) != 0;
}

bool has_begun(CURL* transfer) noexcept {
    curl_off_t begun = 0;
    curl_easy_getinfo(transfer, CURLINFO_PRETRANSFER_TIME_T, &begun);
    return begun != 0;
}

bool asks_for_too_little(CURL* transfer) noexcept {
    return speaks(transfer, "ldap") ||
           (speaks(transfer, "ftp") && (has_tls(transfer) || !has_begun(transfer)));
}

} // namespace curlicue::detail
