// SPDX-License-Identifier: MIT
#include "support/manual_executor.hpp"
#include <curlicue/semaphore.hpp>
#include <curlicue/sleep.hpp>
#include <curlicue/task.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

class ASemaphore : public testing::Test {
protected:
    manual_executor loop;
    semaphore gate{1};
};

TEST_F(ASemaphore, OfNothingIsRefused) { EXPECT_THROW(semaphore(0), std::invalid_argument); }

TEST_F(ASemaphore, GivesSoManyAtOnce) {
    semaphore three(3);
    std::vector<permit> held;
    for (int i = 0; i != 3; ++i)
        held.push_back(three.acquire().get());
    auto fourth = three.acquire();
    EXPECT_FALSE(fourth.ready());
    held.pop_back();
    ASSERT_TRUE(fourth.ready());
    EXPECT_TRUE(fourth.get());
}

TEST_F(ASemaphore, IsFair) {
    auto first = gate.acquire().get();
    auto second = gate.acquire();
    auto third = gate.acquire();
    first = {};
    EXPECT_TRUE(second.ready());
    EXPECT_FALSE(third.ready());
    auto fourth = gate.acquire();
    second.get() = {};
    EXPECT_TRUE(third.ready());
    EXPECT_FALSE(fourth.ready());
    third.get() = {};
    EXPECT_TRUE(fourth.ready());
}

TEST_F(ASemaphore, HasAPermitBackAtItsEndAlone) {
    permit kept;
    EXPECT_FALSE(kept);
    {
        auto mine = gate.acquire().get();
        kept = std::move(mine);
        EXPECT_FALSE(mine); // NOLINT(bugprone-use-after-move)
    }
    auto next = gate.acquire();
    EXPECT_FALSE(next.ready()) << "moved, it has not ended";
    kept = permit();
    EXPECT_TRUE(next.ready());
}

TEST_F(ASemaphore, PassesOverWhoIsCancelled) {
    auto held = gate.acquire().get();
    auto second = gate.acquire();
    auto third = gate.acquire();
    EXPECT_TRUE(second.cancel());
    EXPECT_TRUE(second.ready());
    held = {};
    EXPECT_TRUE(third.ready());
    EXPECT_THROW((void)second.get(), cancelled);
}

TEST_F(ASemaphore, HasThePermitBackOfAFutureThatIsDropped) {
    { auto dropped = gate.acquire(); }
    auto next = gate.acquire();
    EXPECT_TRUE(next.ready());
    auto waiting = gate.acquire();
    { auto dropped = gate.acquire(); }
    next.get() = {};
    EXPECT_TRUE(waiting.ready());
    auto last = gate.acquire();
    waiting.get() = {};
    EXPECT_TRUE(last.ready()) << "in between, nobody wanted it any more";
}

TEST_F(ASemaphore, MayGoBeforeItsPermits) {
    std::optional<semaphore> short_lived(std::in_place, 1);
    auto held = short_lived->acquire().get();
    auto waiting = short_lived->acquire();
    short_lived.reset();
    held = {};
    EXPECT_TRUE(waiting.ready());
}

TEST_F(ASemaphore, LetsTasksGoOnWhereTheyRun) {
    manual_executor other;
    std::vector<int> order;
    const auto use = [&](manual_executor& home, int name) -> task<> {
        const auto mine = co_await gate.acquire();
        EXPECT_TRUE(home.runs_here());
        order.push_back(name);
        co_await sleep_for(home, 1h);
    };
    auto first = co_spawn(loop, use(loop, 1));
    loop.run();
    auto second = co_spawn(other, use(other, 2));
    auto third = co_spawn(loop, use(loop, 3));
    other.run();
    loop.run();
    EXPECT_EQ(order, std::vector{1});
    loop.pass(1h); // the first ends, and gives its permit to the second
    EXPECT_TRUE(first.ready());
    EXPECT_EQ(order, std::vector{1}) << "resumed by somebody else's executor";
    other.run();
    EXPECT_EQ(order, (std::vector{1, 2}));
    other.pass(1h);
    EXPECT_EQ(order, (std::vector{1, 2}));
    loop.run();
    EXPECT_EQ(order, (std::vector{1, 2, 3}));
    EXPECT_TRUE(third.cancel());
    loop.run();
    EXPECT_TRUE(second.ready());
    EXPECT_TRUE(third.ready());
}

TEST_F(ASemaphore, LetsATaskGoOnWhereItHasGone) {
    manual_executor other;
    auto held = gate.acquire().get();
    bool on = false;
    auto waiting = co_spawn(loop, [&]() -> task<> {
        co_await resume_on(other);
        const auto mine = co_await gate.acquire();
        on = true;
    });
    loop.run();
    other.run();
    held = {};
    loop.run();
    EXPECT_FALSE(on) << "resumed where it was spawned";
    other.run();
    EXPECT_TRUE(on && waiting.ready());
}

