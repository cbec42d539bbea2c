// SPDX-License-Identifier: MIT
#include "stats.hpp"

#include <chrono>

namespace curlicue::node {

napi_value stats_of(napi_env env, const multi_stats& stats) {
    napi_value object = nullptr;
    check(env, napi_create_object(env, &object));
    const auto count = [&](const char* name, auto value) {
        set_property(env, object, name, number(env, static_cast<double>(value)));
    };
    const auto time = [&](const char* name, std::chrono::nanoseconds value) {
        count(name, std::chrono::duration<double, std::milli>(value).count());
    };
    count("pending", stats.pending);
    count("running", stats.running);
    count("sockets", stats.sockets);
    count("shards", stats.shards);
    count("completed", stats.completed);
    count("failed", stats.failed);
    count("cancelled", stats.cancelled);
    count("unobserved", stats.unobserved);
    count("wakeups", stats.wakeups);
    count("heartbeats", stats.heartbeats);
    count("waits", stats.waits);
    count("spins", stats.spins);
    count("deadlines", stats.deadlines);
    count("upkeeps", stats.upkeeps);
    count("rebuilds", stats.rebuilds);
    time("libcurl_total", stats.libcurl_total);
    time("libcurl_longest", stats.libcurl_longest);
    time("continuations_total", stats.continuations_total);
    time("continuations_longest", stats.continuations_longest);
    return object;
}

napi_value stats_of(napi_env env, const client_stats& stats) {
    napi_value object = nullptr, by_origin = nullptr;
    check(env, napi_create_object(env, &object));
    check(env, napi_create_object(env, &by_origin));
    const auto count = [&](napi_value of, const char* name, auto value) {
        set_property(env, of, name, number(env, static_cast<double>(value)));
    };
    for (const auto& [origin, waiting] : stats.queued_by_origin)
        count(by_origin, origin.c_str(), waiting);
    count(object, "running", stats.running);
    count(object, "queued", stats.queued);
    set_property(env, object, "queuedByOrigin", by_origin);
    count(object, "requests", stats.requests);
    count(object, "retried", stats.retried);
    count(object, "redirected", stats.redirected);
    count(object, "refused", stats.refused);
    count(object, "bytes", stats.bytes);
    return object;
}

} // namespace curlicue::node
