// SPDX-License-Identifier: MIT
// Calls that come on the wrong thread, or when what they are about is just going; and what may be
// asked on any thread at any time.
#include "support/async_fixture.hpp"
#include "support/files.hpp"
#include "support/scripted_server.hpp"
#include <curlicue/loop.hpp>
#include <curlicue/multi.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <future>
#include <latch>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <gtest/gtest.h>
#include <uv.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

/// As `failure_of`, of a call that need not fail.
template <class Call> std::error_code told_by(Call call) {
    return failure_of([&] {
        call();
        throw std::system_error(std::error_code());
    });
}

class AnotherThread : public ::testing::Test {
protected:
    static void SetUpTestSuite() { nginx::shared(); }

    static std::string url(std::string_view path) { return nginx::shared().http(path); }
    static easy slow() { return quiet(url("/slow/16777216")); }
};

// ---- what is about to go

// The transfers come and go on the loop's thread, while others ask about the same easies.
TEST_F(AnotherThread, IsToldThatItIsTheWrongOneThoughTheTransferIsGoing) {
    loop_thread background;
    for (int round = 0; round != 50; ++round) {
        const easy page = slow();
        auto over = background.multi().add_handle(page);
        std::atomic<bool> wrong{true};
        std::latch started(3);
        std::vector<std::jthread> all;
        for (int t = 0; t != 2; ++t)
            all.emplace_back([&, t] {
                started.count_down();
                auto mine = page;
                while (!over.ready()) {
                    const auto told =
                        t == 0 ? told_by([&] { mine.pause(CURLPAUSE_ALL); }) : told_by([&] {
                            static_cast<void>(mine.getinfo<CURLINFO_RESPONSE_CODE>());
                        });
                    wrong = wrong && (told == errc::wrong_thread || !mine.attached());
                }
                EXPECT_NO_THROW(mine.pause(CURLPAUSE_ALL)) << "it is over";
            });
        started.arrive_and_wait();
        static_cast<void>(over.cancel());
        all.clear();
        over = {};
        EXPECT_TRUE(wrong);
    }
}

TEST_F(AnotherThread, ClosesWhatIsGoingWhenItHasGone) {
    loop_thread background;
    for (int round = 0; round != 50; ++round) {
        easy page = slow();
        auto over = background.multi().add_handle(page);
        std::jthread closes([page]() mutable {
            while (!page.closed()) {
                const auto told = told_by([&] { page.close(); });
                EXPECT_TRUE(!told || told == errc::wrong_thread);
            }
        });
        static_cast<void>(over.cancel());
        closes.join();
        EXPECT_TRUE(page.closed());
        EXPECT_THROW(over.get(), cancelled);
    }
}

TEST_F(AnotherThread, MayAskWhatIsAddedAtAnyTime) {
    loop_thread background;
    const easy held = slow();
    auto pending = background.multi().add_handle(held);
    std::atomic<bool> ends{false};
    std::vector<std::jthread> askers;
    std::atomic<int> right{0};
    for (int t = 0; t != 2; ++t)
        askers.emplace_back([&] {
            while (!ends) {
                const bool there = background.multi().contains(held);
                right += there && background.multi().size() != 0 ? 1 : -1'000'000;
            }
        });
    for (int i = 0; i != 100; ++i) {
        easy page = quiet(url("/hello"));
        auto over = background.multi().add_handle(page);
        over.get();
        EXPECT_FALSE(background.multi().contains(page));
    }
    // Closed on the loop's thread, while they ask about it.
    easy closed = slow();
    auto gone = background.multi().add_handle(closed);
    askers.emplace_back([&] {
        while (!ends)
            static_cast<void>(background.multi().contains(closed));
    });
    background.multi().post([&] { closed.close(); }).get();
    EXPECT_THROW(gone.get(), cancelled);
    EXPECT_FALSE(background.multi().contains(closed));
    EXPECT_EQ(background.multi().size(), 1u);
    ends = true;
    askers.clear();
    EXPECT_GT(right, 0);
    pending.cancel();
}

// ---- who runs the loop

TEST_F(AnotherThread, DoesNotRunTheLoopOfALoopThread) {
    loop_thread background;
    auto over = background.multi().add_handle(slow());
    for (int i = 0; i != 100; ++i)
        EXPECT_EQ(failure_of([&] { background.multi().run_until(over); }), errc::wrong_thread);
    EXPECT_TRUE(over.valid());
    EXPECT_EQ(failure_of([&] { background.multi().diagnostics(); }), errc::wrong_thread);
    EXPECT_EQ(failure_of([&] { background.multi().ref(); }), errc::wrong_thread);
    EXPECT_EQ(failure_of([&] { static_cast<void>(background.multi().futures()); }),
              errc::wrong_thread);
    EXPECT_FALSE(
        background.multi().post([&] { return background.multi().diagnostics(); }).get().empty());
    over.cancel();
}

/// Its last runner was another thread: this one takes it over for the close.
class ABorrowedLoopElsewhere : public async_fixture {
protected:
    void TearDown() override {
        close();
        async_fixture::TearDown();
    }
};

