// SPDX-License-Identifier: MIT
#include "support/manual_executor.hpp"
#include <curlicue/future.hpp>

#include <array>
#include <list>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;

namespace {

class ACombinator : public testing::Test {
protected:
    manual_executor loop;
    promise<int> one{loop}, two{loop}, three{loop};

    std::vector<future<int>> all() {
        std::vector<future<int>> futures;
        for (auto* const each : {&one, &two, &three})
            futures.push_back(each->get_future());
        return futures;
    }
};

using WhenAll = ACombinator;
using Gather = ACombinator;
using WhenAny = ACombinator;
using Race = ACombinator;

TEST_F(WhenAll, GivesEveryOutcomeInInputOrder) {
    auto waited = when_all(all());
    three.set_value(3);
    one.set_error(errc::timed_out);
    EXPECT_FALSE(waited.ready());
    two.set_value(2);
    const auto outcomes = waited.get();
    ASSERT_EQ(outcomes.size(), 3U);
    EXPECT_EQ(outcomes[0].error(), errc::timed_out);
    EXPECT_EQ(outcomes[1].value(), 2);
    EXPECT_EQ(outcomes[2].value(), 3);
}

TEST_F(WhenAll, OfNothingIsReady) {
    auto waited = when_all(std::vector<future<int>>());
    ASSERT_TRUE(waited.ready());
    EXPECT_TRUE(waited.get().empty());
}

TEST_F(WhenAll, TakesWhatIsReadyAlready) {
    one.set_value(1);
    two.set_value(2);
    three.set_value(3);
    auto waited = when_all(all());
    ASSERT_TRUE(waited.ready());
    EXPECT_EQ(waited.get()[2].value(), 3);
}

TEST_F(WhenAll, ConsumesItsFutures) {
    auto futures = all();
    auto waited = when_all(std::move(futures));
    for (const auto& each : futures) // NOLINT(bugprone-use-after-move)
        EXPECT_FALSE(each.valid());
}

TEST_F(WhenAll, LeavesAllAloneIfOneIsEmpty) {
    auto futures = all();
    futures.emplace_back();
    EXPECT_THROW((void)when_all(std::move(futures)), usage_error);
    EXPECT_TRUE(futures[0].valid()); // NOLINT(bugprone-use-after-move)
    EXPECT_TRUE(futures[2].valid());
}

TEST_F(WhenAll, TakesSeveralArguments) {
    auto waited = when_all(one.get_future(), two.get_future());
    one.set_value(1);
    two.set_value(2);
    EXPECT_EQ(waited.get().size(), 2U);
}

TEST_F(WhenAll, TakesAnyRange) {
    std::list<future<int>> listed;
    listed.push_back(one.get_future());
    auto first = when_all(std::move(listed));
    std::array<future<int>, 1> arrayed{two.get_future()};
    auto second = when_all(std::span(arrayed));
    const std::vector shared{three.get_future().share()};
    auto third = when_all(shared);
    for (auto* const each : {&one, &two, &three})
        each->set_value(5);
    EXPECT_EQ(first.get()[0].value(), 5);
    EXPECT_EQ(second.get()[0].value(), 5);
    EXPECT_EQ(third.get()[0].value(), 5);
    EXPECT_TRUE(shared[0].valid());
}

TEST_F(WhenAll, OfVoidGivesEveryOutcome) {
    promise<void> done(loop);
    promise<void> failed(loop);
    auto waited = when_all(done.get_future(), failed.get_future());
    done.set_value();
    failed.set_error(errc::timed_out);
    const auto outcomes = waited.get();
    EXPECT_TRUE(outcomes[0].has_value());
    EXPECT_FALSE(outcomes[1].has_value());
}

TEST_F(WhenAll, MovesWhatOnlyMoves) {
    promise<std::unique_ptr<int>> unique(loop);
    auto waited = when_all(unique.get_future());
    unique.set_value(std::make_unique<int>(1));
    EXPECT_EQ(*waited.get()[0].value(), 1);
}

TEST_F(WhenAll, ThatIsCancelledCancelsAll) {
    auto waited = when_all(all());
    two.set_value(2);
    EXPECT_TRUE(waited.cancel());
    EXPECT_TRUE(waited.ready());
    EXPECT_FALSE(one.set_value(1));
    EXPECT_FALSE(three.set_value(3));
    EXPECT_THROW(waited.get(), cancelled);
}

TEST_F(WhenAll, ThatIsCancelledLeavesOtherBranchesAlone) {
    const auto shared = one.get_future().share();
    auto other = shared.then([](int value) { return value; });
    auto waited = when_all(shared, two.get_future().share());
    EXPECT_TRUE(waited.cancel());
    EXPECT_TRUE(waited.ready());
    EXPECT_FALSE(two.set_value(2));
    EXPECT_TRUE(one.set_value(1));
    loop.run();
    EXPECT_EQ(other.get(), 1);
}

TEST_F(WhenAll, TakesTheSameSharedFutureTwice) {
    const auto shared = one.get_future().share();
    auto waited = when_all(shared, shared);
    one.set_value(1);
    EXPECT_EQ(waited.get()[1].value(), 1);

    const auto dropped = two.get_future().share();
    auto stopped = when_all(dropped, dropped);
    EXPECT_TRUE(stopped.cancel());
    EXPECT_TRUE(stopped.ready());
    EXPECT_TRUE(dropped.cancelled());
}

TEST_F(WhenAll, OfSeveralExecutorsBelongsToTheFirstThatLives) {
    manual_executor gone;
    manual_executor other;
    promise<int> early(gone);
    promise<int> late(other);
    early.set_value(1);
    auto first = early.get_future();
    gone.close();
    int calls = 0;
    std::vector<future<int>> futures;
    futures.push_back(std::move(first));
    futures.push_back(late.get_future());
    futures.push_back(one.get_future());
    auto child = when_all(std::move(futures)).then([&](auto&&) { ++calls; });
    one.set_value(1);
    late.set_value(2);
    EXPECT_EQ(calls, 0);
    other.run();
    EXPECT_EQ(calls, 1);
}

TEST_F(WhenAll, OfSeveralExecutorsIsCancelledWithTheFirst) {
    manual_executor other;
    promise<int> elsewhere(other);
    auto waited = when_all(one.get_future(), elsewhere.get_future());
    loop.close();
    EXPECT_TRUE(waited.cancelled());
    EXPECT_TRUE(waited.ready());
    EXPECT_FALSE(elsewhere.set_value(1));
}

TEST_F(Gather, GivesEveryValueInInputOrder) {
    auto gathered = gather(all());
    three.set_value(3);
    two.set_value(2);
    one.set_value(1);
    EXPECT_EQ(gathered.get(), (std::vector{1, 2, 3}));
}

TEST_F(Gather, FailsWithTheFirstFailureAndLetsTheSiblingsRunOn) {
    auto gathered = gather(all());
    two.set_exception(std::make_exception_ptr(std::runtime_error("second")));
    ASSERT_TRUE(gathered.ready());
    EXPECT_THROW(gathered.get(), std::runtime_error);
    EXPECT_TRUE(one.set_value(1));
    EXPECT_TRUE(three.set_error(errc::timed_out));
    loop.run();
}

TEST_F(Gather, LeavesNoFailureUnobserved) {
    { const auto dropped = gather(all()); }
    one.set_error(errc::timed_out);
    two.set_error(errc::timed_out);
    three.set_value(1);
    for (auto* const each : {&one, &two, &three})
        *each = promise<int>(loop);
    EXPECT_EQ(loop.unobserved_failures().size(), 1U) << "its own";
}

TEST_F(Gather, OfVoidTellsThatAllAreDone) {
    promise<void> first(loop);
    promise<void> second(loop);
    auto gathered = gather(first.get_future(), second.get_future());
    static_assert(std::is_same_v<decltype(gathered), future<void>>);
    first.set_value();
    EXPECT_FALSE(gathered.ready());
    second.set_value();
    EXPECT_NO_THROW(gathered.get());
    EXPECT_TRUE(gather(std::vector<future<void>>()).ready());
}

TEST_F(Gather, OfNothingIsReady) { EXPECT_TRUE(gather(std::vector<future<int>>()).get().empty()); }

TEST_F(Gather, OfReadyFuturesThatFailIsReady) {
    one.set_value(1);
    two.set_error(errc::timed_out);
    three.set_error(errc::cancelled);
    auto gathered = gather(all());
    ASSERT_TRUE(gathered.ready());
    EXPECT_THROW(gathered.get(), timed_out);
}

TEST_F(Gather, ThatIsCancelledCancelsAll) {
    auto gathered = gather(all());
    EXPECT_TRUE(gathered.cancel());
    EXPECT_TRUE(gathered.ready());
    EXPECT_FALSE(two.set_value(2));
}

TEST_F(WhenAny, GivesTheFirstAndTheOthersBack) {
    auto waited = when_any(all());
    two.set_value(2);
    auto any = waited.get();
    EXPECT_EQ(any.index, 1U);
    EXPECT_EQ(any.value.value(), 2);
    ASSERT_EQ(any.rest.size(), 2U);
    EXPECT_TRUE(one.set_value(1));
    EXPECT_TRUE(three.set_value(3));
    EXPECT_EQ(any.rest[0].get(), 1);
    EXPECT_EQ(any.rest[1].get(), 3);
}

TEST_F(WhenAny, TakesTheFirstOfThoseThatAreReady) {
    two.set_value(2);
    three.set_value(3);
    auto any = when_any(all()).get();
    EXPECT_EQ(any.index, 1U);
    EXPECT_EQ(any.rest[1].get(), 3);
}

TEST_F(WhenAny, CountsAFailureAsWell) {
    auto waited = when_any(all());
    three.set_error(errc::timed_out);
    auto any = waited.get();
    EXPECT_EQ(any.index, 2U);
    EXPECT_EQ(any.value.error(), errc::timed_out);
}

TEST_F(WhenAny, HandsFailuresBackUnobserved) {
    {
        auto waited = when_any(all());
        one.set_value(1);
        auto any = waited.get();
    }
    two.set_error(errc::timed_out);
    two = promise<int>(loop);
    EXPECT_EQ(loop.unobserved_failures().size(), 1U);
}

TEST_F(WhenAny, OfNothingIsRefused) {
    EXPECT_THROW((void)when_any(std::vector<future<int>>()), usage_error);
}

TEST_F(WhenAny, OfSharedFuturesGivesSharedOnesBack) {
    const std::vector shared{one.get_future().share(), two.get_future().share()};
    auto waited = when_any(shared);
    one.set_value(1);
    auto any = waited.get();
    EXPECT_TRUE(any.rest[0] == shared[1]);
    EXPECT_EQ(shared[0].get(), 1);
}

TEST_F(WhenAny, ThatIsCancelledCancelsAll) {
    auto waited = when_any(all());
    EXPECT_TRUE(waited.cancel());
    EXPECT_TRUE(waited.ready());
    EXPECT_FALSE(three.set_value(3));
}

TEST_F(Race, GivesTheFirstAndCancelsTheOthers) {
    auto first = race(all());
    two.set_value(2);
    EXPECT_EQ(first.get(), 2);
    EXPECT_FALSE(one.set_value(1));
    EXPECT_FALSE(three.set_value(3));
}

TEST_F(Race, IsLostByThoseThatComeLaterThanAReadyOne) {
    one.set_value(1);
    auto first = race(all());
    EXPECT_EQ(first.get(), 1);
    EXPECT_FALSE(two.set_value(2));
    EXPECT_FALSE(three.set_value(3));
}

TEST_F(Race, IsWonByAFailureAsWell) {
    auto first = race(one.get_future(), two.get_future());
    two.set_error(errc::timed_out);
    EXPECT_THROW(first.get(), timed_out);
    EXPECT_FALSE(one.set_value(1));
}

TEST_F(Race, LeavesOtherBranchesOfALoserAlone) {
    const auto shared = one.get_future().share();
    auto other = shared.then([](int value) { return value; });
    auto first = race(shared, two.get_future().share());
    two.set_value(2);
    EXPECT_EQ(first.get(), 2);
    EXPECT_TRUE(one.set_value(1));
    loop.run();
    EXPECT_EQ(other.get(), 1);
}

TEST_F(Race, OfNothingIsRefused) {
    EXPECT_THROW((void)race(std::vector<future<int>>()), usage_error);
}

TEST_F(Race, OfVoidIsOverWithTheFirst) {
    promise<void> first(loop);
    promise<void> second(loop);
    auto over = race(first.get_future(), second.get_future());
    first.set_value();
    EXPECT_NO_THROW(over.get());
    EXPECT_FALSE(second.set_value());
}

// ---- of several types

TEST_F(WhenAll, OfSeveralTypesGivesATupleOfOutcomes) {
    promise<std::string> word(loop);
    promise<void> done(loop);
    auto waited = when_all(one.get_future(), word.get_future(), done.get_future().share());
    static_assert(
        std::is_same_v<decltype(waited),
                       future<std::tuple<result<int>, result<std::string>, result<void>>>>);
    done.set_value();
    word.set_error(errc::timed_out);
    EXPECT_FALSE(waited.ready());
    one.set_value(1);
    ASSERT_TRUE(waited.ready());
    const auto [first, second, third] = waited.get();
    EXPECT_EQ(first.value(), 1);
    EXPECT_EQ(second.error(), errc::timed_out);
    EXPECT_TRUE(third.has_value());
}

TEST_F(WhenAll, OfSeveralKindsOfFutureGivesATupleAsWell) {
    const auto shared = one.get_future().share();
    auto waited = when_all(shared, two.get_future());
    one.set_value(1);
    two.set_value(2);
    EXPECT_EQ(std::get<1>(waited.get()).value(), 2);
    EXPECT_EQ(shared.get(), 1) << "the other got a copy";
}

TEST_F(WhenAll, OfSeveralTypesMovesWhatOnlyMoves) {
    promise<std::unique_ptr<int>> unique(loop);
    auto waited = when_all(unique.get_future(), one.get_future());
    unique.set_value(std::make_unique<int>(7));
    one.set_value(1);
    EXPECT_EQ(*std::get<0>(waited.get()).value(), 7);
}

TEST_F(WhenAll, OfSeveralTypesCancelsAll) {
    promise<void> done(loop);
    auto waited = when_all(one.get_future(), done.get_future());
    EXPECT_TRUE(waited.cancel());
    EXPECT_TRUE(waited.ready());
    EXPECT_FALSE(one.set_value(1));
    EXPECT_FALSE(done.set_value());
}

TEST_F(WhenAll, OfSeveralTypesIsRefusedIfOneIsEmpty) {
    EXPECT_THROW((void)when_all(one.get_future(), future<void>()), usage_error);
}

TEST_F(Race, OfSeveralTypesTellsWhoWasFirst) {
    promise<std::string> word(loop);
    promise<void> done(loop);
    auto first = race(one.get_future(), word.get_future(), done.get_future(), two.get_future());
    static_assert(std::is_same_v<decltype(first),
                                 future<std::variant<int, std::string, std::monostate, int>>>);
    two.set_value(2);
    EXPECT_FALSE(one.set_value(1));
    EXPECT_FALSE(word.set_value("late"));
    EXPECT_FALSE(done.set_value());
    const auto won = first.get();
    EXPECT_EQ(won.index(), 3U);
    EXPECT_EQ(std::get<3>(won), 2);
}

TEST_F(Race, OfSeveralTypesMayBeWonByNothing) {
    promise<void> done(loop);
    auto first = race(one.get_future(), done.get_future());
    done.set_value();
    EXPECT_EQ(first.get().index(), 1U);
}

TEST_F(Race, OfSeveralTypesIsWonByAFailureAsWell) {
    promise<void> done(loop);
    auto first = race(one.get_future(), done.get_future());
    done.set_error(errc::timed_out);
    EXPECT_THROW(first.get(), timed_out);
    EXPECT_FALSE(one.set_value(1));
}

// A loser that cannot be broken off, as a transfer inside libcurl.
TEST_F(Race, IsReadyWhenTheLosersHaveLetGo) {
    promise<void> done(loop);
    future<std::variant<std::monostate, int>> first;
    auto loser = one.get_future().then([&](int value) {
        done.set_value(); // wins while this runs
        EXPECT_FALSE(first.ready());
        return value;
    });
    first = race(done.get_future(), std::move(loser));
    one.set_value(1);
    loop.run();
    EXPECT_EQ(first.get().index(), 0U);
}

TEST_F(ACombinator, KeepsNothingOfInputsThatAreOver) {
    const auto token = std::make_shared<int>(1);
    promise<std::shared_ptr<int>> pointer(loop);
    {
        auto waited = when_all(pointer.get_future());
        pointer.set_value(token);
        (void)waited.get();
    }
    EXPECT_EQ(token.use_count(), 1);
}

} // namespace
