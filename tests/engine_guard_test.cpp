// SPDX-License-Identifier: MIT
// What happens when libcurl forgets something.
#include "support/fake_curl/engine_fixture.hpp"
#include <curlicue/version.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <climits>
#include <cstddef>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

// Descriptors that stay ready. --------------------------------------------------------------------

class ASpinGuard : public engine_fixture {
protected:
    static constexpr std::size_t turns = 20'000;
    static constexpr std::size_t most = turns / 10;

    void begin(async_multi_options options = {}) {
        over.reset();
        restart(std::move(options));
        over = multi->add_handle(handle);
        turn();
        inside(handle, [&](fake_multi& multi) { multi.announce(pair.fd(), what); });
        turn();
        curl->actions.clear();
    }
    void TearDown() override {
        over.reset();
        engine_fixture::TearDown();
    }
    std::size_t actions() const {
        return static_cast<std::size_t>(
            std::ranges::count(curl->actions, pair.fd(), &fake_curl::action::socket));
    }
    void run_turns() { turn(static_cast<int>(turns)); }

    int what = CURL_POLL_IN;
    easy handle;
    std::optional<future<easy>> over;
    socket_pair pair;
};

TEST_F(ASpinGuard, SetsADescriptorAsideThatLibcurlDoesNotRead) {
    begin();
    pair.make_readable();
    run_turns();
    EXPECT_GE(actions(), 1000u) << "it may yet";
    EXPECT_LE(actions(), most);
    EXPECT_GE(multi->stats().spins, 1u);
}

TEST_F(ASpinGuard, LooksAtItAgainAndAgain) {
    begin();
    pair.make_readable();
    run_turns();
    const auto before = actions();
    run_to([&] { return actions() > before + 3; });
    EXPECT_GE(multi->stats().spins, 3u);
}

TEST_F(ASpinGuard, ForgetsItOnceLibcurlReads) {
    begin();
    pair.make_readable();
    run_turns();
    bool drained = false; // maybe in the turn in which it is watched again
    curl->on_action = [&](fake_multi&, curl_socket_t socket, int) {
        if (socket == pair.fd()) {
            pair.drain();
            drained = true;
        }
    };
    run_to([&] { return drained && watched(pair.fd()) == UV_READABLE; });
    const auto before = actions();
    const auto spins = multi->stats().spins;
    for (std::size_t i = 0; i != 500; ++i) {
        pair.make_readable();
        turn();
    }
    EXPECT_EQ(actions(), before + 500) << "with every event";
    EXPECT_EQ(multi->stats().spins, spins);
}

// A fast download makes many events of which nothing is heard but that bytes are gone.
TEST_F(ASpinGuard, LetsADownloadBe) {
    begin();
    curl->on_action = [&](fake_multi&, curl_socket_t socket, int) {
        if (socket == pair.fd())
            pair.drain();
    };
    for (std::size_t i = 0; i != 5000; ++i) {
        pair.make_readable();
        turn();
    }
    EXPECT_EQ(actions(), 5000u);
    EXPECT_EQ(multi->stats().spins, 0u);
}

TEST_F(ASpinGuard, LetsAnUploadBe) {
    what = CURL_POLL_OUT;
    begin();
    curl->on_action = [&](fake_multi&, curl_socket_t socket, int) {
        if (socket == pair.fd()) {
            EXPECT_EQ(::write(pair.fd(), "x", 1), 1);
        }
    };
    for (int i = 0; i != 5000; ++i) {
        turn();
        char byte = 0;
        EXPECT_EQ(::read(pair.peer(), &byte, 1), 1);
    }
    EXPECT_EQ(actions(), 5000u);
    EXPECT_EQ(multi->stats().spins, 0u);
}

// SMB's connection is always writable, and libcurl always asks for that.
TEST_F(ASpinGuard, SetsAWritableDescriptorAside) {
    what = CURL_POLL_INOUT;
    begin();
    run_turns();
    EXPECT_GE(actions(), 1000u);
    EXPECT_LE(actions(), most);
    EXPECT_GE(multi->stats().spins, 1u);
    what = CURL_POLL_OUT;
    begin();
    run_turns();
    EXPECT_LE(actions(), most);
}

TEST_F(ASpinGuard, HearsAServersAnswerAtOnceAllTheSame) {
    what = CURL_POLL_INOUT;
    begin();
    run_to([&] { return watched(pair.fd()) == UV_READABLE; });
    const auto before = actions();
    pair.make_readable();
    curl->on_action = [&](fake_multi&, curl_socket_t, int mask) {
        pair.drain();
        EXPECT_NE(mask & CURL_CSELECT_IN, 0);
        curl->on_action = nullptr;
    };
    turn();
    EXPECT_EQ(actions(), before + 1);
    run_to([&] { return watched(pair.fd()) == (UV_READABLE | UV_WRITABLE); });
}

// TFTP: of a datagram that is read there is no other sign, and the next one is there already.
TEST_F(ASpinGuard, LetsDatagramsBe) {
    const socket_pair datagrams(SOCK_DGRAM);
    begin();
    inside(handle, [&](fake_multi& multi) { multi.announce(datagrams.fd(), CURL_POLL_IN); });
    turn();
    curl->actions.clear();
    datagrams.make_readable();
    turn(5000);
    EXPECT_EQ(std::ranges::count(curl->actions, datagrams.fd(), &fake_curl::action::socket), 5000);
    EXPECT_EQ(multi->stats().spins, 0u);
    inside(handle, [&](fake_multi& multi) { multi.announce(datagrams.fd(), CURL_POLL_REMOVE); });
}

