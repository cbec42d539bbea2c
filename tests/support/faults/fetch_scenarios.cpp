// SPDX-License-Identifier: MIT
#include "support/faults/scene.hpp"
#include "support/nginx.hpp"
#include <curlicue/curlicue.h>
#include <curlicue/fetch.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace curlicue::test {
namespace {

using namespace std::chrono_literals;

std::string url(std::string_view path) { return nginx::shared().http(path); }

future<std::string> text_of(const client& from, std::string_view path) {
    return from.get(url(path)).then([](response one) { return one.text(); });
}

// More than would wait for somebody to read it.
void text(scene& on) {
    auto& multi = on.open();
    on.trouble_begins();
    const client asks(multi, {.high_water = 1});
    for (int i = 0; i != 2; ++i) {
        on.expect(text_of(asks, "/bytes/1048576"));
        on.run();
    }
}

task<std::size_t> size_of(response one) {
    auto body = one.body();
    std::size_t size = 0;
    for (;;) {
        auto piece = body.read();
        const std::string next = co_await std::move(piece);
        if (next.empty())
            co_return size;
        size += next.size();
    }
}

// Slower than the server, which has to wait.
void stream(scene& on) {
    auto& multi = on.open();
    on.trouble_begins();
    const client asks(multi, {.high_water = 1});
    on.expect(asks.get(url("/bytes/1048576")).then([&multi](response one) {
        return co_spawn(multi.executor(), size_of(std::move(one)));
    }));
    on.run();
}

// More than there is room for: who writes waits, twice.
void pipe(scene& on) {
    auto& multi = on.open();
    on.trouble_begins();
    const client asks(multi);
    auto both = request_body::pipe();
    on.expect(asks.post(url("/post/pipe"), std::move(both.first)).then([](response one) {
        return one.discard();
    }));
    try {
        for (int i = 0; i != 4; ++i)
            on.expect(both.second.write(std::string(std::size_t{150} << 10, 'x')));
        both.second.end();
    } catch (...) {
        both.second.fail(std::current_exception());
    }
    on.run();
}

void redirect_and_retry(scene& on) {
    auto& multi = on.open();
    on.trouble_begins();
    const client asks(multi, {.retries = {.attempts = 2, .first = 1ms}});
    for (const auto* path : {"/redirect", "/status/503"}) {
        on.expect(text_of(asks, path));
        on.run();
    }
}

void queue(scene& on) {
    auto& multi = on.open();
    on.trouble_begins();
    const client asks(multi, {.at_once = {.per_origin = 1}});
    on.expect(text_of(asks, "/hello"));
    on.expect(text_of(asks, "/hello"));
    const auto waits = text_of(asks, "/hello").share();
    on.expect(waits.then([](const std::string&) {}));
    on.run_to([&] { return asks.stats().queued == 2 || waits.ready(); });
    waits.cancel();
    on.run();
}

// With a request that runs, and one that waits.
void closed_client(scene& on) {
    auto& multi = on.open();
    on.trouble_begins();
    const client asks(multi, {.at_once = {.total = 1}});
    const auto runs = text_of(asks, "/slow/16777216").share();
    on.expect(runs.then([](const std::string&) {}));
    on.expect(text_of(asks, "/slow/16777216"));
    on.run_to([&] { return asks.stats().bytes != 0 || runs.ready(); });
    on.expect(asks.close());
    on.run();
}

void file(scene& on) {
    const auto path = on.directory() / "file";
    auto& multi = on.open();
    on.trouble_begins();
    const client asks(multi, {.high_water = 1});
    on.expect(
        asks.get(url("/bytes/1048576")).then([path](response one) { return one.to_file(path); }));
    on.run();
    on.trouble_ends(); // the thread that wrote it may be about to end
}

// What is refused has not happened.
void with_a_total(scene& on) {
    auto& multi = on.open();
    on.trouble_begins();
    const client asks(multi);
    std::optional<future<response>> head;
    try {
        head = asks.fetch({.url = url("/bytes/1048576"), .limits = {.total = 10s}});
    } catch (...) {
        on.run();
        if (asks.stats().bytes != 0)
            on.judge(std::make_exception_ptr("what was refused has gone on"));
        throw;
    }
    on.expect(std::move(*head).then([](response one) { return one.discard(); }));
    on.run();
}

// Likewise.
void in_c(scene& on) {
    on.open();
    curlicue_multi* multi = nullptr;
    const auto address = url("/bytes/1024");
    int ends = 0;
    curlicue_request page{};
    page.size = sizeof page;
    page.url = address.c_str();
    page.data = &ends;
    page.on_head = [](void*, curlicue_call*, const curlicue_head*) { return 0; };
    page.on_body = [](void*, curlicue_call*, const char*, std::size_t) { return 0; };
    page.on_done = [](void* data, curlicue_call*, const curlicue_outcome*) {
        ++*static_cast<int*>(data);
    };
    on.trouble_begins();
    if (curlicue_multi_new(on.loop(), nullptr, &multi) != CURLICUE_OK)
        return;
    int begun = 0;
    for (const bool cancelled : {false, true}) {
        curlicue_call* call = nullptr;
        begun += curlicue_fetch(multi, nullptr, &page, &call) == CURLICUE_OK ? 1 : 0;
        if (cancelled && call != nullptr)
            curlicue_fetch_cancel(call);
        on.run();
        curlicue_fetch_free(call);
    }
    if (ends != begun)
        on.judge(std::make_exception_ptr("not told once of each that was not refused"));
    curlicue_multi_free(multi);
    on.run();
}

} // namespace

std::vector<scenario> fetch_scenarios() {
    return {
        {"AFetchedText", &text},   {"AFetchedStream", &stream},
        {"APipe", &pipe},          {"ARedirectAndARetry", &redirect_and_retry},
        {"AFetchedFile", &file},   {"AFetchInC", &in_c},
        {"AQueue", &queue},        {"AClosedClient", &closed_client},
        {"ATotal", &with_a_total},
    };
}

} // namespace curlicue::test
