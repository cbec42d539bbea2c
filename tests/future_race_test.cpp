// SPDX-License-Identifier: MIT
// Several threads at one future: every outcome is told exactly once, and nothing stays pending.
#include "support/at_once.hpp"
#include "support/manual_executor.hpp"
#include <curlicue/future.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

constexpr int rounds = 2000;

class ARace : public testing::Test {
protected:
    // A promise and its future, anew for each round.
    void renew() {
        source.emplace(*loop);
        sink = source->get_future();
        wins = 0;
        calls = 0;
    }
    void win(bool won) { wins += won ? 1 : 0; }

    thread_executor loop;
    std::optional<promise<int>> source;
    future<int> sink;
    std::atomic<int> wins = 0;
    std::atomic<int> calls = 0;
};

TEST_F(ARace, HasOneWinner) {
    at_once(
        rounds, [&] { renew(); },
        [&] {
            EXPECT_EQ(wins, 1);
            EXPECT_TRUE(sink.ready());
            const bool was_cancelled = sink.cancelled();
            try {
                EXPECT_EQ(sink.get(), 1);
                EXPECT_FALSE(was_cancelled);
            } catch (const cancelled&) {
                EXPECT_TRUE(was_cancelled);
            } catch (const timed_out&) {
            }
        },
        [&] { win(source->set_value(1)); }, [&] { win(source->set_error(errc::timed_out)); },
        [&] { win(sink.cancel()); });
}

TEST_F(ARace, WakesEveryoneWhoWaits) {
    shared_future<int> shared;
    at_once(
        rounds,
        [&] {
            renew();
            shared = std::move(sink).share();
        },
        [&] { EXPECT_EQ(calls, 2); }, [&] { source->set_value(1); }, [&] { calls += shared.get(); },
        [&] {
            while (!shared.wait_for(1us))
                ;
            ++calls;
        });
}

TEST_F(ARace, RunsAContinuationOnceOrSkipsIt) {
    future<int> child;
    at_once(
        rounds,
        [&] {
            renew();
            child = std::move(sink).then([&](int value) {
                ++calls;
                return value;
            });
        },
        [&] {
            child.wait();
            EXPECT_LE(calls, 1);
            EXPECT_EQ(child.cancelled(), wins == 1);
            if (wins == 0) {
                EXPECT_EQ(calls, 1);
                EXPECT_EQ(child.get(), 1);
            }
        },
        [&] { source->set_value(1); }, [&] { win(child.cancel()); });
}

TEST_F(ARace, AttachesToWhatIsJustReady) {
    future<void> child;
    at_once(
        rounds, [&] { renew(); },
        [&] {
            child.get();
            EXPECT_EQ(calls, 1);
        },
        [&] { source->set_value(1); },
        [&] { child = std::move(sink).then([&](int value) { calls += value; }); });
}

TEST_F(ARace, AlwaysRunsWhatRunsForAnyOutcome) {
    future<int> child;
    at_once(
        rounds,
        [&] {
            renew();
            child = std::move(sink).finally([&] { ++calls; });
        },
        [&] {
            child.wait();
            EXPECT_EQ(calls, 1);
            EXPECT_EQ(child.cancelled(), wins == 1);
        },
        [&] { source->set_value(1); }, [&] { win(child.cancel()); });
}

TEST_F(ARace, CancelsASourceOnlyWithItsLastBranch) {
    future<int> first;
    future<int> second;
    std::atomic<bool> kept;
    at_once(
        rounds,
        [&] {
            renew();
            const auto shared = std::move(sink).share();
            first = shared.then([](int value) { return value; });
            second = shared.finally([&] { ++calls; });
        },
        [&] {
            first.wait();
            second.wait();
            EXPECT_EQ(calls, 1);
            if (!kept) {
                EXPECT_TRUE(first.cancelled());
                EXPECT_TRUE(second.cancelled());
            }
        },
        [&] { kept = source->set_value(1); }, [&] { first.cancel(); }, [&] { second.cancel(); });
}

TEST_F(ARace, FollowsAFutureOrCancelsIt) {
    std::optional<promise<int>> inner;
    future<int> child;
    std::atomic<bool> kept;
    at_once(
        rounds,
        [&] {
            renew();
            inner.emplace(*loop);
            child = std::move(sink).then(
                [later = inner->get_future()](int) mutable { return std::move(later); });
        },
        [&] {
            child.wait();
            EXPECT_EQ(child.cancelled(), wins == 1);
            if (wins == 0) {
                EXPECT_TRUE(kept);
                EXPECT_EQ(child.get(), 2);
            }
        },
        [&] { source->set_value(1); }, [&] { kept = inner->set_value(2); },
        [&] { win(child.cancel()); });
}

TEST_F(ARace, TellsTheProducerOfACancelOnce) {
    at_once(
        rounds, [&] { renew(); },
        [&] {
            promise<void> end(*loop); // behind the handler, if that is queued
            auto ended = end.get_future().then([] {});
            end.set_value();
            ended.wait();
            EXPECT_EQ(calls, 1);
        },
        [&] { source->on_cancel([&] { ++calls; }); }, [&] { sink.cancel(); });
}

