// SPDX-License-Identifier: MIT
// What a future may count on when its executor, its producer or its siblings are on their way.
#include "support/manual_executor.hpp"
#include <curlicue/future.hpp>
#include <curlicue/task.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

/// A producer that hears of a cancel and lets go when the test says so.
class producer final : public detail::state<int> {
public:
    explicit producer(detail::intrusive_ptr<detail::executor_link> link)
        : detail::state<int>(std::move(link)) {}

    bool asked() const noexcept { return asked_; }
    void let_go() noexcept { settle(); }

private:
    detail::intrusive_ptr<detail::state_base> cancel_requested() noexcept override {
        asked_ = true;
        return nullptr;
    }

    std::atomic<bool> asked_{false};
};

detail::intrusive_ptr<producer> produced_by(executor& where) {
    return detail::make_intrusive<producer>(detail::executor_link::of(where));
}

// ---- without an executor

class AFutureWithoutAnExecutor : public testing::Test {
protected:
    detail::intrusive_ptr<producer> source = detail::make_intrusive<producer>(nullptr);
    future<int> sink{source};
};

TEST_F(AFutureWithoutAnExecutor, HasATimeout) {
    auto limited = std::move(sink).timeout(1ms);
    while (!source->asked())
        std::this_thread::yield();
    EXPECT_FALSE(limited.ready()) << "the producer has not let go";
    source->let_go();
    EXPECT_THROW(limited.get(), timed_out);
}

TEST_F(AFutureWithoutAnExecutor, PassesOnWhatIsInTime) {
    auto limited = std::move(sink).timeout(1h);
    EXPECT_FALSE(limited.wait_for(1ms));
    EXPECT_TRUE(source->fulfil(3));
    EXPECT_EQ(limited.get(), 3);
}

TEST_F(AFutureWithoutAnExecutor, HasManyTimeouts) {
    std::vector<future<int>> all;
    std::vector<detail::intrusive_ptr<producer>> sources;
    for (int i = 0; i != 100; ++i) {
        sources.push_back(detail::make_intrusive<producer>(nullptr));
        all.push_back(future<int>(sources.back()).timeout(i % 2 == 0 ? 1ms : 1h));
    }
    for (int i = 0; i != 100; i += 2) {
        while (!sources[i]->asked())
            std::this_thread::yield();
        sources[i]->let_go();
        sources[i + 1]->fulfil(i);
        EXPECT_THROW(all[i].get(), timed_out);
        EXPECT_EQ(all[i + 1].get(), i);
    }
}

TEST_F(AFutureWithoutAnExecutor, HasATimeoutThatIsCancelled) {
    auto limited = std::move(sink).timeout(1h);
    EXPECT_TRUE(limited.cancel());
    EXPECT_TRUE(source->asked());
    source->let_go();
    EXPECT_THROW(limited.get(), cancelled);
}

TEST_F(AFutureWithoutAnExecutor, HasATimeoutWhateverItWentThrough) {
    std::vector<future<int>> one;
    one.push_back(std::move(sink));
    auto limited = when_all(std::move(one))
                       .then([](std::vector<result<int>> all) { return all.front().value(); })
                       .timeout(1ms);
    while (!source->asked())
        std::this_thread::yield();
    source->let_go();
    EXPECT_THROW(limited.get(), timed_out);
}

TEST_F(AFutureWithoutAnExecutor, ListensToAStopToken) {
    std::stop_source stop;
    auto stoppable = std::move(sink).with(stop.get_token());
    stop.request_stop();
    EXPECT_TRUE(source->asked());
    source->let_go();
    EXPECT_THROW(stoppable.get(), cancelled);
}

TEST_F(AFutureWithoutAnExecutor, IsAwaitedByATask) {
    thread_executor elsewhere;
    auto sum = co_spawn(*elsewhere, [&]() -> task<int> {
        const int first = co_await std::move(sink);
        co_return first + 1;
    });
    EXPECT_FALSE(sum.wait_for(1ms));
    source->fulfil(3);
    EXPECT_EQ(sum.get(), 4);
}

TEST_F(AFutureWithoutAnExecutor, IsNotWaitedForAtTheEndOfAScope) {
    { const auto guarded = scoped(std::move(sink)); }
    EXPECT_TRUE(source->asked());
    source->let_go();
}

