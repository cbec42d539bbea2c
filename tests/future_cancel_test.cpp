// SPDX-License-Identifier: MIT
// Cancelling, by hand, by a token, by the end of a scope.
#include "support/manual_executor.hpp"
#include <curlicue/future.hpp>

#include <memory>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;

namespace {

class ACancel : public testing::Test {
protected:
    manual_executor loop;
    promise<int> source{loop};
    future<int> sink = source.get_future();
    int calls = 0;
};

using AStopToken = ACancel;
using AScopedFuture = ACancel;

TEST_F(ACancel, FixesTheOutcomeOnce) {
    EXPECT_TRUE(sink.cancel());
    EXPECT_FALSE(sink.cancel());
    EXPECT_TRUE(sink.cancelled());
    EXPECT_TRUE(sink.ready());
    EXPECT_FALSE(source.set_value(1));
    EXPECT_THROW(sink.get(), cancelled);
}

TEST_F(ACancel, ComesTooLateForAReadyFuture) {
    source.set_value(1);
    EXPECT_FALSE(sink.cancel());
    EXPECT_FALSE(sink.cancelled());
    EXPECT_EQ(sink.get(), 1);
}

TEST_F(ACancel, HasACodeOfTheStandard) {
    sink.cancel();
    try {
        sink.get();
        FAIL();
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code(), std::errc::operation_canceled);
    }
}

TEST_F(ACancel, TellsTheProducerFromTheQueue) {
    source.on_cancel([&] { ++calls; });
    sink.cancel();
    EXPECT_EQ(calls, 0);
    loop.run();
    EXPECT_EQ(calls, 1);
}

TEST_F(ACancel, TellsAProducerThatAsksLate) {
    sink.cancel();
    source.on_cancel([&] { ++calls; });
    EXPECT_EQ(calls, 0);
    loop.run();
    EXPECT_EQ(calls, 1);
}

TEST_F(ACancel, TellsOnlyTheLatestHandlerOfTheProducer) {
    source.on_cancel([&] { calls += 10; });
    source.on_cancel([&] { ++calls; });
    sink.cancel();
    loop.run();
    EXPECT_EQ(calls, 1);
}

TEST_F(ACancel, ThatDoesNotHappenDestroysTheHandler) {
    const auto token = std::make_shared<int>();
    source.on_cancel([token] {});
    EXPECT_EQ(token.use_count(), 2);
    source.set_value(1);
    EXPECT_EQ(token.use_count(), 1);
    source.on_cancel([token] {});
    EXPECT_EQ(token.use_count(), 1);
}

TEST_F(ACancel, IsNoExcuseForAHandlerThatThrows) {
    source.on_cancel([] { throw std::logic_error("thrown"); });
    sink.cancel();
    loop.run();
    EXPECT_EQ(loop.unobserved_failures().size(), 1U);
}

TEST_F(ACancel, OfAChildReachesTheSource) {
    auto child = std::move(sink).then([&](int) { ++calls; }).then([&] { ++calls; });
    source.on_cancel([&] { calls += 10; });
    EXPECT_TRUE(child.cancel());
    EXPECT_TRUE(child.ready());
    EXPECT_FALSE(source.set_value(1));
    loop.run();
    EXPECT_EQ(calls, 10);
}

TEST_F(ACancel, OfAChildWhoseTurnIsQueuedSkipsIt) {
    auto child = std::move(sink).then([&](int) { ++calls; });
    source.set_value(1);
    EXPECT_TRUE(child.cancel());
    EXPECT_TRUE(child.ready());
    loop.run();
    EXPECT_EQ(calls, 0);
    EXPECT_THROW(child.get(), cancelled);
}

TEST_F(ACancel, DestroysTheCallableThatItSkips) {
    const auto token = std::make_shared<int>();
    auto child = std::move(sink).then([token](int) {});
    child.cancel();
    EXPECT_EQ(token.use_count(), 1);
}

TEST_F(ACancel, FromWithinTheContinuationLetsItEnd) {
    future<int> child;
    child = std::move(sink).then([&](int value) {
        EXPECT_TRUE(child.cancel());
        EXPECT_TRUE(child.cancelled());
        EXPECT_FALSE(child.ready());
        return value;
    });
    source.set_value(1);
    loop.run();
    EXPECT_TRUE(child.ready());
    EXPECT_THROW(child.get(), cancelled);
}

TEST_F(ACancel, ReachesTheFutureThatTheContinuationReturned) {
    promise<int> second(loop);
    second.on_cancel([&] { ++calls; });
    auto child = std::move(sink).then(
        [later = second.get_future()](int) mutable { return std::move(later); });
    source.set_value(1);
    loop.run();
    EXPECT_TRUE(child.cancel());
    EXPECT_TRUE(child.ready());
    EXPECT_FALSE(second.set_value(1));
    loop.run();
    EXPECT_EQ(calls, 1);
}

TEST_F(ACancel, ReachesTheFutureThatTheContinuationIsAboutToReturn) {
    promise<int> second(loop);
    auto child = std::make_unique<future<int>>();
    *child = std::move(sink).then([&, later = second.get_future()](int) mutable {
        child->cancel();
        return std::move(later);
    });
    source.set_value(1);
    loop.run();
    EXPECT_TRUE(child->ready());
    EXPECT_FALSE(second.set_value(1));
}

