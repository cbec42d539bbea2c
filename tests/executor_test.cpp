// SPDX-License-Identifier: MIT
// An executor of a user's own, which only posts.
#include <curlicue/future.hpp>

#include <deque>
#include <utility>

#include <gtest/gtest.h>

using namespace curlicue;

namespace {

class posting_executor final : public executor {
public:
    ~posting_executor() override { retire(); }

    void post(unique_function<void()> callable) override {
        if (refuses)
            throw usage_error(errc::closed, "post");
        queue.push_back(std::move(callable));
        if (queue.size() > capacity)
            queue.pop_front();
    }
    bool runs_here() const noexcept override { return true; }
    void run() {
        while (!queue.empty()) {
            auto first = std::move(queue.front());
            queue.pop_front();
            first();
        }
    }

    std::deque<unique_function<void()>> queue;
    std::size_t capacity = 100;
    bool refuses = false;
};

class AnExecutor : public testing::Test {
protected:
    posting_executor loop;
    promise<int> source{loop};
    future<int> sink = source.get_future();
};

TEST_F(AnExecutor, RunsContinuationsThatItIsPosted) {
    auto child = std::move(sink).then([](int value) { return value + 1; });
    source.set_value(1);
    EXPECT_FALSE(child.ready());
    loop.run();
    EXPECT_EQ(child.get(), 2);
}

TEST_F(AnExecutor, ThatRefusesAContinuationHasItRunInTheCaller) {
    auto child = std::move(sink).then([](int value) { return value + 1; });
    loop.refuses = true;
    source.set_value(1);
    EXPECT_EQ(child.get(), 2);
}

TEST_F(AnExecutor, ThatThrowsAContinuationAwayHasItRunThere) {
    auto child = std::move(sink).then([](int value) { return value + 1; });
    source.set_value(1);
    loop.queue.clear();
    EXPECT_EQ(child.get(), 2);
}

TEST_F(AnExecutor, ThatThrowsAnotherAwayWhilePostingHasItRun) {
    loop.capacity = 1;
    promise<int> second(loop);
    auto first = std::move(sink).then([](int value) { return value; });
    auto last = second.get_future().then([](int value) { return value; });
    source.set_value(1);
    EXPECT_FALSE(first.ready());
    second.set_value(2);
    EXPECT_EQ(first.get(), 1);
    EXPECT_FALSE(last.ready());
    loop.run();
    EXPECT_EQ(last.get(), 2);
}

TEST_F(AnExecutor, ThatThrowsTheContinuationItselfAwayHasItRun) {
    loop.capacity = 0;
    auto child = std::move(sink).then([](int value) { return value; });
    source.set_value(1);
    EXPECT_EQ(child.get(), 1);
}

TEST(AnExecutorThatGoes, CancelsWhatIsPendingAndRunsWhatHangsOnIt) {
    future<int> child;
    {
        posting_executor loop;
        promise<int> pending(loop);
        child = pending.get_future().catch_error([](const std::exception_ptr&) { return 9; });
    }
    EXPECT_EQ(child.get(), 9);
}

} // namespace
