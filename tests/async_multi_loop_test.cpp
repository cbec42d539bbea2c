// SPDX-License-Identifier: MIT
// An async_multi and its loop: who runs it, who holds it, and how long.
#include "support/async_fixture.hpp"
#include "support/files.hpp"
#include "support/scripted_server.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/loop.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <memory>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <curl/curl.h>
#include <gtest/gtest.h>
#include <poll.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

// ---- run_until

TEST_F(AnAsyncMulti, RunsUntilAFutureIsReady) {
    std::string body;
    auto page = multi->add_handle(get("/hello", body));
    EXPECT_EQ(multi->run_until(page).getinfo<CURLINFO_RESPONSE_CODE>(), 200);
    EXPECT_FALSE(page.valid()) << "as after get()";
    const shared_future<int> shared = multi->post([] { return 42; }).share();
    EXPECT_EQ(multi->run_until(shared), 42);
    EXPECT_EQ(multi->run_until(shared), 42) << "ready already";
}

TEST_F(AnAsyncMulti, RunsNoLongerThanUntilTheFutureIsReady) {
    std::string body;
    const auto other = multi->add_handle(slow());
    run(multi->add_handle(get("/hello", body)));
    EXPECT_FALSE(other.ready());
}

TEST_F(AnAsyncMulti, ThrowsFromRunUntilWhatTheFutureHolds) {
    EXPECT_THROW(run(multi->post([] { throw std::domain_error("ours"); })), std::domain_error);
    auto gone = multi->add_handle(slow());
    gone.cancel();
    EXPECT_THROW(run(std::move(gone)), cancelled);
}

TEST_F(AnAsyncMulti, SaysThatRunUntilWouldWaitForEver) {
    promise<int> never(multi->executor());
    auto awaited = never.get_future();
    EXPECT_EQ(refusal([&] { multi->run_until(awaited); }), errc::would_deadlock);
    EXPECT_TRUE(awaited.valid());
    never.set_value(7);
    EXPECT_EQ(multi->run_until(awaited), 7);
}

TEST_F(AnAsyncMulti, TellsAStopOfTheHostsFromItsOwn) {
    std::string body;
    auto page = multi->add_handle(get("/slow/1048576", body));
    {
        host_timer stopper(loop, [&] { uv_stop(&loop); });
        EXPECT_EQ(refusal([&] { multi->run_until(page); }), errc::stopped);
    }
    EXPECT_TRUE(page.valid());
    EXPECT_FALSE(page.ready());
    multi->run_until(page);
    EXPECT_TRUE(body == bytes(1 << 20)) << "the transfer went on";
}

TEST_F(AnAsyncMulti, RefusesToRunInsideACallback) {
    std::string body;
    easy page = get("/hello", body);
    int calls = 0;
    page.setopt<CURLOPT_HEADERFUNCTION>([&](std::string_view header) {
        auto posted = multi->post([] {});
        EXPECT_EQ(refusal([&] { multi->run_until(posted); }), errc::inside_callback);
        ++calls;
        return header.size();
    });
    run(multi->add_handle(page));
    EXPECT_GT(calls, 0);
    run(multi->post([&] {
        auto other = multi->add_handle(slow());
        EXPECT_EQ(refusal([&] { multi->run_until(other); }), errc::inside_callback);
        EXPECT_EQ(refusal([&] { other.wait(); }), errc::would_deadlock);
    }));
}

TEST_F(AnAsyncMulti, RefusesToBlockTheLoopsThread) {
    auto page = multi->add_handle(slow());
    EXPECT_EQ(refusal([&] { page.wait(); }), errc::would_deadlock);
    EXPECT_EQ(refusal([&] { static_cast<void>(page.get()); }), errc::would_deadlock);
    EXPECT_TRUE(page.valid());
}

TEST_F(AnAsyncMulti, HoldsTheLoopWhileItRunsUntil) {
    multi.emplace(&loop, async_multi_options{.keep_loop = hold::never});
    std::string body;
    run(multi->add_handle(get("/hello", body)));
    EXPECT_EQ(body, "hello\n");
    run(multi->close());
}

TEST_F(AnAsyncMulti, RunsUntilAPostOfAThreadThatIsGone) {
    future<int> posted;
    std::thread([&] { posted = multi->post([] { return 42; }); }).join();
    EXPECT_EQ(multi->run_until(posted), 42);
}

TEST_F(AnAsyncMulti, RunsUntilATaskHasEnded) {
    std::string body;
    const auto fetch = [&](bool well) -> task<long> {
        const auto page = co_await multi->perform(get("/hello", body));
        if (!well)
            throw std::domain_error("ours");
        co_return page.getinfo<CURLINFO_RESPONSE_CODE>();
    };
    EXPECT_EQ(multi->run_until(fetch(true)), 200);
    EXPECT_EQ(body, "hello\n");
    EXPECT_THROW(multi->run_until(fetch(false)), std::domain_error);
}

