// SPDX-License-Identifier: MIT
// The layers that are ready-made, without a network.
#include "support/failure.hpp"
#include <curlicue/breaker.hpp>
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
    EXPECT_THROW(layer(breaker{.failures = 0}), std::invalid_argument);
    EXPECT_THROW(layer(breaker{.rest = -1ms}), std::invalid_argument);
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
    EXPECT_THROW(layer(hedge{.after = -1ms}), std::invalid_argument);
}

} // namespace
