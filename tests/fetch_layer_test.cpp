// SPDX-License-Identifier: MIT
// The layers that are ready-made, without a network.
#include "support/failure.hpp"
#include <curlicue/breaker.hpp>
#include <curlicue/coalesce.hpp>
#include <curlicue/easy.hpp>
#include <curlicue/error.hpp>
#include <curlicue/fetch.hpp>
#include <curlicue/fetch_error.hpp>
#include <curlicue/hedge.hpp>
#include <curlicue/mock.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <curl/curl.h>
#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

class ALayer : public ::testing::Test {
protected:
    void TearDown() override {
        for (auto& each : clients)
            each.close().get();
    }
    const client& with(client_options options) {
        return clients.emplace_back(server, std::move(options));
    }
    std::size_t asked() const { return server->requests().size(); }

    std::shared_ptr<mock> server = std::make_shared<mock>();
    std::vector<client> clients = [] {
        std::vector<client> none;
        none.reserve(8); // they are not to move
        return none;
    }();
    const std::string home = "http://example.test/";
};

// Coalesce. ---------------------------------------------------------------------------------------

class ACoalesce : public ALayer {
protected:
    const client& shared = with({.network_layers = {coalesce{}}});
};

TEST_F(ACoalesce, AsksOnceForEqualRequests) {
    server->on("GET", home).reply(200, {{"X-One", "1"}}, "hello").after(1s);
    std::vector<future<response>> all;
    for (int i = 0; i != 3; ++i)
        all.push_back(shared.get(home, {{"Accept", "text/plain"}}));
    server->advance(1s);
    for (auto& each : all) {
        auto one = each.get();
        EXPECT_EQ(one.status(), 200);
        EXPECT_EQ(one.headers().get("x-one"), "1");
        EXPECT_EQ(one.text().get(), "hello");
    }
    EXPECT_EQ(asked(), 1u);
}

TEST_F(ACoalesce, AsksAgainAfterTheHead) {
    server->on("GET", home).reply(200, {}, "hello");
    for (int i = 0; i != 2; ++i)
        EXPECT_EQ(shared.get(home).get().text().get(), "hello");
    EXPECT_EQ(asked(), 2u);
}

TEST_F(ACoalesce, AsksForEachThatIsLikeNoOther) {
    server->on("GET", home).after(1s);
    server->on("GET", home + "?").after(1s);
    server->on("HEAD", home).after(1s);
    server->on("GET", "http://user:password@example.test/").after(1s);
    std::vector<request> all;
    for (int i = 0; i != 2; ++i) { // never shared
        all.push_back({.url = home, .headers = {{"Authorization", "Bearer secret"}}});
        all.push_back({.url = home, .headers = {{"Cookie", "a=b"}}});
        all.push_back({.url = home, .tweak = [](easy&) {}});
        all.push_back({.url = home, .progress = [](const transfer_progress&) {}});
        all.push_back({.url = home, .method = "HEAD"});
        all.push_back({.url = "http://user:password@example.test/"});
        all.push_back({.url = home, .method = "GET", .body = "text"});
    }
    all.push_back({.url = home}); // nor with one another
    all.push_back({.url = home + "?"});
    all.push_back({.url = home, .headers = {{"Accept", "text/plain"}}});
    all.push_back({.url = home, .limits = {.first_byte = 5s}});
    all.push_back({.url = home, .most_body = 10});
    all.push_back({.url = home, .decompress = false});
    std::vector<future<response>> answers;
    for (const auto& each : all)
        answers.push_back(shared.fetch(each));
    EXPECT_EQ(asked(), all.size());
    for (auto& each : answers)
        each.cancel();
}

TEST_F(ACoalesce, IsOfOneClient) {
    const layer both = coalesce{};
    const auto& one = with({.network_layers = {both}});
    const auto& other = with({.network_layers = {both}});
    server->on("GET", home).after(1s);
    auto first = one.get(home), second = other.get(home);
    EXPECT_EQ(asked(), 2u);
    server->advance(1s);
    EXPECT_EQ(first.get().status() + second.get().status(), 400);
}

TEST_F(ACoalesce, GoesOnForOthersWhenOneIsCancelled) {
    server->on("GET", home).reply(200, {}, "hello").after(1s);
    auto first = shared.get(home), second = shared.get(home);
    first.cancel();
    server->advance(1s);
    EXPECT_EQ(second.get().text().get(), "hello");
    EXPECT_EQ(asked(), 1u);
}

