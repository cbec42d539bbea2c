// SPDX-License-Identifier: MIT
// What a future and its promise tell one another, without continuations.
#include "support/manual_executor.hpp"
#include <curlicue/future.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

template <class F> std::error_code usage_code(F&& call) {
    try {
        call();
    } catch (const usage_error& error) {
        return error.code();
    }
    return {};
}

class AFuture : public testing::Test {
protected:
    manual_executor loop;
    promise<int> source{loop};
    future<int> sink = source.get_future();
};

using APromise = AFuture;

TEST_F(AFuture, IsPendingUntilItsPromiseIsKept) {
    EXPECT_TRUE(sink.valid());
    EXPECT_FALSE(sink.ready());
    EXPECT_TRUE(source.set_value(7));
    EXPECT_TRUE(sink.ready());
    EXPECT_FALSE(sink.cancelled());
    EXPECT_EQ(sink.get(), 7);
}

TEST_F(AFuture, IsInvalidAfterGet) {
    source.set_value(7);
    sink.get();
    EXPECT_FALSE(sink.valid());
    EXPECT_FALSE(sink.ready());
}

TEST_F(AFuture, IsInvalidAfterGetThatThrows) {
    source.set_exception(std::make_exception_ptr(std::runtime_error("no")));
    EXPECT_THROW(sink.get(), std::runtime_error);
    EXPECT_FALSE(sink.valid());
}

TEST_F(AFuture, ThatIsEmptyRefusesAllButQuestions) {
    const auto taken = std::move(sink);
    auto& empty = sink;
    EXPECT_FALSE(empty.valid());
    EXPECT_FALSE(empty.ready());
    EXPECT_FALSE(empty.cancelled());
    EXPECT_FALSE(empty.cancel());
    EXPECT_TRUE(empty == future<int>());
    EXPECT_FALSE(empty == taken);
    const auto nothing = [](auto&&...) {};
    const auto refused = [&](auto&& call) { EXPECT_EQ(usage_code(call), errc::no_state); };
    refused([&] { empty.get(); });
    refused([&] { empty.wait(); });
    refused([&] { empty.wait_for(1s); });
    refused([&] { empty.wait_until(std::chrono::system_clock::now()); });
    refused([&] { (void)std::move(empty).then(nothing); });
    refused([&] { (void)std::move(empty).then_result(nothing); });
    refused(
        [&] { (void)std::move(empty).catch_error([](const std::exception_ptr&) { return 0; }); });
    refused([&] { (void)std::move(empty).finally(nothing); });
    refused([&] { std::move(empty).detach(nothing); });
    refused([&] { (void)std::move(empty).share(); });
    refused([&] { (void)std::move(empty).timeout(1s); });
    refused([&] { (void)std::move(empty).with({}); });
    refused([&] { (void)std::move(empty).operator co_await(); });
    refused([&] { (void)std::move(empty).to_std(); });
    refused([&] { (void)shared_future<int>().get(); });
    refused([&] { (void)shared_future<int>().then(nothing); });
}

TEST_F(AFuture, ThatWasMovedFromIsEmpty) {
    auto other = std::move(sink);
    EXPECT_FALSE(sink.valid()); // NOLINT(bugprone-use-after-move)
    source.set_value(1);
    EXPECT_EQ(other.get(), 1);
}

TEST_F(AFuture, HoldsWhatOnlyMoves) {
    promise<std::unique_ptr<int>> unique(loop);
    auto moved = unique.get_future();
    unique.set_value(std::make_unique<int>(3));
    EXPECT_EQ(*moved.get(), 3);

    promise<std::vector<std::unique_ptr<int>>> several(loop);
    auto all = several.get_future();
    std::vector<std::unique_ptr<int>> values;
    values.push_back(std::make_unique<int>(4));
    several.set_value(std::move(values));
    EXPECT_EQ(*all.get().front(), 4);
}

TEST_F(AFuture, OfVoidTellsThatItIsDone) {
    promise<void> done(loop);
    auto waiting = done.get_future();
    done.set_value();
    EXPECT_NO_THROW(waiting.get());
}

