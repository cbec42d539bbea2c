// SPDX-License-Identifier: MIT
// A spawned task that is cancelled, in every phase of its life.
#include "support/manual_executor.hpp"
#include <curlicue/task.hpp>

#include <memory>
#include <utility>

#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;

namespace {

class ACancelledTask : public testing::Test {
protected:
    manual_executor loop;
    promise<int> source{loop};
    future<int> sink = source.get_future();
    promise<int> later{loop};
    future<int> next = later.get_future();
};

task<int> pass_on(future<int> awaited) { co_return co_await std::move(awaited); }

TEST_F(ACancelledTask, IsDestroyedIfItWasNotStarted) {
    const auto token = std::make_shared<int>();
    bool started = false;
    auto done = co_spawn(loop, [&started, token]() -> task<> {
        started = true;
        co_return;
    });
    EXPECT_TRUE(done.cancel());
    EXPECT_TRUE(done.ready());
    EXPECT_EQ(token.use_count(), 1);
    loop.run();
    EXPECT_FALSE(started);
    EXPECT_THROW(done.get(), cancelled);
}

TEST_F(ACancelledTask, SeesItInTheAwaitThatItIsSuspendedIn) {
    bool seen = false;
    auto done = co_spawn(loop, [&]() -> task<int> {
        try {
            co_return co_await std::move(sink);
        } catch (const cancelled&) {
            seen = true;
            throw;
        }
    });
    loop.run();
    EXPECT_TRUE(done.cancel());
    EXPECT_TRUE(done.cancelled());
    EXPECT_FALSE(done.ready()) << "its coroutine has not ended yet";
    EXPECT_FALSE(source.set_value(1));
    loop.run();
    EXPECT_TRUE(seen);
    EXPECT_TRUE(done.ready());
    EXPECT_THROW(done.get(), cancelled);
}

TEST_F(ACancelledTask, SeesItInANestedTask) {
    auto done = co_spawn(loop, [&]() -> task<int> { co_return co_await pass_on(std::move(sink)); });
    loop.run();
    EXPECT_TRUE(done.cancel());
    EXPECT_FALSE(source.set_value(1));
    loop.run();
    EXPECT_TRUE(done.ready());
}

TEST_F(ACancelledTask, SeesItInItsNextAwaitIfItIsRunning) {
    future<int> done;
    bool after_cancel = false;
    done = co_spawn(loop, [&]() -> task<int> {
        EXPECT_TRUE(done.cancel());
        after_cancel = true;
        co_return co_await std::move(sink);
    });
    loop.run();
    EXPECT_TRUE(after_cancel);
    EXPECT_TRUE(done.ready());
    EXPECT_FALSE(source.set_value(1));
}

TEST_F(ACancelledTask, SeesItInItsNextAwaitIfTheFirstWasQuicker) {
    bool first = false;
    auto done = co_spawn(loop, [&]() -> task<int> {
        co_await std::move(sink);
        first = true;
        co_return co_await std::move(next);
    });
    loop.run();
    source.set_value(1);
    EXPECT_TRUE(done.cancel());
    loop.run();
    EXPECT_TRUE(first);
    EXPECT_TRUE(done.ready());
    EXPECT_FALSE(later.set_value(1));
}

TEST_F(ACancelledTask, SeesItOnce) {
    auto done = co_spawn(loop, [&]() -> task<int> {
        try {
            co_await std::move(sink);
        } catch (const cancelled&) {
        }
        co_return co_await std::move(next);
    });
    loop.run();
    EXPECT_TRUE(done.cancel());
    EXPECT_FALSE(done.cancel());
    loop.run();
    EXPECT_FALSE(done.ready()) << "it cleans up";
    EXPECT_TRUE(later.set_value(2));
    loop.run();
    EXPECT_TRUE(done.ready());
    EXPECT_THROW(done.get(), cancelled) << "whatever it returned";
}

TEST_F(ACancelledTask, LeavesASharedFutureToTheOthers) {
    const auto shared = std::move(sink).share();
    const auto body = [](shared_future<int> awaited) -> task<int> { co_return co_await awaited; };
    auto first = co_spawn(loop, body(shared));
    auto second = co_spawn(loop, body(shared));
    loop.run();
    EXPECT_TRUE(first.cancel());
    loop.run();
    EXPECT_TRUE(first.ready());
    EXPECT_FALSE(shared.cancelled());
    EXPECT_TRUE(source.set_value(3));
    loop.run();
    EXPECT_EQ(second.get(), 3);
}

TEST_F(ACancelledTask, CancelsASharedFutureThatOnlyItAwaits) {
    const auto shared = std::move(sink).share();
    auto done = co_spawn(loop, [&]() -> task<int> { co_return co_await shared; });
    loop.run();
    EXPECT_TRUE(done.cancel());
    EXPECT_TRUE(shared.cancelled());
    loop.run();
    EXPECT_TRUE(done.ready());
}

TEST_F(ACancelledTask, CancelsTheTaskWhoseFutureItAwaits) {
    auto inner = co_spawn(loop, pass_on(std::move(sink)));
    auto outer = co_spawn(loop, pass_on(std::move(inner)));
    loop.run();
    EXPECT_TRUE(outer.cancel());
    EXPECT_FALSE(source.set_value(1));
    loop.run();
    EXPECT_TRUE(outer.ready());
}

TEST_F(ACancelledTask, IsReachedThroughChildren) {
    auto child = co_spawn(loop, pass_on(std::move(sink))).then([](int value) { return value; });
    loop.run();
    EXPECT_TRUE(child.cancel());
    EXPECT_FALSE(source.set_value(1));
    EXPECT_FALSE(child.ready());
    loop.run();
    EXPECT_TRUE(child.ready());
}

TEST_F(ACancelledTask, ThatHasEndedStaysAsItIs) {
    source.set_value(1);
    auto done = co_spawn(loop, pass_on(std::move(sink)));
    loop.run();
    EXPECT_FALSE(done.cancel());
    EXPECT_EQ(done.get(), 1);
}

TEST_F(ACancelledTask, IsOneThatAnExecutorsCloseFindsSuspended) {
    manual_executor other;
    promise<int> elsewhere(other);
    const auto token = std::make_shared<int>();
    auto mine =
        co_spawn(loop, [token, this]() -> task<int> { co_return co_await std::move(sink); });
    auto theirs = co_spawn(loop, [token, awaited = elsewhere.get_future()]() mutable -> task<int> {
        co_return co_await std::move(awaited);
    });
    auto queued = co_spawn(other, [token]() -> task<> { co_return; });
    loop.run();
    loop.close();
    EXPECT_TRUE(mine.cancelled());
    EXPECT_TRUE(mine.ready());
    EXPECT_TRUE(theirs.cancelled());
    EXPECT_FALSE(elsewhere.set_value(1));
    other.close();
    EXPECT_TRUE(theirs.ready());
    EXPECT_TRUE(queued.cancelled());
    EXPECT_EQ(token.use_count(), 1);
}

TEST_F(ACancelledTask, IsOneThatAnExecutorsCloseFindsInAnotherQueue) {
    manual_executor other;
    auto done = co_spawn(loop, [&]() -> task<int> {
        co_await resume_on(other);
        co_return 1;
    });
    loop.run();
    loop.close();
    EXPECT_TRUE(done.cancelled());
    EXPECT_FALSE(done.ready());
    other.run();
    EXPECT_TRUE(done.ready());
}

} // namespace
