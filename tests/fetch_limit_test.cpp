// SPDX-License-Identifier: MIT
// How many requests run at once, and who is next.
#include "support/fetch_fixture.hpp"
#include <curlicue/mock.hpp>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

class ALimit : public ::testing::Test {
protected:
    void SetUp() override {
        for (const char* host : {"a", "b", "c"})
            for (int i = 0; i != 10; ++i)
                server->on("GET", url(host, i)).reply(204).after(1s);
    }
    void TearDown() override {
        if (limited) // with what waits yet
            limited->close().get();
    }
    static std::string url(const std::string& host, int number) {
        return "http://" + host + ".test/" + std::to_string(number);
    }
    void ask(const std::string& host, int number, int priority = 0) {
        all.push_back(limited->fetch({.url = url(host, number), .priority = priority}));
    }
    /// What has come since the last time, as in "a1 b2".
    std::string came() {
        std::string names;
        const auto requests = server->requests();
        for (; seen != requests.size(); ++seen)
            names += (names.empty() ? "" : " ") + requests[seen].url.substr(7, 1) +
                     requests[seen].url.back();
        return names;
    }
    void next() {
        server->advance(1s);
        for (auto& each : all)
            if (each.valid() && each.ready() && !each.cancelled())
                each.get();
    }

    std::shared_ptr<mock> server = std::make_shared<mock>();
    std::optional<client> limited;
    std::vector<future<response>> all;
    std::size_t seen = 0;
};

TEST_F(ALimit, IsOfEachOriginAndOfAll) {
    limited.emplace(server, client_options{.at_once = {.per_origin = 2, .total = 3}});
    for (int i = 0; i != 3; ++i)
        ask("a", i);
    for (int i = 0; i != 3; ++i)
        ask("b", i);
    EXPECT_EQ(came(), "a0 a1 b0");
    EXPECT_EQ(limited->stats().queued, 3u);
    EXPECT_EQ(limited->stats().running, 3u);
    EXPECT_EQ(
        limited->stats().queued_by_origin,
        (std::map<std::string, std::size_t>{{"http://a.test:80", 1}, {"http://b.test:80", 2}}));
    next();
    EXPECT_EQ(came(), "a2 b1 b2");
    next();
    EXPECT_EQ(limited->stats().queued, 0u);
    EXPECT_EQ(limited->stats().running, 0u);
}

TEST_F(ALimit, IsFairBetweenOrigins) {
    limited.emplace(server, client_options{.at_once = {.total = 1}});
    ask("a", 0);
    for (int i = 1; i != 4; ++i)
        ask("a", i);
    ask("b", 0);
    ask("b", 1);
    ask("c", 0);
    std::string order = came();
    for (int i = 0; i != 6; ++i) {
        next();
        order += " " + came();
    }
    EXPECT_EQ(order, "a0 a1 b0 c0 a2 b1 a3");
}

TEST_F(ALimit, LetsHigherPrioritiesGoFirst) {
    limited.emplace(server, client_options{.at_once = {.per_origin = 1}});
    ask("a", 0);
    ask("a", 1);
    ask("a", 2, 5);
    ask("a", 3, -1);
    ask("a", 4, 5);
    std::string order = came();
    for (int i = 0; i != 4; ++i) {
        next();
        order += " " + came();
    }
    EXPECT_EQ(order, "a0 a2 a4 a1 a3");
}

TEST_F(ALimit, IsLeftAtOnceByWhatIsCancelled) {
    limited.emplace(server, client_options{.at_once = {.total = 1}});
    for (int i = 0; i != 4; ++i)
        ask("a", i);
    EXPECT_TRUE(all[1].cancel());
    EXPECT_EQ(limited->stats().queued, 2u);
    EXPECT_TRUE(all[1].ready());
    came();
    next();
    EXPECT_EQ(came(), "a2");
    EXPECT_TRUE(all[3].cancel());
    EXPECT_EQ(limited->stats().queued, 0u);
}

