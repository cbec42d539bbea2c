// SPDX-License-Identifier: MIT
// Tasks that end together.
#include "support/manual_executor.hpp"
#include <curlicue/sleep.hpp>
#include <curlicue/task_group.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

class ATaskGroup : public testing::Test {
protected:
    /// Takes an hour, or notes that it was cancelled.
    task<> long_one() {
        ++begun;
        try {
            co_await sleep_for(loop, 1h);
        } catch (const cancelled&) {
            ++broken_off;
            throw;
        }
        ++done;
    }
    static task<> failing(const char* words) {
        throw std::runtime_error(words);
        co_return;
    }

    manual_executor loop;
    int begun = 0, done = 0, broken_off = 0;
};

template <class T> std::string failure_of(future<T>& ended) {
    try {
        ended.get();
    } catch (const std::exception& error) {
        return error.what();
    }
    return "";
}

TEST_F(ATaskGroup, GivesWhatItsBodyGivesWhenAllHaveEnded) {
    auto all = with_task_group(loop, [&](task_group& group) -> task<int> {
        group.spawn(long_one());
        group.spawn(long_one());
        co_return 42;
    });
    EXPECT_EQ(begun, 0) << "begun inside the call";
    loop.run();
    EXPECT_EQ(begun, 2);
    EXPECT_FALSE(all.ready());
    loop.pass(1h);
    ASSERT_TRUE(all.ready());
    EXPECT_EQ(all.get(), 42);
    EXPECT_EQ(done, 2);
}

TEST_F(ATaskGroup, WithoutTasksEndsWithItsBody) {
    auto all = with_task_group(loop, [](task_group&) -> task<> { co_return; });
    loop.run();
    EXPECT_NO_THROW(all.get());
}

TEST_F(ATaskGroup, TakesTasksOfItsTasksAndOfEveryType) {
    auto all = with_task_group(loop, [&](task_group& group) -> task<> {
        group.spawn([&]() -> task<std::unique_ptr<int>> {
            co_await sleep_for(loop, 1h);
            group.spawn([&, held = std::make_unique<int>(7)]() -> task<> {
                co_await sleep_for(loop, 1h);
                done += *held;
            });
            co_return nullptr;
        });
        co_return;
    });
    loop.run();
    loop.pass(1h);
    EXPECT_FALSE(all.ready());
    loop.pass(1h);
    EXPECT_TRUE(all.ready());
    EXPECT_EQ(done, 7);
}

TEST_F(ATaskGroup, CancelsTheRestWhenATaskFails) {
    auto all = with_task_group(loop, [&](task_group& group) -> task<> {
        group.spawn(long_one());
        group.spawn([&]() -> task<> {
            co_await sleep_for(loop, 1min);
            co_await failing("the second");
        });
        co_await long_one();
    });
    loop.run();
    EXPECT_EQ(begun, 2);
    loop.pass(1min);
    EXPECT_EQ(broken_off, 2) << "the body too";
    ASSERT_TRUE(all.ready());
    EXPECT_EQ(failure_of(all), "the second");
    EXPECT_EQ(loop.armed_timers(), 0U);
}

TEST_F(ATaskGroup, CancelsItsTasksWhenItsBodyFails) {
    auto all = with_task_group(loop, [&](task_group& group) -> task<int> {
        group.spawn(long_one());
        co_await sleep_for(loop, 1min);
        throw std::runtime_error("the body");
    });
    loop.run();
    loop.pass(1min);
    EXPECT_EQ(broken_off, 1);
    ASSERT_TRUE(all.ready());
    EXPECT_EQ(failure_of(all), "the body");
}

TEST_F(ATaskGroup, FailsWithTheFirstFailure) {
    auto all = with_task_group(loop, [&](task_group& group) -> task<> {
        group.spawn([&]() -> task<> {
            try {
                co_await sleep_for(loop, 1h);
            } catch (const cancelled&) {
                throw std::runtime_error("on account of the first");
            }
        });
        group.spawn(failing("the first"));
        group.spawn(failing("the second"));
        co_return;
    });
    loop.run();
    EXPECT_EQ(failure_of(all), "the first");
    EXPECT_TRUE(loop.unobserved_failures().empty());
}

TEST_F(ATaskGroup, WaitsForThoseThatItHasCancelled) {
    auto all = with_task_group(loop, [&](task_group& group) -> task<> {
        group.spawn([&]() -> task<> {
            try {
                co_await sleep_for(loop, 1h);
            } catch (const cancelled&) {
            }
            co_await sleep_for(loop, 1h); // to clean up
            ++done;
        });
        group.spawn(failing("the other"));
        co_return;
    });
    loop.run();
    EXPECT_FALSE(all.ready());
    loop.pass(1h);
    EXPECT_EQ(done, 1);
    ASSERT_TRUE(all.ready());
    EXPECT_EQ(failure_of(all), "the other");
}