TEST_F(ABorrowedLoopElsewhere, IsNotRunWhileItsHostRunsIt) {
    auto over = multi->add_handle(slow());
    std::promise<void> runs, tried;
    std::thread host([&] {
        multi
            ->post([&] {
                runs.set_value();
                tried.get_future().wait();
            })
            .detach([](const std::exception_ptr&) {});
        uv_run(&loop, UV_RUN_DEFAULT);
    });
    runs.get_future().wait();
    EXPECT_EQ(failure_of([&] { multi->run_until(over); }), errc::wrong_thread);
    tried.set_value();
    over.cancel();
    host.join();
    EXPECT_THROW(run(std::move(over)), cancelled) << "nobody runs it any more";
}

TEST_F(ABorrowedLoopElsewhere, IsNotRunWhileAnotherRunsItUntilSomething) {
    auto over = multi->add_handle(slow());
    promise<void> end(multi->executor());
    auto ended = end.get_future();
    std::promise<void> runs;
    std::thread host([&] {
        static_cast<void>(multi->post([&] { runs.set_value(); }));
        multi->run_until(std::move(ended));
    });
    runs.get_future().wait();
    for (int i = 0; i != 100; ++i)
        EXPECT_EQ(failure_of([&] { multi->run_until(over); }), errc::wrong_thread);
    end.set_value();
    host.join();
    over.cancel();
    EXPECT_THROW(run(std::move(over)), cancelled);
}

TEST_F(ABorrowedLoopElsewhere, IsRunOnOneThreadAfterTheOther) {
    easy page = quiet(url("/slow/16777216"));
    auto over = multi->add_handle(page);
    for (int i = 0; i != 4; ++i) {
        std::string body;
        std::thread([&] {
            run(multi->add_handle(get("/hello", body)));
            EXPECT_NO_THROW(page.pause(CURLPAUSE_ALL));
        }).join();
        EXPECT_EQ(body, "hello\n");
        EXPECT_EQ(failure_of([&] { page.pause(CURLPAUSE_ALL); }), errc::wrong_thread);
        run(multi->post([] {}));
        EXPECT_NO_THROW(page.unpause());
    }
    over.cancel();
}

// What each waits for is told on a thread that never runs the loop: one that did would have to call
// nothing of it while it moves on.
TEST_F(ABorrowedLoopElsewhere, IsRunByOneOfManyThatTryAtOnce) {
    auto over = multi->add_handle(slow()); // keeps the loop
    std::atomic<int> ran{0}, refused{0};
    std::vector<std::jthread> all;
    for (int t = 0; t != 4; ++t)
        all.emplace_back([&] {
            for (int i = 0; i != 50; ++i) {
                promise<void> told(multi->executor());
                auto turn = told.get_future();
                const std::jthread teller([&] {
                    std::this_thread::sleep_for(100us);
                    told.set_value();
                });
                try {
                    multi->run_until(std::move(turn));
                    ++ran;
                } catch (const usage_error& error) {
                    EXPECT_EQ(error.code(), errc::wrong_thread);
                    ++refused;
                }
            }
        });
    all.clear();
    EXPECT_EQ(ran + refused, 200);
    EXPECT_GT(ran, 0);
    over.cancel();
}

// ---- the end

TEST_F(AnotherThread, MayLeaveAScopeThatATransferWritesTo) {
    loop_thread background;
    for (int i = 0; i != 100; ++i) {
        std::string body;
        easy page(url("/bytes/16777216"));
        page.setopt<CURLOPT_WRITEDATA>(body);
        const auto over = scoped(background.multi().add_handle(page));
        if (i % 2 == 0)
            static_cast<void>(over.wait_for(1ms));
    }
}

TEST_F(AnotherThread, WaitsSoLongForTheEndOfAPool) {
    loop_pool pool(2);
    std::promise<void> goes_on;
    auto blocked = pool[0].multi().post([&] { goes_on.get_future().wait(); });
    EXPECT_THROW(pool.close().timeout(1ms).get(), timed_out);
    EXPECT_FALSE(pool.close().wait_for(1ms));
    goes_on.set_value();
    EXPECT_NO_THROW(pool.close().timeout(1h).get());
}

TEST_F(AnotherThread, LetsAPoolFinishWhatItDoes) {
    loop_pool pool(2);
    std::vector<future<easy>> all;
    for (int i = 0; i != 20; ++i)
        all.push_back(pool.add_handle(quiet(url("/bytes/1048576"))));
    auto drained = pool.drain(1h);
    EXPECT_EQ(failure_of([&] { static_cast<void>(pool.add_handle(slow())); }), errc::closed);
    for (auto& each : all)
        EXPECT_NO_THROW(each.get());
    EXPECT_NO_THROW(drained.get());
    EXPECT_NO_THROW(pool.close().get());
}

