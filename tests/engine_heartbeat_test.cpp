// SPDX-License-Identifier: MIT
// What a heartbeat does for transfers that libcurl has forgotten, and how little of it at once.
#include "support/fake_curl/shard_fixture.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

/// How much happens between two rounds of the loop.
class between_rounds {
public:
    explicit between_rounds(uv_loop_t& loop) {
        prepare_.data = this;
        uv_prepare_init(&loop, &prepare_);
        uv_prepare_start(&prepare_, [](uv_prepare_t* prepare) {
            auto& self = *static_cast<between_rounds*>(prepare->data);
            self.most = std::max(self.most, std::exchange(self.now, 0));
        });
        uv_unref(reinterpret_cast<uv_handle_t*>(&prepare_));
    }
    between_rounds(const between_rounds&) = delete;
    between_rounds& operator=(const between_rounds&) = delete;
    ~between_rounds() {
        auto* const loop = prepare_.loop;
        uv_close(reinterpret_cast<uv_handle_t*>(&prepare_), nullptr);
        uv_run(loop, UV_RUN_NOWAIT);
    }

    int now = 0;
    int most = 0;

private:
    uv_prepare_t prepare_{};
};

class AHeartbeat : public shard_fixture {
protected:
    void SetUp() override {
        uv_fixture::SetUp();
        begin({.sharding = shards::one});
    }
    void TearDown() override {
        curl->on_action = nullptr; // what they refer to has gone with the test
        curl->on_getinfo = nullptr;
        started.clear();
        shard_fixture::TearDown();
    }
    void begin(async_multi_options options) {
        options.heartbeat = 1ms;
        options.upkeep = false; // which calls for all transfers too
        restart(std::move(options));
        curl->infos = {{CURLINFO_PRETRANSFER_TIME_T, 1}}; // nobody connects any more
    }
    bool calls_for_all() const { return curl->actions.back().for_all; }
    int calls_for_all_in_32_beats(std::string_view url) {
        add(1, url);
        int in_all = 0, for_all = 0;
        curl->on_action = [&](fake_multi& multi, curl_socket_t, int) {
            for_all += calls_for_all() ? 1 : 0;
            if (++in_all == 1 + 32)
                multi.complete_all();
        };
        run_to([&] { return over(0); });
        return for_all;
    }
    /// A transfer to whose sockets something has come.
    void add_one_with(const std::array<socket_pair, 8>& pairs) {
        add(1, "https://one/");
        turn();
        inside(started.front().handle, [&](fake_multi& multi) {
            for (const auto& each : pairs) {
                multi.announce(each.fd(), CURL_POLL_IN);
                each.make_readable();
            }
        });
    }
    bool over(std::size_t number) const { return started.at(number).over.ready(); }
    std::size_t beats() const { return multi->stats().heartbeats; }
};

// What it does. -----------------------------------------------------------------------------------

TEST_F(AHeartbeat, CallsForAllTransfersWhereNoneHasMoved) {
    add(1);
    curl->on_action = [&](fake_multi& multi, curl_socket_t, int) {
        if (calls_for_all())
            multi.complete_all();
    };
    run_to([&] { return over(0); });
    EXPECT_EQ(beats(), 1u);
}

TEST_F(AHeartbeat, CallsForOneThatIsStuckBesideOneThatIsNot) {
    add(2);
    curl->on_action = [&](fake_multi& multi, curl_socket_t, int) {
        if (calls_for_all())
            multi.complete(curl_of(1));
        multi.set_timer(1);
    };
    run_to([&] { return over(1); });
    EXPECT_FALSE(over(0));
}

TEST_F(AHeartbeat, CallsForOneThatConnectsBesideOneThatDoesNot) {
    curl->infos.clear();
    add(2);
    int calls = 0;
    curl->on_action = [&](fake_multi& multi, curl_socket_t, int) {
        if (calls_for_all() && ++calls == 20) // each time, not ever more seldom
            multi.complete(curl_of(1));
        multi.set_timer(1);
    };
    run_to([&] { return over(1); });
}

TEST_F(AHeartbeat, CallsEachTimeForWhoMayReport) {
    easy reporting("http://one/");
    reporting.setopt<CURLOPT_XFERINFOFUNCTION>([](auto...) { return false; });
    add(reporting);
    add(1);
    int in_all = 0, for_all = 0;
    curl->on_action = [&](fake_multi& multi, curl_socket_t, int) {
        if (calls_for_all() && ++for_all == 20)
            multi.complete_all();
        ++in_all;
    };
    run_to([&] { return over(0); });
    EXPECT_LE(in_all, 21) << "but for the first call no beat is for less";
}

// Who waits for a slow server costs as much as who is stuck.
TEST_F(AHeartbeat, CallsEverMoreSeldomForWhoDoesNotReport) {
    EXPECT_EQ(calls_for_all_in_32_beats("https://one/"), 4 + 3) << "1, 2, 4, 8; 16, 24, 32";
}

TEST_F(AHeartbeat, CallsAsOftenForWhoSpeaksSomethingElseWithoutTls) {
    EXPECT_EQ(calls_for_all_in_32_beats("dict://one/"), 4 + 3);
}

TEST_F(AHeartbeat, CallsEvenMoreSeldomForWhoHasASocketOfItsOwnWithoutTls) {
    EXPECT_EQ(calls_for_all_in_32_beats("http://one/"), 4) << "8, 16, 24, 32";
}

