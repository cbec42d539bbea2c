// SPDX-License-Identifier: MIT
#include "client_settings.hpp"

#include "client_core.hpp"
#include "header_access.hpp"
#include <curlicue/error.hpp>
#include <curlicue/share.hpp>
#include <curlicue/url.hpp>

#include <array>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace curlicue::detail {
namespace {

bool libcurl_has(int feature) noexcept {
    return (curl_version_info(CURLVERSION_NOW)->features & feature) != 0;
}

// For an `allow_address`, be it the client's or a request's.
void check_guard(const client_options& options) {
    if (options.share && options.share->shares(CURL_LOCK_DATA_CONNECT))
        throw std::invalid_argument(
            "client_options: allow_address does not see who else uses the connections of a share");
    if (!options.unix_socket.empty())
        throw std::invalid_argument("client_options: a unix socket has no address to allow");
    if (!options.proxy.url.empty() && !options.proxy_is_trusted)
        throw std::invalid_argument("client_options: behind a proxy allow_address sees that one's "
                                    "address alone; set proxy_is_trusted if that will do");
}

void check_share(const client_options& options) {
    if (!options.share)
        return;
    if (options.hsts)
        throw std::invalid_argument("client_options: with hsts a client has a share of its own; "
                                    "leave one of them out");
    // Else a server may set cookies for all of a suffix that many have in common.
    if (options.share->shares(CURL_LOCK_DATA_COOKIE) && !libcurl_has(CURL_VERSION_PSL))
        throw usage_error(errc::too_old, "client_options: cookies (libcurl with libpsl)");
}

void check_version(http_version asked) {
    if (asked == http_version::http2 && !libcurl_has(CURL_VERSION_HTTP2))
        throw usage_error(errc::too_old, "client_options: HTTP/2 (libcurl with nghttp2)");
    if ((asked == http_version::http3 || asked == http_version::http3_only) &&
        !libcurl_has(CURL_VERSION_HTTP3))
        throw usage_error(errc::too_old, "client_options: HTTP/3 (libcurl with it)");
}

void check_options(const client_options& options) {
    if (options.allow_address)
        check_guard(options);
    check_share(options);
    check_version(options.version);
    if (options.high_water == 0)
        throw std::invalid_argument("client_options: high_water is at least 1");
    if (!options.tls.lowest.empty() && options.tls.lowest != "1.2" && options.tls.lowest != "1.3")
        throw std::invalid_argument(R"(client_options: tls.lowest is "1.2" or "1.3")");
    request probe{.url = options.base.empty() ? "http://localhost/" : options.base,
                  .method = "GET",
                  .headers = options.headers,
                  .limits = options.limits,
                  .retries = options.retries};
    if (!options.user_agent.empty())
        probe.headers.set("User-Agent", options.user_agent);
    check(probe);
}

time_limits or_those(const time_limits& asked, const time_limits& ours) {
    const auto one = [](const time_limits::limit& first, const time_limits::limit& second) {
        return first ? first : second;
    };
    return {one(asked.queue, ours.queue), one(asked.connect, ours.connect),
            one(asked.first_byte, ours.first_byte), one(asked.stall, ours.stall),
            one(asked.total, ours.total)};
}

// As browsers do (Fetch, 2.2.1 Methods).
void normalise(std::string& method) {
    constexpr std::array known{"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"};
    for (const auto* each : known)
        if (same_token(method, each))
            method = each;
}

std::string resolved(const std::string& base, const std::string& relative) {
    try {
        curlicue::url address(base);
        if (!relative.empty())
            address.set(CURLUPART_URL, relative);
        return address.to_string();
    } catch (const std::exception&) {
        throw std::invalid_argument("fetch: the URL cannot be parsed");
    }
}

} // namespace

client_options settled(client_options options) {
    using namespace std::chrono_literals;
    check_options(options);
    if (options.user_agent.empty())
        options.user_agent = "curlicue/" CURLICUE_VERSION;
    options.limits.connect = options.limits.connect.value_or(30s);
    options.limits.stall = options.limits.stall.value_or(300s);
    return options;
}

void settle(request& what, const client_options& options) {
    if (!options.base.empty()) {
        check_url_text(what.url);
        what.url = resolved(options.base, what.url);
    }
    if (what.method.empty())
        what.method = what.body.empty() ? "GET" : "POST";
    normalise(what.method);
    for (const auto field : options.headers)
        if (!what.headers.contains(field.name) && !is_left_out(what, field.name))
            what.headers.add(field.name, field.value);
    check(what);
    if (what.allow_address)
        check_guard(options);
    if (what.headers.contains("Accept-Encoding") || is_left_out(what, "Accept-Encoding"))
        what.decompress = false; // also when a redirect has dropped it
    if (!what.redirects)
        what.redirects = options.redirects;
    if (!what.most_body)
        what.most_body = options.most_body;
    what.limits = or_those(what.limits, options.limits);
}

} // namespace curlicue::detail
