// SPDX-License-Identifier: MIT
// When libcurl is called for a time, and how much of ours runs before the host has its turn.
#include "support/fake_curl/engine_fixture.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <vector>

#include <gmock/gmock.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;
using testing::IsEmpty;

namespace {

/// A host's own timer, and how often the loop came round.
class host {
public:
    explicit host(uv_loop_t& loop) {
        timer_.data = prepare_.data = this;
        uv_timer_init(&loop, &timer_);
        uv_timer_start(
            &timer_, [](uv_timer_t* t) { ++static_cast<host*>(t->data)->ticks; }, 1, 1);
        uv_prepare_init(&loop, &prepare_);
        uv_prepare_start(&prepare_, [](uv_prepare_t* prepare) {
            auto& self = *static_cast<host*>(prepare->data);
            ++self.rounds;
            self.longest = std::max(self.longest, self.since);
            self.since = 0;
        });
        uv_unref(reinterpret_cast<uv_handle_t*>(&prepare_));
    }
    host(const host&) = delete;
    host& operator=(const host&) = delete;
    ~host() {
        auto* const loop = timer_.loop;
        uv_close(reinterpret_cast<uv_handle_t*>(&timer_), nullptr);
        uv_close(reinterpret_cast<uv_handle_t*>(&prepare_), nullptr);
        uv_run(loop, UV_RUN_NOWAIT);
    }

    /// One more of what is counted between two rounds.
    void count() { ++since; }

    int ticks = 0;
    int rounds = 0;
    int since = 0;
    int longest = 0;

private:
    uv_timer_t timer_{};
    uv_prepare_t prepare_{};
};

/// The engine's own timers would be in the way of libcurl's.
class ATurn : public engine_fixture {
protected:
    void SetUp() override {
        uv_fixture::SetUp();
        async_multi_options options;
        options.heartbeat = 0ms;
        options.upkeep = false; // 8.21.0
        restart(std::move(options));
    }

