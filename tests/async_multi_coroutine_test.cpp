// SPDX-License-Identifier: MIT
// Transfers in coroutines, and a multi for the length of one.
#include "support/async_fixture.hpp"
#include "support/files.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/sleep.hpp>
#include <curlicue/task.hpp>

#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <curl/curl.h>
#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

TEST_F(AnAsyncMulti, IsAwaitedInACoroutine) {
    std::string first, second;
    const auto both = [&]() -> task<int> {
        co_await multi->perform(get("/hello", first));
        co_await multi->perform(get("/bytes/1024", second));
        co_return 2;
    };
    EXPECT_EQ(run(co_spawn(multi->executor(), both())), 2);
    EXPECT_EQ(first, "hello\n");
    EXPECT_TRUE(second == bytes(1 << 10));
}

TEST_F(AnAsyncMulti, HoldsTheLoopWhileSomebodySleeps) {
    bool over = false;
    sleep_for(multi->executor(), 2ms).then([&] { over = true; }).detach();
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT_TRUE(over);
    auto longest = sleep_for(multi->executor(), std::chrono::milliseconds::max());
    EXPECT_NE(uv_run(&loop, UV_RUN_NOWAIT), 0);
    EXPECT_TRUE(longest.cancel());
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    auto closed = sleep_for(multi->executor(), 1h);
    close();
    EXPECT_TRUE(closed.cancelled());
}

TEST_F(AnAsyncMulti, SleepsNotAtAllUntilWhatHasPassed) {
    const auto now = executor::clock::now();
    for (const auto passed : {now, now - 1h, executor::clock::time_point::min()})
        run(sleep_until(multi->executor(), passed));
    run(sleep_for(multi->executor(), -1h));
}

TEST_F(AnAsyncMulti, CancelsTheTransferThatACancelledCoroutineAwaits) {
    const easy page = slow();
    bool seen = false;
    const auto waiting = [&]() -> task<> {
        try {
            co_await multi->perform(page);
        } catch (const cancelled&) {
            seen = true;
            EXPECT_FALSE(page.attached());
            throw;
        }
    };
    auto spawned = co_spawn(multi->executor(), waiting());
    run_to([&] { return multi->stats().running == 1; });
    EXPECT_TRUE(spawned.cancel());
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    EXPECT_TRUE(seen);
    EXPECT_TRUE(spawned.ready());
    EXPECT_FALSE(multi->contains(page));
}

/// A multi of its own for each task; the loop is run by hand.
class WithAsyncMulti : public uv_fixture {
protected:
    template <class F> auto start(F body, async_multi_options options = {}) {
        return with_async_multi(&loop, std::move(options), std::move(body));
    }
    void run_loop() { EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0); }

    static std::string url(std::string_view path) { return nginx::shared().http(path); }
};

TEST_F(WithAsyncMulti, GivesWhatItsTaskReturnsOnceAllIsClosed) {
    std::string body;
    bool alive = true;
    auto fetched = start([&](async_multi& multi) -> task<long> {
                       easy page = quiet(url("/hello"));
                       page.setopt<CURLOPT_WRITEDATA>(body);
                       co_await multi.perform(page);
                       co_return page.getinfo<CURLINFO_RESPONSE_CODE>();
                   }).then([&](long code) {
        alive = uv_loop_alive(&loop) != 0;
        return code;
    });
    EXPECT_FALSE(fetched.ready());
    run_loop();
    ASSERT_TRUE(fetched.ready());
    EXPECT_EQ(fetched.get(), 200);
    EXPECT_EQ(body, "hello\n");
    EXPECT_FALSE(alive) << "after the last close callback";
}

TEST_F(WithAsyncMulti, ThrowsWhatItsTaskThrowsOnceAllIsClosed) {
    future<easy> left_over;
    auto failing = start([&](async_multi& multi) -> task<> {
        left_over = multi.add_handle(quiet(url("/slow/16777216")));
        throw std::domain_error("ours");
        co_return;
    });
    run_loop();
    EXPECT_TRUE(left_over.cancelled() && left_over.ready());
    EXPECT_THROW(failing.get(), std::domain_error);
}

TEST_F(WithAsyncMulti, ClosesWhenItIsCancelled) {
    bool seen = false;
    auto waiting = start([&](async_multi& multi) -> task<> {
        try {
            co_await multi.perform(quiet(url("/slow/16777216")));
        } catch (const cancelled&) {
            seen = true;
            throw;
        }
    });
    for (int i = 0; i < 5; ++i)
        uv_run(&loop, UV_RUN_NOWAIT);
    EXPECT_TRUE(waiting.cancel());
    run_loop();
    EXPECT_TRUE(seen);
    EXPECT_TRUE(waiting.ready() && waiting.cancelled());
}

TEST_F(WithAsyncMulti, ClosesThoughItIsCancelledBeforeItBegins) {
    bool begun = false;
    auto never = start([&](async_multi&) -> task<> {
        begun = true;
        co_return;
    });
    never.cancel();
    run_loop();
    EXPECT_FALSE(begun);
    EXPECT_TRUE(never.cancelled());
}

TEST_F(WithAsyncMulti, MayCloseItsMultiItself) {
    bool closed = false;
    auto closing = start([&](async_multi& multi) -> task<int> {
        static_cast<void>(multi.close());
        closed = multi.closed();
        co_return 7;
    });
    run_loop();
    EXPECT_TRUE(closed);
    ASSERT_TRUE(closing.ready());
    EXPECT_EQ(failure_of([&] { closing.get(); }), errc::cancelled)
        << "a close cancels the tasks of its multi, this one too";
}

TEST_F(WithAsyncMulti, RunsThoughItsFutureIsDropped) {
    std::string body;
    static_cast<void>(start([&](async_multi& multi) -> task<> {
        easy page = quiet(url("/hello"));
        page.setopt<CURLOPT_WRITEDATA>(body);
        co_await multi.perform(page);
    }));
    run_loop();
    EXPECT_EQ(body, "hello\n");
}

TEST_F(WithAsyncMulti, RefusesANullLoop) {
    EXPECT_EQ(refusal([] {
                  static_cast<void>(
                      with_async_multi(nullptr, {}, [](async_multi&) -> task<> { co_return; }));
              }),
              errc::null_handle);
}

} // namespace