TEST_F(ACancel, LeavesAFutureAloneThatTheContinuationShares) {
    promise<int> second(loop);
    const auto shared = second.get_future().share();
    auto other = shared.then([&](int value) { return value; });
    auto child =
        std::move(sink).then([&](int) { return shared.then([](int value) { return value; }); });
    source.set_value(1);
    loop.run();
    EXPECT_TRUE(child.cancel());
    EXPECT_TRUE(child.ready());
    EXPECT_TRUE(second.set_value(2));
    loop.run();
    EXPECT_EQ(other.get(), 2);
}

TEST_F(ACancel, RunsTheContinuationForAnyOutcomeFromTheQueue) {
    auto child = std::move(sink).finally([&] { ++calls; });
    EXPECT_TRUE(child.cancel());
    EXPECT_TRUE(child.cancelled());
    EXPECT_EQ(calls, 0);
    EXPECT_FALSE(child.ready());
    loop.run();
    EXPECT_EQ(calls, 1);
    EXPECT_TRUE(child.ready());
    EXPECT_FALSE(source.set_value(1));
}

TEST_F(ACancel, RunsTheContinuationForAnyOutcomeWhoseTurnIsQueued) {
    auto child = std::move(sink).finally([&] { ++calls; });
    source.set_value(1);
    EXPECT_TRUE(child.cancel());
    loop.run();
    EXPECT_EQ(calls, 1);
    EXPECT_THROW(child.get(), cancelled);
}

TEST_F(ACancel, RunsTheContinuationForAnyOutcomeOfABranch) {
    const auto shared = std::move(sink).share();
    auto child = shared.finally([&] { ++calls; });
    auto other = shared.then([](int value) { return value; });
    EXPECT_TRUE(child.cancel());
    loop.run();
    EXPECT_EQ(calls, 1);
    EXPECT_TRUE(source.set_value(1));
    loop.run();
    EXPECT_EQ(other.get(), 1);
    EXPECT_EQ(calls, 1);
}

TEST_F(ACancel, OfTheSourceRunsWhatSeesFailures) {
    const auto shared = std::move(sink).share();
    auto value = shared.then([&](int) { ++calls; });
    auto either = shared.then_result([&](result<int>&& outcome) { calls += outcome ? 100 : 10; });
    auto spare = shared.catch_error([](const std::exception_ptr&) { return 5; });
    EXPECT_TRUE(shared.cancel());
    loop.run();
    EXPECT_EQ(calls, 10);
    EXPECT_TRUE(value.cancelled());
    EXPECT_FALSE(either.cancelled());
    EXPECT_EQ(spare.get(), 5);
}

TEST_F(AStopToken, CancelsWhenAsked) {
    std::stop_source stop;
    auto child = std::move(sink).with(stop.get_token());
    EXPECT_FALSE(child.cancelled());
    stop.request_stop();
    EXPECT_TRUE(child.cancelled());
    EXPECT_TRUE(child.ready());
    EXPECT_FALSE(source.set_value(1));
}

TEST_F(AStopToken, CancelsAtOnceWhenAskedBefore) {
    std::stop_source stop;
    stop.request_stop();
    const auto child = std::move(sink).with(stop.get_token());
    EXPECT_TRUE(child.cancelled());
    EXPECT_TRUE(child.ready());
    EXPECT_FALSE(source.set_value(1));
}

TEST_F(AStopToken, LetsTheValuePass) {
    std::stop_source stop;
    auto child = std::move(sink).with(stop.get_token());
    source.set_value(2);
    loop.run();
    EXPECT_FALSE(stop.request_stop() && child.cancelled());
    EXPECT_EQ(child.get(), 2);
}

TEST_F(AStopToken, ThatNeverStopsLetsTheValuePass) {
    auto child = std::move(sink).with({});
    source.set_value(2);
    loop.run();
    EXPECT_EQ(child.get(), 2);
}

TEST_F(AStopToken, IsNotListenedToAnyMoreWhereTheExecutorIsGone) {
    std::stop_source stop;
    source.set_value(2);
    loop.close();
    EXPECT_EQ(std::move(sink).with(stop.get_token()).get(), 2);
    stop.request_stop(); // at nobody
}

TEST_F(AStopToken, CancelsWhatNobodyHolds) {
    std::stop_source stop;
    (void)std::move(sink).with(stop.get_token());
    stop.request_stop();
    EXPECT_FALSE(source.set_value(1));
}

TEST_F(AScopedFuture, IsCancelledAtItsEnd) {
    {
        const auto guarded = scoped(std::move(sink));
        EXPECT_TRUE(guarded.valid());
    }
    EXPECT_FALSE(source.set_value(1));
}

TEST_F(AScopedFuture, IsCancelledWhenItIsAssignedTo) {
    promise<int> second(loop);
    auto guarded = scoped(std::move(sink));
    guarded = scoped(second.get_future());
    EXPECT_FALSE(source.set_value(1));
    EXPECT_TRUE(second.set_value(2));
    EXPECT_EQ(guarded.get(), 2);
}

TEST_F(AScopedFuture, IsNotCancelledOnceItIsConsumed) {
    future<int> child;
    {
        auto guarded = scoped(std::move(sink));
        child = std::move(guarded).then([](int value) { return value; });
    }
    source.set_value(1);
    loop.run();
    EXPECT_EQ(child.get(), 1);
}

} // namespace