TEST_F(ALimit, TakesManyThatAreCancelledAtOnce) {
    limited.emplace(server, client_options{.at_once = {.total = 1}});
    ask("a", 0);
    for (int i = 0; i != 4'000; ++i)
        ask("b", 1);
    for (auto& each : all)
        each.cancel();
    EXPECT_EQ(limited->stats().queued, 0u);
    ask("c", 1);
    came();
    EXPECT_EQ(server->requests().back().url, url("c", 1));
}

TEST_F(ALimit, IsOfTheQueueToo) {
    limited.emplace(server, client_options{.at_once = {.total = 1, .queue = 2}});
    for (int i = 0; i != 3; ++i)
        ask("a", i);
    const auto error = error_of([&] { limited->get(url("b", 0)).get(); });
    EXPECT_EQ(error.code(), errc::queue_full);
    EXPECT_EQ(error.phase(), fetch_phase::queue);
    EXPECT_EQ(limited->stats().refused, 1u);
    EXPECT_EQ(limited->stats().queued, 2u);
}

TEST_F(ALimit, TellsHowLongAHopWasQueued) {
    limited.emplace(server, client_options{.at_once = {.total = 1}});
    auto first = limited->get(url("a", 0));
    auto second = limited->fetch({.url = url("a", 1), .limits = {.queue = 5s}});
    server->advance(4s);
    first.get();
    server->advance(1s);
    EXPECT_EQ(second.get().status(), 204);
    auto third = limited->get(url("a", 2));
    auto late = limited->fetch({.url = url("a", 3), .limits = {.queue = 500ms}});
    server->advance(500ms);
    const auto error = error_of([&] { late.get(); });
    EXPECT_EQ(error.limit(), time_limit::queue);
    EXPECT_EQ(error.code(), errc::timed_out);
    EXPECT_EQ(error.phase(), fetch_phase::queue);
}

TEST_F(ALimit, IsCountedAnewForEachHop) {
    server->on("GET", "http://a.test/hop").reply(302, {{"Location", "http://b.test/0"}});
    limited.emplace(server, client_options{.at_once = {.per_origin = 1}});
    ask("a", 0);
    auto hops = limited->fetch({.url = "http://a.test/hop", .limits = {.queue = 1200ms}});
    server->advance(500ms);
    ask("b", 1);
    server->advance(500ms);
    all[0].get(); // so that the hop leads to where another runs
    server->advance(500ms);
    all[1].get();
    server->advance(1s);
    EXPECT_EQ(hops.get().status(), 204) << "it waited for longer than that in all";
}

TEST_F(ALimit, IsSharedByCopiesAndByThoseWithAnotherLayer) {
    limited.emplace(server, client_options{.at_once = {.total = 1}});
    const auto copy = *limited;
    const auto with =
        limited->with([](request what, transport& next) { return next.fetch(std::move(what)); });
    ask("a", 0);
    auto second = copy.get(url("a", 1)), third = with.get(url("a", 2));
    EXPECT_EQ(limited->stats().queued, 2u);
    EXPECT_EQ(with.stats().queued, 2u);
    const client other(server);
    auto fourth = other.get(url("a", 3));
    EXPECT_EQ(came(), "a0 a3");
    other.close().get();
}

TEST_F(ALimit, IsEnteredForEachHop) {
    server->on("GET", "http://a.test/hop").reply(302, {{"Location", "http://b.test/0"}}).after(1s);
    limited.emplace(server, client_options{.at_once = {.per_origin = 1}});
    ask("b", 1);
    ask("a", 1);
    all.push_back(limited->get("http://a.test/hop"));
    EXPECT_EQ(came(), "b1 a1");
    next();
    EXPECT_EQ(came(), "ap");
    next();
    EXPECT_EQ(came(), "b0");
}

// Beside real servers.

TEST_F(AFetch, HasNoMoreAtAServerThanItIsToldAsTheServerCounts) {
    constexpr std::size_t servers = 5, most = 3, each = 30;
    struct place {
        std::atomic<int> now = 0, peak = 0;
        std::optional<scripted_server> server;
    };
    std::vector<place> places(servers);
    for (auto& one : places)
        one.server.emplace(for_each_request([&one](connection& client, const std::string&) {
            const int now = ++one.now;
            for (int peak = one.peak; now > peak && !one.peak.compare_exchange_weak(peak, now);) {
            }
            std::this_thread::sleep_for(10ms);
            --one.now; // the client cannot know before this
            return client.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }));
    const client limited(*multi, {.at_once = {.per_origin = most}});
    std::vector<future<std::string>> all;
    for (std::size_t i = 0; i != each; ++i)
        for (auto& one : places)
            all.push_back(
                limited.get(one.server->url()).then([](response answer) { return answer.text(); }));
    EXPECT_EQ(limited.stats().queued, 0u) << "nothing runs inside the call";
    run(gather(std::move(all)));
    for (auto& one : places) {
        EXPECT_LE(one.peak, static_cast<int>(most));
        EXPECT_GE(one.peak, 2);
        EXPECT_LE(one.server->accepted(), most);
    }
}

TEST_F(AFetch, HoldsItsSlotUntilLibcurlHasLetGo) {
    const client limited(*multi, {.at_once = {.total = 1}});
    response slow = run(limited.get(url("/slow/16777216")));
    auto second = limited.get(url("/hello"));
    turn(50);
    EXPECT_FALSE(second.ready());
    EXPECT_EQ(limited.stats().queued, 1u);
    { const response gone = std::move(slow); }
    EXPECT_EQ(run(std::move(second)).status(), 200);
}

TEST_F(AFetch, HoldsNoSlotForWhatLibcurlHasLetGoOf) {
    const client limited(*multi, {.at_once = {.total = 1}});
    std::vector<response> kept; // and not read
    for (int i = 0; i != 3; ++i)
        kept.push_back(run(limited.get(url("/hello"))));
    EXPECT_EQ(run(kept[0].text()), "hello\n");
}

TEST_F(AFetch, HasNoClockOfLibcurlsRunWhileItIsQueued) {
    const client limited(*multi, {.limits = {.connect = 200ms}, .at_once = {.total = 1}});
    response slow = run(limited.get(url("/slow/16777216")));
    auto second = limited.get(url("/hello"));
    const auto until = std::chrono::steady_clock::now() + 300ms;
    run_to([&] { return std::chrono::steady_clock::now() > until; });
    EXPECT_FALSE(second.ready());
    { const response gone = std::move(slow); }
    response one = run(std::move(second));
    EXPECT_EQ(one.status(), 200);
    EXPECT_GE(one.times().hops[0].queued, 200ms);
}

} // namespace
