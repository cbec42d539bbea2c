// SPDX-License-Identifier: MIT
// How a client and its requests end, and on which threads.
#include "support/fetch_fixture.hpp"
#include <curlicue/loop.hpp>
#include <curlicue/mock.hpp>
#include <curlicue/sleep.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

class AnEnd : public AFetch {
protected:
    static std::error_code code_of(future<response>& one) {
        return failure_of([&] { static_cast<void>(one.get()); });
    }
    const scripted_server busy{for_each_request([](connection& client, const std::string&) {
        return client.write("HTTP/1.1 503 Busy\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n");
    })};
};

TEST_F(AnEnd, OfTheMultiCancelsWhatGoesOn) {
    const client late(*multi, {.at_once = {.per_origin = 1}});
    response unread = run(made->get(url("/slow/16777216")));
    response one = run(late.get(url("/slow/16777216")));
    auto read = one.text();
    auto queued = late.get(url("/hello"));
    auto sleeping = made->fetch({.url = busy.url(), .retries = retry_policy{.attempts = 2}});
    auto running = made->get(url("/slow/16777216"));
    turn(50);
    close();
    EXPECT_EQ(failure_of([&] { static_cast<void>(late.get(url("/hello"))); }), errc::closed);
    EXPECT_EQ(failure_of([&] { static_cast<void>(fetch(*multi, url("/hello"))); }), errc::closed);
    EXPECT_EQ(failure_of([&] { read.get(); }), errc::cancelled);
    for (auto* each : {&queued, &sleeping})
        EXPECT_EQ(code_of(*each), errc::cancelled);
    if (running.ready() && !running.cancelled())
        running.get(); // it was quicker
    EXPECT_EQ(failure_of([&] { unread.text().get(); }), errc::cancelled);
    EXPECT_NO_THROW(late.close().get());
}

TEST_F(AnEnd, OfALoopThreadCancelsWhatHasNotBegun) {
    std::vector<future<response>> all;
    {
        loop_thread elsewhere;
        for (int i = 0; i != 20; ++i)
            all.push_back(fetch(elsewhere.multi(), url("/slow/16777216")));
    }
    for (auto& each : all)
        EXPECT_EQ(code_of(each), errc::cancelled);
}

TEST_F(AnEnd, OfTheMultiLeavesWhatIsComplete) {
    response one = run(made->get(url("/hello")));
    run_until_idle();
    close();
    EXPECT_EQ(one.status(), 200);
    EXPECT_EQ(one.text().get(), "hello\n");
}

TEST_F(AnEnd, OfTheMultiItselfIsNoneOfItsClients) {
    const client kept = *made;
    auto pending = kept.get(url("/slow/16777216"));
    multi.reset();
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT_EQ(failure_of([&] { static_cast<void>(kept.get(url("/hello"))); }), errc::closed);
    EXPECT_EQ(code_of(pending), errc::cancelled);
}

TEST_F(AnEnd, OfAClientIsNoneOfItsRequests) {
    std::optional<client> gone(
        std::in_place, *multi,
        client_options{.at_once = {.total = 1},
                       .layers = {[alive = std::make_shared<int>(1)](
                                      request what, transport& next) -> task<response> {
                           auto answer = next.fetch(std::move(what));
                           response one = co_await std::move(answer);
                           EXPECT_EQ(*alive, 1);
                           co_return std::move(one);
                       }}});
    std::vector<future<response>> all;
    for (int i = 0; i != 5; ++i)
        all.push_back(gone->get(url("/bytes/1048576")));
    gone.reset();
    for (auto& each : all) {
        response one = run(std::move(each));
        EXPECT_EQ(run(one.text()).size(), std::size_t{1} << 20);
    }
}

TEST_F(AnEnd, OfAClientAloneCancelsWhatIsItsOwn) {
    const client other(*multi, {.at_once = {.per_origin = 1}});
    response one = run(other.get(url("/slow/16777216")));
    auto read = one.text();
    auto queued = other.get(url("/hello"));
    auto sleeping = other.fetch({.url = busy.url(), .retries = retry_policy{.attempts = 2}});
    run_to([&] { return odd.accepted() == 0 && other.stats().running == 1; });
    run(other.close());
    EXPECT_EQ(other.stats().running, 0u);
    EXPECT_EQ(other.stats().queued, 0u);
    for (auto* each : {&queued, &sleeping})
        EXPECT_EQ(code_of(*each), errc::cancelled);
    EXPECT_EQ(failure_of([&] { read.get(); }), errc::cancelled);
    EXPECT_EQ(failure_of([&] { static_cast<void>(other.get(url("/hello"))); }), errc::closed);
    EXPECT_EQ(text_of(url("/hello")), "hello\n");
    run(other.close()); // again
    EXPECT_TRUE(other.drain(1h).ready());
}

