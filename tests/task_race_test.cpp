// SPDX-License-Identifier: MIT
// Coroutines between threads.
#include "support/at_once.hpp"
#include "support/manual_executor.hpp"
#include <curlicue/task.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <utility>

#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;

namespace {

constexpr int rounds = 2000;

class ATaskInARace : public testing::Test {
protected:
    thread_executor here;
    thread_executor there;
};

TEST_F(ATaskInARace, GoesBackAndForth) {
    const auto hops = [&]() -> task<int> {
        int count = 0;
        for (int i = 0; i != rounds; ++i) {
            co_await resume_on(*there);
            EXPECT_TRUE(there->runs_here());
            ++count;
            co_await resume_on(*here);
            EXPECT_TRUE(here->runs_here());
            ++count;
        }
        co_return count;
    };
    auto one = co_spawn(*here, hops());
    auto two = co_spawn(*there, hops());
    EXPECT_EQ(one.get() + two.get(), 4 * rounds);
}

TEST_F(ATaskInARace, AwaitsFuturesThatAnotherThreadFulfils) {
    const auto half = [](executor& where, int value) -> task<int> {
        co_await resume_on(where);
        co_return value / 2;
    };
    auto done = co_spawn(*here, [&]() -> task<int> {
        int sum = 0;
        for (int i = 0; i != rounds; ++i) {
            sum += co_await co_spawn(*there, half(*there, 2));
            sum += co_await half(*here, 2);
        }
        co_return sum;
    });
    EXPECT_EQ(done.get(), 2 * rounds);
}

// Counts who is in there.
class visitor {
public:
    explicit visitor(std::atomic<int>& inside) noexcept : inside_(inside) { ++inside_; }
    visitor(const visitor&) = delete;
    visitor& operator=(const visitor&) = delete;
    ~visitor() { --inside_; }

private:
    std::atomic<int>& inside_;
};

TEST_F(ATaskInARace, EndsOnceHoweverItIsCancelled) {
    std::optional<promise<int>> source;
    std::atomic<int> inside = 0;
    std::atomic<bool> won = false;
    future<int> sink;
    future<int> done;
    at_once(
        rounds,
        [&] {
            source.emplace(*there);
            sink = source->get_future();
            done = co_spawn(*here, [&inside, awaited = std::move(sink)]() mutable -> task<int> {
                const visitor guest(inside);
                co_return co_await std::move(awaited);
            });
        },
        [&] {
            done.wait();
            EXPECT_EQ(inside, 0);
            EXPECT_EQ(done.cancelled(), won.load());
            if (!won) {
                EXPECT_EQ(done.get(), 1);
            }
        },
        [&] { source->set_value(1); }, [&] { won = done.cancel(); });
}

TEST_F(ATaskInARace, LeavesASharedFutureOrCancelsIt) {
    std::optional<promise<int>> source;
    std::atomic<int> inside = 0;
    std::atomic<bool> kept = false;
    std::atomic<bool> won = false;
    future<int> one;
    future<int> two;
    const auto body = [&inside](shared_future<int> awaited) -> task<int> {
        const visitor guest(inside);
        for (int i = 0; i != 3; ++i)
            co_await awaited;
        co_return co_await awaited;
    };
    at_once(
        rounds,
        [&] {
            source.emplace(*there);
            const auto shared = source->get_future().share();
            one = co_spawn(*here, body(shared));
            two = co_spawn(*there, body(shared));
        },
        [&] {
            one.wait();
            two.wait();
            EXPECT_EQ(inside, 0);
            EXPECT_EQ(one.cancelled(), won.load());
            EXPECT_TRUE(kept || two.cancelled());
            if (kept) {
                EXPECT_EQ(two.get(), 1);
            }
        },
        [&] { kept = source->set_value(1); }, [&] { won = one.cancel(); });
}

} // namespace