// Fails to be copied or moved once a counter has run out.
struct fragile {
    explicit fragile(int moves_) : moves(moves_) {}
    fragile(const fragile&) { throw std::runtime_error("copied"); }
    fragile(fragile&& other) : moves(other.moves - 1) {
        if (moves < 0)
            throw std::runtime_error("moved");
    }
    fragile& operator=(const fragile&) = delete;
    int moves;
};

TEST_F(AFuture, FailsWithWhatMovingTheValueThrows) {
    for (int moves = 0; moves != 12; ++moves) {
        promise<fragile> sent(loop);
        auto received = sent.get_future();
        auto child = std::move(received).then([](fragile&& value) { return std::move(value); });
        try {
            sent.set_value(fragile(moves));
        } catch (const std::runtime_error&) {
            continue; // nothing happened yet
        }
        loop.run();
        ASSERT_TRUE(child.ready()) << moves;
        try {
            child.get();
        } catch (const std::runtime_error& error) {
            EXPECT_STREQ(error.what(), "moved");
        }
    }
}

TEST_F(AFuture, FailsWithWhatCopyingTheValueThrows) {
    promise<fragile> sent(loop);
    auto shared = sent.get_future().share();
    sent.set_value(fragile(100));
    EXPECT_THROW(shared.get(), std::runtime_error);
    auto child = shared.then([](fragile&&) {});
    loop.run();
    EXPECT_THROW(child.get(), std::runtime_error);
}

TEST_F(AFuture, ThrowsInsteadOfWaitingOnItsOwnThread) {
    EXPECT_EQ(usage_code([&] { sink.get(); }), errc::would_deadlock);
    EXPECT_EQ(usage_code([&] { sink.wait(); }), errc::would_deadlock);
    EXPECT_EQ(usage_code([&] { sink.wait_for(1h); }), errc::would_deadlock);
    EXPECT_TRUE(sink.valid());
    source.set_value(5);
    sink.wait();
    EXPECT_EQ(sink.get(), 5);
}

TEST_F(AFuture, IsWaitedForOnAnotherThread) {
    int seen = 0;
    std::thread other([&] { seen = sink.get(); });
    source.set_value(5);
    other.join();
    EXPECT_EQ(seen, 5);
}

TEST_F(AFuture, IsWaitedForNoLongerThanAllowed) {
    std::thread([&] {
        EXPECT_FALSE(sink.wait_for(1ms));
        EXPECT_FALSE(sink.wait_for(-1h));
        EXPECT_FALSE(sink.wait_for(std::chrono::hours::min()));
        EXPECT_FALSE(sink.wait_until(std::chrono::system_clock::now() + 1ms));
        EXPECT_FALSE(sink.wait_until(std::chrono::system_clock::time_point::min()));
    }).join();
    source.set_value(5);
    EXPECT_TRUE(sink.wait_for(0ms));
}

TEST_F(AFuture, CanBeWaitedForUntilTheEndOfTime) {
    std::atomic<int> waiting = 0;
    const auto shared = std::move(sink).share();
    const auto wait = [&](auto duration) {
        return std::thread([&waiting, shared, duration] {
            ++waiting;
            EXPECT_TRUE(shared.wait_for(duration));
        });
    };
    std::thread threads[] = {wait(std::chrono::hours::max()), wait(std::chrono::nanoseconds::max()),
                             wait(std::chrono::duration<double>::max()), std::thread([&] {
                                 ++waiting;
                                 shared.wait_until(std::chrono::steady_clock::time_point::max());
                             })};
    while (waiting != 4)
        std::this_thread::yield();
    source.set_value(5);
    for (auto& each : threads)
        each.join();
}

TEST_F(APromise, GivesItsFutureOnce) {
    EXPECT_EQ(usage_code([&] { (void)source.get_future(); }), errc::already_retrieved);
}

