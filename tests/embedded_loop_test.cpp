// SPDX-License-Identifier: MIT
// A host with an event loop of its own, in which libuv's is one descriptor: it waits for that, no
// longer than libuv says, and then lets it run one turn. What it asks for, it asks for between
// turns.
#include "support/async_fixture.hpp"
#include "support/failure.hpp"
#include "support/files.hpp"
#include "support/scripted_server.hpp"
#include <curlicue/async_multi.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <gtest/gtest.h>
#include <poll.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

class AnEmbeddedLoop : public async_fixture {
protected:
    /// Nothing but what happens wakes this one up: no heartbeat, nor what 8.21 needs each second.
    void SetUp() override {
        uv_fixture::SetUp();
        multi.emplace(&loop, async_multi_options{
                                 .keep_loop = hold::always, .heartbeat = 0ms, .upkeep = false});
        while (due())
            uv_run(&loop, UV_RUN_NOWAIT);
    }

    /// Whether the host would run a turn at once.
    bool due() { return readable(0) || uv_backend_timeout(&loop) == 0; }

    /// One turn of the host, who waits for events alone: none of our transfers needs a timer.
    void turn() {
        EXPECT_TRUE(uv_backend_timeout(&loop) == 0 || readable(patience_ms))
            << "there is nothing to wait for";
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    void turn_to(const std::function<bool()>& reached) {
        const patience patience;
        while (!reached()) {
            patience.check();
            turn();
        }
    }
    /// Turns while any is due, and until `reached()`, for which others may be needed.
    void settle(const std::function<bool()>& reached = [] { return true; }) {
        const patience patience;
        while (!reached() || due()) {
            patience.check();
            if (due())
                turn();
            else
                std::this_thread::yield();
        }
    }
    /// Without a turn: for what others do.
    static void wait_for(const std::function<bool()>& reached) {
        const patience patience;
        while (!reached()) {
            patience.check();
            std::this_thread::yield();
        }
    }

    bool readable(int timeout) {
        pollfd backend{.fd = uv_backend_fd(&loop), .events = POLLIN, .revents = 0};
        return ::poll(&backend, 1, timeout) == 1;
    }

private:
    static constexpr int patience_ms = 20000;
};

/// Counts requests, and answers them or lets them wait.
class counting_server {
public:
    explicit counting_server(std::string_view answer = "HTTP/1.1 204 No Content\r\n\r\n")
        : answer_(answer) {}

