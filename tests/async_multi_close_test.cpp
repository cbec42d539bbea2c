// SPDX-License-Identifier: MIT
// How an async_multi ends.
#include "support/async_fixture.hpp"
#include "support/files.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/loop.hpp>
#include <curlicue/sleep.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;
using testing::IsEmpty;

namespace {

TEST_F(AnAsyncMulti, ClosesOnceAndForAll) {
    EXPECT_FALSE(multi->closed());
    auto first = multi->close();
    EXPECT_TRUE(multi->closed()) << "from the first call on";
    auto second = multi->close();
    EXPECT_FALSE(first.ready());
    EXPECT_FALSE(second.cancel()) << "a close is not called off";
    run(std::move(first));
    EXPECT_TRUE(second.ready());
    EXPECT_EQ(uv_loop_alive(&loop), 0) << "ready after the last close callback";
    run(multi->close());
}

TEST_F(AnAsyncMulti, ClosesBeforeItIsBound) {
    multi.emplace();
    EXPECT_TRUE(multi->close().ready());
    EXPECT_TRUE(multi->closed());
    const loop_scope scope(&loop);
    EXPECT_EQ(refusal([&] { static_cast<void>(multi->add_handle(slow())); }), errc::closed);
    EXPECT_EQ(multi->loop(), nullptr);
}

TEST_F(AnAsyncMulti, DrainsBeforeItIsBound) {
    multi.emplace();
    EXPECT_TRUE(multi->drain(1h).ready());
    EXPECT_TRUE(multi->closed());
}

TEST_F(AnAsyncMulti, CancelsWhatIsPendingWhenItCloses) {
    std::vector<future<easy>> running;
    for (int i = 0; i < 5; ++i)
        running.push_back(multi->add_handle(slow()));
    promise<int> kept(multi->executor());
    auto promised = kept.get_future();
    int posted = 0;
    auto post = multi->post([&] { ++posted; });
    uv_run(&loop, UV_RUN_NOWAIT);
    auto overtaken = multi->post([&] { ++posted; });
    close();
    for (const auto& each : running)
        EXPECT_TRUE(each.cancelled() && each.ready());
    EXPECT_TRUE(promised.cancelled() && promised.ready());
    EXPECT_TRUE(post.ready() && !post.cancelled());
    EXPECT_TRUE(overtaken.cancelled() && overtaken.ready());
    EXPECT_EQ(posted, 1) << "a post overtaken by the close does not run";
    EXPECT_EQ(multi->stats().cancelled, 5u);
}

TEST_F(AnAsyncMulti, KeepsTheResultOfWhatIsFinishedWhenItCloses) {
    std::string body;
    auto done = multi->add_handle(get("/hello", body));
    run_to([&] { return multi->stats().completed == 1; });
    close();
    EXPECT_FALSE(done.cancelled());
    EXPECT_EQ(done.get().getinfo<CURLINFO_RESPONSE_CODE>(), 200);
}

TEST_F(AnAsyncMulti, RunsContinuationsOfWhatTheCloseCancelled) {
    std::vector<int> order;
    auto last =
        multi->add_handle(slow())
            .catch_error([&](const std::exception_ptr&) -> future<easy> {
                order.push_back(1);
                EXPECT_TRUE(multi->closed());
                EXPECT_EQ(refusal([&] { static_cast<void>(multi->post([] {})); }), errc::closed);
                throw std::domain_error("ours");
            })
            .finally([&] { order.push_back(2); });
    auto closed = multi->close().then([&] { order.push_back(3); });
    run(std::move(closed));
    EXPECT_THAT(order, testing::ElementsAre(1, 2, 3));
    EXPECT_THROW(last.get(), std::domain_error);
}

TEST_F(AnAsyncMulti, RefusesMostThingsOnceClosed) {
    auto& executor = multi->executor();
    close();
    const easy page = quiet(url("/hello"));
    const std::vector<std::pair<const char*, std::function<void()>>> refused{
        {"add_handle", [&] { static_cast<void>(multi->add_handle(page)); }},
        {"perform", [&] { static_cast<void>(multi->perform(page)); }},
        {"remove_handle", [&] { multi->remove_handle(page); }},
        {"setopt", [&] { multi->setopt<CURLMOPT_MAXCONNECTS>(1); }},
        {"post", [&] { static_cast<void>(multi->post([] {})); }},
        {"executor", [&] { executor.post([] {}); }},
        {"promise", [&] { promise<int> never(executor); }},
    };
    for (const auto& [name, call] : refused)
        EXPECT_EQ(refusal(call), errc::closed) << name;
    EXPECT_FALSE(page.attached());
    EXPECT_TRUE(multi->closed());
    EXPECT_FALSE(multi->contains(page));
    EXPECT_EQ(multi->size(), 0u);
    EXPECT_THAT(multi->futures(), IsEmpty());
    EXPECT_EQ(multi->stats().pending, 0u);
    EXPECT_EQ(multi->loop(), &loop);
    EXPECT_NE(multi->diagnostics(), "");
    multi->ref();
    multi->unref();
    EXPECT_TRUE(multi->drain(1s).ready());
    EXPECT_EQ(uv_loop_alive(&loop), 0);
}

TEST_F(AnAsyncMulti, RefusesAPostAsSoonAsACloseHasBegun) {
    const auto closing = multi->close();
    EXPECT_EQ(refusal([&] { static_cast<void>(multi->post([] {})); }), errc::closed);
}

TEST_F(AnAsyncMulti, RefusesAPostWhileItDrains) {
    auto running = multi->add_handle(slow());
    const auto drained = multi->drain(1h);
    EXPECT_EQ(refusal([&] { static_cast<void>(multi->post([] {})); }), errc::closed);
    EXPECT_FALSE(running.ready());
}

TEST_F(AnAsyncMulti, ClosesInsideAContinuationOfItsOwn) {
    std::string body;
    future<void> closed;
    static_cast<void>(multi->add_handle(get("/hello", body)).then([&](easy&&) {
        closed = multi->close();
        EXPECT_FALSE(closed.ready());
    }));
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    EXPECT_TRUE(closed.ready());
}

TEST_F(AnAsyncMulti, MayBeDestroyedInsideAContinuationOfItsOwn) {
    std::string body;
    auto sibling = multi->add_handle(slow());
    static_cast<void>(multi->add_handle(get("/hello", body)).then([&](easy&&) { multi.reset(); }));
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    EXPECT_FALSE(multi);
    EXPECT_TRUE(sibling.cancelled());
}

TEST_F(AnAsyncMulti, MayBeDestroyedInsideTheContinuationOfItsClose) {
    multi->close().then([&] { multi.reset(); }).detach([](const std::exception_ptr&) {});
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    EXPECT_FALSE(multi);
}

TEST_F(AnAsyncMulti, ClosesWithThousandsOfContinuationsStillToRun) {
    int run = 0;
    for (int i = 0; i < 5000; ++i)
        multi->post([] {})
            .catch_error([&](const std::exception_ptr&) { ++run; })
            .detach([](const std::exception_ptr&) {});
    close();
    EXPECT_EQ(run, 5000);
}

TEST_F(AnAsyncMulti, ClosesAPoolOfIdleTlsConnections) {
    std::vector<future<easy>> pages;
    for (int i = 0; i < 20; ++i) {
        easy page = quiet(nginx::shared().https("/bytes/1024"));
        std::string unused;
        page.setopt<CURLOPT_WRITEFUNCTION>([](std::span<const char> data) { return data.size(); });
        page.setopt<CURLOPT_CAINFO>(nginx::shared().ca_file().string());
        page.setopt<CURLOPT_HTTP_VERSION>(CURL_HTTP_VERSION_1_1);
        pages.push_back(multi->add_handle(page));
    }
    run(gather(std::move(pages)));
    EXPECT_GT(multi->stats().sockets, 1u) << "kept for the next transfer";
    close();
    EXPECT_EQ(multi->stats().sockets, 0u);
}

TEST_F(AnAsyncMulti, GivesItsDescriptorsBack) {
    nginx::shared();
    const std::size_t before = open_descriptors();
    for (int i = 0; i < 10; ++i) {
        async_multi passing(&loop);
        std::string body;
        passing.run_until(passing.add_handle(get("/hello", body)));
        static_cast<void>(passing.add_handle(slow()));
        passing.run_until(passing.close());
    }
    EXPECT_EQ(open_descriptors(), before);
}

// ---- draining

TEST_F(AnAsyncMulti, DrainsWhenItsTransfersAreOver) {
    std::string body;
    auto running = multi->add_handle(get("/slow/1048576", body));
    auto drained = multi->drain(1h);
    EXPECT_TRUE(multi->closed());
    EXPECT_EQ(refusal([&] { static_cast<void>(multi->add_handle(slow())); }), errc::closed);
    run(std::move(drained));
    EXPECT_TRUE(running.ready() && !running.cancelled());
    EXPECT_TRUE(body == bytes(1 << 20));
    EXPECT_EQ(uv_loop_alive(&loop), 0);
}

TEST_F(AnAsyncMulti, DrainsAtOnceWhenIdle) {
    auto drained = multi->drain(1h);
    EXPECT_FALSE(drained.cancel());
    run(std::move(drained));
    EXPECT_EQ(uv_loop_alive(&loop), 0);
}

TEST_F(AnAsyncMulti, DrainsWithItsHostsOwnUvRun) {
    const auto drained = multi->drain(1h);
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    EXPECT_TRUE(drained.ready());
}

TEST_F(AnAsyncMulti, DrainsNoLongerThanItsPatience) {
    auto running = multi->add_handle(slow());
    run(multi->drain(20ms));
    EXPECT_TRUE(running.cancelled());
}

TEST_F(AnAsyncMulti, ClosesWhileItDrains) {
    auto running = multi->add_handle(slow());
    auto drained = multi->drain(1h);
    run(multi->close());
    EXPECT_TRUE(drained.ready());
    EXPECT_TRUE(running.cancelled());
}

TEST_F(AnAsyncMulti, LetsGoOfATransferWhileItDrains) {
    const easy page = slow();
    static_cast<void>(multi->add_handle(page));
    auto drained = multi->drain(1h);
    EXPECT_EQ(multi->futures().size(), 1u);
    multi->remove_handle(page);
    run(std::move(drained));
}

TEST_F(AnAsyncMulti, LetsTasksFinishWhatTheyDoWhileItDrains) {
    std::string body;
    bool begun = false;
    auto fetched = co_spawn(multi->executor(), [&]() -> task<int> {
        int count = 0;
        for (; count != 3; ++count) {
            co_await multi->perform(get("/hello", body));
            begun = true;
            co_await multi->post([] {});
        }
        auto subtask = co_spawn(multi->executor(), [&]() -> task<> {
            co_await sleep_for(multi->executor(), 1ms); // while no transfer runs
            co_await multi->perform(get("/hello", body));
        });
        co_await std::move(subtask);
        co_return ++count;
    });
    run_to([&] { return begun; });
    auto drained = multi->drain(1h);
    EXPECT_EQ(refusal([&] { static_cast<void>(multi->add_handle(slow())); }), errc::closed)
        << "from elsewhere nothing is taken";
    EXPECT_EQ(refusal([&] { static_cast<void>(multi->post([] {})); }), errc::closed);
    run(std::move(drained));
    ASSERT_TRUE(fetched.ready());
    EXPECT_EQ(fetched.get(), 4);
    EXPECT_EQ(body, "hello\nhello\nhello\nhello\n");
    EXPECT_EQ(uv_loop_alive(&loop), 0);
}

TEST_F(AnAsyncMulti, TakesNothingFromTheTasksOfOthersWhileItDrains) {
    async_multi other(&loop);
    auto running = multi->add_handle(slow());
    auto drained = multi->drain(1h);
    auto refused = co_spawn(other.executor(), [&]() -> task<errc> {
        co_return refusal([&] { static_cast<void>(multi->add_handle(slow())); });
    });
    EXPECT_EQ(other.run_until(std::move(refused)), errc::closed);
    running.cancel();
    run(std::move(drained));
    other.run_until(other.close());
}

TEST_F(AnAsyncMulti, WaitsForNoTaskThatWaitsForItsDrain) {
    auto drained = co_spawn(multi->executor(), [&]() -> task<> {
        std::string body;
        co_await multi->perform(get("/hello", body));
        co_await multi->drain(std::chrono::milliseconds::max());
    });
    EXPECT_THROW(run(std::move(drained)), cancelled);
    EXPECT_TRUE(multi->closed());
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_alive(&loop), 0);
}