TEST_F(ARace, ReportsAFailureThatNobodySawOnce) {
    at_once(
        rounds, [&] { renew(); }, [] {}, [&] { source.reset(); }, [&] { sink = {}; });
    EXPECT_EQ(loop->unobserved_failures().size(), static_cast<std::size_t>(rounds));
}

TEST_F(ARace, CombinesWhatSeveralThreadsFulfil) {
    std::vector<promise<int>> sources;
    future<std::vector<result<int>>> all;
    at_once(
        rounds,
        [&] {
            sources.clear();
            std::vector<future<int>> futures;
            for (int i = 0; i != 3; ++i)
                futures.push_back(sources.emplace_back(*loop).get_future());
            all = when_all(std::move(futures));
        },
        [&] {
            const auto outcomes = all.get();
            EXPECT_EQ(outcomes[0].value(), 0);
            EXPECT_EQ(outcomes[1].error(), errc::timed_out);
            EXPECT_EQ(outcomes[2].value(), 2);
        },
        [&] { sources[0].set_value(0); }, [&] { sources[1].set_error(errc::timed_out); },
        [&] { sources[2].set_value(2); });
}

TEST_F(ARace, GathersOrFailsOrIsCancelled) {
    std::vector<promise<int>> sources;
    future<std::vector<int>> all;
    at_once(
        rounds,
        [&] {
            wins = 0;
            sources.clear();
            std::vector<future<int>> futures;
            for (int i = 0; i != 2; ++i)
                futures.push_back(sources.emplace_back(*loop).get_future());
            all = gather(std::move(futures));
        },
        [&] {
            ASSERT_TRUE(all.ready());
            EXPECT_EQ(all.cancelled(), wins == 1);
            if (wins == 0) {
                EXPECT_THROW(all.get(), timed_out);
            }
        },
        [&] { sources[0].set_value(0); }, [&] { sources[1].set_error(errc::timed_out); },
        [&] { win(all.cancel()); });
}

TEST_F(ARace, BetweenFuturesHasOneWinnerAndNoLoserThatRunsOn) {
    std::vector<promise<int>> sources;
    future<int> first;
    at_once(
        rounds,
        [&] {
            sources.clear();
            std::vector<future<int>> futures;
            for (int i = 0; i != 3; ++i)
                futures.push_back(sources.emplace_back(*loop).get_future());
            first = race(std::move(futures));
        },
        [&] {
            ASSERT_TRUE(first.ready());
            EXPECT_LT(first.get(), 2);
            EXPECT_FALSE(sources[2].set_value(2));
        },
        [&] { sources[0].set_value(0); }, [&] { sources[1].set_value(1); });
}

TEST_F(ARace, ForAnyGivesEveryOutcomeOnce) {
    std::vector<promise<int>> sources;
    std::vector<future<int>> futures;
    future<any_result<int>> first;
    at_once(
        rounds,
        [&] {
            sources.clear();
            futures.clear();
            for (int i = 0; i != 2; ++i)
                futures.push_back(sources.emplace_back(*loop).get_future());
        },
        [&] {
            ASSERT_TRUE(first.ready());
            auto any = first.get();
            EXPECT_EQ(any.value.value() + any.rest[0].get(), 1);
        },
        [&] { sources[0].set_value(0); }, [&] { sources[1].set_value(1); },
        [&] { first = when_any(std::move(futures)); });
}

TEST_F(ARace, StopsWhatAStopTokenReaches) {
    std::optional<std::stop_source> stop;
    future<int> child;
    at_once(
        rounds,
        [&] {
            renew();
            stop.emplace();
        },
        [&] {
            child.wait();
            if (!child.cancelled()) {
                EXPECT_EQ(child.get(), 1);
            }
            child = {};
        },
        [&] { source->set_value(1); }, [&] { stop->request_stop(); },
        [&] { child = std::move(sink).with(stop->get_token()); });
}

TEST_F(ARace, AgainstTheClockHasOneWinner) {
    future<int> child;
    at_once(
        rounds, [&] { renew(); },
        [&] {
            loop->post([&] { loop->pass(1h); }); // in case it was started later
            child.wait();
            try {
                EXPECT_EQ(child.get(), 1);
            } catch (const timed_out&) {
            }
        },
        [&] { source->set_value(1); },
        [&] {
            executor& where = *loop;
            where.post([&] { loop->pass(1h); });
        },
        [&] { child = std::move(sink).timeout(0ms); });
    std::atomic<bool> done = false;
    loop->post([&] {
        EXPECT_EQ(loop->armed_timers(), 0U);
        done = true;
    });
    while (!done)
        std::this_thread::yield();
}

TEST_F(ARace, AgainstACloseEndsEverything) {
    std::optional<thread_executor> closing;
    std::optional<promise<int>> pending;
    future<int> child;
    std::atomic<bool> closed;
    at_once(
        rounds / 10,
        [&] {
            calls = 0;
            closed = false;
            closing.emplace();
            pending.emplace(**closing);
            sink = pending->get_future();
        },
        [&] {
            while (!closed)
                std::this_thread::yield();
            ASSERT_TRUE(child.ready());
            EXPECT_EQ(calls, 1);
            pending.reset();
            closing.reset();
        },
        [&] { pending->set_value(1); },
        [&] {
            (*closing)->post([&] {
                (*closing)->close();
                closed = true;
            });
        },
        [&] { child = std::move(sink).finally([&] { ++calls; }); });
}

} // namespace