TEST_F(ATaskGroup, ThatIsCancelledCancelsAll) {
    auto all = with_task_group(loop, [&](task_group& group) -> task<> {
        group.spawn(long_one());
        co_await long_one();
    });
    loop.run();
    EXPECT_TRUE(all.cancel());
    EXPECT_FALSE(all.ready()) << "none has ended yet";
    loop.run();
    EXPECT_TRUE(all.ready());
    EXPECT_EQ(broken_off, 2);
    EXPECT_THROW(all.get(), cancelled);
}

TEST_F(ATaskGroup, MayBeCancelledByOneOfItsTasks) {
    future<void> all;
    all = with_task_group(loop, [&](task_group& group) -> task<> {
        group.spawn(long_one());
        group.spawn([&]() -> task<> {
            EXPECT_TRUE(all.cancel());
            EXPECT_FALSE(all.ready()) << "this one still runs";
            co_await long_one();
        });
        group.spawn(long_one()); // which has not begun then
        co_await long_one();
    });
    loop.run();
    EXPECT_TRUE(all.ready());
    EXPECT_EQ(begun, 3);
    EXPECT_EQ(broken_off, 3);
    EXPECT_THROW(all.get(), cancelled);
}

TEST_F(ATaskGroup, EndsBeforeTheOneThatItIsATaskOf) {
    std::vector<int> ended;
    const auto inner = [&]() -> task<> {
        try {
            co_await with_task_group(loop, [&](task_group& group) -> task<> {
                group.spawn(long_one());
                co_await long_one();
            });
        } catch (const cancelled&) {
            ended.push_back(broken_off);
            throw;
        }
    };
    auto all = with_task_group(loop, [&](task_group& group) -> task<> {
        group.spawn(inner());
        group.spawn(inner);
        co_await sleep_for(loop, 1min);
        throw std::runtime_error("the outermost");
    });
    loop.run();
    EXPECT_EQ(begun, 4);
    loop.pass(1min);
    ASSERT_TRUE(all.ready());
    EXPECT_EQ(ended, (std::vector{4, 4}));
    EXPECT_EQ(failure_of(all), "the outermost");
}

TEST_F(ATaskGroup, FailsWithWhatCallablesThrowThatAreNoCoroutines) {
    auto all = with_task_group(loop, [&](task_group& group) {
        group.spawn([]() -> task<> { throw std::runtime_error("no coroutine"); });
        return long_one();
    });
    loop.run();
    EXPECT_EQ(broken_off, 1);
    EXPECT_EQ(failure_of(all), "no coroutine");
    auto body = with_task_group(
        loop, [](task_group&) -> task<> { throw std::runtime_error("nor this one"); });
    loop.run();
    EXPECT_EQ(failure_of(body), "nor this one");
}

TEST_F(ATaskGroup, GoesOnWhenItsFutureIsDropped) {
    with_task_group(loop, [&](task_group& group) -> task<> {
        group.spawn(long_one());
        co_await sleep_for(loop, 2h);
        throw std::runtime_error("nobody looks");
    }).detach();
    loop.run();
    loop.pass(1h);
    EXPECT_EQ(done, 1);
    loop.pass(1h);
    EXPECT_EQ(loop.unobserved_failures().size(), 1U);
}

TEST_F(ATaskGroup, ThatIsCancelledBeforeItBeginsNeverDoes) {
    bool ran = false;
    auto all = with_task_group(loop, [&](task_group&) -> task<> {
        ran = true;
        co_return;
    });
    EXPECT_TRUE(all.cancel());
    EXPECT_TRUE(all.ready());
    loop.run();
    EXPECT_FALSE(ran);
}

TEST_F(ATaskGroup, RunsNoTaskThatComesTooLate) {
    auto all = with_task_group(loop, [&](task_group& group) -> task<> {
        try {
            co_await sleep_for(loop, 1h);
        } catch (const cancelled&) {
            group.spawn(long_one());
        }
    });
    loop.run();
    EXPECT_TRUE(all.cancel());
    loop.run();
    EXPECT_TRUE(all.ready());
    EXPECT_EQ(begun, 0);
}

TEST_F(ATaskGroup, TakesNoCancelledTaskForAFailure) {
    promise<void> source(loop);
    auto all = with_task_group(loop, [&](task_group& group) -> task<> {
        group.spawn(long_one());
        group.spawn([&]() -> task<> { co_await source.get_future(); });
        co_return;
    });
    loop.run();
    source.set_error(errc::cancelled);
    loop.run();
    EXPECT_EQ(broken_off, 0);
    loop.pass(1h);
    EXPECT_NO_THROW(all.get());
}