// As everybody on the way to an executor that has ended goes on without it.
TEST_F(ASemaphore, LetsATaskGoOnAtHomeOnceItsExecutorHasEnded) {
    std::optional<manual_executor> other(std::in_place);
    auto held = gate.acquire().get();
    bool on = false;
    promise<void> there(*other);
    auto waiting = co_spawn(loop, [&]() -> task<> {
        try {
            co_await there.get_future();
        } catch (const cancelled&) {
        }
        const auto mine = co_await gate.acquire();
        on = true;
    });
    loop.run();
    other.reset();
    held = {};
    EXPECT_FALSE(on);
    loop.run();
    EXPECT_TRUE(on && waiting.ready());
}

TEST_F(ASemaphore, HearsOfACancelledTask) {
    auto held = gate.acquire().get();
    auto waiting = co_spawn(loop, [&]() -> task<> { const auto mine = co_await gate.acquire(); });
    loop.run();
    auto next = gate.acquire();
    EXPECT_TRUE(waiting.cancel());
    loop.run();
    EXPECT_TRUE(waiting.ready());
    held = {};
    EXPECT_TRUE(next.ready());
}

TEST_F(ASemaphore, OfAnExecutorRunsContinuationsThere) {
    auto held = gate.acquire(loop).get();
    bool ran = false;
    auto then = gate.acquire(loop).then([&](permit) { ran = true; });
    held = {};
    EXPECT_FALSE(ran);
    loop.run();
    EXPECT_TRUE(ran);
    EXPECT_TRUE(gate.acquire().ready());
}

TEST_F(ASemaphore, OfAnExecutorIsCancelledByItsClose) {
    auto held = gate.acquire().get();
    auto waiting = gate.acquire(loop);
    loop.close();
    EXPECT_THROW((void)waiting.get(), cancelled);
    EXPECT_THROW((void)gate.acquire(loop), usage_error);
    held = {};
    EXPECT_TRUE(gate.acquire().ready());
}

TEST_F(ASemaphore, MayBeWaitedForOnlySoLong) {
    auto held = gate.acquire().get();
    auto late = gate.acquire(loop).timeout(1h);
    loop.pass(1h);
    EXPECT_THROW((void)late.get(), timed_out);
    held = {};
    EXPECT_TRUE(gate.acquire().ready());
}

// The timer is not the loop's, but the task goes on there all the same.
TEST(ATaskThatWaitsForAPermit, GoesOnWhereItRunsAfterATimeout) {
    thread_executor home;
    semaphore gate(1);
    const auto held = gate.acquire().get();
    auto waited = co_spawn(*home, [&]() -> task<bool> {
        try {
            const auto mine = co_await gate.acquire().timeout(1ms);
        } catch (const timed_out&) {
            co_return home->runs_here();
        }
        co_return false;
    });
    EXPECT_TRUE(waited.get());
}

// It runs on the thread of the timers, which are those of all that have no executor.
TEST(AContinuationOfATimeout, MayNotWaitForWhatHasNoExecutorEither) {
    semaphore gate(1);
    const auto held = gate.acquire().get();
    auto told = gate.acquire().timeout(1ms).catch_error([&](const std::exception_ptr&) -> permit {
        auto next = gate.acquire().timeout(1ms);
        EXPECT_THROW(next.wait(), usage_error);
        return {};
    });
    EXPECT_FALSE(told.get());
}

TEST(ManyTasks, ShareASemaphoreOverSeveralThreads) {
    thread_executor one, two;
    semaphore gate(3);
    std::atomic<int> inside = 0, most = 0, done = 0;
    const auto use = [&](executor& home) -> task<> {
        for (int n = 0; n != 50; ++n) {
            const auto mine = co_await gate.acquire();
            const int now = ++inside;
            for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
            }
            co_await resume_on(home);
            --inside;
            ++done;
        }
    };
    std::vector<future<void>> all;
    for (int i = 0; i != 8; ++i)
        for (auto* const home : {&one, &two})
            all.push_back(co_spawn(**home, use(**home)));
    for (auto& each : all)
        each.get();
    EXPECT_EQ(done, 800);
    EXPECT_GE(3, most);
    EXPECT_EQ(inside, 0);
}

TEST(ManyExecutors, CloseWhileTheirPermitsAreAskedFor) {
    semaphore gate(1);
    auto held = gate.acquire().get();
    for (int n = 0; n != 100; ++n) {
        thread_executor home;
        std::thread asks([&] {
            try {
                for (int i = 0; i != 20; ++i)
                    gate.acquire(*home).detach();
            } catch (const usage_error&) { // closed
            }
        });
        (*home).post([&] { (*home).close(); });
        asks.join();
    }
    held = {};
    EXPECT_TRUE(gate.acquire().ready()) << "nobody is left who would take it";
}

TEST(ManyThreads, AcquireAndCancel) {
    semaphore gate(2);
    std::atomic<int> got = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i != 4; ++i)
        threads.emplace_back([&] {
            for (int n = 0; n != 500; ++n) {
                auto one = gate.acquire();
                auto other = gate.acquire();
                other.cancel();
                const auto mine = one.get();
                got += mine ? 1 : 0;
            }
        });
    for (auto& each : threads)
        each.join();
    EXPECT_EQ(got, 2000);
    const auto first = gate.acquire(), second = gate.acquire(), third = gate.acquire();
    EXPECT_TRUE(second.ready()) << "none is lost";
    EXPECT_FALSE(third.ready());
}

} // namespace
