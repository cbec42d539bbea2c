// SPDX-License-Identifier: MIT
// What fails, and how it says so.
#include "support/fetch_fixture.hpp"
#include <curlicue/mime.hpp>
#include <curlicue/share.hpp>
#include <curlicue/sleep.hpp>
#include <curlicue/url.hpp>

#include <cerrno>
#include <chrono>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

class AFailure : public AFetch {
protected:
    static constexpr auto head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
    const scripted_server silent{[](connection& client) {
        client.read_request_head();
        client.hold();
    }};
    const scripted_server takes_all{
        [](connection& client) { client.read(std::numeric_limits<std::size_t>::max()); }};
    const scripted_server stalls{[](connection& client) {
        client.read_request_head();
        client.write(std::string(head) + "short");
        client.hold();
    }};
};

TEST_F(AFailure, TellsThatConnectingTookTooLong) {
    // Accepts a connection, and says nothing where TLS begins.
    const scripted_server mute([](connection& client) { client.hold(); });
    auto secure = mute.url();
    secure.replace(0, 4, "https");
    const auto error =
        error_of([&] { run(made->fetch({.url = secure, .limits = {.connect = 100ms}})); });
    EXPECT_EQ(error.code(), errc::timed_out);
    EXPECT_EQ(error.limit(), time_limit::connect);
    EXPECT_EQ(error.phase(), fetch_phase::tls);
    EXPECT_EQ(error.attempts(), 1u);
}