TEST_F(ASpinGuard, CanBeSwitchedOff) {
    begin({.spin_guard = false});
    pair.make_readable();
    run_turns();
    EXPECT_EQ(actions(), turns);
    EXPECT_EQ(multi->stats().spins, 0u);
}

// Time limits. ------------------------------------------------------------------------------------

class ATimeLimit : public engine_fixture {};

TEST_F(ATimeLimit, IsKeptThoughLibcurlForgetsIt) {
    restart({.heartbeat = 1ms});
    async_multi without(&loop, {.heartbeat = 1ms, .deadlines = false});
    easy limited, copied, taken_back, reset, left_alone;
    limited.setopt<CURLOPT_TIMEOUT_MS>(1ms);
    copied = limited.duphandle();
    taken_back.setopt<CURLOPT_TIMEOUT>(1s).setopt<CURLOPT_TIMEOUT_MS>(0);
    reset.setopt<CURLOPT_TIMEOUT_MS>(1ms).reset();
    left_alone.setopt<CURLOPT_TIMEOUT_MS>(1ms);
    auto over = multi->add_handle(limited);
    auto copy_over = multi->add_handle(copied);
    const std::array others = {multi->add_handle(taken_back).share(),
                               multi->add_handle(reset).share(),
                               without.add_handle(left_alone).share()};
    run_to([&] { return over.ready() && copy_over.ready(); });
    EXPECT_EQ(outcome(std::move(over)), std::error_code(CURLE_OPERATION_TIMEDOUT, easy_category()));
    EXPECT_EQ(outcome(std::move(copy_over)), std::errc::timed_out);
    turn(3);
    for (const auto& each : others)
        EXPECT_FALSE(each.ready());
    EXPECT_FALSE(multi->contains(limited));
    EXPECT_EQ(multi->stats().deadlines, 2u);
    EXPECT_EQ(multi->stats().failed, 2u);
    multi->run_until(without.close());
}

TEST_F(ATimeLimit, NeedsNoHeartbeat) {
    restart({.heartbeat = 0ms});
    easy limited;
    limited.setopt<CURLOPT_TIMEOUT_MS>(1ms);
    auto over = multi->add_handle(limited);
    run_to([&] { return over.ready(); });
    EXPECT_EQ(outcome(std::move(over)), std::errc::timed_out);
    EXPECT_EQ(multi->stats().heartbeats, 0u);
}

// One after the other, all looked for by one alarm.
TEST_F(ATimeLimit, OfEachTransferIsKept) {
    restart({.heartbeat = std::chrono::milliseconds::max()});
    std::vector<future<easy>> all;
    for (int i = 0; i != 5; ++i) {
        easy limited;
        limited.setopt<CURLOPT_TIMEOUT_MS>(i % 2 == 0 ? 200 - i : 1 + i);
        all.push_back(multi->add_handle(limited));
    }
    run_to([&] { return std::ranges::all_of(all, &future<easy>::ready); });
    EXPECT_EQ(multi->stats().deadlines, all.size());
}

TEST_F(ATimeLimit, ThatIsTooLongForAnyClockIsNone) {
    restart({.heartbeat = 1ms});
    std::vector<easy> handles(6);
    handles[0].setopt<CURLOPT_TIMEOUT_MS>(LONG_MAX);
    handles[1].setopt<CURLOPT_TIMEOUT_MS>(std::chrono::milliseconds::max());
    handles[2].setopt<CURLOPT_TIMEOUT_MS>(std::chrono::hours::max());
    handles[3].setopt<CURLOPT_TIMEOUT>(std::chrono::hours::max());
    handles[4].setopt<CURLOPT_TIMEOUT>(std::chrono::nanoseconds::max());
    handles[5].setopt<CURLOPT_TIMEOUT_MS>(
        std::chrono::duration<double>(std::numeric_limits<double>::infinity()));
    std::vector<future<easy>> all;
    for (const auto& each : handles)
        all.push_back(multi->add_handle(each));
    const auto seen = curl->actions.size();
    run_to([&] { return curl->actions.size() >= seen + 10; }); // that is beats
    for (const auto& each : all)
        EXPECT_FALSE(each.ready());
    EXPECT_EQ(multi->stats().deadlines, 0u);
    const auto drained = multi->drain(std::chrono::milliseconds::max());
    turn(3);
    EXPECT_FALSE(drained.ready());
    for (auto& each : all)
        each.cancel();
    run_to([&] { return drained.ready(); });
}

// Connections that are shutting down. -------------------------------------------------------------

class AnUpkeep : public engine_fixture {};

TEST_F(AnUpkeep, CallsForAllTransfersWithLibcurl8_21) {
    if (libcurl_version().found != version_number{8, 21, 0})
        GTEST_SKIP() << "other versions do not need it";
    easy handle;
    const auto over = multi->add_handle(handle);
    run_to([&] { return multi->stats().upkeeps != 0; });
}

TEST_F(AnUpkeep, IsNotThereWithOthers) {
    if (libcurl_version().found == version_number{8, 21, 0})
        GTEST_SKIP() << "this one needs it";
    easy handle;
    const auto over = multi->add_handle(handle);
    const auto end = std::chrono::steady_clock::now() + 1500ms; // an upkeep is there each second
    run_to([&] { return std::chrono::steady_clock::now() > end; });
    EXPECT_EQ(multi->stats().upkeeps, 0u);
}

} // namespace
