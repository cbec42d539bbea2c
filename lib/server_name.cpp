// SPDX-License-Identifier: MIT
#include "server_name.hpp"

#include "easy_core.hpp"
#include "immortal.hpp"
#include "scheme.hpp"
#include <curlicue/url.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace curlicue::detail {
namespace {

struct family {
    std::string_view scheme, name, port;
};

// Those that have connections in common, and where they are if the URL does not say.
constexpr std::array families{
    family{"http", "http", "80"},  family{"https", "https", "443"},
    family{"ws", "ws", "80"},      family{"wss", "wss", "443"},
    family{"ftp", "ftp", "21"},    family{"ftps", "ftps", "990"},
    family{"ldap", "ldap", "389"}, family{"ldaps", "ldaps", "636"},
    family{"imap", "imap", "143"}, family{"imaps", "imaps", "993"},
    family{"pop3", "pop3", "110"}, family{"pop3s", "pop3s", "995"},
    family{"smtp", "smtp", "25"},  family{"smtps", "smtps", "465"},
};

char lower(char each) noexcept { // whatever the locale
    return each >= 'A' && each <= 'Z' ? static_cast<char>(each - 'A' + 'a') : each;
}

bool same(std::string_view one, std::string_view other) noexcept {
    return std::ranges::equal(one, other, {}, lower, lower);
}

bool is_digit(char each) noexcept { return each >= '0' && each <= '9'; }

/// The parts of a URL that say where a connection goes.
struct authority {
    explicit authority(std::string_view url) noexcept {
        if (const auto end = url.find("://"); end < url.find_first_of("/?#@")) {
            scheme = url.substr(0, end);
            url.remove_prefix(end + 3);
        }
        url = url.substr(0, url.find_first_of("/?#"));
        url.remove_prefix(url.rfind('@') + 1); // npos + 1: there is none
        const auto bracket = url.rfind(']');
        const auto colon = url.rfind(':');
        if (colon == std::string_view::npos ||
            (bracket != std::string_view::npos && colon < bracket)) {
            host = url;
        } else {
            host = url.substr(0, colon);
            port = url.substr(colon + 1);
        }
    }
    bool valid() const noexcept {
        return !host.empty() && port.size() <= 5 && std::ranges::all_of(port, is_digit);
    }
    /// libcurl guesses where there is none (urlapi.c, guess_scheme).
    std::string_view guessed_scheme() const noexcept {
        if (!scheme.empty())
            return scheme;
        const auto first = host.substr(0, host.find('.'));
        for (const std::string_view each : {"ftp", "dict", "ldap", "imap", "smtp", "pop3"})
            if (first.size() != host.size() && same(first, each))
                return each;
        return "http";
    }

    std::string_view scheme, host, port;
};

void append(std::string& to, std::string_view text) {
    for (const char each : text)
        to += lower(each);
}

std::string proxy_of_environment() {
    for (const char* const each : {"no_proxy", "NO_PROXY"})
        if (std::getenv(each) != nullptr)
            return {}; // for some servers, then
    // For http:// libcurl does not look at HTTP_PROXY (url.c, detect_proxy).
    for (const char* const each : {"http_proxy", "all_proxy", "ALL_PROXY"})
        if (const char* const value = std::getenv(each); value != nullptr && *value != '\0')
            return proxy_named(value);
    return {};
}

} // namespace

std::string_view server_name::of(const easy_core& handle) {
    text_.clear();
    const auto* const parts = handle.address();
    const auto whole = parts != nullptr ? parts->get(CURLUPART_URL).value_or("") : "";
    const authority where(parts != nullptr ? std::string_view(whole) : url_of(handle));
    if (!where.valid())
        return text_;
    const auto scheme = where.guessed_scheme();
    const auto* const known = std::ranges::find_if(
        families, [&](const family& each) { return same(each.scheme, scheme); });
    const bool listed = known != families.end();
    if (listed && known->name == "http") {
        // Looked up once: for each transfer it would cost more than a wrong guess.
        static const immortal<std::string> environment(proxy_of_environment());
        const bool chosen = handle.is_set(CURLOPT_PROXY);
        const std::string_view proxy = chosen ? handle.proxy() : environment.object;
        if (!proxy.empty() && !handle.is_set(CURLOPT_NOPROXY) &&
            !handle.is_set(CURLOPT_HTTPPROXYTUNNEL) && !handle.is_set(CURLOPT_PROXYTYPE))
            return (text_ = "proxy://").append(proxy);
    }
    append(text_, listed ? known->name : scheme);
    append(text_ += "://", where.host);
    append(text_ += ':', where.port.empty() && listed ? known->port : where.port);
    return text_;
}

std::string proxy_named(std::string_view proxy) {
    const authority where(proxy);
    std::string name;
    if (where.valid() && (where.scheme.empty() || same(where.scheme, "http"))) {
        append(name, where.host);
        append(name += ':', where.port.empty() ? "1080" : where.port);
    }
    return name;
}

// A WebSocket has its connection for itself.
bool may_multiplex(const easy_core& handle, std::string_view server) noexcept {
    return server.empty() || server.starts_with("https:") ||
           (handle.is_set(CURLOPT_HTTP_VERSION) && !server.starts_with("ws"));
}

bool is_waited_for(std::string_view server) noexcept {
    return server.starts_with("ftp") || server.starts_with("ldap");
}

bool is_over_tls(std::string_view server) noexcept {
    const auto scheme = server.substr(0, server.find("://"));
    return scheme.size() > 2 && scheme.ends_with('s'); // ws does not
}

bool is_plain_http(std::string_view server) noexcept {
    return server.starts_with("http:") || server.starts_with("proxy:") || server.starts_with("ws:");
}

bool must_be_looked_up(std::string_view server) noexcept {
    const authority where(server);
    const auto numeric = [](char each) { return is_digit(each) || each == '.'; };
    return !where.host.empty() && where.host.front() != '[' && !where.host.ends_with("localhost") &&
           !std::ranges::all_of(where.host, numeric);
}

} // namespace curlicue::detail