TEST_F(AnAsyncMulti, HearsOfATaskThatWaitsElsewhereForItsDrain) {
    loop_thread elsewhere;
    multi->ref(); // what a task does elsewhere does not
    auto drained = co_spawn(multi->executor(), [&]() -> task<> {
        co_await resume_on(elsewhere.multi().executor());
        auto over = multi->drain(std::chrono::milliseconds::max());
        for (int turns = 0; turns != 3; ++turns) // which look for tasks, and find this one
            multi->post([] {}).get();
        co_await std::move(over);
    });
    EXPECT_THROW(run(std::move(drained)), cancelled);
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_alive(&loop), 0);
}

TEST_F(AnAsyncMulti, WaitsForTasksNoLongerThanItsPatience) {
    auto sleeper =
        co_spawn(multi->executor(), [&]() -> task<> { co_await sleep_for(multi->executor(), 1h); });
    run(multi->drain(20ms));
    EXPECT_TRUE(sleeper.cancelled());
}

TEST_F(AnAsyncMulti, HearsWhileItDrainsOfATaskThatEndsElsewhere) {
    loop_thread elsewhere;
    auto gone = co_spawn(multi->executor(), [&]() -> task<std::thread::id> {
        co_await resume_on(elsewhere.multi().executor());
        co_await sleep_for(elsewhere.multi().executor(), 5ms);
        co_return std::this_thread::get_id();
    });
    run(multi->drain(1h));
    ASSERT_TRUE(gone.ready());
    EXPECT_NE(gone.get(), std::this_thread::get_id());
}