TEST_F(AFailure, TellsThatTheHeadCameTooLate) {
    const auto first =
        error_of([&] { run(made->fetch({.url = silent.url(), .limits = {.first_byte = 50ms}})); });
    EXPECT_EQ(first.limit(), time_limit::first_byte);
    EXPECT_EQ(first.phase(), fetch_phase::headers);
    const scripted_server hints([](connection& client) {
        client.read_request_head();
        while (client.write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"))
            std::this_thread::sleep_for(5ms);
    });
    const auto interim =
        error_of([&] { run(made->fetch({.url = hints.url(), .limits = {.first_byte = 50ms}})); });
    EXPECT_EQ(interim.limit(), time_limit::first_byte);
}

TEST_F(AFailure, CountsTheTimeToTheHeadFromTheEndOfTheRequest) {
    int asked = 0;
    const auto slow = [&]() -> task<std::string> {
        if (asked++ == 5)
            co_return "";
        auto pause = sleep_for(multi->executor(), 30ms);
        co_await std::move(pause);
        co_return "piece";
    };
    response one = run(made->fetch({.url = odd.url("/echo"),
                                    .method = "PUT",
                                    .body = request_body::stream(slow),
                                    .limits = {.first_byte = 100ms}}));
    EXPECT_EQ(one.status(), 200);
}

TEST_F(AFailure, TellsThatTheHeadCameTooLateAfterABody) {
    mime parts;
    parts.addpart().name("a").data("b");
    const auto never = [] { return make_ready_future(std::string()); };
    for (const auto& body :
         std::vector<request_body>{"text", std::string(1 << 20, 'x'),
                                   request_body::multipart(parts), request_body::stream(never)})
        for (const char* method : {"PUT", "POST"}) {
            if (!body.replayable() && method == std::string("POST"))
                continue; // it was taken
            const auto error = error_of([&] {
                run(made->fetch({.url = takes_all.url(),
                                 .method = method,
                                 .body = body,
                                 .limits = {.first_byte = 50ms, .total = 1min}}));
            });
            EXPECT_EQ(error.limit(), time_limit::first_byte) << method;
            EXPECT_EQ(error.phase(), fetch_phase::headers);
        }
}

TEST_F(AFailure, TellsThatABodyStalls) {
    response one = run(made->fetch({.url = stalls.url(), .limits = {.stall = 50ms}}));
    const auto error = error_of([&] { run(one.text()); });
    EXPECT_EQ(error.limit(), time_limit::stall);
    EXPECT_EQ(error.phase(), fetch_phase::body);
}

TEST_F(AFailure, TellsThatAnUploadStalls) {
    const scripted_server deaf([](connection& client) { client.hold(); });
    const auto error = error_of([&] {
        run(made->fetch({.url = deaf.url(),
                         .method = "PUT",
                         .body = std::string(16 << 20, 'x'),
                         .limits = {.stall = 50ms}}));
    });
    EXPECT_EQ(error.limit(), time_limit::stall);
    EXPECT_EQ(error.phase(), fetch_phase::send);
}

TEST_F(AFailure, IsNoneWhileNobodyReads) {
    response one = run(made->fetch({.url = stalls.url(), .limits = {.stall = 500ms}}));
    response two = run(made->fetch({.url = url("/bytes/16777216"), .limits = {.stall = 500ms}}));
    const auto until = std::chrono::steady_clock::now() + 1s;
    run_to([&] { return std::chrono::steady_clock::now() > until; });
    EXPECT_EQ(made->stats().running, 2u);
    auto stream = one.body();
    EXPECT_EQ(run(stream.read()), "short");
    EXPECT_EQ(run(two.text()).size(), std::size_t{1} << 24);
}

TEST_F(AFailure, TellsThatAllOfItTookTooLong) {
    const auto total =
        error_of([&] { run(made->fetch({.url = silent.url(), .limits = {.total = 50ms}})); });
    EXPECT_EQ(total.code(), errc::timed_out);
    EXPECT_EQ(total.limit(), time_limit::total);
    EXPECT_EQ(total.phase(), fetch_phase::headers);
    response pending = run(made->fetch({.url = stalls.url(), .limits = {.total = 1s}}));
    EXPECT_EQ(error_of([&] { run(pending.text()); }).limit(), time_limit::total);
    response unread = run(made->fetch({.url = stalls.url(), .limits = {.total = 1s}}));
    run_until_idle();
    auto stream = unread.body();
    for (int i = 0; i != 2; ++i)
        EXPECT_EQ(error_of([&] { run(stream.read()); }).limit(), time_limit::total);
}

TEST_F(AFailure, OfAllTimeReachesRetriesAndTheQueue) {
    const auto retried = error_of([&] {
        run(made->fetch({.url = "http://127.0.0.1:1/",
                         .limits = {.total = 200ms},
                         .retries = retry_policy{.attempts = 1000, .first = 20ms, .budget = 1e9}}));
    });
    EXPECT_GT(retried.attempts(), 1u);
    const client limited(*multi, {.at_once = {.total = 1}});
    auto first = limited.get(silent.url());
    const auto queued =
        error_of([&] { run(limited.fetch({.url = url("/hello"), .limits = {.total = 50ms}})); });
    EXPECT_EQ(queued.limit(), time_limit::total);
    EXPECT_EQ(queued.phase(), fetch_phase::queue);
    first.cancel();
    run_to([&] { return limited.stats().running == 0; });
}

TEST_F(AFailure, OfALimitIsNoneIfThatIs0) {
    const client strict(
        *multi, {.limits = {.connect = 1h, .first_byte = 20ms, .stall = 20ms, .total = 20ms}});
    const scripted_server slow(for_each_request([](connection& client, const std::string&) {
        std::this_thread::sleep_for(60ms);
        client.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
        std::this_thread::sleep_for(60ms);
        return client.write("ok");
    }));
    response one = run(
        strict.fetch({.url = slow.url(),
                      .limits = {.connect = 0ms, .first_byte = 0ms, .stall = 0ms, .total = 0ms}}));
    EXPECT_EQ(run(one.text()), "ok");
    EXPECT_EQ(error_of([&] { run(strict.get(slow.url())); }).code(), errc::timed_out);
}

TEST_F(AFailure, IsOtherThanThatOfAFuturesTimeout) {
    EXPECT_THROW(run(made->get(silent.url()).timeout(20ms)), timed_out);
    run_until_idle();
}

TEST_F(AFailure, TellsWhereItWas) {
    const auto refused = error_of([&] { run(made->get("http://127.0.0.1:1/")); });
    EXPECT_EQ(refused.code(), std::errc::connection_refused);
    EXPECT_EQ(refused.phase(), fetch_phase::connect);
    EXPECT_EQ(error_of([&] { run(made->get("http://no.such.host.invalid/")); }).phase(),
              fetch_phase::resolve);
    EXPECT_EQ(error_of([&] { run(fetch(*multi, nginx::shared().https("/hello"))); }).phase(),
              fetch_phase::tls);
    EXPECT_EQ(error_of([&] { run(made->get(odd.url("/nothing"))); }).phase(), fetch_phase::headers);
    EXPECT_EQ(error_of([&] { run(made->get(odd.url("/garbage"))); }).phase(), fetch_phase::headers);
}

TEST_F(AFailure, ShowsNoSecret) {
    for (const std::string url : {"http://secret:secret@127.0.0.1:1/?secret=secret",
                                  "http://secret:secret@no.such.host.invalid/?secret"}) {
        const auto error = error_of([&] {
            run(made->fetch({.url = url,
                             .headers = {{"Authorization", "secret"}},
                             .body = "secret",
                             .retries = retry_policy{.attempts = 2, .first = 1ms}}));
        });
        EXPECT_FALSE(has(error.what(), "secret")) << error.what();
        try {
            std::rethrow_if_nested(error);
        } catch (const std::exception& nested) {
            EXPECT_FALSE(has(nested.what(), "secret")) << nested.what();
        }
    }
    try {
        static_cast<void>(made->get("http://secret:secret@a b/?secret"));
        ADD_FAILURE();
    } catch (const std::invalid_argument& error) {
        EXPECT_FALSE(has(error.what(), "secret")) << error.what();
    }
}

TEST_F(AFailure, TellsWhatLiesBehindIt) {
    EXPECT_EQ(error_of([&] { run(made->get("http://127.0.0.1:1/")); }).cause(),
              std::error_code(ECONNREFUSED, std::system_category()));
    EXPECT_FALSE(error_of([&] { run(made->get(odd.url("/nothing"))); }).cause());
    const auto late = error_of(
        [&] { run(made->fetch({.url = odd.url("/silence"), .limits = {.total = 20ms}})); });
    EXPECT_EQ(late.cause(), CURLE_OPERATION_TIMEDOUT);
    response one = run(made->fetch({.url = url("/hello"), .most_body = 1}));
    EXPECT_EQ(error_of([&] { run(one.text()); }).cause(), CURLE_FILESIZE_EXCEEDED);
}

TEST_F(AFailure, IsToldOfAnyTransfer) {
    const auto told = [&](std::string_view where) {
        try {
            run(multi->perform(easy(where)));
        } catch (const transfer_error& failure) {
            return fetch_error(failure);
        }
        throw std::logic_error("it did not fail");
    };
    const auto refused = told("http://127.0.0.1:1/");
    EXPECT_EQ(refused.code(), CURLE_COULDNT_CONNECT);
    EXPECT_EQ(refused.phase(), fetch_phase::connect);
    EXPECT_EQ(refused.cause(), std::error_code(ECONNREFUSED, std::system_category()));
    EXPECT_EQ(told("http://[").phase(), fetch_phase::url);
    EXPECT_EQ(told(odd.url("/nothing")).phase(), fetch_phase::headers);
}

TEST_F(AFailure, OfAUrlNestsWhatLibcurlSaysOfIt) {
    try {
        static_cast<void>(made->get("http://a,b/"));
        FAIL();
    } catch (const std::invalid_argument& refusal) {
        try {
            std::rethrow_if_nested(refusal);
            FAIL();
        } catch (const std::system_error& error) {
            EXPECT_EQ(error.code(), CURLUE_BAD_HOSTNAME);
        }
    }
}

TEST_F(AFailure, IsAHeadThatIsTooLong) {
    for (const std::size_t line : {100, 20'000, 300'000}) {
        const scripted_server flood([line](connection& client) {
            client.read_request_head();
            client.write("HTTP/1.1 200 OK\r\n");
            for (std::size_t sent = 0; sent < (1 << 20); sent += line)
                if (!client.write("X-Header: " + std::string(line, 'x') + "\r\n"))
                    return;
        });
        const auto error = error_of([&] { run(made->get(flood.url())); });
        EXPECT_EQ(error.phase(), fetch_phase::headers) << line;
        // Longer lines older libcurls refuse in their own words.
        EXPECT_TRUE(error.code() == errc::too_large || line > 100'000) << line << error.what();
    }
    const scripted_server trailing([](connection& client) {
        client.read_request_head();
        client.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n");
        for (int i = 0; i != 5'000; ++i)
            if (!client.write("X-Trailer: " + std::string(90, 'x') + "\r\n"))
                return;
    });
    response one = run(made->get(trailing.url()));
    EXPECT_EQ(error_of([&] { run(one.text()); }).code(), errc::too_large);
}

TEST_F(AFailure, IsAStatusOnlyIfAskedFor) {
    response one = run(made->get(url("/status/404")));
    EXPECT_FALSE(one.ok());
    try {
        static_cast<void>(run(std::move(one).checked()));
        ADD_FAILURE();
    } catch (const status_error& error) {
        EXPECT_EQ(error.status(), 404);
        EXPECT_EQ(error.body(), "404\n");
        EXPECT_TRUE(error.headers().contains("Content-Type"));
        EXPECT_EQ(error.attempts(), 1u);
        EXPECT_STREQ(error.what(), "fetch: status 404 Not Found");
    }
    response good = run(run(made->get(url("/hello"))).checked());
    EXPECT_EQ(run(good.text()), "hello\n");
    const scripted_server wordy(for_each_request([](connection& client, const std::string&) {
        client.write("HTTP/1.1 500 No\r\nContent-Length: 100000\r\n\r\n");
        std::this_thread::sleep_for(20ms);
        return client.write(std::string(100'000, 'x'));
    }));
    try {
        static_cast<void>(run(run(made->get(wordy.url())).checked()));
        ADD_FAILURE();
    } catch (const status_error& error) {
        EXPECT_EQ(error.body(), std::string(4096, 'x'));
    }
    try {
        run(made->get(wordy.url())).throw_for_status();
        ADD_FAILURE();
    } catch (const status_error& error) {
        EXPECT_LE(error.body().size(), 4096u);
    }
}

TEST_F(AFailure, OfTheUsersPassesAsItIs) {
    const auto layered = made->with(
        [](request, transport&) -> future<response> { throw std::range_error("a layer's"); });
    EXPECT_THROW(run(layered.get(url("/hello"))), std::range_error);
    const auto forgetful = made->with(
        [](request, transport& next) { return promise<response>(next.executor()).get_future(); });
    EXPECT_EQ(failure_of([&] { run(forgetful.get(url("/hello"))); }), errc::broken_promise);
    EXPECT_THROW(run(made->fetch({.url = url("/hello"),
                                  .tweak = [](easy&) { throw std::range_error("mine"); }})),
                 std::range_error);
    const client guarded(*multi, {.allow_address = [](const sockaddr&) -> bool {
        throw std::range_error("a guard's");
    }});
    EXPECT_THROW(run(guarded.get(url("/hello"))), std::range_error);
}

TEST_F(AFailure, IsOfTheOptionsAtOnce) {
    const auto refuse = [&](client_options options) {
        EXPECT_THROW(client(*multi, std::move(options)), std::invalid_argument);
    };
    refuse({.base = "no url"});
    refuse({.headers = {{"Connection", "close"}}});
    refuse({.user_agent = "a\nb"});
    refuse({.limits = {.total = -1ms}});
    refuse({.high_water = 0});
    refuse({.tls = {.lowest = "1.1"}});
    const auto any = [](const sockaddr&) { return true; };
    refuse({.unix_socket = "/socket", .allow_address = any});
    refuse({.proxy = {.url = "http://127.0.0.1:1"}, .allow_address = any});
    refuse({.share = std::make_shared<share>(
                std::initializer_list<curl_lock_data>{CURL_LOCK_DATA_CONNECT}),
            .allow_address = any});
    EXPECT_NO_THROW(client(
        *multi,
        {.proxy = {.url = "http://127.0.0.1:1"}, .allow_address = any, .proxy_is_trusted = true}));
}

} // namespace
