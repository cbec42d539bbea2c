// SPDX-License-Identifier: MIT
// What futures allocate.
#include "support/allocations.hpp"
#include "support/manual_executor.hpp"
#include <curlicue/task.hpp>

#include <new>
#include <stop_token>
#include <thread>
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
    // The same on a thread that has nothing to use again.
    template <class F> static int first_cost(F call) {
        int allocated = 0;
        std::thread([&] {
            manual_executor loop;
            allocated = cost([&] { call(loop); });
        }).join();
        return allocated;
    }
    // The same when it was done before.
    template <class F> static int later_cost(F call) {
        manual_executor loop;
        call(loop);
        return cost([&] { call(loop); });
    }

    manual_executor loop;
};

void use_a_promise(manual_executor& loop) {
    promise<int> source(loop);
    auto sink = source.get_future();
    source.set_value(1);
    sink.get();
}

void use_a_continuation(manual_executor& loop) {
    promise<int> source(loop);
    auto child = source.get_future().then([](int value) { return value; });
    source.set_value(1);
    loop.run();
    child.get();
}

void use_a_stop_token(manual_executor& loop) {
    const std::stop_source stop;
    promise<int> source(loop);
    auto sink = source.get_future().with(stop.get_token());
}

TEST_F(ACost, IsCountedWhicheverNewItIs) {
    void* memory = nullptr;
    EXPECT_EQ(cost([&] { memory = ::operator new(1, std::nothrow); }), 1);
    ::operator delete(memory);
}

TEST_F(ACost, OfAPromiseAndItsFutureIsOneAllocation) { EXPECT_EQ(first_cost(use_a_promise), 1); }

TEST_F(ACost, OfAContinuationIsOneMore) { EXPECT_EQ(first_cost(use_a_continuation), 2); }

TEST_F(ACost, OfAStopTokenIsOneMore) {
    const std::stop_source stop;
    EXPECT_EQ(first_cost(use_a_stop_token), 2 + cost([] { const std::stop_source stop; }));
}

// But for the address sanitizer, which is to see who uses memory that was freed.
TEST_F(ACost, OfAllThatWasNeededBeforeIsNone) {
    if (first_cost([](manual_executor& loop) {
            use_a_promise(loop);
            use_a_promise(loop);
        }) == 2)
        GTEST_SKIP() << "nothing is used again under this sanitizer";
    EXPECT_EQ(later_cost(use_a_promise), 0);
    EXPECT_EQ(later_cost(use_a_continuation), 0);
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
    EXPECT_LE(cost([&] {
                  loop.run();
                  for (auto& each : sources) {
                      each.set_value(1);
                      loop.run();
                  }
              }),
              1)
        << "the frame of the task that the callable returned, unless another has left its memory";
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