TEST_F(AnAsyncMulti, StartsNoTaskThatItMayNotRun) {
    bool began = false;
    const auto begin = [&]() -> task<int> {
        began = true;
        co_return 7;
    };
    auto waiting = begin();
    run(multi->post([&] {
        EXPECT_EQ(refusal([&] { multi->run_until(std::move(waiting)); }), errc::inside_callback);
    }));
    run(multi->post([] {}));
    EXPECT_FALSE(began);
    EXPECT_EQ(multi->run_until(std::move(waiting)), 7) << "as before";
    EXPECT_EQ(refusal([&] { multi->run_until(task<>()); }), errc::no_state);
    async_multi unbound;
    EXPECT_EQ(refusal([&] { unbound.run_until(begin()); }), errc::no_loop);
    run(multi->close());
    began = false;
    EXPECT_EQ(refusal([&] { multi->run_until(begin()); }), errc::closed);
    EXPECT_FALSE(began);
}

TEST_F(AnAsyncMulti, TakesATaskAlongThatItCouldNotRunToItsEnd) {
    promise<int> late(multi->executor());
    int got = 0;
    const auto wait = [&]() -> task<> { got = co_await late.get_future(); };
    EXPECT_EQ(refusal([&] { multi->run_until(wait()); }), errc::would_deadlock);
    late.set_value(7);
    run(multi->post([] {}));
    EXPECT_EQ(got, 7);
}

// ---- post

TEST_F(AnAsyncMulti, RunsPostsInTheirOrderAndNeverInsideTheCall) {
    std::vector<int> order;
    auto first = multi->post([&] { order.push_back(1); });
    auto second = multi->post([&] { return order.push_back(2), 2; });
    EXPECT_TRUE(order.empty());
    EXPECT_EQ(run(std::move(second)), 2);
    EXPECT_EQ(order, (std::vector{1, 2}));
}

TEST_F(AnAsyncMulti, WaitsForAFutureThatAPostReturns) {
    std::string body;
    const easy page = run(multi->post([&] { return multi->add_handle(get("/hello", body)); }));
    EXPECT_EQ(body, "hello\n");
}

TEST_F(AnAsyncMulti, HasTheLoopWaitForAPostOfItsOwnThread) {
    int ran = 0;
    static_cast<void>(multi->post([&] { ++ran; }));
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    EXPECT_EQ(ran, 1);
}

TEST_F(AnAsyncMulti, ReturnsToTheLoopBetweenManyPosts) {
    int ran = 0, most = 0, ran_before = 0;
    for (int i = 0; i < 10000; ++i)
        static_cast<void>(multi->post([&] { ++ran; }));
    uv_check_t check{};
    uv_check_init(&loop, &check);
    const auto between = [&] { most = std::max(most, ran - std::exchange(ran_before, ran)); };
    const std::function<void()> told = between;
    check.data = const_cast<std::function<void()>*>(&told);
    uv_check_start(&check,
                   [](uv_check_t* self) { (*static_cast<std::function<void()>*>(self->data))(); });
    run_to([&] { return ran == 10000; });
    uv_close(reinterpret_cast<uv_handle_t*>(&check), nullptr);
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT_LE(most, 512) << "I/O and the host have their turn too";
}

// ---- what keeps the loop

TEST_F(AnAsyncMulti, HoldsNoLoopWhileIdle) {
    EXPECT_EQ(uv_loop_alive(&loop), 0);
    std::string body;
    run(multi->add_handle(get("/hello", body)));
    EXPECT_GT(multi->stats().sockets, 0u) << "a connection in its pool";
    EXPECT_EQ(uv_loop_alive(&loop), 0);
}

TEST_F(AnAsyncMulti, HoldsTheLoopWhileATransferIsPending) {
    const easy page = slow();
    static_cast<void>(multi->add_handle(page));
    EXPECT_NE(uv_loop_alive(&loop), 0);
    multi->remove_handle(page);
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
}

TEST_F(AnAsyncMulti, HoldsTheLoopWhenToldTo) {
    multi->ref();
    EXPECT_NE(uv_loop_alive(&loop), 0);
    multi->unref();
    EXPECT_EQ(uv_loop_alive(&loop), 0);
}