TEST_F(AHeartbeat, LeavesABusyShardAloneWhereEverybodyMoves) {
    add(1);
    curl_off_t bytes = 1;
    int calls = 0;
    curl->infos[CURLINFO_SIZE_DOWNLOAD_T] = bytes;
    curl->on_getinfo = [&] { curl->infos[CURLINFO_SIZE_DOWNLOAD_T] = ++bytes; };
    curl->on_action = [&](fake_multi& multi, curl_socket_t, int) {
        EXPECT_FALSE(calls_for_all());
        ++calls == 50 ? multi.complete_all() : multi.set_timer(1);
    };
    run_to([&] { return over(0); });
    EXPECT_EQ(beats(), 0u);
}

// A call for all would come to those at once that the loop comes to one by one.
TEST_F(AHeartbeat, WaitsUntilTheLoopHasComeToAllThatIsReady) {
    const std::array<socket_pair, 8> pairs;
    begin({.sharding = shards::one});
    add_one_with(pairs);
    int calls = 0, for_all = 0;
    curl->on_action = [&](fake_multi&, curl_socket_t, int) {
        ++calls;
        for_all += calls_for_all() ? 1 : 0;
        std::this_thread::sleep_for(3ms); // so that there is no time for all eight
    };
    run_to([&] { return calls >= 100; });
    EXPECT_EQ(for_all, 0);
    for (const auto& each : pairs)
        each.drain();
    run_to([&] { return for_all != 0; });
    started.front().over.cancel();
}

// As libcurl takes to the end of a mail, say: together they would be one long wait.
TEST_F(AHeartbeat, WaitsForAllThatIsReadyHoweverLongEachTakes) {
    const std::array<socket_pair, 8> pairs;
    add_one_with(pairs);
    int calls = 0, for_all = 0;
    curl->on_action = [&](fake_multi&, curl_socket_t, int) {
        ++calls;
        for_all += calls_for_all() ? 1 : 0;
        std::this_thread::sleep_for(150ms);
    };
    run_to([&] { return calls >= 20; });
    EXPECT_EQ(for_all, 0);
    started.front().over.cancel();
}

// What it counts. ---------------------------------------------------------------------------------

TEST_F(AHeartbeat, CountsOneThatHasMovedBytes) {
    add(1);
    curl->infos[CURLINFO_SIZE_DOWNLOAD_T] = 0;
    curl->on_action = [&](fake_multi&, curl_socket_t, int) {
        if (calls_for_all())
            curl->infos[CURLINFO_SIZE_DOWNLOAD_T] += 10;
    };
    run_to([&] { return beats() >= 3; });
}

TEST_F(AHeartbeat, CountsOneAfterWhichASocketIsWanted) {
    const socket_pair pair;
    add(1);
    int calls = 0;
    curl->on_action = [&](fake_multi& multi, curl_socket_t, int) {
        if (++calls % 2 == 0)
            multi.announce(pair.fd(), calls % 4 == 0 ? CURL_POLL_IN : CURL_POLL_INOUT);
    };
    run_to([&] { return calls >= 10; });
    EXPECT_GE(beats(), 2u);
    started.front().over.cancel();
}

TEST_F(AHeartbeat, DoesNotCountOneThatFindsNothing) {
    add(1);
    int calls = 0;
    curl->on_action = [&](fake_multi& multi, curl_socket_t, int) {
        ++calls;
        multi.set_timer(100'000); // a limit of the transfer's, say
    };
    run_to([&] { return calls >= 10; });
    EXPECT_EQ(beats(), 0u);
}

// How little at once. -----------------------------------------------------------------------------

TEST_F(AHeartbeat, CallsForOneShardARoundOfTheLoop) {
    begin({});
    add(16 * 32);
    do { // what the transfers themselves have asked for
        curl->actions.clear();
        turn();
    } while (!curl->actions.empty());
    std::map<fake_multi*, int> called;
    between_rounds rounds(loop); // whose end runs the loop
    curl->on_action = [&](fake_multi& multi, curl_socket_t, int) {
        ++rounds.now;
        ++called[&multi];
    };
    run_to([&] { return called.size() == 16 && called.begin()->second >= 3; });
    EXPECT_EQ(rounds.most, 1);
}

TEST_F(AHeartbeat, CallsForABoundedNumberOfTransfersARoundOfTheLoop) {
    begin({});
    for (int i = 0; i != 600; ++i)
        add(1, "http://server-" + std::to_string(i) + "/");
    int calls = 0;
    between_rounds rounds(loop);
    curl->on_action = [&](fake_multi& multi, curl_socket_t, int) {
        calls += calls_for_all();
        rounds.now += calls_for_all() ? static_cast<int>(multi.easies.size()) : 0;
    };
    run_to([&] { return calls >= 30; });
    EXPECT_LE(rounds.most, 64);
}

TEST_F(AHeartbeat, LooksAtABoundedNumberOfTransfersARoundOfTheLoop) {
    add(2000);
    int looks = 0;
    between_rounds rounds(loop);
    curl->on_getinfo = [&] {
        ++rounds.now;
        ++looks;
    };
    run_to([&] { return looks >= 6000; });
    EXPECT_LE(rounds.most, 256);
}

TEST_F(AHeartbeat, LooksAtAllThatAreLeftThoughSomeEndInTheMidstOfIt) {
    add(600);
    turn(2);
    int looks = 0, looks_of_round = 0, rounds = 0;
    curl->on_getinfo = [&] { ++looks; };
    curl->on_action = [&](fake_multi&, curl_socket_t, int) {
        looks_of_round = std::exchange(looks, 0); // a round ends with the call of its one shard
        ++rounds;
    };
    run_to([&] { return rounds >= 2 && looks == 256; });
    cancel(200, 400); // it would have gone on with one of them
    run_to([&, before = rounds] { return rounds != before; });
    EXPECT_EQ(looks_of_round, 600 - (400 - 256));
}

} // namespace