TEST_F(AnAsyncMulti, GoesOnDrainingWhenATaskWasCancelledBeforeItBegan) {
    auto never = co_spawn(multi->executor(), []() -> task<> { co_return; });
    auto drained = multi->drain(1h);
    EXPECT_TRUE(never.cancel());
    run(std::move(drained));
}

// ---- exceptions that nobody is there for

TEST_F(AnAsyncMulti, TellsWhatACloseSocketCallbackThrewAfterItsTransfer) {
    std::vector<std::exception_ptr> told;
    multi.emplace(&loop,
                  async_multi_options{.on_unobserved_error = [&](std::exception_ptr failure) {
                      told.push_back(std::move(failure));
                  }});
    easy page = quiet(url("/status/204"));
    page.setopt<CURLOPT_CLOSESOCKETFUNCTION>([](curl_socket_t socket) -> int {
        ::close(socket);
        throw std::domain_error("closed with a bang");
    });
    run(multi->add_handle(page));
    close();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_THROW(std::rethrow_exception(told[0]), std::domain_error);
    EXPECT_EQ(multi->stats().unobserved, 1u);
}

TEST_F(AnAsyncMulti, MayBeClosedAgainWithinItsClose) {
    future<void> again;
    easy page = quiet(url("/status/204"));
    page.setopt<CURLOPT_CLOSESOCKETFUNCTION>([&](curl_socket_t socket) {
        again = multi->close();
        EXPECT_EQ(refusal([&] { static_cast<void>(multi->add_handle(slow())); }), errc::closed);
        EXPECT_EQ(multi->size(), 0u);
        return ::close(socket);
    });
    run(multi->add_handle(page));
    close();
    EXPECT_TRUE(again.ready());
}

} // namespace
