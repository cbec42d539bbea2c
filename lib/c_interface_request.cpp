// SPDX-License-Identifier: MIT
#include "c_interface_request.hpp"

#include "c_interface_status.hpp"

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace curlicue::detail {
namespace {

// Of a redirect, where the user says where that leads.
constexpr std::size_t most_of_url = std::size_t{64} << 10;

std::string text_of(const char* text) { return text == nullptr ? std::string() : text; }

/// @param left_out where names go that have no value
header_list headers_of(const curlicue_header* first, std::size_t count,
                       std::vector<std::string>* left_out) {
    header_list all;
    for (std::size_t i = 0; i != count; ++i) {
        const auto& field = first[i];
        if (field.name == nullptr || (field.value == nullptr && left_out == nullptr))
            throw std::invalid_argument("curlicue_header: it has a null name, or a null value "
                                        "where that is not in a request");
        if (field.value == nullptr)
            left_out->emplace_back(field.name);
        else
            all.add(field.name, field.value);
    }
    return all;
}

time_limits::limit limit_of(long milliseconds) {
    if (milliseconds == 0)
        return std::nullopt;
    return std::chrono::milliseconds(milliseconds == CURLICUE_NO_LIMIT ? 0 : milliseconds);
}

time_limits limits_of(const curlicue_time_limits& asked) {
    return {limit_of(asked.queue_ms), limit_of(asked.connect_ms), limit_of(asked.first_byte_ms),
            limit_of(asked.stall_ms), limit_of(asked.total_ms)};
}

std::optional<redirect_policy> redirects_of(const curlicue_redirect_policy& asked) {
    redirect_policy policy;
    if (asked.most != 0)
        policy.most = asked.most;
    switch (number_of(asked.mode)) {
    case CURLICUE_REDIRECT_DEFAULT:
        return asked.most == 0 ? std::nullopt : std::optional(policy);
    case CURLICUE_REDIRECT_FOLLOW:
        return policy;
    case CURLICUE_REDIRECT_MANUAL:
        policy.mode = redirect_mode::manual;
        return policy;
    case CURLICUE_REDIRECT_ERROR:
        policy.mode = redirect_mode::error;
        return policy;
    }
    throw std::invalid_argument("curlicue_redirect_policy: there is no such mode");
}

std::optional<retry_policy> retries_of(const curlicue_retry_policy& asked) {
    if (asked.attempts == 0)
        return std::nullopt;
    retry_policy policy{.attempts = asked.attempts};
    if (asked.first_ms != 0)
        policy.first = std::chrono::milliseconds(asked.first_ms);
    if (asked.most_ms != 0)
        policy.most = std::chrono::milliseconds(asked.most_ms);
    if (asked.statuses != nullptr)
        policy.statuses.assign(asked.statuses, asked.statuses + asked.status_count);
    if (asked.budget != 0)
        policy.budget = asked.budget;
    return policy;
}

request_body body_of(const curlicue_request& asked) {
    if ((asked.body != nullptr) + (asked.body_file != nullptr) + (asked.read != nullptr) > 1)
        throw std::invalid_argument(
            "curlicue_request: it has more than one of body, body_file and read");
    if (asked.body_size < 0 ||
        (asked.body_size > 0 && asked.body == nullptr && asked.read == nullptr))
        throw std::invalid_argument("curlicue_request: body_size is that of body, or of what read "
                                    "gives");
    if (asked.body != nullptr)
        return std::string(static_cast<const char*>(asked.body),
                           static_cast<std::size_t>(asked.body_size));
    return asked.body_file == nullptr ? request_body() : request_body::file(asked.body_file);
}

http_version version_of(const curlicue_http_version& asked) {
    switch (number_of(asked)) {
    case CURLICUE_HTTP_AUTOMATIC:
        return http_version::automatic;
    case CURLICUE_HTTP_1:
        return http_version::http1;
    case CURLICUE_HTTP_2:
        return http_version::http2;
    case CURLICUE_HTTP_3:
        return http_version::http3;
    case CURLICUE_HTTP_3_ONLY:
        return http_version::http3_only;
    }
    throw std::invalid_argument("curlicue_client_options: there is no such version");
}

// What is 0 stays as it is.
void set(std::size_t& member, std::size_t asked) noexcept {
    if (asked != 0)
        member = asked;
}

} // namespace

request request_of(const curlicue_request& asked) {
    request what{.url = asked.url, .method = text_of(asked.method)};
    what.headers = headers_of(asked.headers, asked.header_count, &what.left_out);
    what.body = body_of(asked);
    what.limits = limits_of(asked.limits);
    what.redirects = redirects_of(asked.redirects);
    what.retries = retries_of(asked.retries);
    if (asked.most_body != 0)
        what.most_body = asked.most_body;
    if (asked.high_water != 0)
        what.high_water = asked.high_water;
    what.priority = asked.priority;
    what.decompress = asked.encoded == 0;
    what.tweak_all_hops = asked.tweak_all_hops != 0;
    what.keep_alive = asked.no_keep_alive == 0;
    return what;
}

client_options options_of(const curlicue_client_options& asked) {
    client_options options;
    options.base = text_of(asked.base);
    options.headers = headers_of(asked.headers, asked.header_count, nullptr);
    options.user_agent = text_of(asked.user_agent);
    options.limits = limits_of(asked.limits);
    options.at_once.per_origin = asked.per_origin;
    options.at_once.total = asked.at_once;
    set(options.at_once.queue, asked.most_waiting);
    options.redirects = redirects_of(asked.redirects).value_or(redirect_policy());
    if (asked.resolve_redirect != nullptr)
        options.redirects.resolve = [resolve = asked.resolve_redirect, data = asked.data](
                                        const std::string& from, std::string_view location) {
            return resolved_by(resolve, data, from, location);
        };
    options.retries = retries_of(asked.retries).value_or(retry_policy());
    set(options.most_body, asked.most_body);
    set(options.high_water, asked.high_water);
    options.memory = asked.memory;
    options.version = version_of(asked.version);
    options.proxy = {text_of(asked.proxy), text_of(asked.proxy_user), text_of(asked.proxy_password),
                     text_of(asked.no_proxy)};
    options.tls = {text_of(asked.ca_file), text_of(asked.certificate), text_of(asked.key),
                   text_of(asked.pins), text_of(asked.lowest_tls)};
    if (asked.hsts != nullptr)
        options.hsts = asked.hsts;
    for (const auto* each = asked.resolve; each != nullptr; each = each->next)
        options.resolve.emplace_back(each->data);
    options.unix_socket = text_of(asked.unix_socket);
    options.local_address = text_of(asked.local_address);
    if (asked.allow_address != nullptr)
        options.allow_address = [allow = asked.allow_address, data = asked.data](
                                    const sockaddr& address) { return allow(data, &address) != 0; };
    options.proxy_is_trusted = asked.proxy_is_trusted != 0;
    return options;
}

std::string resolved_by(curlicue_resolve resolve, void* data, const std::string& from,
                        std::string_view location) {
    std::string url(most_of_url, '\0');
    const int status =
        resolve(data, from.c_str(), std::string(location).c_str(), url.data(), url.size());
    if (status != CURLICUE_OK)
        throw ended_by_callback(status);
    const auto end = url.find('\0');
    if (end == std::string::npos)
        throw std::length_error("curlicue_resolve: the URL has no NUL where there was room for it");
    url.resize(end);
    return url;
}

} // namespace curlicue::detail