TEST_F(AnAsyncMulti, GoesBackToTheOptionItWasGiven) {
    close();
    multi.emplace(&loop, async_multi_options{.keep_loop = hold::always});
    EXPECT_NE(uv_loop_alive(&loop), 0);
    multi->unref();
    EXPECT_EQ(uv_loop_alive(&loop), 0) << "never, where it was always";
    static_cast<void>(multi->add_handle(slow()));
    EXPECT_EQ(uv_loop_alive(&loop), 0);
    multi->ref();
    EXPECT_NE(uv_loop_alive(&loop), 0);
    close();
    multi.emplace(&loop);
    multi->ref();
    multi->unref();
    static_cast<void>(multi->add_handle(slow()));
    EXPECT_NE(uv_loop_alive(&loop), 0) << "while busy, where nothing was said";
}

TEST_F(AnAsyncMulti, HoldsTheLoopAsItIsToldLater) {
    const easy page = slow();
    static_cast<void>(multi->add_handle(page));
    multi->keep_loop(hold::never);
    EXPECT_EQ(uv_loop_alive(&loop), 0);
    multi->keep_loop(hold::while_busy);
    EXPECT_NE(uv_loop_alive(&loop), 0);
    multi->remove_handle(page);
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    multi->keep_loop(hold::always);
    EXPECT_NE(uv_loop_alive(&loop), 0);
}

TEST_F(AnAsyncMulti, HoldsNoLoopWhenToldNeverTo) {
    close();
    multi.emplace(&loop, async_multi_options{.keep_loop = hold::never});
    std::string body;
    const auto page = multi->add_handle(get("/hello", body));
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    EXPECT_FALSE(page.ready());
    host_timer host(loop);
    run_to([&] { return page.ready(); });
    EXPECT_EQ(body, "hello\n");
}

// ---- what a host sees that walks its loop

/// @returns the types of handles on the loop; none of them may have anything in `data`.
std::set<uv_handle_type> types_of_handles(uv_loop_t* loop) {
    std::set<uv_handle_type> types;
    uv_walk(
        loop,
        [](uv_handle_t* handle, void* seen) {
            EXPECT_EQ(handle->data, nullptr) << uv_handle_type_name(handle->type);
            static_cast<std::set<uv_handle_type>*>(seen)->insert(handle->type);
        },
        &types);
    return types;
}

TEST_F(AnAsyncMulti, LeavesNothingInItsHandlesThatAHostCouldTakeForItsOwn) {
    const std::set all{UV_ASYNC, UV_CHECK, UV_POLL, UV_PREPARE, UV_TIMER};
    std::string body;
    run(multi->add_handle(get("/hello", body)));
    EXPECT_EQ(types_of_handles(&loop), all) << "with an idle connection";
    const easy page = slow();
    const auto pending = multi->add_handle(page);
    run_to([&] { return page.getinfo<CURLINFO_SIZE_DOWNLOAD_T>() > 0; });
    EXPECT_EQ(types_of_handles(&loop), all) << "in the middle of a transfer";
    const auto closed = multi->close();
    types_of_handles(&loop);
    run_to([&] { return closed.ready(); });
    EXPECT_TRUE(pending.ready());
}

TEST(ALoopThread, LeavesNoDescriptorOpen) {
    { const loop_thread first; } // some that libuv opens with it stay
    const std::size_t before = open_descriptors();
    {
        loop_thread background;
        background.multi().post([] {}).get();
    }
    EXPECT_LE(open_descriptors(), before);
}

TEST(ALoopThread, LeavesNothingInItsHandlesEither) {
    loop_thread thread;
    const auto types = thread.multi().post([&] { return types_of_handles(thread.loop()); }).get();
    EXPECT_TRUE(types.contains(UV_ASYNC));
}

/// Ends the process as gevent ends its hub, and luv its state: all handles on the loop are closed,
/// whosever they are, then the loop, and somebody still has a multi there.
[[noreturn]] void end_with_a_multi_open(const std::string& url) {
    auto loop = std::make_unique<uv_loop_t>();
    uv_loop_init(loop.get());
    {
        async_multi multi(loop.get());
        const easy page = quiet(url);
        const auto pending = multi.add_handle(page);
        while (page.getinfo<CURLINFO_SIZE_DOWNLOAD_T>() == 0)
            uv_run(loop.get(), UV_RUN_ONCE);
        uv_walk(
            loop.get(), [](uv_handle_t* handle, void*) { uv_close(handle, nullptr); }, nullptr);
        uv_run(loop.get(), UV_RUN_DEFAULT);
        if (uv_loop_close(loop.get()) != 0)
            std::_Exit(1);
        loop.reset();
    }
    std::_Exit(0);
}

TEST_F(AnAsyncMulti, MayOutliveALoopWhoseHostHasClosedEveryHandle) {
    EXPECT_EXIT(end_with_a_multi_open(url("/slow/16777216")), testing::ExitedWithCode(0), "");
}