TEST(AFutureWhoseExecutorIsGone, HasATimeout) {
    future<int> outer;
    const auto inner = detail::make_intrusive<producer>(nullptr);
    {
        manual_executor loop;
        promise<void> first(loop);
        outer = first.get_future().then([&] { return future<int>(inner); }).finally([] {});
        first.set_value();
        loop.run();
        EXPECT_TRUE(inner->asked() || !outer.ready());
    }
    auto limited = std::move(outer).timeout(1ms);
    while (!inner->asked())
        std::this_thread::yield();
    inner->let_go();
    EXPECT_TRUE(limited.wait_for(1h));
}

// ---- a producer that no cancel reaches

class going_on final : public detail::state<int> {
public:
    explicit going_on(executor& where) : detail::state<int>(detail::executor_link::of(where)) {
        goes_on_without_consumers();
        fix();
        store(3);
    }
    using detail::state<int>::settle;
};

TEST(WhatNoCancelReaches, IsLeftByATimeoutThatIsOver) {
    manual_executor loop;
    const auto source = detail::make_intrusive<going_on>(loop);
    auto limited = future<int>(source).timeout(1h);
    loop.pass(2h);
    ASSERT_TRUE(limited.ready());
    EXPECT_THROW(limited.get(), timed_out);
    future<int> other(source);
    EXPECT_FALSE(other.cancel());
    source->settle();
    EXPECT_EQ(other.get(), 3);
}

TEST(WhatNoCancelReaches, IsLeftByACombinationThatIsCancelled) {
    manual_executor loop;
    const auto source = detail::make_intrusive<going_on>(loop);
    std::vector<future<int>> both;
    both.emplace_back(source);
    both.emplace_back(source);
    auto waited = when_all(std::move(both));
    EXPECT_TRUE(waited.cancel());
    EXPECT_TRUE(waited.ready());
    source->settle();
}

// ---- siblings

class Siblings : public testing::Test {
protected:
    std::vector<future<int>> both() {
        std::vector<future<int>> futures;
        futures.push_back(quick.get_future());
        futures.emplace_back(held);
        return futures;
    }

    manual_executor loop;
    promise<int> quick{loop};
    detail::intrusive_ptr<producer> held = produced_by(loop);
};

TEST_F(Siblings, AreWaitedForByARaceThatTheyHaveLost) {
    auto first = race(both());
    quick.set_value(1);
    EXPECT_TRUE(held->asked());
    EXPECT_FALSE(first.ready());
    held->let_go();
    ASSERT_TRUE(first.ready());
    EXPECT_EQ(first.get(), 1);
}

TEST_F(Siblings, AreWaitedForByARaceThatWasWonBefore) {
    quick.set_value(1);
    auto first = race(both());
    EXPECT_TRUE(held->asked());
    EXPECT_FALSE(first.ready());
    held->let_go();
    EXPECT_EQ(first.get(), 1);
}

TEST_F(Siblings, WhoseFutureOthersHaveAreNotWaitedForByARace) {
    const auto shared = future<int>(held).share();
    const auto other = shared.then([](int value) { return value; });
    auto first = race(shared, quick.get_future().share());
    quick.set_value(1);
    EXPECT_FALSE(held->asked());
    ASSERT_TRUE(first.ready());
    EXPECT_EQ(first.get(), 1);
    held->fulfil(2);
}

TEST_F(Siblings, RunOnWhenAGatherHasFailed) {
    auto gathered = gather(both());
    quick.set_error(errc::timed_out);
    EXPECT_TRUE(gathered.ready());
    EXPECT_FALSE(held->asked());
    held->fulfil(2);
}

template <class Combine> void expect_a_cancel_that_waits(producer& held, Combine combined) {
    EXPECT_TRUE(combined.cancel());
    EXPECT_TRUE(held.asked());
    EXPECT_FALSE(combined.ready());
    held.let_go();
    EXPECT_TRUE(combined.ready());
}

TEST_F(Siblings, AreWaitedForByACancelledWhenAll) {
    expect_a_cancel_that_waits(*held, when_all(both()));
}
TEST_F(Siblings, AreWaitedForByACancelledGather) {
    expect_a_cancel_that_waits(*held, gather(both()));
}
TEST_F(Siblings, AreWaitedForByACancelledWhenAny) {
    expect_a_cancel_that_waits(*held, when_any(both()));
}
TEST_F(Siblings, AreWaitedForByACancelledRace) { expect_a_cancel_that_waits(*held, race(both())); }

