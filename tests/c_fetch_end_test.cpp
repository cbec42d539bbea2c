// SPDX-License-Identifier: MIT
// How a fetch for C ends: by itself, by its user, by a close.
#include "support/c_fetch_fixture.hpp"
#include "support/server_process.hpp"

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>

using namespace curlicue::test;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

namespace {

const auto go_on = [](curlicue_call*) { return 0; };

/// A fetch that is not over soon.
std::unique_ptr<c_fetch> long_one() {
    return std::make_unique<c_fetch>(nginx::shared().http("/slow/16777216"));
}

// Of whatever comes of them, each is told once: `run` counts.

TEST_F(AFetchForC, TellsWhatFailedAndHowFarItCame) {
    const reserved_port nobody;
    c_fetch page("http://user:secret@" + nobody.address() + "/?query");
    run(page);
    EXPECT_EQ(page.status, CURLE_COULDNT_CONNECT);
    EXPECT_EQ(page.phase, CURLICUE_PHASE_CONNECT);
    EXPECT_EQ(page.cause, UV_ECONNREFUSED);
    EXPECT_EQ(page.attempts, 1U);
    EXPECT_THAT(page.message,
                AllOf(HasSubstr("connect"), Not(HasSubstr("secret")), Not(HasSubstr("query"))));
    c_fetch again("http://" + nobody.address());
    again.request.retries.attempts = 3;
    again.request.retries.first_ms = 1;
    run(again);
    EXPECT_EQ(again.status, CURLICUE_RETRIES_EXHAUSTED);
    EXPECT_EQ(again.attempts, 3U);
    EXPECT_EQ(again.phase, CURLICUE_PHASE_CONNECT);
    EXPECT_THAT(again.message, HasSubstr("connect")) << "the last failure";
    c_fetch untrusted(nginx::shared().https("/hello"));
    run(untrusted);
    EXPECT_EQ(untrusted.status, CURLE_PEER_FAILED_VERIFICATION);
    EXPECT_EQ(untrusted.phase, CURLICUE_PHASE_TLS);
    EXPECT_EQ(untrusted.cause, 0) << "the status says all";
}

TEST_F(AFetchForC, IsTriedAgain) {
    std::atomic<int> asked{0};
    const scripted_server busy([&](connection& client) {
        if (client.read_request_head().empty())
            return;
        client.write(++asked < 3 ? "HTTP/1.1 503 Busy\r\nConnection: close\r\n\r\n"
                                 : "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nthere");
    });
    c_fetch page(busy.url());
    page.request.retries.attempts = 5;
    page.request.retries.first_ms = 1;
    run(page);
    EXPECT_EQ(page.body, "there");
    EXPECT_EQ(page.attempts, 3U);
    const int here = 404;
    c_fetch other(busy.url());
    asked = 0;
    other.request.retries.attempts = 5;
    other.request.retries.statuses = &here;
    other.request.retries.status_count = 1;
    run(other);
    EXPECT_EQ(other.answer, 503) << "not for this one";
}

TEST_F(AFetchForC, TellsItsTimeLimitsApart) {
    const scripted_server silent([](connection& client) { client.hold(); });
    const scripted_server half([](connection& client) {
        client.read_request_head();
        client.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
        client.hold();
    });
    const auto limit_of = [&](const scripted_server& server, long curlicue_time_limits::*limit) {
        c_fetch page(server.url());
        page.request.limits.*limit = 20;
        run(page);
        EXPECT_EQ(page.status, CURLICUE_TIMED_OUT);
        EXPECT_EQ(page.cause, CURLE_OPERATION_TIMEDOUT);
        return page.limit;
    };
    EXPECT_EQ(limit_of(silent, &curlicue_time_limits::total_ms), CURLICUE_LIMIT_TOTAL);
    EXPECT_EQ(limit_of(silent, &curlicue_time_limits::first_byte_ms), CURLICUE_LIMIT_FIRST_BYTE);
    EXPECT_EQ(limit_of(half, &curlicue_time_limits::stall_ms), CURLICUE_LIMIT_STALL);
    make_client([](auto& options) { options.per_origin = 1; });
    const auto first = long_one();
    ASSERT_EQ(first->start(multi, client), 0);
    c_fetch queued(url("/slow/1"));
    queued.request.limits.queue_ms = 1;
    queued.then = [&] { EXPECT_EQ(first->cancel(), 0); };
    run(queued);
    EXPECT_EQ(queued.limit, CURLICUE_LIMIT_QUEUE);
    EXPECT_EQ(queued.phase, CURLICUE_PHASE_QUEUE);
    EXPECT_THAT(queued.message, HasSubstr("queue"));
}

TEST_F(AFetchForC, EndsWithWhatACallbackReturns) {
    c_fetch at_head(url("/bytes/16777216"));
    at_head.on_head = [](curlicue_call*, const curlicue_head&) { return 77; };
    at_head.on_body = [](curlicue_call*) { return ADD_FAILURE(), 0; };
    run(at_head);
    EXPECT_EQ(at_head.status, 77);
    EXPECT_EQ(at_head.message, curlicue_strerror(77));
    c_fetch at_body(url("/bytes/16777216"));
    int parts = 0;
    at_body.on_body = [&](curlicue_call*) { return ++parts, CURLE_WRITE_ERROR; };
    run(at_body);
    EXPECT_EQ(at_body.status, CURLE_WRITE_ERROR);
    EXPECT_EQ(parts, 1);
}

// More than all buffers between a server and the user hold.
constexpr std::size_t whole = std::size_t{64} << 20;

scripted_server make_server_of_it(std::atomic<std::size_t>& sent) {
    return scripted_server([&sent](connection& client) {
        client.read_request_head();
        const std::string piece(1 << 16, 'x');
        client.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(whole) + "\r\n\r\n");
        while (sent < whole && client.write(piece))
            sent += piece.size();
    });
}