// ---- hooks

struct hooked {
    int entered = 0, left = 0, inside = 0, deepest = 0;

    host_hooks hooks() {
        return {[](void* arg) noexcept -> void* {
                    auto& self = *static_cast<hooked*>(arg);
                    self.deepest = std::max(self.deepest, ++self.inside);
                    ++self.entered;
                    return &self.entered;
                },
                [](void* arg, void* token) noexcept {
                    auto& self = *static_cast<hooked*>(arg);
                    EXPECT_EQ(token, &self.entered) << "what enter returned";
                    --self.inside;
                    ++self.left;
                },
                this};
    }
};

TEST_F(AnAsyncMulti, CallsItsHostAroundEachEntry) {
    hooked host;
    close();
    multi.emplace(&loop, async_multi_options{.hooks = host.hooks()});
    std::string body;
    easy page = get("/hello", body);
    page.setopt<CURLOPT_HEADERFUNCTION>([&](std::string_view header) {
        EXPECT_EQ(host.inside, 1);
        return header.size();
    });
    auto seen = multi->add_handle(page).then([&](easy&&) { EXPECT_EQ(host.inside, 1); });
    EXPECT_EQ(host.entered, 0) << "add_handle is no entry from the loop";
    run(std::move(seen));
    EXPECT_GT(host.entered, 0);
    EXPECT_EQ(host.entered, host.left);
    const auto entered = multi->stats().wakeups;
    EXPECT_EQ(entered, static_cast<std::uint64_t>(host.entered));
    run(multi->close().then([&] { EXPECT_EQ(host.inside, 1); }));
    EXPECT_EQ(host.entered, host.left);
    EXPECT_EQ(host.deepest, 1);
    multi.reset();
}

// ---- loops inside loops

TEST_F(AnAsyncMulti, StandsALoopThatACallbackRuns) {
    close();
    multi.emplace(&loop, async_multi_options{.heartbeat = 0ms}); // which would come to the rescue
    std::atomic<bool> inside{false};
    const scripted_server server([&](connection& client) {
        client.read_request_head();
        client.write("HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + bytes(1000));
        while (!inside)
            std::this_thread::yield();
        client.write(bytes(1000));
        client.hold();
    });
    std::string body, other_body;
    easy other = quiet(server.url());
    other.setopt<CURLOPT_WRITEDATA>(other_body);
    auto sibling = multi->add_handle(other);
    run_to([&] { return other_body.size() == 1000; });
    easy page(url("/bytes/1048576"));
    host_timer host(loop);
    page.setopt<CURLOPT_WRITEFUNCTION>([&](std::span<const char> data) {
        if (!inside.exchange(true)) {
            for (const int begin = host.ticks(); host.ticks() < begin + 50;)
                uv_run(&loop, UV_RUN_ONCE);
            EXPECT_EQ(other_body.size(), 1000u) << "libcurl is on the stack";
        }
        body.append(data.data(), data.size());
        return data.size();
    });
    run(multi->add_handle(page));
    EXPECT_TRUE(body == bytes(1 << 20));
    run(std::move(sibling));
    EXPECT_TRUE(other_body == bytes(1000) + bytes(1000));
}

TEST_F(AnAsyncMulti, StandsALoopThatAContinuationRuns) {
    std::string body, other_body;
    const auto other = multi->add_handle(get("/bytes/1048576", other_body));
    host_timer host(loop);
    auto ran = multi->add_handle(get("/hello", body)).then([&](easy&&) {
        for (int i = 0; i < 20; ++i)
            uv_run(&loop, UV_RUN_ONCE);
    });
    run(std::move(ran));
    run_to([&] { return other.ready(); });
    EXPECT_TRUE(other_body == bytes(1 << 20));
}

TEST_F(AnAsyncMulti, IsSeenByAHostThatWaitsForTheBackendDescriptor) {
    // The Electron way: a thread of the host's polls uv_backend_fd with a timeout that it asked for
    // before, and the loop is run when that returns.
    multi->ref();
    uv_run(&loop, UV_RUN_NOWAIT);
    ASSERT_EQ(uv_backend_timeout(&loop), -1) << "idle: nothing to wait for";
    std::string body;
    const auto page = multi->add_handle(get("/hello", body));
    pollfd backend{.fd = uv_backend_fd(&loop), .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&backend, 1, 10000), 1) << "the host was not told of the new work";
    const patience patience;
    while (!page.ready()) {
        patience.check();
        uv_run(&loop, UV_RUN_NOWAIT);
        ::poll(&backend, 1, uv_backend_timeout(&loop));
    }
    EXPECT_EQ(body, "hello\n");
}

} // namespace
