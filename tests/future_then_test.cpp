// SPDX-License-Identifier: MIT
// What runs when a future is ready.
#include "support/manual_executor.hpp"
#include <curlicue/future.hpp>

#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;

namespace {

class AContinuation : public testing::Test {
protected:
    manual_executor loop;
    promise<int> source{loop};
    future<int> sink = source.get_future();

    void fail() { source.set_exception(std::make_exception_ptr(std::runtime_error("failed"))); }
};

TEST_F(AContinuation, RunsFromTheQueueAndNowhereElse) {
    int calls = 0;
    auto child = std::move(sink).then([&](int value) {
        ++calls;
        return value + 1;
    });
    EXPECT_FALSE(sink.valid()); // NOLINT(bugprone-use-after-move)
    source.set_value(1);
    EXPECT_EQ(calls, 0);
    EXPECT_EQ(loop.run(), 1U);
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(child.get(), 2);
}

TEST_F(AContinuation, OfAReadyFutureRunsFromTheQueueToo) {
    source.set_value(1);
    int calls = 0;
    auto child = std::move(sink).then([&](int) { ++calls; });
    EXPECT_EQ(calls, 0);
    loop.run();
    EXPECT_EQ(calls, 1);
    child.get();
}

TEST_F(AContinuation, RunsAtOnceWhereTheExecutorIsGone) {
    source.set_value(1);
    loop.close();
    auto child = std::move(sink).then([](int value) { return value + 1; }).then([](int value) {
        return value * 10;
    });
    ASSERT_TRUE(child.ready());
    EXPECT_EQ(child.get(), 20);
}

TEST_F(AContinuation, IsDestroyedBeforeItsFutureIsReady) {
    std::optional<bool> ready;
    auto child = std::make_shared<future<void>>();
    struct on_destruction {
        std::optional<bool>* ready;
        std::weak_ptr<future<void>> child;
        ~on_destruction() {
            if (const auto there = child.lock())
                *ready = there->ready();
        }
    };
    auto watch = std::make_unique<on_destruction>(on_destruction{&ready, {}});
    watch->child = child;
    *child = std::move(sink).then([watch = std::move(watch)](int) {});
    ready.reset();
    source.set_value(1);
    loop.run();
    EXPECT_EQ(ready, std::optional(false));
    EXPECT_TRUE(child->ready());
}

TEST_F(AContinuation, MayOnlyMove) {
    auto child = std::move(sink).then(
        [owned = std::make_unique<int>(5)](int value) { return *owned + value; });
    source.set_value(1);
    loop.run();
    EXPECT_EQ(child.get(), 6);
}

TEST_F(AContinuation, MayBeAMember) {
    promise<std::string> text(loop);
    auto length = text.get_future().then(&std::string::size);
    text.set_value("four");
    loop.run();
    EXPECT_EQ(length.get(), 4U);
}

TEST_F(AContinuation, OfAFailureIsSkipped) {
    int calls = 0;
    auto child = std::move(sink).then([&](int) { ++calls; });
    fail();
    loop.run();
    EXPECT_THROW(child.get(), std::runtime_error);
    EXPECT_EQ(calls, 0);
}

TEST_F(AContinuation, ThatThrowsFailsItsFuture) {
    auto child = std::move(sink).then([](int) -> int { throw std::logic_error("thrown"); });
    source.set_value(1);
    loop.run();
    EXPECT_THROW(child.get(), std::logic_error);
}

TEST_F(AContinuation, OfBothSeesTheValueAndTheFailure) {
    auto value = std::move(sink).then_result([](result<int>&& outcome) { return outcome.value(); });
    source.set_value(3);
    loop.run();
    EXPECT_EQ(value.get(), 3);

    promise<int> failing(loop);
    auto failed = failing.get_future().then_result([](result<int>&& outcome) {
        EXPECT_FALSE(outcome.has_value());
        return outcome.error();
    });
    failing.set_error(std::make_error_code(std::errc::timed_out));
    loop.run();
    EXPECT_EQ(failed.get(), std::errc::timed_out);
}

TEST_F(AContinuation, OfAFailureStandsInForTheValue) {
    auto child = std::move(sink).catch_error([](const std::exception_ptr& why) {
        EXPECT_THROW(std::rethrow_exception(why), std::runtime_error);
        return -1;
    });
    fail();
    loop.run();
    EXPECT_EQ(child.get(), -1);
}

TEST_F(AContinuation, OfAFailureLetsAValuePass) {
    auto child = std::move(sink).catch_error([](const std::exception_ptr&) { return -1; });
    source.set_value(3);
    loop.run();
    EXPECT_EQ(child.get(), 3);
}

TEST_F(AContinuation, OfAFailureMayReturnAFuture) {
    promise<int> spare(loop);
    auto child = std::move(sink).catch_error(
        [later = spare.get_future()](const std::exception_ptr&) mutable {
            return std::move(later);
        });
    fail();
    loop.run();
    EXPECT_FALSE(child.ready());
    spare.set_value(8);
    loop.run();
    EXPECT_EQ(child.get(), 8);
}

TEST_F(AContinuation, ThatReturnsAFutureIsWaitedFor) {
    promise<std::string> second(loop);
    auto child = std::move(sink).then(
        [later = second.get_future()](int) mutable { return std::move(later); });
    static_assert(std::is_same_v<decltype(child), future<std::string>>);
    source.set_value(1);
    loop.run();
    EXPECT_FALSE(child.ready());
    second.set_value("both");
    loop.run();
    EXPECT_EQ(child.get(), "both");
}

TEST_F(AContinuation, ThatReturnsAReadyFutureNeedsNoMoreTurns) {
    promise<int> second(loop);
    second.set_value(4);
    auto child = std::move(sink).then(
        [later = second.get_future()](int) mutable { return std::move(later); });
    source.set_value(1);
    EXPECT_EQ(loop.run(), 1U);
    EXPECT_EQ(child.get(), 4);
}

TEST_F(AContinuation, ThatReturnsAnEmptyFutureFails) {
    auto child = std::move(sink).then([](int) { return future<int>(); });
    source.set_value(1);
    loop.run();
    EXPECT_THROW(child.get(), usage_error);
}

TEST_F(AContinuation, ForAnyOutcomeLetsThatOutcomePass) {
    int calls = 0;
    auto value = std::move(sink).finally([&] { ++calls; });
    source.set_value(3);
    loop.run();
    EXPECT_EQ(value.get(), 3);

    promise<int> failing(loop);
    auto failed = failing.get_future().finally([&] { ++calls; });
    failing.set_error(errc::timed_out);
    loop.run();
    EXPECT_THROW(failed.get(), timed_out);
    EXPECT_EQ(calls, 2);
}

TEST_F(AContinuation, ForAnyOutcomeThatThrowsFails) {
    auto child = std::move(sink).finally([] { throw std::logic_error("thrown"); });
    source.set_value(3);
    loop.run();
    EXPECT_THROW(child.get(), std::logic_error);
}

TEST_F(AContinuation, OfADetachedFutureSeesItsFailureOnly) {
    int calls = 0;
    std::move(sink).detach([&](const std::exception_ptr&) { ++calls; });
    fail();
    loop.run();
    EXPECT_EQ(calls, 1);

    promise<int> good(loop);
    good.get_future().detach([&](const std::exception_ptr&) { ++calls; });
    good.set_value(1);
    promise<int> dropped(loop);
    auto cancelled = dropped.get_future();
    cancelled.cancel();
    std::move(cancelled).detach([&](const std::exception_ptr&) { ++calls; });
    loop.run();
    EXPECT_EQ(calls, 1);
    EXPECT_TRUE(loop.unobserved_failures().empty());
}

TEST_F(AContinuation, OfADetachedFutureThatThrowsIsAnUnobservedFailure) {
    std::move(sink).detach([](const std::exception_ptr&) { throw std::logic_error("thrown"); });
    fail();
    loop.run();
    ASSERT_EQ(loop.unobserved_failures().size(), 1U);
    EXPECT_THROW(std::rethrow_exception(loop.unobserved_failures()[0]), std::logic_error);
}

TEST_F(AContinuation, IsNotWantedByADetachedFuture) {
    bool ran = false;
    std::move(sink).then([&](int) { ran = true; }).detach();
    source.set_value(1);
    promise<int> dropped(loop);
    auto cancelled = dropped.get_future();
    cancelled.cancel();
    std::move(cancelled).detach();
    loop.run();
    EXPECT_TRUE(ran);
    EXPECT_TRUE(loop.unobserved_failures().empty());

    promise<int> bad(loop);
    auto failing = bad.get_future();
    std::move(failing).detach();
    EXPECT_FALSE(failing.valid());
    bad.set_exception(std::make_exception_ptr(std::logic_error("nobody looks")));
    { const auto gone = std::move(bad); }
    loop.run();
    ASSERT_EQ(loop.unobserved_failures().size(), 1U);
    EXPECT_THROW(std::rethrow_exception(loop.unobserved_failures()[0]), std::logic_error);
    EXPECT_THROW(future<int>().detach(), usage_error);
}

TEST_F(AContinuation, RunsWhenItsFutureIsDropped) {
    int calls = 0;
    (void)std::move(sink).then([&](int) { ++calls; });
    source.set_value(1);
    loop.run();
    EXPECT_EQ(calls, 1);
}

TEST_F(AContinuation, FulfilsAFutureOfTheStandard) {
    auto theirs = std::move(sink).to_std();
    source.set_value(6);
    loop.run();
    EXPECT_EQ(theirs.get(), 6);

    promise<void> failing(loop);
    auto failed = failing.get_future().to_std();
    failing.set_error(errc::timed_out);
    loop.run();
    EXPECT_THROW(failed.get(), timed_out);

    promise<void> dropped(loop);
    auto closed = dropped.get_future().to_std();
    loop.close();
    EXPECT_THROW(closed.get(), cancelled);
}

TEST_F(AContinuation, MayWaitForOneThatIsToldAfterItWhereTheExecutorIsGone) {
    source.set_value(1);
    loop.close();
    manual_executor other;
    promise<int> inner(other);
    const auto shared =
        std::move(sink)
            .then([later = inner.get_future()](int) mutable { return std::move(later); })
            .share();
    future<int> second;
    auto first = shared.then([&](int value) { return value + second.get(); });
    second = shared.then([](int value) { return value * 10; });
    inner.set_value(4);
    EXPECT_EQ(first.get(), 44);
}

} // namespace
