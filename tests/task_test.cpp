// SPDX-License-Identifier: MIT
// Coroutines: what they await, what they give, where they run.
#include "support/manual_executor.hpp"
#include <curlicue/task.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;

namespace {

class ATask : public testing::Test {
protected:
    manual_executor loop;
    promise<int> source{loop};
    future<int> sink = source.get_future();
};

task<int> one_more(future<int> awaited) { co_return co_await std::move(awaited) + 1; }
task<int> immediate(int value) { co_return value; }
task<> nothing() { co_return; }

TEST_F(ATask, StartsFromTheQueue) {
    bool started = false;
    auto done = co_spawn(loop, [&]() -> task<> {
        started = true;
        co_return;
    });
    EXPECT_FALSE(started);
    loop.run();
    EXPECT_TRUE(started);
    EXPECT_NO_THROW(done.get());
}

TEST_F(ATask, ThatIsDroppedNeverRuns) {
    bool started = false;
    const auto body = [&]() -> task<> {
        started = true;
        co_return;
    };
    { const auto dropped = body(); }
    loop.run();
    EXPECT_FALSE(started);
}

TEST_F(ATask, AwaitsAFuture) {
    auto done = co_spawn(loop, one_more(std::move(sink)));
    loop.run();
    EXPECT_FALSE(done.ready());
    source.set_value(1);
    EXPECT_FALSE(done.ready()) << "resumed inside set_value";
    loop.run();
    EXPECT_EQ(done.get(), 2);
}

TEST_F(ATask, GoesOnAtOnceWithAReadyFuture) {
    source.set_value(1);
    auto done = co_spawn(loop, one_more(std::move(sink)));
    EXPECT_EQ(loop.run(), 1U);
    EXPECT_EQ(done.get(), 2);
}

TEST_F(ATask, AwaitsASharedFuture) {
    const auto shared = std::move(sink).share();
    const auto body = [](shared_future<int> awaited) -> task<int> {
        const int first = co_await awaited;
        co_return first + co_await awaited;
    };
    auto one = co_spawn(loop, body(shared));
    auto two = co_spawn(loop, body(shared));
    loop.run();
    source.set_value(4);
    loop.run();
    EXPECT_EQ(one.get() + two.get(), 16);
    EXPECT_EQ(shared.get(), 4);
}

TEST_F(ATask, SeesTheFailureOfWhatItAwaits) {
    auto done = co_spawn(loop, [&]() -> task<std::string> {
        try {
            co_await std::move(sink);
        } catch (const std::runtime_error& error) {
            co_return error.what();
        }
        co_return "nothing";
    });
    loop.run();
    source.set_exception(std::make_exception_ptr(std::runtime_error("seen")));
    loop.run();
    EXPECT_EQ(done.get(), "seen");
}

TEST_F(ATask, ThatThrowsFailsItsFuture) {
    auto done = co_spawn(loop, []() -> task<int> {
        throw std::runtime_error("thrown");
        co_return 1;
    });
    loop.run();
    EXPECT_THROW(done.get(), std::runtime_error);
}

TEST_F(ATask, ThatThrowsIsAnUnobservedFailure) {
    (void)co_spawn(loop, []() -> task<int> {
        throw std::runtime_error("thrown");
        co_return 1;
    });
    loop.run();
    EXPECT_EQ(loop.unobserved_failures().size(), 1U);
}

TEST_F(ATask, AwaitsOtherTasks) {
    auto done = co_spawn(loop, [&]() -> task<int> {
        co_await nothing();
        const int value = co_await one_more(std::move(sink));
        co_return value + co_await immediate(10);
    });
    loop.run();
    source.set_value(1);
    loop.run();
    EXPECT_EQ(done.get(), 12);
}

TEST_F(ATask, LetsExceptionsPassThroughTasks) {
    auto done = co_spawn(loop, [&]() -> task<int> {
        const auto inner = [&]() -> task<int> { co_return co_await one_more(std::move(sink)); };
        try {
            co_return co_await inner();
        } catch (const std::runtime_error&) {
            co_return -1;
        }
    });
    loop.run();
    source.set_exception(std::make_exception_ptr(std::runtime_error("deep")));
    loop.run();
    EXPECT_EQ(done.get(), -1);
}

TEST_F(ATask, IsAwaitedOnce) {
    auto done = co_spawn(loop, []() -> task<bool> {
        auto inner = immediate(1);
        co_await std::move(inner);
        try {
            co_await std::move(inner); // NOLINT(bugprone-use-after-move)
        } catch (const usage_error& error) {
            co_return error.code() == errc::no_state;
        }
        co_return false;
    });
    loop.run();
    EXPECT_TRUE(done.get());
}

TEST_F(ATask, ThatIsEmptyCannotBeSpawned) {
    EXPECT_THROW((void)co_spawn(loop, task<int>()), usage_error);
    auto moved = immediate(1);
    const auto taken = std::move(moved);
    EXPECT_THROW((void)co_spawn(loop, std::move(moved)), usage_error); // NOLINT
}

TEST_F(ATask, CannotBeSpawnedOnAClosedExecutor) {
    loop.cancel_pending();
    try {
        (void)co_spawn(loop, nothing());
        FAIL();
    } catch (const usage_error& error) {
        EXPECT_EQ(error.code(), errc::closed);
    }
}

TEST_F(ATask, GivesWhatOnlyMoves) {
    auto done = co_spawn(loop, [](std::unique_ptr<int> value) -> task<std::unique_ptr<int>> {
        co_return std::move(value);
    }(std::make_unique<int>(3)));
    loop.run();
    EXPECT_EQ(*done.get(), 3);
}

TEST_F(ATask, GivesWhatIsMadeOfBraces) {
    auto done = co_spawn(loop, []() -> task<std::pair<int, int>> { co_return {1, 2}; });
    loop.run();
    EXPECT_EQ(done.get().second, 2);
}

TEST_F(ATask, KeepsTheCallableThatMadeIt) {
    auto kept = std::make_shared<int>(5);
    const std::weak_ptr<int> watched = kept;
    auto done = co_spawn(loop, [this, owned = std::move(kept)]() -> task<int> {
        co_return *owned + co_await std::move(sink);
    });
    loop.run();
    EXPECT_FALSE(watched.expired());
    source.set_value(1);
    loop.run();
    EXPECT_EQ(done.get(), 6);
    EXPECT_TRUE(watched.expired());
}

TEST_F(ATask, IsGoneBeforeItsFutureIsReady) {
    std::optional<bool> ready;
    future<int> done;
    struct guard {
        std::optional<bool>& ready;
        future<int>& done;
        ~guard() { ready = done.ready(); }
    };
    done = co_spawn(loop, [&]() -> task<int> {
        const guard watching{ready, done};
        co_return co_await std::move(sink);
    });
    loop.run();
    source.set_value(1);
    loop.run();
    EXPECT_EQ(ready, std::optional(false));
    EXPECT_EQ(done.get(), 1);
}

constexpr int many = 100'000;

task<int> nested(int depth) {
    if (depth == 0)
        co_return 0;
    co_return 1 + co_await nested(depth - 1);
}

TEST_F(ATask, MayBeNestedDeeply) {
    auto done = co_spawn(loop, nested(many));
    loop.run();
    EXPECT_EQ(done.get(), many);
}

TEST_F(ATask, MayAwaitManyTasksInALoop) {
    auto done = co_spawn(loop, []() -> task<int> {
        int sum = 0;
        for (int i = 0; i != many; ++i)
            sum += co_await immediate(1);
        co_return sum;
    });
    loop.run();
    EXPECT_EQ(done.get(), many);
}

TEST_F(ATask, MayAwaitManyFuturesInALoop) {
    auto done = co_spawn(loop, [this]() -> task<int> {
        int sum = 0;
        for (int i = 0; i != many; ++i) {
            promise<int> turn(loop);
            auto next = turn.get_future();
            if (i % 2 == 0)
                turn.set_value(1);
            else
                std::exchange(source, std::move(turn)).set_value(1);
            if (i % 2 == 0)
                sum += co_await std::move(next);
        }
        co_return sum;
    });
    loop.run();
    EXPECT_EQ(done.get(), many / 2);
}

TEST_F(ATask, MayChangeItsExecutor) {
    thread_executor other;
    const auto here = std::this_thread::get_id();
    std::vector<std::thread::id> seen;
    auto done = co_spawn(loop, [&]() -> task<> {
        seen.push_back(std::this_thread::get_id());
        co_await resume_on(*other);
        seen.push_back(std::this_thread::get_id());
        co_await nothing();
        seen.push_back(std::this_thread::get_id());
        co_await resume_on(loop);
        seen.push_back(std::this_thread::get_id());
    });
    while (!done.ready())
        loop.run();
    ASSERT_EQ(seen.size(), 4U);
    EXPECT_EQ(seen[0], here);
    EXPECT_NE(seen[1], here);
    EXPECT_EQ(seen[1], seen[2]);
    EXPECT_EQ(seen[3], here);
}

TEST_F(ATask, CannotGoOnOnAClosedExecutor) {
    manual_executor other;
    other.close();
    auto done = co_spawn(loop, [&]() -> task<> { co_await resume_on(other); });
    loop.run();
    EXPECT_THROW(done.get(), usage_error);
}

TEST_F(ATask, GoesOnWhereTheFutureBelongs) {
    thread_executor other;
    promise<int> elsewhere(*other);
    auto done = co_spawn(loop, [&, later = elsewhere.get_future()]() mutable -> task<bool> {
        co_await std::move(later);
        co_return other->runs_here();
    });
    loop.run();
    elsewhere.set_value(1);
    std::thread([&] { EXPECT_TRUE(done.get()); }).join();
}

// A coroutine of another kind: starts at once, belongs to nobody.
struct foreign {
    struct promise_type {
        foreign get_return_object() const noexcept { return {}; }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() const noexcept { std::terminate(); }
    };
};

foreign await_task(task<int> awaited, int& seen) { seen = co_await std::move(awaited); }

TEST_F(ATask, IsAwaitedByCoroutinesOfOtherKinds) {
    int seen = 0;
    await_task(one_more(std::move(sink)), seen);
    EXPECT_EQ(seen, 0);
    source.set_value(1);
    loop.run();
    EXPECT_EQ(seen, 2);
}

TEST_F(ATask, MayCallCoroutinesOfOtherKinds) {
    int seen = 0;
    auto done = co_spawn(loop, [&]() -> task<int> {
        await_task(immediate(3), seen);
        const int before = seen;
        await_task(one_more(std::move(sink)), seen);
        co_return before + co_await immediate(1);
    });
    loop.run();
    EXPECT_EQ(done.get(), 4);
    source.set_value(7);
    loop.run();
    EXPECT_EQ(seen, 8);
}

} // namespace
