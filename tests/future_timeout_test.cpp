// SPDX-License-Identifier: MIT
#include "support/manual_executor.hpp"
#include <curlicue/future.hpp>

#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

class ATimeout : public testing::Test {
protected:
    manual_executor loop;
    promise<int> source{loop};
    future<int> sink = source.get_future();
};

TEST_F(ATimeout, PassesOnWhatIsInTime) {
    auto limited = std::move(sink).timeout(1h);
    EXPECT_EQ(loop.armed_timers(), 1U);
    loop.pass(30min);
    EXPECT_FALSE(limited.ready());
    source.set_value(3);
    EXPECT_EQ(loop.armed_timers(), 0U);
    EXPECT_EQ(limited.get(), 3);
}

TEST_F(ATimeout, CancelsWhatIsLate) {
    auto limited = std::move(sink).timeout(1h);
    loop.pass(2h);
    ASSERT_TRUE(limited.ready());
    EXPECT_FALSE(limited.cancelled());
    EXPECT_FALSE(source.set_value(3));
    try {
        limited.get();
        FAIL();
    } catch (const timed_out& error) {
        EXPECT_EQ(error.code(), std::errc::timed_out);
    }
}

TEST_F(ATimeout, NeedsNoTimerForWhatIsReady) {
    source.set_value(3);
    auto limited = std::move(sink).timeout(0ms);
    EXPECT_EQ(loop.armed_timers(), 0U);
    EXPECT_EQ(limited.get(), 3);
}

TEST_F(ATimeout, OfNothingIsOverWithTheNextTurn) {
    for (const auto duration : {0ms, -1ms, std::chrono::milliseconds::min()}) {
        promise<int> late(loop);
        auto limited = late.get_future().timeout(duration);
        loop.pass(1min); // since this is by how much the clocks may differ
        EXPECT_THROW(limited.get(), timed_out);
    }
}

TEST_F(ATimeout, MayBeForEver) {
    auto limited = std::move(sink).timeout(std::chrono::milliseconds::max());
    loop.pass(24h * 365 * 100);
    EXPECT_FALSE(limited.ready());
    source.set_value(3);
    EXPECT_EQ(limited.get(), 3);
}

TEST_F(ATimeout, ThatIsCancelledCancelsItsSource) {
    auto limited = std::move(sink).timeout(1h);
    EXPECT_TRUE(limited.cancel());
    EXPECT_TRUE(limited.ready());
    EXPECT_EQ(loop.armed_timers(), 0U);
    EXPECT_FALSE(source.set_value(3));
    EXPECT_THROW(limited.get(), cancelled);
}

TEST_F(ATimeout, PassesOnACancel) {
    promise<int> inner(loop);
    auto child = inner.get_future().then([](int value) { return value; }).timeout(1h);
    loop.cancel_pending();
    loop.run();
    EXPECT_TRUE(child.cancelled());
    EXPECT_EQ(loop.armed_timers(), 0U);
}

TEST_F(ATimeout, ReachesASharedSourceWhenNobodyElseWantsIt) {
    const auto shared = std::move(sink).share();
    auto other = shared.then([](int value) { return value; });
    auto limited = shared.then([](int value) { return value; }).timeout(1h);
    loop.pass(2h);
    EXPECT_THROW(limited.get(), timed_out);
    EXPECT_TRUE(source.set_value(3));
    loop.run();
    EXPECT_EQ(other.get(), 3);
}

TEST_F(ATimeout, IsReadyWhenItsSourceHasLetGo) {
    future<int> slow;
    future<int> limited;
    // The source runs when the time is over, and cannot be broken off.
    slow = std::move(sink).then([&](int value) {
        loop.pass(2h);
        EXPECT_FALSE(limited.ready());
        return value;
    });
    limited = std::move(slow).timeout(1h);
    source.set_value(1);
    loop.run();
    EXPECT_THROW(limited.get(), timed_out);
}

TEST_F(ATimeout, IsStartedOnAnotherThread) {
    future<int> limited;
    std::thread([&] { limited = std::move(sink).timeout(1h); }).join();
    EXPECT_EQ(loop.armed_timers(), 0U);
    loop.run();
    EXPECT_EQ(loop.armed_timers(), 1U);
    loop.pass(2h);
    EXPECT_THROW(limited.get(), timed_out);
}

TEST_F(ATimeout, IsOverOnAnotherThread) {
    auto limited = std::move(sink).timeout(1h);
    std::thread([&] { source.set_value(2); }).join();
    EXPECT_EQ(loop.armed_timers(), 1U);
    loop.run();
    EXPECT_EQ(loop.armed_timers(), 0U);
    EXPECT_EQ(limited.get(), 2);
}

class timerless_executor final : public executor {
public:
    ~timerless_executor() override { retire(); }
    void post(unique_function<void()> callable) override { queue_.push_back(std::move(callable)); }
    bool runs_here() const noexcept override { return home_ == std::this_thread::get_id(); }
    void run() {
        for (auto& each : std::exchange(queue_, {}))
            each();
    }

private:
    std::thread::id home_ = std::this_thread::get_id();
    std::vector<unique_function<void()>> queue_;
};

TEST_F(ATimeout, IsRefusedWhereThereIsNoTimer) {
    timerless_executor plain;
    promise<int> pending(plain);
    auto unchanged = pending.get_future();
    try {
        (void)std::move(unchanged).timeout(1h);
        FAIL();
    } catch (const usage_error& error) {
        EXPECT_EQ(error.code(), errc::no_loop);
    }
    EXPECT_TRUE(unchanged.valid()); // NOLINT(bugprone-use-after-move)
    EXPECT_TRUE(pending.set_value(4));
    EXPECT_EQ(unchanged.get(), 4);
}

TEST_F(ATimeout, FailsWhereThereIsNoTimerSeenFromAnotherThread) {
    timerless_executor plain;
    promise<int> pending(plain);
    auto limited = pending.get_future();
    std::thread([&] { limited = std::move(limited).timeout(1h); }).join();
    plain.run();
    ASSERT_TRUE(limited.ready());
    EXPECT_FALSE(pending.set_value(4));
    EXPECT_THROW(limited.get(), usage_error);
}

TEST_F(ATimeout, OfWhatIsReadyWithoutAnExecutorIsReady) {
    auto value = make_ready_future(1).timeout(1h);
    EXPECT_TRUE(value.ready());
    EXPECT_EQ(value.get(), 1);
}

} // namespace