TEST_F(AFetchForC, HasTheServerWaitWhileItIsPaused) {
    std::atomic<std::size_t> sent{0};
    const auto server = make_server_of_it(sent);
    make_client([](auto& options) { options.high_water = 1 << 16; });
    c_fetch page(server.url());
    int parts = 0;
    page.on_body = [&](curlicue_call* call) {
        page.body.clear();
        return ++parts == 1 ? curlicue_fetch_pause(call) : 0;
    };
    ASSERT_EQ(page.start(multi, client), 0);
    run_to([&] { return parts == 1; });
    turn(500);
    EXPECT_EQ(parts, 1);
    EXPECT_LT(sent, whole);
    EXPECT_EQ(page.endings, 0);
    EXPECT_EQ(curlicue_fetch_resume(page.call), 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT_EQ(page.status, CURLICUE_OK);
    EXPECT_EQ(sent, whole);
    EXPECT_EQ(curlicue_fetch_pause(page.call), CURLICUE_NOT_ADDED);
    EXPECT_EQ(curlicue_fetch_resume(page.call), CURLICUE_NOT_ADDED);
}

TEST_F(AFetchForC, HasItWaitAtItsOwnMark) {
    std::atomic<std::size_t> sent{0};
    const auto server = make_server_of_it(sent);
    make_client([](auto& options) { options.high_water = 1; });
    c_fetch page(server.url());
    page.request.high_water = whole;
    page.on_head = [](curlicue_call* call, const curlicue_head&) {
        return curlicue_fetch_pause(call);
    };
    page.on_body = go_on;
    ASSERT_EQ(page.start(multi, client), 0);
    run_to([&] { return sent == whole; });
    EXPECT_EQ(page.body, "");
    EXPECT_EQ(page.cancel(), 0);
    uv_run(&loop, UV_RUN_DEFAULT);
}

// A part that is on its way waits.
TEST_F(AFetchForC, IsPausedBeforeAnythingCame) {
    c_fetch page(url("/bytes/1048576"));
    bool head = false;
    page.on_head = [&](curlicue_call* call, const curlicue_head&) {
        head = true;
        return curlicue_fetch_pause(call);
    };
    page.on_body = go_on;
    ASSERT_EQ(page.start(multi), 0);
    run_to([&] { return head; });
    turn(50);
    EXPECT_EQ(page.body, "");
    EXPECT_EQ(curlicue_fetch_resume(page.call), 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT_EQ(page.body.size(), 1U << 20);
}

TEST_F(AFetchForC, IsCancelledWhereverItIs) {
    const auto cancelled = [&](c_fetch& page) {
        run(page);
        EXPECT_EQ(page.status, CURLICUE_CANCELLED);
        EXPECT_EQ(page.message, curlicue_strerror(CURLICUE_CANCELLED));
        EXPECT_EQ(page.cancel(), CURLICUE_NOT_ADDED) << "it is over";
    };
    const auto at_head = long_one();
    at_head->on_head = [](curlicue_call* call, const curlicue_head&) {
        return curlicue_fetch_cancel(call);
    };
    at_head->on_body = [](curlicue_call*) { return ADD_FAILURE(), 0; };
    cancelled(*at_head);
    const auto at_body = long_one();
    int parts = 0;
    at_body->on_body = [&](curlicue_call* call) {
        ++parts;
        EXPECT_EQ(curlicue_fetch_cancel(call), 0);
        EXPECT_EQ(curlicue_fetch_cancel(call), CURLICUE_NOT_ADDED);
        return 0;
    };
    cancelled(*at_body);
    EXPECT_EQ(parts, 1);
    const auto paused = long_one();
    paused->on_body = [&](curlicue_call* call) {
        EXPECT_EQ(curlicue_fetch_pause(call), 0);
        return curlicue_multi_post(
            multi, [](void* data) { EXPECT_EQ(static_cast<c_fetch*>(data)->cancel(), 0); },
            paused.get());
    };
    cancelled(*paused);
    const auto at_once = long_one();
    at_once->tweak = [](CURL*) { return ADD_FAILURE(), 0; };
    ASSERT_EQ(at_once->start(multi), 0);
    EXPECT_EQ(at_once->cancel(), 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT_EQ(at_once->status, CURLICUE_CANCELLED);
    const scripted_server silent([](connection& client) { client.hold(); });
    c_fetch reading(silent.url());
    reading.read = [&](char*, std::size_t, std::size_t&) {
        EXPECT_EQ(reading.cancel(), 0);
        return static_cast<int>(CURLICUE_AGAIN);
    };
    cancelled(reading);
    EXPECT_EQ(curlicue_fetch_more(reading.call), CURLICUE_NOT_ADDED);
}

TEST_F(AFetchForC, IsCancelledFromAnotherThread) {
    const auto page = long_one();
    std::thread other;
    page->on_body = [&](curlicue_call* call) {
        if (!other.joinable())
            other = std::thread([call] { EXPECT_EQ(curlicue_fetch_cancel(call), 0); });
        return 0;
    };
    run(*page);
    other.join();
    EXPECT_EQ(page->status, CURLICUE_CANCELLED);
}

TEST_F(AFetchForC, MayBeLetGoOfInsideACallback) {
    const auto let_go = [](c_fetch& page) {
        curlicue_fetch_free(std::exchange(page.call, nullptr));
        return 0;
    };
    c_fetch page(url("/bytes/1048576"));
    page.on_head = [&](curlicue_call*, const curlicue_head&) { return let_go(page); };
    page.on_body = go_on;
    run(page);
    EXPECT_EQ(page.body.size(), 1U << 20) << "it runs on";
    c_fetch other(url("/hello"));
    other.then = [&] { let_go(other); };
    run(other);
    c_fetch unnamed(url("/hello"));
    ASSERT_EQ(unnamed.start(multi), 0);
    let_go(unnamed);
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT_EQ(unnamed.body, "hello\n");
    curlicue_fetch_free(nullptr);
}

TEST_F(AFetchForC, IsCancelledByTheCloseOfItsMulti) {
    const auto page = long_one(), paused = long_one();
    bool begun = false;
    paused->on_body = curlicue_fetch_pause;
    page->on_body = [&](curlicue_call*) { return begun = true, 0; };
    ASSERT_EQ(page->start(multi), 0);
    ASSERT_EQ(paused->start(multi), 0);
    run_to([&] { return begun && !paused->body.empty(); });
    bool closed = false;
    ASSERT_EQ(curlicue_multi_close(
                  multi, [](void* data) { *static_cast<bool*>(data) = true; }, &closed),
              0);
    EXPECT_EQ(page->cancel(), CURLICUE_NOT_ADDED);
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT_TRUE(closed);
    EXPECT_EQ(page->status, CURLICUE_CANCELLED);
    EXPECT_EQ(paused->status, CURLICUE_CANCELLED);
    EXPECT_EQ(paused->endings, 1);
    EXPECT_EQ(long_one()->start(multi), CURLICUE_CLOSED);
}

TEST_F(AFetchForC, OutlivesItsMulti) {
    const auto page = long_one(), other = long_one();
    page->on_body = [&](curlicue_call*) {
        curlicue_multi_free(std::exchange(multi, nullptr));
        return 0;
    };
    ASSERT_EQ(other->start(multi), 0);
    run(*page);
    EXPECT_EQ(page->status, CURLICUE_CANCELLED);
    EXPECT_EQ(other->status, CURLICUE_CANCELLED);
    EXPECT_EQ(page->cancel(), CURLICUE_NOT_ADDED);
    EXPECT_EQ(curlicue_fetch_resume(page->call), CURLICUE_NOT_ADDED);
}

TEST_F(AFetchForC, IsCancelledByACloseInACallbackThatHasPausedIt) {
    const auto page = long_one();
    page->on_body = [&](curlicue_call* call) {
        EXPECT_EQ(curlicue_fetch_pause(call), 0);
        return curlicue_multi_close(multi, nullptr, nullptr);
    };
    run(*page);
    EXPECT_EQ(page->status, CURLICUE_CANCELLED);
}

TEST(AThreadForC, FetchesForOtherThreads) {
    curlicue_thread* background = nullptr;
    ASSERT_EQ(curlicue_thread_new(nullptr, &background), 0);
    auto* const multi = curlicue_thread_multi(background);
    c_fetch page(nginx::shared().http("/hello"));
    std::promise<void> over;
    page.then = [&] { over.set_value(); };
    ASSERT_EQ(page.start(multi), 0);
    over.get_future().wait();
    EXPECT_EQ(page.body, "hello\n");
    const auto pending = long_one();
    std::promise<void> ended;
    pending->then = [&] { ended.set_value(); };
    ASSERT_EQ(pending->start(multi), 0);
    EXPECT_EQ(pending->cancel(), 0);
    ended.get_future().wait();
    EXPECT_EQ(pending->status, CURLICUE_CANCELLED);
    curlicue_thread_free(background);
}

} // namespace