TEST_F(AnEnd, OfAClientMayWaitForWhatGoesOn) {
    const client other(*multi, {.at_once = {.per_origin = 1}});
    std::vector<future<std::string>> all;
    for (int i = 0; i != 5; ++i)
        all.push_back(
            other.get(url("/bytes/1048576")).then([](response one) { return one.text(); }));
    run(other.drain(1h));
    for (auto& each : all)
        EXPECT_EQ(each.get().size(), std::size_t{1} << 20);
    EXPECT_EQ(failure_of([&] { static_cast<void>(other.get(url("/hello"))); }), errc::closed);
    for (int i = 0; i != 100; ++i)
        ASSERT_TRUE(client(*multi).drain(1h).ready()) << "of nothing";
    const client hasty(*multi);
    auto slow = hasty.get(url("/slow/16777216"));
    response kept = run(std::move(slow));
    run(hasty.drain(20ms));
    EXPECT_EQ(failure_of([&] { run(kept.text()); }), errc::cancelled);
}

TEST_F(AnEnd, OfTheMultiMayWaitForWhatGoesOn) {
    std::atomic<int> requests = 0;
    const scripted_server shaky(for_each_request([&](connection& client, const std::string&) {
        if (++requests == 1)
            return client.write("HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n");
        if (requests == 2)
            return client.write(
                "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n");
        return client.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nthere");
    }));
    // A layer that is no task: what it goes on with is asked for by a plain continuation.
    const client limited(
        *multi,
        {.at_once = {.per_origin = 1},
         .layers = {[](request what, transport& next) {
             return sleep_for(next.executor(), 5ms).then([what = std::move(what), &next]() mutable {
                 return next.fetch(std::move(what));
             });
         }}});
    std::vector<future<std::string>> all;
    const auto text = [](response one) { return one.text(); };
    all.push_back(
        limited.fetch({.url = shaky.url(), .retries = retry_policy{.attempts = 2}}).then(text));
    for (int i = 0; i != 4; ++i)
        all.push_back(limited.get(url("/bytes/1048576")).then(text));
    auto drained = multi->drain(1h);
    EXPECT_EQ(failure_of([&] { static_cast<void>(limited.get(url("/hello"))); }), errc::closed);
    run(std::move(drained));
    EXPECT_EQ(all[0].get(), "there");
    for (int i = 1; i != 5; ++i)
        EXPECT_EQ(all[i].get().size(), std::size_t{1} << 20);
}

TEST_F(AnEnd, OfTheMultiWaitsForTasksThatFetch) {
    auto working = co_spawn(multi->executor(), [&]() -> task<std::size_t> {
        std::size_t size = 0;
        for (int i = 0; i != 3; ++i) {
            auto answer = made->get(url("/bytes/1048576"));
            response one = co_await std::move(answer);
            auto body = one.text();
            size += (co_await std::move(body)).size();
        }
        co_return size;
    });
    turn(1);
    run(multi->drain(1h));
    EXPECT_EQ(working.get(), 3u << 20);
}

TEST_F(AnEnd, MayComeAtAnyTime) {
    std::minstd_rand random(7);
    const client limited(*multi, {.at_once = {.per_origin = 3}});
    std::vector<future<std::string>> all;
    const char* const paths[] = {"/hello", "/redirect", "/bytes/1048576", "/slow/16777216",
                                 "/gzip/1048576"};
    for (int i = 0; i != 400; ++i) {
        request what{.url = i % 7 == 0 ? busy.url() : url(paths[random() % 5])};
        if (i % 5 == 0) {
            what.url = odd.url("/echo");
            what.body = request_body::stream([] { return make_ready_future(std::string()); });
        }
        what.retries = retry_policy{.attempts = 2};
        all.push_back(limited.fetch(std::move(what)).then([](response one) { return one.text(); }));
        turn(static_cast<int>(random() % 3));
        all[random() % all.size()].cancel();
    }
    for (auto& each : all)
        each.cancel();
    run_to([&] { return std::ranges::all_of(all, [](const auto& each) { return each.ready(); }); });
    run_to([&] { return limited.stats().running == 0; });
    EXPECT_EQ(limited.stats().queued, 0u);
}