    std::size_t kicks() const {
        return static_cast<std::size_t>(std::ranges::count(
            curl->actions, CURL_SOCKET_TIMEOUT, [](const auto& each) { return each.socket; }));
    }
};

// libcurl's timer. --------------------------------------------------------------------------------

TEST_F(ATurn, IsWokenOnceForWhatItsStepsBegin) {
    turn(2);
    const auto before = multi->stats().wakeups;
    std::vector<easy> handles(10);
    std::vector<future<easy>> all;
    for (const auto& each : handles) {
        const auto begun = multi->post([&] { all.push_back(multi->add_handle(each)); });
        turn(3);
        EXPECT_TRUE(begun.ready());
    }
    EXPECT_LT(multi->stats().wakeups - before, 15u); // one each, and what a busy machine adds
}

TEST_F(ATurn, DrivesLibcurlWhenItAsksForItAtOnce) {
    easy handle;
    auto over = multi->add_handle(handle);
    EXPECT_THAT(curl->actions, IsEmpty()) << "not inside a public call";
    curl->on_action = [](fake_multi& multi, curl_socket_t, int) { multi.complete_all(); };
    turn();
    EXPECT_EQ(curl->actions, (std::vector<fake_curl::action>{{CURL_SOCKET_TIMEOUT, 0}}));
    EXPECT_EQ(outcome(std::move(over)), std::error_code());
    EXPECT_EQ(timer_due(), std::nullopt);
}

TEST_F(ATurn, DrivesLibcurlWhenItsTimeHasCome) {
    easy handle;
    curl->on_add = [](fake_multi& multi, CURL*) { multi.set_timer(3); };
    auto over = multi->add_handle(handle);
    const auto begun = std::chrono::steady_clock::now();
    curl->on_action = [](fake_multi& multi, curl_socket_t, int) { multi.complete_all(); };
    run_to([&] { return over.ready(); });
    EXPECT_GE(std::chrono::steady_clock::now() - begun, 2ms);
}

TEST_F(ATurn, StopsTheTimerForANegativeTime) {
    easy handle;
    auto over = multi->add_handle(handle);
    turn();
    curl->actions.clear();
    inside(handle, [](fake_multi& multi) { multi.set_timer(100'000); });
    turn();
    EXPECT_NE(timer_due(), std::nullopt);
    for (const long none : {-1L, -5L}) {
        inside(handle, [&](fake_multi& multi) { multi.set_timer(none); });
        turn();
        EXPECT_EQ(timer_due(), std::nullopt);
    }
}

// What libcurl said last is what counts, however it got there.
TEST_F(ATurn, HeedsTheLastTimeThatLibcurlAskedForWhateverCameBefore) {
    const socket_pair pair;
    easy handle;
    auto over = multi->add_handle(handle);
    inside(handle, [&](fake_multi& multi) { multi.announce(pair.fd(), CURL_POLL_IN); });
    turn();

    constexpr long unit = 100'000;
    constexpr long times[] = {-1, 0, unit, 2 * unit, 3 * unit};
    std::mt19937 random(7);
    std::optional<long> model; // when the timer is due, in units
    for (int step = 0; step < 500; ++step) {
        std::vector<long> asked(random() % 4);
        for (long& each : asked)
            each = times[random() % std::size(times)];
        curl->on_action = [&](fake_multi& multi, curl_socket_t socket, int) {
            if (socket != pair.fd())
                return;
            pair.drain();
            for (const long each : asked)
                multi.set_timer(each);
        };
        curl->actions.clear();
        pair.make_readable();
        turn();
        if (!asked.empty())
            model = asked.back() > 0 ? std::optional(asked.back() / unit) : std::nullopt;
        const bool at_once = !asked.empty() && asked.back() == 0;
        ASSERT_EQ(kicks(), at_once ? 1u : 0u) << "step " << step;
        const auto due = timer_due();
        ASSERT_EQ(due ? std::optional<long>((static_cast<long>(*due) + unit / 2) / unit)
                      : std::nullopt,
                  model)
            << "step " << step;
    }
}

TEST_F(ATurn, ForgetsTimesThatLibcurlAsksForWhileItCloses) {
    easy handle;
    auto over = multi->add_handle(handle);
    turn();
    curl->actions.clear();
    curl->on_remove = [](fake_multi& multi, CURL*) { multi.set_timer(0); };
    curl->on_cleanup = [](fake_multi& multi) {
        multi.set_timer(1);
        multi.set_timer(0);
    };
    multi->run_until(multi->close());
    EXPECT_THAT(curl->actions, IsEmpty());
    EXPECT_EQ(timer_due(), std::nullopt);
}

// The turn that sees the last transfer go closes all after its last round.
TEST_F(ATurn, ForgetsTimesThatLibcurlAsksForWhileItClosesAfterADrain) {
    easy handle;
    auto over = multi->add_handle(handle);
    turn();
    auto drained = multi->drain(1h);
    curl->on_cleanup = [&](fake_multi& multi) {
        curl->actions.clear();
        multi.set_timer(0);
    };
    inside(handle, [](fake_multi& multi) { multi.complete_all(); });
    multi->run_until(std::move(drained));
    EXPECT_EQ(outcome(std::move(over)), std::error_code());
    EXPECT_THAT(curl->actions, IsEmpty());
}

TEST_F(ATurn, DrivesLibcurlAfterAnUnpauseThoughItAsksForNothing) {
    easy handle;
    auto over = multi->add_handle(handle);
    turn();
    curl->on_action = [](fake_multi& multi, curl_socket_t, int) { multi.complete_all(); };
    curl->on_pause = [](fake_multi& multi, CURL*) { multi.set_timer(-1); };
    handle.unpause();
    EXPECT_FALSE(over.ready());
    turn();
    EXPECT_TRUE(over.ready());
}

TEST_F(ATurn, TakesTheLongestTimeThereIs) {
    easy handle;
    curl->on_add = [](fake_multi& multi, CURL*) { multi.set_timer(LONG_MAX); };
    auto over = multi->add_handle(handle);
    turn(3);
    EXPECT_THAT(curl->actions, IsEmpty());
    EXPECT_NE(timer_due(), std::nullopt);
}

// Fairness. ---------------------------------------------------------------------------------------

TEST_F(ATurn, LetsTheHostAndTheSocketsIntoALibcurlThatAlwaysWantsToBeCalledAtOnce) {
    host host(loop);
    const socket_pair pair;
    easy handle;
    auto over = multi->add_handle(handle);
    inside(handle, [&](fake_multi& multi) { multi.announce(pair.fd(), CURL_POLL_IN); });
    curl->on_action = [&](fake_multi& multi, curl_socket_t socket, int) {
        if (socket == pair.fd()) {
            multi.announce(socket, CURL_POLL_REMOVE);
            return multi.complete_all();
        }
        host.count();
        ASSERT_LE(host.since, 100) << "the loop does not come round";
        multi.set_timer(0);
    };
    run_to([&] { return host.ticks >= 20; });
    EXPECT_GT(kicks(), 20u);
    EXPECT_LE(host.longest, 16); // eight rounds in the turn of the timer, and of a wake-up
    pair.make_readable();
    run_to([&] { return over.ready(); });
}

/// As a QUIC connection's call may take long.
void burn(std::chrono::milliseconds time) {
    const auto begun = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - begun < time)
        continue;
}

// Two calls of 6 ms are more than a turn has time for, and a round of the loop has three turns.
TEST_F(ATurn, IsOverWhenItsTimeIsThoughLibcurlAlwaysWantsToBeCalledAtOnce) {
    host host(loop);
    easy handle;
    auto over = multi->add_handle(handle);
    int calls = 0;
    curl->on_action = [&](fake_multi& multi, curl_socket_t, int) {
        host.count();
        burn(6ms);
        ++calls == 60 ? multi.complete_all() : multi.set_timer(0);
    };
    run_to([&] { return over.ready(); });
    EXPECT_LE(host.longest, 6);
    EXPECT_GE(host.ticks, 10);
}

TEST_F(ATurn, IsOverWhenItsTimeIsThoughManyMultiHandlesWantToBeCalled) {
    host host(loop);
    std::vector<future<easy>> all;
    while (all.size() != 16 * 32)
        all.push_back(multi->add_handle(easy("http://one/")));
    std::set<fake_multi*> called;
    curl->on_action = [&](fake_multi& multi, curl_socket_t, int) {
        host.count();
        called.insert(&multi);
        burn(6ms);
        multi.set_timer(0);
    };
    run_to([&] { return called.size() == 16; }); // each has its turn
    curl->on_action = nullptr;
    EXPECT_LE(host.longest, 6);
}

TEST_F(ATurn, IsOverWhenItsTimeIsThoughManySocketsAreReady) {
    host host(loop);
    std::vector<socket_pair> pairs(20);
    easy handle;
    auto over = multi->add_handle(handle);
    inside(handle, [&](fake_multi& multi) {
        for (const auto& each : pairs)
            multi.announce(each.fd(), CURL_POLL_IN);
    });
    turn();
    std::map<curl_socket_t, int> driven;
    curl->on_action = [&](fake_multi&, curl_socket_t socket, int) {
        host.count();
        ++driven[socket];
        burn(6ms); // and reads nothing: all of them stay ready
    };
    for (const auto& each : pairs)
        each.make_readable();
    int calls = 0;
    run_to([&] {
        calls = 0;
        for (const auto& [socket, times] : driven)
            calls += times;
        return calls >= 100;
    });
    EXPECT_LE(host.longest, 6);
    ASSERT_EQ(driven.size(), pairs.size());
    for (const auto& [socket, times] : driven)
        EXPECT_GE(times, 3) << "they come in turn";
    curl->on_action = nullptr;
    inside(handle, [&](fake_multi& multi) {
        for (const auto& each : pairs)
            multi.announce(each.fd(), CURL_POLL_REMOVE);
        multi.complete_all();
    });
    run_to([&] { return over.ready(); });
}

TEST_F(ATurn, RunsABoundedTimeOfPostsAndThenTheHost) {
    host host(loop);
    int done = 0;
    for (int i = 0; i < 200; ++i)
        multi->executor().post([&] {
            host.count();
            burn(1ms);
            ++done;
        });
    run_to([&] { return done == 200; });
    EXPECT_LE(host.longest, 3 * 32);
}

// What is over is not looked at.
TEST_F(ATurn, LetsASocketGoThatWasPutOff) {
    std::vector<socket_pair> pairs(20);
    easy handle;
    auto over = multi->add_handle(handle);
    inside(handle, [&](fake_multi& multi) {
        for (const auto& each : pairs)
            multi.announce(each.fd(), CURL_POLL_IN);
    });
    turn();
    for (const auto& each : pairs)
        each.make_readable();
    curl->on_action = [&](fake_multi& multi, curl_socket_t, int) {
        burn(12ms);
        for (auto& each : pairs)
            multi.announce(each.fd(), CURL_POLL_REMOVE);
    };
    curl->actions.clear();
    turn(5);
    EXPECT_LE(curl->actions.size(), 2u);
    curl->on_action = nullptr;
    over.cancel();
}

TEST_F(ATurn, RunsABoundedNumberOfPostsAndThenTheHost) {
    host host(loop);
    int done = 0;
    for (int i = 0; i < 2000; ++i)
        multi->executor().post([&] {
            host.count();
            ++done;
        });
    run_to([&] { return done == 2000; });
    EXPECT_LE(host.longest, 256);
    EXPECT_GE(host.rounds, 2000 / 256);
}

TEST_F(ATurn, RunsABoundedNumberOfContinuationsAndThenTheHost) {
    host host(loop);
    std::vector<easy> handles(1000);
    int done = 0;
    for (auto& each : handles)
        multi->add_handle(each)
            .then([&](easy) {
                host.count();
                ++done;
            })
            .detach([](std::exception_ptr) {});
    curl->on_action = [](fake_multi& multi, curl_socket_t, int) { multi.complete_all(); };
    run_to([&] { return done == 1000; });
    EXPECT_LE(host.longest, 256);
}

// Each transfer is over at once, and its continuation adds the next: without a bound for ever.
TEST_F(ATurn, LetsTheHostIntoAChainOfTransfersThatAreOverAtOnce) {
    host host(loop);
    easy handle;
    curl->on_action = [](fake_multi& multi, curl_socket_t, int) { multi.complete_all(); };
    int done = 0;
    std::function<void()> next = [&] {
        multi->add_handle(handle)
            .then([&](easy) {
                host.count();
                if (++done < 1000)
                    next();
            })
            .detach([](std::exception_ptr) { ADD_FAILURE(); });
    };
    next();
    run_to([&] { return done == 1000; });
    EXPECT_LE(host.longest, 256);
    EXPECT_GE(host.rounds, 1000 / 256);
}

TEST_F(ATurn, StartsABoundedNumberOfQueuedTransfersAndThenTheHost) {
    host host(loop);
    std::vector<easy> handles(1000);
    curl->on_add = [&](fake_multi&, CURL*) { host.count(); };
    std::thread([&] {
        for (auto& each : handles)
            multi->add_handle(each).detach([](std::exception_ptr) {});
    }).join();
    run_to([&] { return curl->calls(fake_call::add) == handles.size(); });
    EXPECT_LE(host.longest, 256);
}

// The heartbeat and the timeouts of futures. ------------------------------------------------------

TEST_F(ATurn, DrivesLibcurlNowAndThenIfItForgetsToAsk) {
    async_multi_options options;
    options.heartbeat = 2ms;
    restart(std::move(options));
    curl->on_add = nullptr;
    easy handle;
    auto over = multi->add_handle(handle);
    int beats = 0;
    curl->on_action = [&](fake_multi& multi, curl_socket_t socket, int mask) {
        EXPECT_EQ(socket, CURL_SOCKET_TIMEOUT);
        EXPECT_EQ(mask, 0);
        if (++beats == 3)
            multi.complete_all();
    };
    run_to([&] { return over.ready(); });
    EXPECT_EQ(outcome(std::move(over)), std::error_code());
    EXPECT_EQ(multi->stats().heartbeats, 1u) << "the others found nothing";
}

TEST_F(ATurn, HasNoHeartbeatWithoutTransfers) {
    async_multi_options options;
    options.heartbeat = 2ms;
    options.upkeep = false; // which calls for 8.21.0
    restart(std::move(options));
    easy handle;
    auto over = multi->add_handle(handle);
    curl->on_action = [&](fake_multi& multi, curl_socket_t, int) { multi.complete_all(); };
    run_to([&] { return over.ready(); });
    const host host(loop);
    run_to([&] { return timer_due() == std::nullopt; });
}

TEST_F(ATurn, LetsTheLoopGoWhenTheTimeoutOfAFutureIsOver) {
    easy handle;
    auto over = multi->add_handle(handle).timeout(1ms);
    EXPECT_NE(uv_run(&loop, UV_RUN_ONCE), -1);
    run_to([&] { return over.ready(); });
    EXPECT_EQ(outcome(std::move(over)), std::errc::timed_out);
    turn(2);
    EXPECT_EQ(uv_loop_alive(&loop), 0);
}

TEST_F(ATurn, HoldsTheLoopForTheTimeoutOfAFutureAlone) {
    promise<void> never(multi->executor());
    auto over = never.get_future().timeout(1ms);
    turn();
    EXPECT_TRUE(over.ready() || uv_loop_alive(&loop) != 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT_TRUE(over.ready());
}

TEST_F(ATurn, LetsTheLoopGoWhenNothingIsLeftThatLibcurlCouldWantItFor) {
    const socket_pair pair;
    easy handle;
    auto over = multi->add_handle(handle);
    EXPECT_EQ(uv_loop_alive(&loop), 1);
    curl->on_action = [&](fake_multi& multi, curl_socket_t, int) {
        multi.announce(pair.fd(), CURL_POLL_IN); // an idle connection, an admin handle's
        multi.set_timer(100'000);
        multi.complete_all();
    };
    turn(2);
    EXPECT_TRUE(over.ready());
    EXPECT_EQ(uv_loop_alive(&loop), 0);
}

TEST_F(ATurn, HoldsTheLoopForAPausedTransferThatWaitsForNothing) {
    easy handle;
    auto over = multi->add_handle(handle);
    curl->on_action = [](fake_multi& multi, curl_socket_t, int) { multi.set_timer(-1); };
    turn(3);
    EXPECT_EQ(uv_loop_alive(&loop), 1);
    over.cancel();
    turn();
    EXPECT_EQ(uv_loop_alive(&loop), 0);
}

} // namespace
