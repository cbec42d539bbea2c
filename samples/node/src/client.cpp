// SPDX-License-Identifier: MIT
#include "client.hpp"

#include "stats.hpp"

#include <chrono>

namespace curlicue::node {
namespace {

// Read by `URL`, as every URL here: libcurl's own parser takes some for another server.
redirect_policy redirects_in(environment& where) {
    return {.resolve = [&where](const std::string& from, std::string_view location) {
        return where.redirected(from, location);
    }};
}

client_options options_of(const arguments& given, const redirect_policy& redirects) {
    using namespace std::chrono_literals;
    client_options options{.redirects = redirects, .begins_at_call = true};
    options.limits.first_byte = 300s; // as `stall`: JavaScript has one name for both
    const auto number = [&](std::uint32_t index, std::size_t usual) {
        const auto value = element(given.env, given[1], index);
        return type_of(given.env, value) == napi_undefined
                   ? usual
                   : static_cast<std::size_t>(to_number(given.env, value, "a limit"));
    };
    if (!given.has(1))
        return options;
    options.at_once = {number(0, 0), number(1, 0), number(2, options.at_once.queue)};
    options.memory = number(3, 0);
    return options;
}

} // namespace

napi_value fetch_client::define(napi_env env) {
    using self = js_class<fetch_client>;
    return self::define(env, "Client",
                        {
                            self::method<&fetch_client::stats>("stats"),
                            self::method<&fetch_client::close>("close"),
                        });
}

fetch_client::fetch_client(const arguments& given)
    : multi_(js_class<multi>::of(given.where, given[0], "multi must be an AsyncCurlMulti")),
      redirects_(redirects_in(given.where)),
      client_(multi_->driven(), options_of(given, redirects_)) {}

napi_value fetch_client::stats(const arguments& given) {
    return stats_of(given.env, client_.stats());
}

napi_value fetch_client::close(const arguments& /*given*/) {
    return multi_->promise_of(client_.close());
}

} // namespace curlicue::node