TEST_F(ACoalesce, EndsWhenAllAreCancelled) {
    server->on("GET", home).after(1h);
    auto first = shared.get(home), second = shared.get(home);
    first.cancel();
    second.cancel();
    EXPECT_EQ(shared.stats().running, 0u);
    auto third = shared.get(home);
    EXPECT_EQ(asked(), 2u) << "it is another flight";
    third.cancel();
}

TEST_F(ACoalesce, KeepsEachToItsOwnTime) {
    server->on("GET", home).reply(200, {}, "hello").after(10s);
    auto first = shared.fetch({.url = home, .limits = {.total = 12s}});
    server->advance(5s);
    auto second = shared.fetch({.url = home, .limits = {.total = 12s}});
    EXPECT_EQ(asked(), 1u);
    server->advance(5s);
    auto late = first.get();
    EXPECT_EQ(second.get().text().get(), "hello");
    auto text = late.text();
    EXPECT_EQ(text.get(), "hello");
}

TEST_F(ACoalesce, TellsAllOfAFailure) {
    server->on("GET", home).fail(CURLE_COULDNT_CONNECT).after(1s);
    auto first = shared.get(home), second = shared.get(home);
    server->advance(1s);
    for (auto* each : {&first, &second})
        EXPECT_EQ(failure_of([&] { each->get(); }), CURLE_COULDNT_CONNECT);
}

TEST_F(ACoalesce, HasEachReadAtItsOwnPace) {
    auto pieces = std::make_shared<std::vector<promise<std::string>>>();
    server->on("GET", home)
        .reply([&, pieces](const request&) {
            return response::of(200, {}, [&, pieces] {
                return pieces->emplace_back(server->executor()).get_future();
            });
        })
        .after(1s)
        .times(1);
    auto first = shared.get(home), second = shared.get(home), third = shared.get(home);
    server->advance(1s);
    auto fast = first.get().body();
    auto slow = second.get().body();
    auto gone = std::make_unique<response>(third.get());
    auto one = fast.read();
    ASSERT_EQ(pieces->size(), 1u);
    pieces->at(0).set_value("one");
    EXPECT_EQ(one.get(), "one");
    auto two = fast.read();
    auto read = slow.read();
    EXPECT_EQ(read.get(), "one") << "which was kept";
    auto next = slow.read();
    ASSERT_EQ(pieces->size(), 2u) << "asked for once";
    gone.reset();
    pieces->at(1).set_value("two");
    EXPECT_EQ(two.get() + next.get(), "twotwo");
    auto end = fast.read(), also = slow.read();
    pieces->at(2).set_value("");
    EXPECT_EQ(end.get() + also.get(), "");
}

TEST_F(ACoalesce, LosesWhoIsTooFarBehind) {
    int pieces = 0;
    server->on("GET", home)
        .reply([&](const request&) {
            return response::of(200, {}, [&] {
                return make_ready_future(std::string(++pieces < 4 ? 100 : 0, 'x'));
            });
        })
        .after(1s);
    auto first = shared.fetch({.url = home, .most_body = 250});
    auto second = shared.fetch({.url = home, .most_body = 250});
    server->advance(1s);
    auto fast = first.get().body(), slow = second.get().body();
    std::size_t size = 0;
    for (auto piece = fast.read().get(); !piece.empty(); piece = fast.read().get())
        size += piece.size();
    EXPECT_EQ(size, 300u);
    EXPECT_EQ(failure_of([&] { slow.read().get(); }), errc::too_large);
}

// Breaker. ----------------------------------------------------------------------------------------

class ABreaker : public ALayer {
protected:
    int status_of(const std::string& where) { return broken->get(where).get().status(); }
    std::error_code error_at(const std::string& where) {
        return failure_of([&] { broken->get(where).get(); });
    }
    void break_it() {
        server->on("GET", home).fail(CURLE_COULDNT_CONNECT).times(2);
        for (int i = 0; i != 2; ++i)
            EXPECT_EQ(error_at(home), CURLE_COULDNT_CONNECT);
    }

    const client* broken = &with({.network_layers = {breaker{.failures = 2, .rest = 10s}}});
};

TEST_F(ABreaker, SparesWhoHasFailedSoOften) {
    break_it();
    server->on("GET", home);
    EXPECT_EQ(error_at(home), errc::breaker_open);
    EXPECT_EQ(error_at(home + "other"), errc::breaker_open) << "of the same origin";
    EXPECT_EQ(asked(), 2u);
}