TEST_F(ATaskGroup, EndsWithABodyThatEndsAsCancelled) {
    promise<void> source(loop);
    auto all = with_task_group(loop, [&](task_group& group) -> task<> {
        group.spawn(long_one());
        co_await source.get_future();
    });
    loop.run();
    source.set_error(errc::cancelled);
    loop.run();
    EXPECT_EQ(broken_off, 1);
    EXPECT_THROW(all.get(), cancelled);
}

TEST_F(ATaskGroup, IsCancelledByTheCloseOfItsExecutor) {
    auto all = with_task_group(loop, [&](task_group& group) -> task<> {
        group.spawn(long_one());
        co_await long_one();
    });
    loop.run();
    loop.close();
    EXPECT_EQ(broken_off, 2);
    EXPECT_THROW(all.get(), cancelled);
    EXPECT_THROW((void)with_task_group(loop, [](task_group&) -> task<> { co_return; }),
                 usage_error);
}

TEST_F(ATaskGroup, KeepsWhatItsBodyCapturesToItsEnd) {
    const auto token = std::make_shared<int>(1);
    auto all = with_task_group(loop, [this, token](task_group& group) -> task<> {
        group.spawn([&]() -> task<> {
            co_await sleep_for(loop, 1h);
            done += *token;
        });
        co_return;
    });
    loop.run();
    EXPECT_EQ(token.use_count(), 2);
    loop.pass(1h);
    EXPECT_EQ(done, 1);
    EXPECT_TRUE(all.ready());
    EXPECT_EQ(token.use_count(), 1) << "kept longer than it is of use";
}

// Locals of the task that awaits it outlive whatever runs in it, and whichever way it ends.
TEST_F(ATaskGroup, IsOverBeforeTheLocalsOfWhoAwaitsIt) {
    auto outer = co_spawn(loop, [&]() -> task<> {
        const auto finally = [this](int*) { EXPECT_EQ(broken_off, 3); };
        int local = 0;
        const std::unique_ptr<int, decltype(finally)> checked(&local, finally);
        co_await with_task_group(loop, [&](task_group& group) -> task<> {
            for (int i = 0; i != 3; ++i)
                group.spawn(long_one());
            co_return;
        });
    });
    loop.run();
    EXPECT_TRUE(outer.cancel());
    loop.run();
    EXPECT_TRUE(outer.ready());
    EXPECT_EQ(broken_off, 3);
}

TEST_F(ATaskGroup, RefusesAnEmptyTask) {
    auto all = with_task_group(loop, [](task_group& group) -> task<> {
        group.spawn(task<>());
        co_return;
    });
    loop.run();
    EXPECT_THROW(all.get(), usage_error);
}

// A cancel of nested ones is no deep stack.
task<> nested(executor& where, int depth) {
    if (depth == 0)
        co_await sleep_for(where, 1h);
    else
        co_await with_task_group(where, [&where, depth](task_group& group) -> task<> {
            group.spawn(nested(where, depth - 1));
            co_return;
        });
}

TEST_F(ATaskGroup, MayBeNestedDeeply) {
    auto all = co_spawn(loop, nested(loop, 100'000));
    loop.run();
    EXPECT_EQ(loop.armed_timers(), 1U);
    EXPECT_TRUE(all.cancel());
    loop.run();
    EXPECT_TRUE(all.ready());
    EXPECT_EQ(loop.armed_timers(), 0U);
}

TEST(ManyTaskGroups, BeginWhileTheirExecutorCloses) {
    for (int n = 0; n != 500; ++n) {
        const auto token = std::make_shared<int>();
        {
            thread_executor home;
            std::thread begins([&] {
                try {
                    for (;;)
                        with_task_group(*home, [token](task_group& group) -> task<> {
                            group.spawn([]() -> task<> { co_return; });
                            co_return;
                        }).detach();
                } catch (const usage_error&) { // closed
                }
            });
            (*home).post([&] { (*home).close(); });
            begins.join();
        }
        EXPECT_EQ(token.use_count(), 1);
    }
}

TEST(ManyTaskGroups, EndAndAreCancelledOnSeveralThreads) {
    thread_executor one, two;
    std::atomic<int> ended = 0;
    const auto body = [&](task_group& group) -> task<> {
        for (int i = 0; i != 8; ++i)
            group.spawn([&, i]() -> task<> {
                co_await resume_on(i % 2 == 0 ? *one : *two);
                if (i == 7)
                    throw std::runtime_error("the last");
                co_await resume_on(i % 3 == 0 ? *one : *two);
                ++ended;
            });
        co_await resume_on(*two);
    };
    for (int n = 0; n != 200; ++n) {
        auto all = with_task_group(*one, body);
        if (n % 2 == 0)
            all.cancel();
        all.wait();
        EXPECT_TRUE(failure_of(all) != "");
    }
    EXPECT_GT(ended, 0);
}

} // namespace