TEST_F(AnotherThread, IsNotHeldUpByWhatAHostHasLeftOnALoopThread) {
    uv_timer_t timer;
    uv_idle_t idle;
    {
        loop_thread background;
        background.multi()
            .post([&] {
                uv_timer_init(background.loop(), &timer);
                uv_timer_start(
                    &timer, [](uv_timer_t*) {}, 1, 1);
                uv_idle_init(background.loop(), &idle);
                uv_idle_start(&idle, [](uv_idle_t*) {});
            })
            .get();
    }
    EXPECT_NE(uv_is_closing(reinterpret_cast<uv_handle_t*>(&timer)), 0);
    EXPECT_NE(uv_is_closing(reinterpret_cast<uv_handle_t*>(&idle)), 0);
}

// ---- inside calls of the user's

/// A server that takes a connection and resets it when it is told.
class AConnectionThatDies : public async_fixture {
protected:
    void SetUp() override {
        async_fixture::SetUp();
        server.emplace([this](connection& client) {
            reset.get_future().wait();
            client.reset();
        });
        raw.setopt<CURLOPT_URL>(server->url()).setopt<CURLOPT_CONNECT_ONLY>(1L);
        raw.setopt<CURLOPT_VERBOSE>(true);
        raw.setopt<CURLOPT_DEBUGFUNCTION>(
            [this](curl_infotype, std::span<const char>) { heard(); });
    }

    /// Until libcurl has something to say about the connection.
    void receive() {
        std::array<char, 100> buffer{};
        const patience patience;
        while (calls == 0) {
            patience.check();
            try {
                static_cast<void>(raw.recv(buffer));
            } catch (const std::system_error&) {
                return;
            }
        }
    }

    std::promise<void> reset;
    std::optional<scripted_server> server;
    easy raw;
    int calls = 0;
    std::function<void()> heard = [] {};
};

TEST_F(AConnectionThatDies, IsRemovedByItsDebugCallbackWhenTheCallIsOver) {
    run(multi->add_handle(raw));
    heard = [&] {
        if (calls++ != 0)
            return;
        multi->remove_handle(raw);
        EXPECT_FALSE(multi->contains(raw));
        EXPECT_EQ(multi->size(), 1u) << "libcurl is on the stack";
    };
    reset.set_value();
    receive();
    ASSERT_NE(calls, 0) << "libcurl said nothing";
    EXPECT_EQ(multi->size(), 0u);
    EXPECT_FALSE(raw.attached());
}

TEST_F(AConnectionThatDies, IsNotRemovedFromAMultiByItsDebugCallback) {
    curlicue::multi by_hand;
    by_hand.add_handle(raw);
    while (by_hand.perform() != 0)
        by_hand.poll(100ms);
    ASSERT_EQ(by_hand.info_read().succeeded.size(), 1u);
    heard = [&] {
        if (calls++ == 0) {
            EXPECT_EQ(failure_of([&] { by_hand.remove_handle(raw); }), errc::inside_callback);
        }
    };
    reset.set_value();
    receive();
    ASSERT_NE(calls, 0) << "libcurl said nothing";
    by_hand.remove_handle(raw);
}

// ---- a loop in a loop

// It takes the wake-up for what another thread has queued.
TEST_F(ABorrowedLoopElsewhere, HearsOfAPostThatANestedRunHasWokenUpFor) {
    multi->ref();
    future<void> posted;
    int left = 8; // rounds of a turn, with the last of which the nested run comes
    std::function<void()> again = [&] {
        if (--left != 0) {
            static_cast<void>(multi->post(again));
            return;
        }
        std::thread([&] { posted = multi->post([] {}); }).join();
        uv_run(&loop, UV_RUN_NOWAIT);
    };
    static_cast<void>(multi->post(again));
    run_to([&] { return posted.valid(); });
    for (int turn = 0; turn != 10; ++turn)
        uv_run(&loop, UV_RUN_NOWAIT);
    EXPECT_TRUE(posted.ready());
    multi->unref();
}

// ---- pausing

TEST_F(AnotherThread, PausesDirectionsAlone) {
    uv_loop_t loop;
    uv_loop_init(&loop);
    {
        async_multi multi(&loop);
        std::size_t come = 0;
        easy page(url("/bytes/1048576"));
        page.setopt<CURLOPT_WRITEFUNCTION>([&](std::span<const char> data) -> std::size_t {
            if (come == 0 && std::exchange(come, 1) == 0)
                return CURL_WRITEFUNC_PAUSE;
            come += data.size();
            return data.size();
        });
        const easy asked = page; // const
        auto over = multi.add_handle(page);
        while (come == 0)
            uv_run(&loop, UV_RUN_ONCE);
        asked.pause(easy::direction::send);
        asked.unpause(easy::direction::send);
        for (int turn = 0; turn != 20; ++turn)
            uv_run(&loop, UV_RUN_NOWAIT);
        EXPECT_EQ(come, 1u) << "the other direction is still held back";
        asked.unpause(easy::direction::receive);
        multi.run_until(std::move(over));
        EXPECT_EQ(come, 1u + (1u << 20));
        EXPECT_NO_THROW(asked.pause(easy::direction::both)) << "it is over";
        EXPECT_NO_THROW(asked.unpause());
        multi.run_until(multi.close());
    }
    EXPECT_EQ(uv_loop_close(&loop), 0);
}

} // namespace
