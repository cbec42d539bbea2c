// SPDX-License-Identifier: MIT
// What a request must be like, and what its URL says.
#include "body_content.hpp"
#include "client_core.hpp"
#include "header_access.hpp"
#include "urlencoded.hpp"
#include <curlicue/url.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <stdexcept>
#include <system_error>

namespace curlicue {
namespace detail {
namespace {

// How a message is framed, and who is connected to whom, is for libcurl to say.
constexpr std::array framing{"Transfer-Encoding", "Connection", "Keep-Alive",
                             "Upgrade",           "TE",         "Trailer"};

bool is_framing(std::string_view name) noexcept {
    constexpr std::string_view proxy = "Proxy-";
    return std::ranges::any_of(framing, [name](auto* each) { return same_token(name, each); }) ||
           (name.size() > proxy.size() && same_token(name.substr(0, proxy.size()), proxy));
}

void check_headers(const request& what) {
    for (const auto field : what.headers)
        if (is_framing(field.name))
            throw std::invalid_argument("fetch: the header " + std::string(field.name) +
                                        " is not the caller's to set; leave it out");
    const auto length = what.headers.get("Content-Length");
    if (length && (!what.body.size() || *length != std::to_string(*what.body.size())))
        throw std::invalid_argument(
            "fetch: the header Content-Length differs from the body's; leave it out");
    for (const auto& name : what.left_out)
        if (!is_token(name) || is_framing(name) || same_token(name, "Content-Length"))
            throw std::invalid_argument("fetch: request::left_out has what is no header's name, or "
                                        "not the caller's to leave out");
}

void check_limit(const time_limits::limit& limit, const char* name) {
    if (limit && limit->count() < 0)
        throw std::invalid_argument(std::string("fetch: the limit time_limits::") + name +
                                    " is less than 0");
}

std::invalid_argument refusal_of_url(const char* why) {
    return std::invalid_argument(std::string("fetch: the URL ") + why);
}

// By libcurl's own call, which does not copy the text; what that refuses `curlicue::url` explains.
curlicue::url parsed(const std::string& text) {
    curlicue::url address;
    if (curl_url_set(address.native_handle(), CURLUPART_URL, text.c_str(), 0) == CURLUE_OK)
        return address;
    try {
        return curlicue::url(text);
    } catch (const std::system_error& error) { // which is nested
        if (error.code() == CURLUE_UNSUPPORTED_SCHEME)
            std::throw_with_nested(refusal_of_url("has a scheme other than http and https"));
        std::throw_with_nested(refusal_of_url(
            "cannot be parsed; it is like https://host/path, or relative to client_options::base"));
    }
}

bool is_web(const curlicue::url& address) {
    const auto scheme = address.get(CURLUPART_SCHEME);
    return scheme == "http" || scheme == "https";
}

} // namespace

void check_url_text(const std::string& url) {
    if (std::ranges::any_of(url, [](unsigned char each) { return each <= ' ' || each == 127; }))
        throw refusal_of_url("has a blank or a control character in it; encode that");
}

void check(const request& what) {
    check_url_text(what.url);
    const auto scheme = what.url.find("://");
    if (scheme == std::string::npos || scheme > what.url.find_first_of("/?#"))
        throw refusal_of_url("has no scheme, and client_options::base is not set");
    if (!is_web(parsed(what.url)))
        throw refusal_of_url("has a scheme other than http and https");
    if (!is_token(what.method))
        throw std::invalid_argument("fetch: the method is no token");
    if (same_token(what.method, "CONNECT"))
        throw std::invalid_argument("fetch: the method CONNECT is not for fetch");
    if (what.method == "HEAD" && !what.body.empty())
        throw std::invalid_argument("fetch: a HEAD has no body");
    check_headers(what);
    check_limit(what.limits.queue, "queue");
    check_limit(what.limits.connect, "connect");
    check_limit(what.limits.first_byte, "first_byte");
    check_limit(what.limits.stall, "stall");
    check_limit(what.limits.total, "total");
    if (what.retries && (what.retries->attempts == 0 || what.retries->first.count() < 0 ||
                         what.retries->most.count() < 0 || !(what.retries->budget >= 0)))
        throw std::invalid_argument("fetch: retry_policy has at least one attempt, and nothing "
                                    "less than 0");
}

bool is_left_out(const request& what, std::string_view name) noexcept {
    return std::ranges::any_of(what.left_out,
                               [name](const auto& each) { return same_token(each, name); });
}

bool is_idempotent(std::string_view method) noexcept {
    constexpr std::array all{"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
    return std::ranges::find(all, method) != all.end();
}

std::string origin_of(const std::string& url) {
    try {
        const curlicue::url address(url);
        return address.get(CURLUPART_SCHEME).value_or("") + "://" +
               in_lower_case(address.get(CURLUPART_HOST).value_or("")) + ":" +
               address.get(CURLUPART_PORT, CURLU_DEFAULT_PORT).value_or("");
    } catch (const std::exception&) {
        return {};
    }
}

std::string without_credentials(std::string url) {
    if (url.find('@') == std::string::npos)
        return url;
    curlicue::url address(url);
    return address.unset(CURLUPART_USER).unset(CURLUPART_PASSWORD).to_string();
}

std::string redirected_to(const std::string& from, std::string_view location,
                          const redirect_policy& policy, unsigned attempts) {
    std::string there = policy.resolve ? policy.resolve(from, location) : std::string(location);
    curlicue::url address(from);
    const auto fragment = address.get(CURLUPART_FRAGMENT);
    const auto user = address.get(CURLUPART_USER), password = address.get(CURLUPART_PASSWORD);
    try {
        address.set(CURLUPART_URL, there, CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME);
    } catch (const std::exception&) {
        throw fetch_error(std::error_code(CURLE_URL_MALFORMAT, easy_category()), fetch_phase::url,
                          attempts);
    }
    if (!is_web(address))
        throw fetch_error(errc::redirect_refused, fetch_phase::headers, attempts, std::nullopt,
                          "a redirect leads to a scheme other than http and https");
    if (policy.resolve)
        return there;
    if (fragment && !address.get(CURLUPART_FRAGMENT))
        address.set(CURLUPART_FRAGMENT, *fragment);
    if (user && !address.get(CURLUPART_USER) && origin_of(address.to_string()) == origin_of(from)) {
        address.set(CURLUPART_USER, *user);
        if (password)
            address.set(CURLUPART_PASSWORD, *password);
    }
    return address.to_string();
}

} // namespace detail

request&
request::query(std::initializer_list<std::pair<std::string_view, std::string_view>> parameters) {
    const auto more = detail::urlencoded(parameters);
    if (more.empty())
        return *this;
    const auto fragment = std::min(url.find('#'), url.size());
    const auto question = url.find('?');
    const bool has_query = question < fragment;
    const bool joins = has_query && question + 1 != fragment && url[fragment - 1] != '&';
    url.insert(fragment, (has_query ? (joins ? "&" : "") : "?") + more);
    return *this;
}

request& request::basic_auth(std::string_view user, std::string_view password) {
    if (user.find(':') != std::string_view::npos)
        throw std::invalid_argument("request::basic_auth: a user's name has no colon");
    headers.set("Authorization",
                "Basic " + detail::base64(std::string(user).append(":").append(password)));
    return *this;
}

request& request::bearer(std::string_view token) {
    headers.set("Authorization", "Bearer " + std::string(token));
    return *this;
}

} // namespace curlicue
