// SPDX-License-Identifier: MIT
// What futures allocate.
#include "support/allocations.hpp"
#include "support/manual_executor.hpp"
#include <curlicue/task.hpp>

#include <stop_token>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;

namespace {

class ACost : public testing::Test {
protected:
    // How many allocations `call` makes.
    template <class F> static int cost(F&& call) {
        const int before = allocations();
        call();
        return allocations() - before;
    }

    manual_executor loop;
};

TEST_F(ACost, OfAPromiseAndItsFutureIsOneAllocation) {
    EXPECT_EQ(cost([&] {
                  promise<int> source(loop);
                  auto sink = source.get_future();
                  source.set_value(1);
                  sink.get();
              }),
              1);
}

TEST_F(ACost, OfAContinuationIsOneMore) {
    EXPECT_EQ(cost([&] {
                  promise<int> source(loop);
                  auto child = source.get_future().then([](int value) { return value; });
                  source.set_value(1);
                  loop.run();
                  child.get();
              }),
              2);
}

TEST_F(ACost, OfACancelIsNone) {
    promise<int> source(loop);
    auto child = source.get_future().then([](int value) { return value; });
    EXPECT_EQ(cost([&] { child.cancel(); }), 0);
}

TEST_F(ACost, OfASharedFutureIsNone) {
    promise<int> source(loop);
    EXPECT_EQ(cost([&] {
                  const auto shared = source.get_future().share();
                  const auto copy = shared;
              }),
              0);
}

TEST_F(ACost, OfAStopTokenIsTheFuture) {
    std::stop_source stop;
    promise<int> source(loop);
    auto sink = source.get_future();
    EXPECT_EQ(cost([&] { sink = std::move(sink).with(stop.get_token()); }), 1);
}

TEST_F(ACost, OfAnAwaitIsNone) {
    constexpr int awaits = 10;
    std::vector<promise<int>> sources;
    std::vector<future<int>> sinks;
    for (int i = 0; i != awaits; ++i)
        sinks.push_back(sources.emplace_back(loop).get_future());
    auto done = co_spawn(loop, [&]() -> task<int> {
        int sum = 0;
        for (auto& each : sinks)
            sum += co_await std::move(each);
        co_return sum;
    });
    EXPECT_EQ(cost([&] {
                  loop.run();
                  for (auto& each : sources) {
                      each.set_value(1);
                      loop.run();
                  }
              }),
              1)
        << "the frame of the task that the callable returned";
    EXPECT_EQ(done.get(), awaits);
}

TEST_F(ACost, OfASmallCallableIsNone) {
    EXPECT_EQ(cost([&] {
                  unique_function<void()> function = [a = this, b = this, c = this] {
                      (void)a, (void)b, (void)c;
                  };
                  auto moved = std::move(function);
                  moved();
              }),
              0);
}

} // namespace