TEST_F(ABreaker, CountsAnswersOfBrokenServersToo) {
    server->on("GET", home).reply(503).times(2);
    EXPECT_EQ(status_of(home), 503);
    EXPECT_EQ(status_of(home), 503);
    EXPECT_EQ(error_at(home), errc::breaker_open);
}

TEST_F(ABreaker, ForgetsFailuresAfterASuccess) {
    server->on("GET", home).reply(500).times(1);
    server->on("GET", home).reply(404).times(1);
    server->on("GET", home).reply(500).times(1);
    server->on("GET", home).reply(200);
    for (const int status : {500, 404, 500, 200, 200})
        EXPECT_EQ(status_of(home), status);
}

TEST_F(ABreaker, LeavesOtherOriginsAlone) {
    break_it();
    for (const char* other : {"http://example.test:8080/", "http://www.example.test/"}) {
        server->on("GET", other);
        EXPECT_EQ(status_of(other), 200);
    }
}

TEST_F(ABreaker, AsksByOneAfterARest) {
    break_it();
    server->on("GET", home).after(1s);
    server->advance(10s);
    auto probe = broken->get(home);
    EXPECT_EQ(error_at(home), errc::breaker_open) << "while that one is under way";
    server->advance(1s);
    EXPECT_EQ(probe.get().status(), 200);
    auto next = broken->get(home), another = broken->get(home);
    server->advance(1s);
    EXPECT_EQ(next.get().status() + another.get().status(), 400);
}

TEST_F(ABreaker, RestsAgainIfThatOneFails) {
    break_it();
    server->on("GET", home).fail(CURLE_COULDNT_CONNECT).times(1);
    server->on("GET", home);
    server->advance(10s);
    EXPECT_EQ(error_at(home), CURLE_COULDNT_CONNECT);
    server->advance(9s);
    EXPECT_EQ(error_at(home), errc::breaker_open);
    server->advance(1s);
    EXPECT_EQ(status_of(home), 200);
}

TEST_F(ABreaker, AsksByAnotherIfThatOneIsCancelled) {
    break_it();
    server->on("GET", home).after(1s).times(1);
    server->on("GET", home);
    server->advance(10s);
    broken->get(home).cancel();
    EXPECT_EQ(status_of(home), 200);
}

TEST_F(ABreaker, IsNotMovedByWhatWasUnderWayWhenItOpened) {
    for (const auto delay : {1s, 1s, 5s})
        server->on("GET", home).fail(CURLE_COULDNT_CONNECT).after(delay).times(1);
    auto first = broken->get(home), second = broken->get(home), third = broken->get(home);
    server->advance(5s);
    for (auto* each : {&first, &second, &third})
        EXPECT_EQ(failure_of([&] { each->get(); }), CURLE_COULDNT_CONNECT);
    server->on("GET", home);
    server->advance(6s); // of the rest since the second
    EXPECT_EQ(status_of(home), 200);
}

TEST_F(ABreaker, CountsForAllWhoShareIt) {
    const layer shared = breaker{.failures = 2};
    const auto& one = with({.network_layers = {shared}});
    const auto& other = with({.network_layers = {shared}});
    server->on("GET", home).reply(500);
    EXPECT_EQ(one.get(home).get().status(), 500);
    EXPECT_EQ(other.get(home).get().status(), 500);
    EXPECT_EQ(failure_of([&] { one.get(home).get(); }), errc::breaker_open);
}

TEST_F(ABreaker, EndsRetries) {
    const auto& insists = with(
        {.retries = {.attempts = 10, .first = 0ms}, .network_layers = {breaker{.failures = 2}}});
    server->on("GET", home).fail(CURLE_COULDNT_CONNECT);
    const auto why = [&] {
        auto answer = insists.get(home);
        server->advance(1s);
        return failure_of([&] { answer.get(); });
    }();
    EXPECT_EQ(why, errc::retries_exhausted);
    EXPECT_EQ(asked(), 2u);
}

TEST_F(ABreaker, RefusesWhatMakesNoSense) {
    EXPECT_THROW(static_cast<void>(layer(breaker{.failures = 0})), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(layer(breaker{.rest = -1ms})), std::invalid_argument);
}

// Hedge. ------------------------------------------------------------------------------------------

