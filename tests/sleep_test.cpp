// SPDX-License-Identifier: MIT
// Waiting for a time, on executors whose clock a test moves.
#include "support/manual_executor.hpp"
#include <curlicue/sleep.hpp>
#include <curlicue/task.hpp>

#include <chrono>
#include <limits>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

class ASleep : public testing::Test {
protected:
    manual_executor loop;
};

TEST_F(ASleep, IsOverWhenItsTimeIs) {
    auto slept = sleep_for(loop, 1h);
    EXPECT_EQ(loop.armed_timers(), 1U);
    loop.pass(59min);
    EXPECT_FALSE(slept.ready());
    loop.pass(1min);
    EXPECT_NO_THROW(slept.get());
    EXPECT_EQ(loop.armed_timers(), 0U);
}

TEST_F(ASleep, OfNothingIsOverWithTheNextTurn) {
    for (const auto time : {0ms, -1ms, std::chrono::milliseconds::min()}) {
        auto slept = sleep_for(loop, time);
        EXPECT_FALSE(slept.ready());
        loop.pass(0ms);
        EXPECT_NO_THROW(slept.get());
    }
}

TEST_F(ASleep, MayBeForEver) {
    auto slept = sleep_for(loop, std::chrono::milliseconds::max());
    loop.pass(24h * 365 * 100);
    EXPECT_FALSE(slept.ready());
    EXPECT_TRUE(slept.cancel());
}

TEST_F(ASleep, LastsUntilATimeOfItsExecutorsClock) {
    auto slept = sleep_until(loop, loop.now() + 2h);
    auto over = sleep_until(loop, loop.now() - 1h);
    auto long_over = sleep_until(loop, executor::clock::time_point::min());
    EXPECT_EQ(loop.earliest_timer(), loop.now()) << "so near that it can be subtracted";
    loop.pass(0ms);
    EXPECT_NO_THROW(over.get());
    EXPECT_NO_THROW(long_over.get());
    loop.pass(119min);
    EXPECT_FALSE(slept.ready());
    loop.pass(1min);
    EXPECT_NO_THROW(slept.get());
}

TEST_F(ASleep, LastsUntilATimeOfAnotherClock) {
    auto slept = sleep_until(loop, std::chrono::system_clock::now() + 2h);
    auto over = sleep_until(loop, std::chrono::system_clock::now() - 1h);
    loop.pass(1h);
    EXPECT_NO_THROW(over.get());
    EXPECT_FALSE(slept.ready());
    loop.pass(2h);
    EXPECT_NO_THROW(slept.get());
}

TEST_F(ASleep, ThatIsCancelledIsOver) {
    auto slept = sleep_for(loop, 1h);
    EXPECT_TRUE(slept.cancel());
    EXPECT_TRUE(slept.ready());
    EXPECT_EQ(loop.armed_timers(), 0U);
    EXPECT_THROW(slept.get(), cancelled);
}

TEST_F(ASleep, ThatIsDroppedGoesOn) {
    sleep_for(loop, 1h).detach();
    EXPECT_EQ(loop.armed_timers(), 1U);
    loop.pass(1h);
    EXPECT_EQ(loop.armed_timers(), 0U);
    EXPECT_TRUE(loop.unobserved_failures().empty());
}

TEST_F(ASleep, MayHaveATimeout) {
    auto slept = sleep_for(loop, 2h).timeout(1h);
    loop.pass(1h);
    EXPECT_THROW(slept.get(), timed_out);
    EXPECT_EQ(loop.armed_timers(), 0U);
}

TEST_F(ASleep, IsCancelledByTheCloseOfItsExecutor) {
    auto slept = sleep_for(loop, 1h);
    loop.close();
    EXPECT_TRUE(slept.ready());
    EXPECT_THROW(slept.get(), cancelled);
    EXPECT_THROW((void)sleep_for(loop, 1h), usage_error);
}

TEST_F(ASleep, IsStartedOnAnotherThread) {
    future<void> slept;
    std::thread([&] { slept = sleep_for(loop, 1h); }).join();
    EXPECT_EQ(loop.armed_timers(), 0U);
    loop.run();
    EXPECT_EQ(loop.armed_timers(), 1U);
    loop.pass(1h);
    EXPECT_NO_THROW(slept.get());
}

TEST_F(ASleep, IsCancelledOnAnotherThread) {
    auto slept = sleep_for(loop, 1h);
    std::thread([&] { EXPECT_TRUE(slept.cancel()); }).join();
    EXPECT_TRUE(slept.cancelled());
    EXPECT_FALSE(slept.ready()) << "its timer runs on the executor's thread";
    loop.run();
    EXPECT_TRUE(slept.ready());
    EXPECT_EQ(loop.armed_timers(), 0U);
}

TEST_F(ASleep, ThatIsStartedAndCancelledOnAnotherThreadNeverBegins) {
    future<void> slept;
    std::thread([&] {
        slept = sleep_for(loop, 1h);
        EXPECT_TRUE(slept.cancel());
    }).join();
    loop.run();
    EXPECT_TRUE(slept.ready());
    EXPECT_EQ(loop.armed_timers(), 0U);
}

TEST_F(ASleep, ThatIsCancelledOnAnotherThreadMayBeOverBefore) {
    auto slept = sleep_for(loop, 1h);
    std::thread([&] { EXPECT_TRUE(slept.cancel()); }).join();
    loop.pass(1h); // the timer comes before the queue
    EXPECT_TRUE(slept.ready());
    EXPECT_THROW(slept.get(), cancelled);
}

TEST_F(ASleep, IsBrokenOffWithItsTask) {
    bool woken = false;
    auto done = co_spawn(loop, [&]() -> task<> {
        co_await sleep_for(loop, 1h);
        woken = true;
    });
    loop.run();
    EXPECT_TRUE(done.cancel());
    loop.run();
    EXPECT_TRUE(done.ready());
    EXPECT_FALSE(woken);
    EXPECT_EQ(loop.armed_timers(), 0U);
}

TEST(ManySleeps, AreStartedWhileTheirExecutorCloses) {
    for (int n = 0; n != 200; ++n) {
        future<void> last;
        {
            thread_executor home;
            std::thread sleeps([&] {
                try {
                    for (;;)
                        last = sleep_for(*home, 1h);
                } catch (const usage_error&) { // closed
                }
            });
            (*home).post([&] { (*home).close(); });
            sleeps.join();
        }
        if (last.valid()) {
            EXPECT_THROW(last.get(), cancelled);
        }
    }
}

TEST(ManySleeps, AreStartedAndCancelledOnThreads) {
    thread_executor home;
    std::vector<std::thread> threads;
    for (int i = 0; i != 4; ++i)
        threads.emplace_back([&] {
            for (int n = 0; n != 500; ++n) {
                auto slept = sleep_for(*home, 1h);
                slept.cancel();
                slept.wait();
            }
        });
    for (auto& each : threads)
        each.join();
    EXPECT_EQ(home->armed_timers(), 0U);
}

} // namespace