TEST_F(AnEnd, OfAMocksClientComesAtOnce) {
    const auto server = std::make_shared<mock>();
    server->on("GET", "http://example.test/").after(1h);
    const client tested(server);
    auto pending = tested.get("http://example.test/");
    tested.close().get();
    EXPECT_EQ(code_of(pending), errc::cancelled);
    EXPECT_EQ(failure_of([&] { static_cast<void>(tested.get("http://example.test/")); }),
              errc::closed);
    const client other(server);
    auto one = other.get("http://example.test/");
    auto drained = other.drain(2h);
    EXPECT_FALSE(drained.ready());
    server->advance(1h);
    drained.get();
    EXPECT_EQ(one.get().status(), 200);
}

// Threads.

TEST_F(AnEnd, OfARequestMayComeFromAnyThread) {
    constexpr int threads = 3, each = 30;
    promise<void> over(multi->executor());
    auto waiting = over.get_future();
    const auto hold = sleep_for(multi->executor(), std::chrono::milliseconds::max());
    const client limited(*multi, {.at_once = {.total = 4}});
    std::atomic<int> left = threads, whole = 0, cancelled = 0;
    const auto work = [&](int seed) {
        std::minstd_rand random(static_cast<unsigned>(seed));
        for (int i = 0; i != each; ++i) {
            try {
                auto answer = limited.get(url("/bytes/1048576"));
                if (random() % 4 == 0)
                    answer.cancel();
                response one = answer.get();
                one.throw_for_status();
                static_cast<void>(one.times());
                auto stream = one.body();
                std::size_t size = 0;
                for (auto piece = stream.read(100'000).get(); !piece.empty();
                     piece = stream.read().get()) {
                    size += piece.size();
                    if (random() % 40 == 0)
                        throw usage_error(errc::cancelled, "here");
                }
                EXPECT_EQ(size, std::size_t{1} << 20);
                ++whole;
            } catch (const std::exception&) {
                ++cancelled;
            }
        }
        if (--left == 0)
            over.set_value();
    };
    std::vector<std::thread> all;
    for (int i = 0; i != threads; ++i)
        all.emplace_back(work, i + 1);
    run(std::move(waiting));
    for (auto& one : all)
        one.join();
    EXPECT_EQ(whole + cancelled, threads * each);
    EXPECT_GT(whole, 0);
    EXPECT_GT(cancelled, 0);
    run_to([&] { return limited.stats().running == 0; });
}

TEST_F(AnEnd, FindsEverythingOfTheUsersOnTheLoopsThread) {
    const auto loops = std::this_thread::get_id();
    std::atomic<int> calls = 0;
    const auto here = [&] {
        EXPECT_EQ(std::this_thread::get_id(), loops);
        ++calls;
    };
    struct watcher final : observer {
        explicit watcher(std::function<void()> told) : here(std::move(told)) {}
        void queued(std::uint64_t, const request&, time) override { here(); }
        void started(std::uint64_t, time) override { here(); }
        void headers(std::uint64_t, const response&, time) override { here(); }
        void done(std::uint64_t, const std::exception_ptr&, time) override { here(); }
        std::function<void()> here;
    };
    const client told(*multi, {.allow_address = [&](const sockaddr&) { return here(), true; },
                               .layers = {[&](request what, transport& next) {
                                   here();
                                   return next.fetch(std::move(what));
                               }},
                               .events = std::make_shared<watcher>(here)});
    promise<std::string> over(multi->executor());
    auto waiting = over.get_future();
    const auto hold = sleep_for(multi->executor(), std::chrono::milliseconds::max());
    std::thread elsewhere([&] {
        auto [body, writer] = request_body::pipe();
        auto answer = told.fetch(
            {.url = odd.url("/echo"), .method = "PUT", .body = body, .tweak = [&](easy&) {
                 here();
             }});
        writer.write("written elsewhere").get();
        writer.end();
        over.set_value(answer.get().text().get());
    });
    const auto text = run(std::move(waiting));
    elsewhere.join();
    EXPECT_TRUE(has(text, "written elsewhere"));
    EXPECT_GE(calls, 8);
}

} // namespace