TEST_F(APromise, IsKeptOnce) {
    EXPECT_TRUE(source.set_value(1));
    EXPECT_FALSE(source.set_value(2));
    EXPECT_FALSE(source.set_exception(std::make_exception_ptr(1)));
    EXPECT_FALSE(source.set_error(errc::closed));
    EXPECT_EQ(sink.get(), 1);
}

TEST_F(APromise, ThatIsDroppedIsBroken) {
    { const auto dropped = std::move(source); }
    try {
        sink.get();
        FAIL();
    } catch (const future_error& error) {
        EXPECT_EQ(error.code(), errc::broken_promise);
    }
}

TEST_F(APromise, ThatIsAssignedToIsBroken) {
    source = promise<int>(loop);
    EXPECT_THROW(sink.get(), future_error);
}

TEST_F(APromise, ThatIsEmptyRefusesEverything) {
    const auto moved = std::move(source);
    const auto refused = [&](auto&& call) { EXPECT_EQ(usage_code(call), errc::no_state); };
    refused([&] { source.set_value(1); }); // NOLINT(bugprone-use-after-move)
    refused([&] { source.set_error(errc::closed); });
    refused([&] { source.set_exception(std::make_exception_ptr(1)); });
    refused([&] { source.on_cancel([] {}); });
    refused([&] { (void)source.get_future(); });
}

TEST_F(APromise, FailsWithACode) {
    source.set_error(std::make_error_code(std::errc::connection_refused));
    try {
        sink.get();
        FAIL();
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code(), std::errc::connection_refused);
    }
}

TEST_F(APromise, FailsEvenWithoutAnException) {
    source.set_exception(nullptr);
    EXPECT_THROW(sink.get(), std::system_error);
}

TEST_F(APromise, ThatFailsAsCancelledIsCancelled) {
    source.set_exception(std::make_exception_ptr(cancelled()));
    EXPECT_TRUE(sink.cancelled());
    EXPECT_THROW(sink.get(), cancelled);
}

TEST_F(APromise, CannotBeMadeOnAClosedExecutor) {
    loop.cancel_pending();
    EXPECT_EQ(usage_code([&] { promise<int> refused(loop); }), errc::closed);
}

// ---- without an executor

TEST(AFutureThatIsMadeReady, HasItsValueAtOnce) {
    EXPECT_EQ(make_ready_future(3).get(), 3);
    EXPECT_EQ(*make_ready_future(std::make_unique<int>(4)).get(), 4);
    EXPECT_EQ(make_ready_future(std::string("word"))
                  .then([](std::string word) { return word.size(); })
                  .get(),
              4U);
    const std::string word = "word";
    EXPECT_EQ(make_ready_future(word).get(), word);
    EXPECT_NO_THROW(make_ready_future().get());
}

TEST(AFutureThatIsMadeReady, IsNotCancelled) {
    auto ready = make_ready_future(3);
    EXPECT_FALSE(ready.cancel());
    EXPECT_EQ(std::move(ready).timeout(std::chrono::milliseconds(0)).get(), 3);
}

TEST(AFutureThatIsMadeFailed, ThrowsItsFailure) {
    auto failed = make_failed_future<int>(std::make_exception_ptr(std::runtime_error("no")));
    ASSERT_TRUE(failed.ready());
    EXPECT_FALSE(failed.cancelled());
    EXPECT_THROW(failed.get(), std::runtime_error);
    EXPECT_TRUE(make_failed_future<void>(std::make_exception_ptr(cancelled())).cancelled());
}

TEST(AFutureThatIsMadeReady, GoesTogetherWithOthers) {
    manual_executor loop;
    promise<int> source(loop);
    auto sum = source.get_future()
                   .then([](int value) { return make_ready_future(value + 1); })
                   .then([](int value) {
                       return make_failed_future<int>(
                           std::make_exception_ptr(std::out_of_range(std::to_string(value))));
                   });
    source.set_value(1);
    loop.run();
    EXPECT_THROW(sum.get(), std::out_of_range);
}

} // namespace
