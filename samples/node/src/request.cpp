// SPDX-License-Identifier: MIT
#include "request.hpp"

#include <chrono>
#include <utility>

namespace curlicue::node {
namespace {

header_list headers_of(const arguments& given) {
    header_list headers;
    if (!given.has(3))
        return headers;
    const auto text = [&](std::uint32_t index) {
        return to_latin1(given.env, element(given.env, given[3], index), "a header");
    };
    const auto size = length_of(given.env, given[3], "headers");
    for (std::uint32_t i = 0; i + 1 < size; i += 2)
        headers.add(text(i), text(i + 1));
    return headers;
}

request_body body_of(const arguments& given, std::optional<body_writer>& writer) {
    const auto piped = [&](std::optional<std::uint64_t> size) {
        auto [body, end] = request_body::pipe(size);
        writer.emplace(std::move(end));
        return std::move(body);
    };
    switch (type_of(given.env, given[4])) {
    case napi_undefined:
        return {};
    case napi_boolean:
        return piped(std::nullopt);
    case napi_number:
        return piped(static_cast<std::uint64_t>(given.number(4, "the body's size")));
    default:
        return to_content(given.env, given[4], "the body");
    }
}

/// An array of numbers, any of which may be undefined.
class numbers {
public:
    numbers(napi_env env, napi_value array) : env_(env), array_(array) {}
    std::optional<double> operator[](std::uint32_t index) const {
        const auto value = element(env_, array_, index);
        if (type_of(env_, value) == napi_undefined)
            return std::nullopt;
        return to_number(env_, value, "an option");
    }
    time_limits::limit time(std::uint32_t index) const {
        const auto value = (*this)[index];
        return value ? time_limits::limit(static_cast<std::int64_t>(*value)) : std::nullopt;
    }

private:
    const napi_env env_;
    const napi_value array_;
};

void set(request& what, const numbers& settings, const redirect_policy& usual) {
    what.limits = {settings.time(0), settings.time(1), settings.time(2), settings.time(3),
                   settings.time(4)};
    if (const auto bytes = settings[5])
        what.high_water = static_cast<std::size_t>(*bytes);
    if (const auto number = settings[6])
        what.priority = static_cast<int>(*number);
    what.keep_alive = settings[7].value_or(1) != 0;
    const auto mode = settings[8], most = settings[9];
    if (mode || most)
        what.redirects = {static_cast<redirect_mode>(mode.value_or(0)),
                          static_cast<unsigned>(most.value_or(usual.most)), usual.resolve};
}

retry_policy retries_of(const numbers& settings, std::uint32_t size) {
    retry_policy policy;
    policy.attempts = static_cast<unsigned>(settings[0].value_or(policy.attempts));
    policy.first = settings.time(1).value_or(policy.first);
    policy.most = settings.time(2).value_or(policy.most);
    policy.budget = settings[3].value_or(policy.budget);
    if (size > 4)
        policy.statuses.clear();
    for (std::uint32_t i = 4; i < size; ++i)
        policy.statuses.push_back(static_cast<int>(settings[i].value_or(0)));
    return policy;
}

} // namespace

request request_of(const arguments& given, const redirect_policy& usual,
                   std::optional<body_writer>& writer) {
    request what{.url = given.text(1, "the URL"),
                 .method = given.text(2, "the method"),
                 .headers = headers_of(given),
                 .body = body_of(given, writer)};
    if (given.has(5))
        set(what, {given.env, given[5]}, usual);
    if (given.has(6))
        what.retries = retries_of({given.env, given[6]}, length_of(given.env, given[6], "retries"));
    return what;
}

} // namespace curlicue::node
