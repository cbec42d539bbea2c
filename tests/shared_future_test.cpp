// SPDX-License-Identifier: MIT
// Many consumers of one value.
#include "support/manual_executor.hpp"
#include <curlicue/future.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;

namespace {

class ASharedFuture : public testing::Test {
protected:
    manual_executor loop;
    promise<std::string> source{loop};
    shared_future<std::string> shared = source.get_future().share();
};

TEST_F(ASharedFuture, GivesACopyToEveryone) {
    const auto copy = shared;
    auto length = shared.then(&std::string::size);
    auto taken = shared.then([](std::string&& value) { return std::move(value); });
    source.set_value("a string that is not short");
    loop.run();
    EXPECT_EQ(length.get(), 26U);
    EXPECT_EQ(taken.get(), "a string that is not short");
    EXPECT_EQ(shared.get(), "a string that is not short");
    EXPECT_EQ(copy.get(), "a string that is not short");
    EXPECT_TRUE(shared.valid());
}

TEST_F(ASharedFuture, IsTheSameAsItsCopies) {
    const auto copy = shared;
    EXPECT_TRUE(copy == shared);
    promise<std::string> other(loop);
    auto different = other.get_future();
    EXPECT_FALSE(shared == different);
    EXPECT_FALSE(different == shared);
}

TEST_F(ASharedFuture, IsMadeOfAFuture) {
    promise<int> number(loop);
    const shared_future<int> made = number.get_future();
    number.set_value(2);
    EXPECT_EQ(made.get(), 2);
}

TEST_F(ASharedFuture, IsCopiedMovedAndAssigned) {
    shared_future<std::string> empty;
    EXPECT_FALSE(empty.valid());
    empty = shared;
    EXPECT_TRUE(empty == shared);
    auto& itself = empty;
    empty = itself;
    EXPECT_TRUE(empty == shared);
    auto moved = std::move(empty);
    EXPECT_FALSE(empty.valid()); // NOLINT(bugprone-use-after-move)
    moved = {};
    EXPECT_FALSE(moved.valid());
    source.set_value("still there");
    EXPECT_EQ(shared.get(), "still there");
}

TEST_F(ASharedFuture, IsCancelledForAll) {
    const auto copy = shared;
    auto branch = copy.then(&std::string::size);
    EXPECT_TRUE(copy.cancel());
    EXPECT_FALSE(shared.cancel());
    EXPECT_TRUE(shared.cancelled());
    EXPECT_FALSE(source.set_value("too late"));
    loop.run();
    EXPECT_TRUE(branch.cancelled());
}

TEST_F(ASharedFuture, LosesABranchThatIsCancelled) {
    auto first = shared.then(&std::string::size);
    auto second = shared.then(&std::string::size);
    EXPECT_TRUE(first.cancel());
    EXPECT_TRUE(first.ready());
    EXPECT_FALSE(shared.cancelled());
    EXPECT_TRUE(source.set_value("four"));
    loop.run();
    EXPECT_EQ(second.get(), 4U);
}

TEST_F(ASharedFuture, IsCancelledWithItsLastBranch) {
    auto first = shared.then(&std::string::size);
    auto second = shared.then(&std::string::size);
    first.cancel();
    EXPECT_TRUE(second.cancel());
    EXPECT_TRUE(second.ready());
    EXPECT_TRUE(shared.cancelled());
    EXPECT_FALSE(source.set_value("too late"));
}

TEST_F(ASharedFuture, KeepsABranchThatIsDropped) {
    (void)shared.then(&std::string::size);
    auto second = shared.then(&std::string::size);
    second.cancel();
    EXPECT_TRUE(source.set_value("four"));
}

TEST_F(ASharedFuture, FailsForAll) {
    auto spare = shared.catch_error([](const std::exception_ptr&) { return std::string("spare"); });
    auto passed = shared.finally([] {});
    source.set_error(errc::timed_out);
    loop.run();
    EXPECT_EQ(spare.get(), "spare");
    EXPECT_THROW(passed.get(), timed_out);
    EXPECT_THROW(shared.get(), timed_out);
}

TEST_F(ASharedFuture, OfVoidIsFulfilledForAll) {
    promise<void> done(loop);
    const auto all = done.get_future().share();
    auto child = all.then([] { return 1; });
    done.set_value();
    loop.run();
    EXPECT_NO_THROW(all.get());
    EXPECT_EQ(child.get(), 1);
}

TEST_F(ASharedFuture, HasManyBranchesAtNoGreatCost) {
    constexpr int many = 100'000;
    std::vector<future<std::size_t>> branches;
    branches.reserve(many);
    for (int i = 0; i != many; ++i)
        branches.push_back(shared.then(&std::string::size));
    for (int i = 1; i != many; ++i)
        EXPECT_TRUE(branches[static_cast<std::size_t>(i)].cancel());
    source.set_value("four");
    loop.run();
    EXPECT_EQ(branches.front().get(), 4U);
}

} // namespace
