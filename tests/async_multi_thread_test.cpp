// SPDX-License-Identifier: MIT
// An async_multi whose callers are on other threads than its loop.
#include "support/async_fixture.hpp"
#include "support/files.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/loop.hpp>
#include <curlicue/share.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <fstream>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <uv.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

// Of this thread's next two wake-ups the loop hears the second first, and goes on for a while.
thread_local bool turns_wakeups_round = false;
thread_local uv_async_t* held_back = nullptr;

} // namespace

// The library's calls come here, since a program's own symbols go before those of its libraries.
extern "C" int uv_async_send(uv_async_t* handle) {
    using function = int(uv_async_t*);
    static auto* const send = reinterpret_cast<function*>(dlsym(RTLD_NEXT, "uv_async_send"));
    if (!turns_wakeups_round)
        return send(handle);
    if (held_back == nullptr) {
        held_back = handle;
        return 0;
    }
    turns_wakeups_round = false;
    send(handle);
    std::this_thread::sleep_for(100ms);
    return send(std::exchange(held_back, nullptr));
}

namespace {

/// The test is one of the other threads.
class ALoopThread : public ::testing::Test {
protected:
    static std::string url(std::string_view path) { return nginx::shared().http(path); }

    static easy get(std::string_view path, std::string& body) {
        easy handle = quiet(url(path));
        handle.setopt<CURLOPT_WRITEDATA>(body);
        return handle;
    }
    static easy slow() { return quiet(url("/slow/16777216")); }
};

TEST_F(ALoopThread, TransfersForAProgramWithoutALoop) {
    loop_thread background;
    std::string body;
    const easy page = get("/bytes/1048576", body);
    EXPECT_EQ(background.multi().add_handle(page).get(), page);
    EXPECT_TRUE(body == bytes(1 << 20));
    EXPECT_NE(background.loop(), nullptr);
    EXPECT_EQ(background.multi().loop(), background.loop());
}

TEST_F(ALoopThread, ServesManyThreads) {
    loop_thread background;
    std::atomic<int> good{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 25; ++i) {
                std::string body;
                background.multi().add_handle(get("/bytes/1024", body)).get();
                good += body == bytes(1 << 10) ? 1 : 0;
            }
        });
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_EQ(good, 200);
    EXPECT_EQ(background.multi().stats().completed, 200u);
}

// libuv calls for wake-ups in the order of their handles, not in that in which they were sent.
TEST_F(ALoopThread, EndsThoughItsLoopHearsOfTheEndBeforeItsMultiOfTheClose) {
    auto background = std::make_unique<loop_thread>();
    // In a turn that is under way the multi would hear of its close without a wake-up.
    uv_timer_t host;
    std::promise<void> sleeps;
    host.data = &sleeps;
    background->multi()
        .post([&] {
            uv_timer_init(background->loop(), &host);
            uv_timer_start(
                &host,
                [](uv_timer_t* self) {
                    uv_close(reinterpret_cast<uv_handle_t*>(self), [](uv_handle_t* closed) {
                        static_cast<std::promise<void>*>(closed->data)->set_value();
                    });
                },
                1, 0);
        })
        .get();
    sleeps.get_future().wait();
    turns_wakeups_round = true;
    background.reset();
    EXPECT_FALSE(turns_wakeups_round);
}

TEST_F(ALoopThread, CancelsWhatIsPendingWhenItIsDestroyed) {
    std::vector<future<easy>> running;
    {
        loop_thread background;
        for (int i = 0; i < 20; ++i)
            running.push_back(background.multi().add_handle(slow()));
    }
    for (future<easy>& each : running) {
        EXPECT_TRUE(each.ready() && each.cancelled());
        EXPECT_THROW(each.get(), cancelled);
    }
}

TEST_F(ALoopThread, RunsPostsOnItsThread) {
    loop_thread background;
    const auto there = background.multi().post([] { return std::this_thread::get_id(); }).get();
    EXPECT_NE(there, std::this_thread::get_id());
    EXPECT_EQ(background.multi().post([&] { return loop_scope::current(); }).get(),
              background.loop());
}

TEST_F(ALoopThread, GoesOnAfterAStopOrAnUnref) {
    loop_thread background;
    background.multi().post([&] { uv_stop(background.loop()); }).get();
    background.multi().post([&] { background.multi().unref(); }).get();
    std::string body;
    background.multi().add_handle(get("/hello", body)).get();
    EXPECT_EQ(body, "hello\n");
}

