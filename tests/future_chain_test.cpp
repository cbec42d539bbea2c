// SPDX-License-Identifier: MIT
// What may be long must not become a deep stack.
#include "support/manual_executor.hpp"
#include <curlicue/future.hpp>

#include <chrono>
#include <stdexcept>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;

namespace {

class AChain : public testing::Test {
protected:
    manual_executor loop;
    promise<int> source{loop};
    future<int> sink = source.get_future();
};

constexpr int links = 100'000;

future<int> chain_of(future<int> first) {
    for (int i = 0; i != links; ++i)
        first = std::move(first).then([](int value) { return value + 1; });
    return first;
}

TEST_F(AChain, MayBeLong) {
    auto last = chain_of(std::move(sink));
    source.set_value(0);
    loop.run();
    EXPECT_EQ(last.get(), links);
}

TEST_F(AChain, MayBeLongWhenItIsCancelled) {
    auto last = chain_of(std::move(sink));
    EXPECT_TRUE(last.cancel());
    EXPECT_TRUE(last.ready());
    EXPECT_FALSE(source.set_value(1));
}

TEST_F(AChain, MayBeLongWhenItFails) {
    auto last = chain_of(std::move(sink));
    source.set_exception(std::make_exception_ptr(std::runtime_error("failed")));
    loop.run();
    EXPECT_THROW(last.get(), std::runtime_error);
}

TEST_F(AChain, MayBeLongWhenItIsDropped) {
    { const auto dropped = chain_of(std::move(sink)); }
    { const auto broken = std::move(source); }
    loop.run();
    EXPECT_EQ(loop.unobserved_failures().size(), 1U);
}

TEST_F(AChain, MayBeLongWhenTheExecutorGoes) {
    auto last = chain_of(std::move(sink));
    loop.close();
    EXPECT_TRUE(last.cancelled());
    EXPECT_TRUE(last.ready());
}

TEST_F(AChain, MayBeLongWithoutAnExecutor) {
    source.set_value(0);
    loop.close();
    EXPECT_EQ(chain_of(std::move(sink)).get(), links);
}

// Each turn waits for the next: futures in futures.
future<int> count_down(executor& loop, int left) {
    promise<int> turn(loop);
    auto next = turn.get_future();
    turn.set_value(left);
    return std::move(next).then([&loop](int rest) {
        if (rest != 0)
            return count_down(loop, rest - 1);
        promise<int> end(loop);
        auto last = end.get_future();
        end.set_value(0);
        return last;
    });
}

TEST_F(AChain, OfFuturesThatReturnFuturesMayBeLong) {
    auto counted = count_down(loop, links);
    loop.run();
    EXPECT_EQ(counted.get(), 0);
}

TEST_F(AChain, OfTimeoutsMayBeLong) {
    for (int i = 0; i != links; ++i)
        sink = std::move(sink).timeout(std::chrono::hours(1));
    EXPECT_EQ(loop.armed_timers(), static_cast<std::size_t>(links));
    source.set_value(3);
    loop.run();
    EXPECT_EQ(sink.get(), 3);
    EXPECT_EQ(loop.armed_timers(), 0U);
}

TEST_F(AChain, OfCombinationsMayBeLong) {
    for (int i = 0; i != links; ++i) {
        std::vector<future<int>> one;
        one.push_back(std::move(sink));
        sink = race(std::move(one));
    }
    source.set_value(3);
    loop.run();
    EXPECT_EQ(sink.get(), 3);
}

} // namespace