    int requests() const noexcept { return requests_; }
    std::size_t accepted() const { return server_.accepted(); }
    easy request() const { return quiet(server_.url()); }

private:
    const std::string answer_;
    std::atomic<int> requests_ = 0;
    const scripted_server server_{[this](connection& client) {
        while (!client.read_request_head().empty()) {
            ++requests_;
            client.write(answer_);
        }
    }};
};

TEST_F(AnEmbeddedLoop, WaitsForNothingWhileItIdles) {
    EXPECT_EQ(uv_backend_timeout(&loop), -1);
    std::string body;
    const auto page = multi->add_handle(get("/hello", body));
    settle([&] { return page.ready(); });
    EXPECT_EQ(uv_backend_timeout(&loop), -1) << "though a connection is kept";
    const auto wakeups = multi->stats().wakeups;
    for (int i = 0; i != 10; ++i)
        uv_run(&loop, UV_RUN_NOWAIT);
    EXPECT_EQ(multi->stats().wakeups, wakeups);
    EXPECT_FALSE(due());
}

TEST_F(AnEmbeddedLoop, IsDueAtOnceForANewTransfer) {
    std::string body;
    const auto page = multi->add_handle(get("/hello", body));
    EXPECT_TRUE(due());
    turn_to([&] { return page.ready(); });
    EXPECT_EQ(body, "hello\n");
}

TEST_F(AnEmbeddedLoop, WaitsForEventsOnly) {
    std::string body;
    const auto page = multi->add_handle(get("/bytes/16777216", body));
    turn_to([&] { return page.ready(); });
    EXPECT_TRUE(body == bytes(1 << 24));
}

TEST_F(AnEmbeddedLoop, ConnectsInTheFirstTurnAndSendsInTheNext) {
    counting_server its;
    const auto page = multi->add_handle(its.request());
    turn();
    wait_for([&] { return its.accepted() == 1; });
    turn();
    wait_for([&] { return its.requests() == 1; });
    turn_to([&] { return page.ready(); });
}

TEST_F(AnEmbeddedLoop, SendsOnAKeptConnectionInTheFirstTurn) {
    counting_server its;
    const auto first = multi->add_handle(its.request());
    settle([&] { return first.ready(); });
    for (int requests = 2; requests != 10; ++requests) {
        const auto page = multi->add_handle(its.request());
        EXPECT_EQ(its.requests(), requests - 1) << "never inside the call";
        turn();
        wait_for([&] { return its.requests() == requests; });
        settle([&] { return page.ready(); });
    }
    EXPECT_EQ(its.accepted(), 1U);
}

TEST_F(AnEmbeddedLoop, IsWokenByOtherThreads) {
    std::string body;
    future<easy> page;
    std::thread([&] { page = multi->add_handle(get("/hello", body)); }).join();
    EXPECT_TRUE(due());
    turn_to([&] { return page.ready(); });
    EXPECT_EQ(body, "hello\n");
    std::atomic<bool> posted = false;
    std::jthread poster([&] { multi->post([&] { posted = true; }).detach([](auto&&) {}); });
    turn_to([&] { return posted.load(); });
}

TEST_F(AnEmbeddedLoop, IsDueForAllThatIsAskedBetweenTurns) {
    const counting_server silent("");
    const easy removed = silent.request();
    const auto first = multi->add_handle(removed);
    auto second = multi->add_handle(silent.request());
    auto third = multi->add_handle(silent.request());
    settle([&] { return silent.requests() == 3; });

    multi->remove_handle(removed);
    EXPECT_TRUE(due());
    turn();
    EXPECT_TRUE(first.cancelled());

    settle();
    second.cancel();
    EXPECT_TRUE(due());
    turn();
    EXPECT_TRUE(second.ready());

    settle();
    int ran = 0;
    multi->post([&] { ++ran; }).detach([](auto&&) {});
    EXPECT_TRUE(due());
    turn();
    EXPECT_EQ(ran, 1);

    settle();
    auto timed = std::move(third).timeout(1ms);
    EXPECT_TRUE(due()) << "to learn how long it may wait from here on";
    while (!timed.ready()) {
        readable(uv_backend_timeout(&loop));
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    EXPECT_EQ(failure_of([&] { timed.get(); }), std::errc::timed_out);
}

TEST_F(AnEmbeddedLoop, LosesNothingOfMuchBetweenTwoTurns) {
    std::vector<std::string> bodies(100);
    std::vector<future<easy>> pages;
    for (auto& body : bodies)
        pages.push_back(multi->add_handle(get("/bytes/1024", body)));
    for (std::size_t i = 0; i < pages.size(); i += 2)
        pages[i].cancel();
    settle([&] { return multi->size() == 0; });
    for (std::size_t i = 0; i < pages.size(); ++i) {
        EXPECT_TRUE(pages[i].ready());
        EXPECT_EQ(pages[i].cancelled(), i % 2 == 0);
        EXPECT_EQ(bodies[i].size(), i % 2 == 0 ? 0U : 1024U);
    }
}

TEST_F(AnEmbeddedLoop, GoesOnWithATransferThatIsUnpausedBetweenTurns) {
    std::string body;
    easy page = get("/bytes/1048576", body);
    bool paused = false;
    page.setopt<CURLOPT_WRITEFUNCTION>([&](std::span<const char> data) -> std::size_t {
        if (!std::exchange(paused, true))
            return CURL_WRITEFUNC_PAUSE;
        body.append(data.data(), data.size());
        return data.size();
    });
    const auto done = multi->add_handle(page);
    settle([&] { return paused; });
    EXPECT_EQ(body, "");
    page.unpause();
    turn_to([&] { return done.ready(); });
    EXPECT_TRUE(body == bytes(1 << 20));
}

TEST_F(AnEmbeddedLoop, ClosesInTurnsThatAreDue) {
    const counting_server silent("");
    const auto pending = multi->add_handle(silent.request());
    settle([&] { return silent.requests() == 1; });
    const auto closed = multi->close();
    while (!closed.ready()) {
        ASSERT_TRUE(due());
        turn();
    }
    EXPECT_TRUE(pending.cancelled());
    EXPECT_EQ(uv_loop_alive(&loop), 0);
}

} // namespace