/// What the kernel says of a thread of this process: 'S' asleep, 'R' running or ready to.
char state_of(pid_t thread) {
    std::ifstream stat("/proc/self/task/" + std::to_string(thread) + "/stat");
    std::string line;
    std::getline(stat, line);
    return line.at(line.rfind(')') + 2); // after its name, which may hold anything
}

TEST_F(ALoopThread, SleepsWhileItHasNothingToDoThoughItWasUnrefed) {
    loop_thread background;
    background.multi().post([&] { background.multi().unref(); }).get();
    const auto its_thread = background.multi().post([] { return ::gettid(); }).get();
    int asleep = 0;
    for (int i = 0; i < 20; ++i) {
        std::this_thread::sleep_for(10ms);
        asleep += state_of(its_thread) == 'S' ? 1 : 0;
    }
    EXPECT_GT(asleep, 10) << "of 20 looks";
}

TEST_F(ALoopThread, RefusesWhatIsBoundToItsThread) {
    loop_thread background;
    async_multi& multi = background.multi();
    easy page = slow();
    const auto running = multi.add_handle(page);
    multi.post([] {}).get();
    EXPECT_EQ(refusal([&] { multi.remove_handle(page); }), errc::wrong_thread);
    EXPECT_EQ(refusal([&] { static_cast<void>(multi.futures()); }), errc::wrong_thread);
    EXPECT_EQ(refusal([&] { multi.setopt<CURLMOPT_MAXCONNECTS>(1); }), errc::wrong_thread);
    EXPECT_EQ(refusal([&] { multi.ref(); }), errc::wrong_thread);
    EXPECT_EQ(refusal([&] { multi.unref(); }), errc::wrong_thread);
    EXPECT_EQ(refusal([&] { page.pause(CURLPAUSE_ALL); }), errc::wrong_thread);
    EXPECT_EQ(refusal([&] { page.close(); }), errc::wrong_thread);
    EXPECT_TRUE(page.attached());
    EXPECT_FALSE(running.ready());
}

TEST_F(ALoopThread, CancelsForOtherThreads) {
    loop_thread background;
    for (int i = 0; i < 50; ++i) {
        const easy page = slow();
        auto running = background.multi().add_handle(page);
        if (i % 2 == 0)
            background.multi().post([] {}).get();
        EXPECT_TRUE(running.cancel());
        EXPECT_TRUE(running.cancelled()) << "at once";
        running.wait();
        EXPECT_FALSE(page.attached());
    }
    EXPECT_EQ(background.multi().stats().cancelled, 50u);
}

TEST_F(ALoopThread, TimesOutForOtherThreads) {
    loop_thread background;
    auto late = background.multi().add_handle(slow()).timeout(20ms);
    EXPECT_EQ(failure_of([&] { late.get(); }), std::errc::timed_out);
}

TEST_F(ALoopThread, ClosesForAnotherThread) {
    loop_thread background;
    auto running = background.multi().add_handle(slow());
    background.multi().close().wait();
    EXPECT_TRUE(background.multi().closed());
    EXPECT_TRUE(running.ready() && running.cancelled());
    EXPECT_EQ(refusal([&] { static_cast<void>(background.multi().add_handle(slow())); }),
              errc::closed);
    EXPECT_EQ(refusal([&] { static_cast<void>(background.multi().post([] {})); }), errc::closed);
}

TEST_F(ALoopThread, DrainsForAnotherThread) {
    loop_thread background;
    std::string body;
    const auto running = background.multi().add_handle(get("/slow/1048576", body));
    background.multi().drain(1h).wait();
    EXPECT_TRUE(running.ready() && !running.cancelled());
    EXPECT_TRUE(body == bytes(1 << 20));
}

TEST_F(ALoopThread, CancelsAPostThatACloseOvertakes) {
    for (int i = 0; i < 50; ++i) {
        loop_thread background;
        std::atomic<int> ran{0};
        std::vector<future<void>> posts;
        for (int n = 0; n < 20; ++n)
            posts.push_back(background.multi().post([&] { ++ran; }));
        const auto closed = background.multi().close();
        closed.wait();
        int told = 0;
        for (future<void>& post : posts) {
            ASSERT_TRUE(post.ready());
            told += post.cancelled() ? 0 : 1;
        }
        EXPECT_EQ(told, ran);
    }
}

