// SPDX-License-Identifier: MIT
// What ends with its executor, and failures that nobody looks at.
#include "support/manual_executor.hpp"
#include <curlicue/future.hpp>

#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;

namespace {

class AClose : public testing::Test {
protected:
    manual_executor loop;
    promise<int> source{loop};
    future<int> sink = source.get_future();
};

using AnUnobservedFailure = AClose;

TEST_F(AClose, CancelsPromisesInTheOrderTheyWereMade) {
    promise<int> second(loop);
    auto later = second.get_future();
    std::vector<int> order;
    auto one = std::move(sink).then_result([&](result<int>&&) { order.push_back(1); });
    auto two = std::move(later).then_result([&](result<int>&&) { order.push_back(2); });
    loop.close();
    EXPECT_EQ(order, (std::vector{1, 2}));
    EXPECT_FALSE(source.set_value(1));
}

TEST_F(AClose, CancelsWhatWaitsForAnotherExecutor) {
    manual_executor other;
    promise<int> elsewhere(other);
    auto child = std::move(sink).then(
        [later = elsewhere.get_future()](int) mutable { return std::move(later); });
    source.set_value(1);
    loop.run();
    loop.close();
    EXPECT_TRUE(child.cancelled());
    EXPECT_TRUE(child.ready());
    EXPECT_FALSE(elsewhere.set_value(1));
}

TEST_F(AClose, OfAnotherExecutorReachesWhatWaitsForIt) {
    future<int> child;
    {
        manual_executor other;
        promise<int> elsewhere(other);
        child = std::move(sink).then(
            [later = elsewhere.get_future()](int) mutable { return std::move(later); });
        source.set_value(1);
        loop.run();
        EXPECT_FALSE(child.ready());
        other.close();
    }
    EXPECT_TRUE(child.cancelled());
}

// An executor of a few lines, that its author did not retire.
class forgetful_executor final : public executor {
public:
    void post(unique_function<void()>) override { throw usage_error(errc::closed, "post"); }
    bool runs_here() const noexcept override { return false; }
};

TEST_F(AClose, HappensByItself) {
    future<int> child;
    {
        forgetful_executor forgetful;
        promise<int> pending(forgetful);
        child = pending.get_future().then_result([](result<int>&& outcome) {
            EXPECT_EQ(outcome.error(), errc::cancelled);
            return 7;
        });
        // The promise goes first; here it must not.
        const auto kept = std::make_shared<promise<int>>(std::move(pending));
        child = std::move(child).finally([kept] {});
    }
    EXPECT_EQ(child.get(), 7);
}

TEST_F(AnUnobservedFailure, IsHandedOverWhenTheLastHandleGoes) {
    source.set_exception(std::make_exception_ptr(std::runtime_error("failed")));
    EXPECT_TRUE(sink.ready());
    { const auto dropped = std::move(source); }
    EXPECT_TRUE(loop.unobserved_failures().empty());
    { const auto dropped = std::move(sink); }
    ASSERT_EQ(loop.unobserved_failures().size(), 1U);
    EXPECT_THROW(std::rethrow_exception(loop.unobserved_failures()[0]), std::runtime_error);
}

TEST_F(AnUnobservedFailure, IsThatOfTheLastChildOnly) {
    (void)std::move(sink).then([](int value) { return value; }).then([](int) {});
    source.set_error(errc::timed_out);
    { const auto dropped = std::move(source); }
    loop.run();
    EXPECT_EQ(loop.unobserved_failures().size(), 1U);
}

TEST_F(AnUnobservedFailure, IsNoneOnceSomebodyHasLooked) {
    source.set_error(errc::timed_out);
    EXPECT_THROW(sink.get(), timed_out);
    { const auto dropped = std::move(source); }
    EXPECT_TRUE(loop.unobserved_failures().empty());
}

TEST_F(AnUnobservedFailure, IsNoCancellation) {
    sink.cancel();
    { const auto dropped = std::move(sink); }
    { const auto dropped = std::move(source); }
    EXPECT_TRUE(loop.unobserved_failures().empty());
}

TEST_F(AnUnobservedFailure, IsABrokenPromise) {
    { const auto dropped = std::move(sink); }
    { const auto dropped = std::move(source); }
    EXPECT_EQ(loop.unobserved_failures().size(), 1U);
}

TEST_F(AnUnobservedFailure, IsNoPromiseThatNobodyWasGivenAFutureOf) {
    { const promise<int> unused(loop); }
    EXPECT_TRUE(loop.unobserved_failures().empty());
}

} // namespace