class AHedge : public ALayer {
protected:
    /// What the n-th attempt comes to, and when.
    void attempts(std::vector<std::pair<int, std::chrono::milliseconds>> all) {
        for (const auto& [status, delay] : all)
            server->on("GET", home)
                .reply(status, {}, std::to_string(asked_for++))
                .after(delay)
                .times(1);
    }
    const client& hedging(unsigned most = 1) {
        return with({.layers = {hedge{.after = 100ms, .most = most}}});
    }
    int asked_for = 0;
};

TEST_F(AHedge, AsksOnceWhereTheAnswerIsInTime) {
    attempts({{200, 50ms}, {200, 0ms}});
    auto answer = hedging().get(home);
    server->advance(50ms);
    EXPECT_EQ(answer.get().text().get(), "0");
    server->advance(1s);
    EXPECT_EQ(asked(), 1u);
}

TEST_F(AHedge, AsksAgainWhereItIsLate) {
    attempts({{200, 1s}, {200, 50ms}});
    auto answer = hedging().get(home);
    server->advance(99ms);
    EXPECT_EQ(asked(), 1u);
    server->advance(1ms);
    EXPECT_EQ(asked(), 2u);
    EXPECT_FALSE(answer.ready());
    server->advance(50ms);
    EXPECT_EQ(answer.get().text().get(), "1");
}

TEST_F(AHedge, TakesTheFirstIfThatComesFirst) {
    attempts({{200, 120ms}, {200, 1s}});
    auto answer = hedging().get(home);
    server->advance(120ms);
    EXPECT_EQ(answer.get().text().get(), "0");
}

TEST_F(AHedge, PassesOverAnswersOfBrokenServers) {
    attempts({{200, 1s}, {503, 50ms}});
    auto answer = hedging().get(home);
    server->advance(500ms);
    EXPECT_FALSE(answer.ready());
    server->advance(500ms);
    EXPECT_EQ(answer.get().status(), 200);
}

TEST_F(AHedge, GivesTheLastOfSeveralFailures) {
    attempts({{500, 300ms}, {503, 50ms}});
    auto answer = hedging().get(home);
    server->advance(1s);
    EXPECT_EQ(answer.get().status(), 500);
    server->on("GET", home).fail(CURLE_COULDNT_CONNECT);
    EXPECT_EQ(failure_of([&] { hedging().get(home).get(); }), CURLE_COULDNT_CONNECT) << "at once";
}

TEST_F(AHedge, HasNoMoreThanSoMany) {
    attempts({{200, 1s}, {200, 1s}, {200, 1s}, {200, 0ms}});
    auto answer = hedging(2).get(home);
    server->advance(900ms);
    EXPECT_EQ(asked(), 3u);
    answer.cancel();
}

TEST_F(AHedge, EndsAllWhenItIsCancelled) {
    server->on("GET", home).after(1h);
    const auto& asks = hedging(5);
    auto answer = asks.get(home);
    server->advance(150ms);
    answer.cancel();
    server->advance(1s);
    EXPECT_EQ(asked(), 2u);
    EXPECT_EQ(asks.stats().running, 0u);
}

TEST_F(AHedge, IsForIdempotentMethodsAndReplayableBodies) {
    server->on("POST", home).after(1s);
    server->on("PUT", home).after(1s);
    const auto& asks = hedging();
    auto posted = asks.post(home, "");
    auto streamed =
        asks.put(home, request_body::stream([] { return make_ready_future(std::string()); }));
    server->advance(1s);
    EXPECT_EQ(posted.get().status(), 200);
    EXPECT_EQ(streamed.get().status(), 200);
    EXPECT_EQ(asked(), 2u);
    auto text = asks.put(home, "text");
    server->advance(1s);
    EXPECT_EQ(text.get().status(), 200);
    EXPECT_EQ(asked(), 4u);
}

TEST_F(AHedge, IsOneRequestToWhoeverObserves) {
    struct ends final : observer {
        void done(std::uint64_t, const std::exception_ptr& failure, time) override {
            failures.push_back(failure != nullptr);
        }
        std::vector<bool> failures;
    };
    const auto seen = std::make_shared<ends>();
    attempts({{200, 1s}, {200, 50ms}});
    const auto& asks = with({.layers = {hedge{.after = 100ms}}, .events = seen});
    auto answer = asks.get(home);
    server->advance(2s);
    EXPECT_EQ(answer.get().text().get(), "1");
    EXPECT_EQ(seen->failures, std::vector{false});
}

TEST_F(AHedge, RefusesWhatMakesNoSense) {
    EXPECT_THROW(static_cast<void>(layer(hedge{.after = -1ms})), std::invalid_argument);
}

} // namespace