TEST_F(ALoopThread, EndsEveryFutureOnceHoweverItsEndIsRaced) {
    for (int round = 0; round < 30; ++round) {
        std::optional<loop_thread> background(std::in_place);
        std::atomic<int> accepted{0}, refused{0}, ended{0};
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&, t] {
                for (int i = 0; i < 20; ++i)
                    try {
                        auto running =
                            background->multi().add_handle(quiet(url("/bytes/1024"))).finally([&] {
                                ++ended;
                            });
                        ++accepted;
                        if ((i + t) % 3 == 0)
                            running.cancel();
                    } catch (const usage_error& error) {
                        EXPECT_EQ(error.code(), errc::closed);
                        ++refused;
                    }
            });
        if (round % 2 == 0)
            static_cast<void>(background->multi().close());
        for (std::thread& thread : threads)
            thread.join();
        background.reset();
        EXPECT_EQ(accepted + refused, 80);
        EXPECT_EQ(ended, accepted);
    }
}

// ---- a borrowed loop, with callers elsewhere

class ABorrowedLoop : public async_fixture {
protected:
    /// Started by a thread of a test, nginx would end with that thread.
    static void SetUpTestSuite() { nginx::shared(); }
};

TEST_F(ABorrowedLoop, TakesTransfersOfOtherThreadsWhileItRuns) {
    std::atomic<int> done{0};
    std::thread other([&] {
        for (int i = 0; i < 50; ++i) {
            std::string body;
            multi->add_handle(get("/bytes/1024", body)).get();
            done += body == bytes(1 << 10) ? 1 : 0;
        }
    });
    {
        host_timer host(loop);
        run_to([&] { return done == 50; });
    }
    other.join();
}

TEST_F(ABorrowedLoop, FailsTheFutureWhereLibcurlRefusesATransferOfAnotherThread) {
    // A share of connections stays on the thread of its first transfer.
    const share data({CURL_LOCK_DATA_CONNECT});
    easy first = slow();
    first.setopt<CURLOPT_SHARE>(data);
    loop_thread elsewhere;
    const auto there = elsewhere.multi().add_handle(first);
    elsewhere.multi().post([] {}).get();
    easy second = quiet(url("/hello"));
    second.setopt<CURLOPT_SHARE>(data);
    EXPECT_EQ(refusal([&] { static_cast<void>(multi->add_handle(second)); }), errc::wrong_thread);
    EXPECT_FALSE(second.attached());
    EXPECT_EQ(multi->size(), 0u);
    future<easy> refused;
    std::thread([&] { refused = multi->add_handle(second); }).join();
    EXPECT_EQ(failure_of([&] { run(std::move(refused)); }), errc::wrong_thread);
    EXPECT_FALSE(second.attached());
}

TEST_F(ABorrowedLoop, IsLeftByAMultiThatIsDestroyedOnAnotherThread) {
    auto running = multi->add_handle(slow());
    host_timer host(loop);
    std::thread([&] { multi.reset(); }).join();
    EXPECT_FALSE(running.ready()) << "until the loop runs";
    run_to([&] { return running.ready(); });
    EXPECT_TRUE(running.cancelled());
    host.stop();
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
}

TEST_F(ABorrowedLoop, KeepsFuturesPendingWhileNobodyRunsIt) {
    future<easy> added;
    std::thread([&] { added = multi->add_handle(quiet(url("/hello"))); }).join();
    uv_run(&loop, UV_RUN_NOWAIT);
    EXPECT_FALSE(added.ready()) << "a loop that nothing holds is not run";
    run(std::move(added));
}

TEST_F(ABorrowedLoop, MayMoveToAnotherThreadBetweenRuns) {
    std::string body;
    auto page = multi->add_handle(get("/slow/1048576", body));
    uv_run(&loop, UV_RUN_ONCE);
    std::thread([&] { multi->run_until(page); }).join();
    EXPECT_TRUE(body == bytes(1 << 20));
    std::thread([&] {
        std::string more;
        EXPECT_EQ(uv_run(&loop, UV_RUN_NOWAIT), 0);
        multi->run_until(multi->close());
    }).join();
    EXPECT_EQ(uv_loop_alive(&loop), 0);
}

} // namespace