// ---- the end of a scope

TEST(AScope, EndsWhenTheProducerOnAnotherThreadHasLetGo) {
    thread_executor elsewhere;
    const auto held = produced_by(*elsewhere);
    bool let_go = false;
    std::thread lets_go([&] {
        while (!held->asked())
            std::this_thread::yield();
        std::this_thread::sleep_for(20ms);
        let_go = true;
        held->let_go();
    });
    { const auto guarded = scoped(future<int>(held)); }
    EXPECT_TRUE(let_go);
    lets_go.join();
}

TEST(AScope, EndsSoWhenItsFutureIsReplaced) {
    thread_executor elsewhere;
    const auto held = produced_by(*elsewhere);
    bool let_go = false;
    std::thread lets_go([&] {
        while (!held->asked())
            std::this_thread::yield();
        std::this_thread::sleep_for(20ms);
        let_go = true;
        held->let_go();
    });
    auto guarded = scoped(future<int>(held));
    guarded = scoped(future<int>());
    EXPECT_TRUE(let_go);
    lets_go.join();
}

TEST(AScope, WaitsForNothingOnTheExecutorsOwnThread) {
    manual_executor loop;
    const auto held = produced_by(loop);
    { const auto guarded = scoped(future<int>(held)); }
    EXPECT_TRUE(held->asked());
    EXPECT_FALSE(held->ready());
    held->let_go();
}

// ---- depth

#ifdef __SANITIZE_THREAD__ // takes minutes, and frames that are several times as large
constexpr int deep = 20'000;
#else
constexpr int deep = 200'000;
#endif

class Depth : public testing::Test {
protected:
    template <class Wrap> future<void> wrapped(Wrap wrap) {
        auto all = source.get_future();
        for (int i = 0; i != deep; ++i) {
            std::vector<future<void>> one;
            one.push_back(std::move(all));
            all = wrap(std::move(one));
        }
        return all;
    }
    static auto gathers() {
        return [](std::vector<future<void>> one) { return gather(std::move(one)); };
    }
    static auto races() {
        return [](std::vector<future<void>> one) { return race(std::move(one)); };
    }
    void expect_cancelled(future<void> all) {
        EXPECT_TRUE(all.cancel());
        loop.run();
        EXPECT_TRUE(all.ready());
        EXPECT_FALSE(source.set_value());
    }

    manual_executor loop;
    promise<void> source{loop};
};

TEST_F(Depth, OfGathersThatAreCancelled) { expect_cancelled(wrapped(gathers())); }
TEST_F(Depth, OfRacesThatAreCancelled) { expect_cancelled(wrapped(races())); }

TEST_F(Depth, OfGathersThatAreOver) {
    auto all = wrapped(gathers());
    source.set_value();
    EXPECT_NO_THROW(all.get());
}

TEST_F(Depth, OfCombinationsThatAreDropped) {
    wrapped(gathers()) = {};
    source = promise<void>(loop);
    wrapped(races()) = {};
}

// Each race has the next as its loser.
TEST_F(Depth, OfRacesThatAreLost) {
    std::vector<promise<void>> quick;
    quick.reserve(deep);
    auto all = source.get_future();
    for (int i = 0; i != deep; ++i) {
        quick.emplace_back(loop);
        all = race(quick.back().get_future(), std::move(all));
    }
    quick.back().set_value();
    EXPECT_NO_THROW(all.get());
    EXPECT_FALSE(source.set_value());
}

TEST_F(Depth, OfChainsOfEveryKindThatAreCancelled) {
    auto all = source.get_future();
    for (int i = 0; i != deep / 4; ++i) {
        auto shared = std::move(all).then([] {}).share();
        all = gather(shared.then([] {}), shared.then_result([](const result<void>&) {}));
        all = std::move(all).timeout(1h);
    }
    expect_cancelled(std::move(all));
}

TEST_F(Depth, OfTasksThatAreCancelled) {
    auto all = source.get_future();
    for (int i = 0; i != deep / 10; ++i)
        all = co_spawn(
            loop, [before = std::move(all)]() mutable -> task<> { co_await std::move(before); });
    loop.run();
    expect_cancelled(std::move(all));
}

} // namespace
