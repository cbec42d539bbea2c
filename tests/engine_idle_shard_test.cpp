// SPDX-License-Identifier: MIT
// Limits of connections, which one multi handle has to keep, and what becomes of idle ones.
#include "support/fake_curl/shard_fixture.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <gmock/gmock.h>
#include <sys/syscall.h>
#include <time.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;
using testing::Each;
using testing::ElementsAre;

namespace {

std::atomic<std::int64_t> seconds_ahead{0};

} // namespace

// The clocks of libuv and libstdc++ come here, since a program's own symbols go before those of its
// libraries.
extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
    const auto status = static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
    if (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE)
        time->tv_sec += seconds_ahead.load(std::memory_order_relaxed);
    return status;
}

namespace {

class AnIdleShard : public shard_fixture {
protected:
    void TearDown() override {
        shard_fixture::TearDown();
        seconds_ahead = 0;
    }
    /// Lets time pass, and the loop come to know of it.
    void pass(std::chrono::seconds time) {
        seconds_ahead += time.count();
        turn(3);
    }
};

TEST_F(AnIdleShard, IsClosedWhenItHasRestedForAWhile) {
    add(70);
    cancel(32, 70);
    pass(29s);
    EXPECT_THAT(filled(), ElementsAre(32, 0, 0));
    pass(2s);
    EXPECT_THAT(filled(), ElementsAre(32, 0, 0)) << "seen for the first time";
    pass(31s);
    EXPECT_THAT(filled(), ElementsAre(32));
    EXPECT_EQ(open(), 1u);
    add(1);
    EXPECT_THAT(filled(), ElementsAre(32, 1)) << "and opened again when it is needed";
    EXPECT_EQ(multi->stats().rebuilds, 0u);
}

TEST_F(AnIdleShard, StaysIfItWasUsedMeanwhile) {
    add(33);
    for (int i = 0; i != 5; ++i) {
        started.back().over.cancel();
        pass(31s);
        add(1);
        EXPECT_THAT(filled(), ElementsAre(32, 1));
        EXPECT_EQ(curl->multis_made(), 2u);
    }
    pass(31s);
    pass(31s);
    EXPECT_THAT(filled(), ElementsAre(32, 1)) << "it is not idle";
}

TEST_F(AnIdleShard, StaysIfItIsTheFirst) {
    add(33);
    cancel(0, 32);
    pass(31s);
    pass(31s);
    pass(31s);
    EXPECT_THAT(filled(), ElementsAre(0, 1));
}

TEST_F(AnIdleShard, HoldsNoLoop) {
    add(33);
    cancel(0, 33);
    turn();
    EXPECT_EQ(uv_loop_alive(&loop), 0);
    EXPECT_NE(timer_due(), std::nullopt);
    multi->ref();
    pass(31s);
    pass(31s);
    EXPECT_EQ(open(), 1u);
    EXPECT_EQ(timer_due(), std::nullopt) << "nothing is left to look for";
}

TEST_F(AnIdleShard, EndsWithItsEngine) {
    add(70);
    cancel(32, 70);
    multi->run_until(multi->close());
    EXPECT_THAT(filled(), ElementsAre());
    EXPECT_EQ(open(), 0u);
    EXPECT_EQ(timer_due(), std::nullopt);
}

// Limits. -----------------------------------------------------------------------------------------

class ALimitOfConnections : public shard_fixture,
                            public testing::WithParamInterface<CURLMoption> {};

INSTANTIATE_TEST_SUITE_P(All, ALimitOfConnections,
                         testing::Values(CURLMOPT_MAXCONNECTS, CURLMOPT_MAX_HOST_CONNECTIONS,
                                         CURLMOPT_MAX_TOTAL_CONNECTIONS));

TEST_P(ALimitOfConnections, KeepsWhatIsAddedInTheFirst) {
    multi->setopt(GetParam(), 4);
    add(40);
    EXPECT_THAT(filled(), ElementsAre(40));
    EXPECT_THAT(numbers(GetParam()), ElementsAre(4));
}

TEST_P(ALimitOfConnections, LeavesWhatRunsElsewhereToItsEnd) {
    add(40);
    multi->setopt(GetParam(), 4);
    add(8);
    EXPECT_THAT(filled(), ElementsAre(40, 8));
    EXPECT_THAT(numbers(GetParam()), Each(4));
    cancel(33, 40);
    turn(2);
    EXPECT_THAT(filled(), ElementsAre(40, 1));
    cancel(32, 33);
    inside(started.front().handle, [](fake_multi& multi) { multi.set_timer(1); });
    curl->on_action = [](fake_multi& multi, curl_socket_t, int) { multi.set_timer(1); };
    int turns = 0;
    run_to([&] { return ++turns == 20; }); // some milliseconds
    EXPECT_THAT(filled(), ElementsAre(40));
}

TEST_P(ALimitOfConnections, ClosesIdleShardsAtOnce) {
    add(100);
    cancel(32, 90);
    multi->setopt(GetParam(), 4);
    EXPECT_THAT(filled(), ElementsAre(32, 6, 4));
    cancel(90, 96);
    multi->setopt(GetParam(), 5);
    EXPECT_THAT(filled(), ElementsAre(32, 4));
}

TEST_P(ALimitOfConnections, CanBeTakenBack) {
    multi->setopt(GetParam(), 4);
    add(40);
    multi->setopt(GetParam(), 0);
    add(2);
    EXPECT_THAT(filled(), ElementsAre(40, 2));
}

TEST_F(AnIdleShard, StaysForOptionsThatLimitNothing) {
    add(33);
    cancel(32, 33);
    multi->setopt<CURLMOPT_MAX_CONCURRENT_STREAMS>(4);
    turn(3);
    EXPECT_EQ(open(), 2u);
    add(1);
    EXPECT_THAT(filled(), ElementsAre(32, 1));
}

// How many connections libcurl may keep. ----------------------------------------------------------

class APoolOfConnections : public shard_fixture {};

TEST_F(APoolOfConnections, GrowsWithWhatRuns) {
    start(shards::one);
    add(1);
    EXPECT_THAT(numbers(CURLMOPT_MAXCONNECTS), ElementsAre(128));
    add(63);
    EXPECT_THAT(numbers(CURLMOPT_MAXCONNECTS), ElementsAre(128));
    add(1);
    EXPECT_THAT(numbers(CURLMOPT_MAXCONNECTS), ElementsAre(256));
    add(64);
    EXPECT_THAT(numbers(CURLMOPT_MAXCONNECTS), ElementsAre(512));
    cancel(0, 129);
    EXPECT_THAT(numbers(CURLMOPT_MAXCONNECTS), ElementsAre(512)) << "and is not made smaller";
}

TEST_F(APoolOfConnections, GrowsInEachShardByItself) {
    start(shards::fixed(2));
    for (const auto* server : {"http://one/", "http://two/", "http://three/"})
        add(33, server);
    EXPECT_THAT(filled(), ElementsAre(65, 34));
    EXPECT_THAT(numbers(CURLMOPT_MAXCONNECTS), ElementsAre(256, 128));
}

TEST_F(APoolOfConnections, IsTheUsersOnceTheyHaveSaid) {
    multi->setopt<CURLMOPT_MAXCONNECTS>(3);
    add(200);
    EXPECT_THAT(numbers(CURLMOPT_MAXCONNECTS), ElementsAre(3));
    multi->setopt<CURLMOPT_MAXCONNECTS>(0);
    add(1);
    EXPECT_EQ(numbers(CURLMOPT_MAXCONNECTS).front(), 128) << "ours again, for those in it";
}

} // namespace
