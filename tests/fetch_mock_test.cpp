// SPDX-License-Identifier: MIT
// What a client does, seen without a network.
#include "support/failure.hpp"
#include "support/files.hpp"
#include "support/temporary_directory.hpp"
#include <curlicue/easy.hpp>
#include <curlicue/error.hpp>
#include <curlicue/fetch.hpp>
#include <curlicue/fetch_error.hpp>
#include <curlicue/mock.hpp>
#include <curlicue/sleep.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <curl/curl.h>
#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

class AMock : public ::testing::Test {
protected:
    // What waits yet keeps its client and the mock.
    void TearDown() override {
        tested.close().get();
        limited.close().get();
    }
    std::shared_ptr<mock> server = std::make_shared<mock>();
    client tested{server}, limited{server};
    const std::string home = "http://example.test/";
};

TEST_F(AMock, RepliesToWhatItExpects) {
    server->on("GET", home).reply(200, {{"X-One", "1"}}, "hello");
    auto answer = tested.get(home).get();
    EXPECT_EQ(answer.status(), 200);
    EXPECT_TRUE(answer.ok());
    EXPECT_EQ(answer.headers().get("x-one"), "1");
    EXPECT_EQ(answer.text().get(), "hello");
    ASSERT_EQ(server->requests().size(), 1u);
    EXPECT_EQ(server->requests()[0].method, "GET");
    EXPECT_EQ(server->requests()[0].url, home);
    EXPECT_TRUE(server->unexpected().empty());
}

TEST_F(AMock, FailsWhatItDoesNotExpect) {
    EXPECT_EQ(failure_of([&] { tested.get(home).get(); }), errc::unexpected_request);
    ASSERT_EQ(server->unexpected().size(), 1u);
    EXPECT_EQ(server->unexpected()[0].url, home);
}

TEST_F(AMock, RepliesWith200UnlessItIsTold) {
    server->on("PUT", home);
    EXPECT_EQ(tested.put(home, "body").get().status(), 200);
    EXPECT_EQ(server->requests()[0].body, "body");
}

TEST_F(AMock, SeesBodiesHoweverTheyCome) {
    const temporary_directory directory;
    write_file(directory / "body", "a file");
    server->on("POST", home);
    const auto seen = [&](request_body body) {
        EXPECT_EQ(tested.post(home, std::move(body)).get().status(), 200);
        return server->requests().back().body;
    };
    EXPECT_EQ(seen(request_body::form({{"a", "b"}})), "a=b");
    EXPECT_EQ(seen(request_body::file(directory / "body")), "a file");
    const auto pieces = [] {
        return
            [left = 3]() mutable { return make_ready_future(std::string(left-- > 0 ? "ab" : "")); };
    };
    EXPECT_EQ(seen(request_body::stream(pieces())), "ababab");
    EXPECT_EQ(seen(request_body::stream(pieces(), 4)), "abab") << "its size says where it ends";
    const auto once = request_body::stream(pieces());
    EXPECT_EQ(seen(once), "ababab");
    EXPECT_EQ(failure_of([&] { tested.post(home, once).get(); }), errc::already_retrieved);
    auto [body, writer] = request_body::pipe();
    auto answer = tested.post(home, body);
    EXPECT_TRUE(writer.write(std::string(1 << 20, 'x')).ready()) << "it is taken";
    EXPECT_TRUE(writer.write("y").ready());
    EXPECT_FALSE(answer.ready());
    writer.end();
    EXPECT_EQ(answer.get().status(), 200);
    EXPECT_EQ(server->requests().back().body, std::string(1 << 20, 'x') + "y");
    auto [lost, gone] = request_body::pipe();
    auto fails = tested.post(home, lost);
    { const body_writer dropped = std::move(gone); }
    EXPECT_EQ(failure_of([&] { fails.get(); }), errc::broken_promise);
}

TEST_F(AMock, UsesEachExpectationSoOften) {
    server->on("GET", home).reply(503).times(2);
    server->on("GET", home).reply(200);
    EXPECT_EQ(tested.get(home).get().status(), 503);
    EXPECT_EQ(tested.get(home).get().status(), 503);
    EXPECT_EQ(tested.get(home).get().status(), 200);
}

TEST_F(AMock, ComparesUrlsAsLibcurlHasThem) {
    server->on("GET", "HTTP://EXAMPLE.test:80/a/../b?q=1").reply(204);
    EXPECT_EQ(tested.get("http://example.test/b?q=1").get().status(), 204);
    EXPECT_EQ(failure_of([&] { tested.get("http://example.test/b?q=2").get(); }),
              errc::unexpected_request);
}

TEST_F(AMock, LendsItsExecutorToWhatRunsBesideItsClient) {
    auto slept = sleep_for(tested.executor(), 5s);
    server->advance(4s);
    EXPECT_FALSE(slept.ready());
    server->advance(1s);
    EXPECT_TRUE(slept.ready());
}

TEST_F(AMock, AsksAFunction) {
    server->on("GET", home).reply([](const request& what) {
        return response::of(200, {}, what.url + what.method);
    });
    EXPECT_EQ(tested.get(home).get().text().get(), home + "GET");
    server->on("POST", home).reply([](const request&) -> task<response> {
        co_return response::of(201);
    });
    EXPECT_EQ(tested.post(home, "").get().status(), 201);
    server->on("PUT", home).reply([](const request&) {
        return make_ready_future(response::of(202));
    });
    EXPECT_EQ(tested.put(home, "").get().status(), 202);
}

TEST_F(AMock, FailsAsLibcurlDoes) {
    server->on("GET", home).fail(CURLE_COULDNT_CONNECT);
    EXPECT_EQ(failure_of([&] { tested.get(home).get(); }), CURLE_COULDNT_CONNECT);
}

TEST_F(AMock, HasATimeOfItsOwn) {
    server->on("GET", home).reply(200).after(1h);
    auto answer = tested.get(home);
    server->advance(59min);
    EXPECT_FALSE(answer.ready());
    server->advance(1min);
    EXPECT_EQ(answer.get().status(), 200);
}

TEST_F(AMock, MeetsTheLimitOfAllTime) {
    server->on("GET", home).after(1h);
    auto answer = tested.fetch({.url = home, .limits = {.total = 10s}});
    server->advance(10s);
    try {
        answer.get();
        ADD_FAILURE();
    } catch (const fetch_error& error) {
        EXPECT_EQ(error.code(), errc::timed_out);
        EXPECT_EQ(error.limit(), time_limit::total);
    }
}

TEST_F(AMock, FollowsRedirects) {
    server->on("GET", home).reply(302, {{"Location", "/there?x#new"}});
    server->on("GET", home + "there?x#new").reply(200, {}, "there");
    auto answer = tested.get(home + "").get();
    EXPECT_EQ(answer.text().get(), "there");
}

TEST_F(AMock, SeesLayersInTheirOrder) {
    std::string seen;
    const auto named = [&seen](char name) {
        return layer([&seen, name](request what, transport& next) {
            seen += name;
            return next.fetch(std::move(what));
        });
    };
    server->on("GET", home).reply(302, {{"Location", "/2"}});
    server->on("GET", home + "2").reply(503, {{"Retry-After", "0"}}).times(1);
    server->on("GET", home + "2");
    const client layered(server, {.retries = {.attempts = 2},
                                  .layers = {named('a'), named('b')},
                                  .network_layers = {named('m'), named('n')}});
    auto answer = layered.with(named('w')).with(named('v')).get(home);
    server->advance(0ms);
    EXPECT_EQ(answer.get().status(), 200);
    EXPECT_EQ(seen, "vwabmnmnmn") << "each hop and attempt";
}

TEST_F(AMock, MayBeTheNextOfALayerThatIsATask) {
    server->on("GET", home).reply(200, {}, "hello");
    const auto answer = tested.with([](request what, transport& next) -> task<response> {
        auto coming = next.fetch(std::move(what));
        response one = co_await std::move(coming);
        co_return response::of(one.status() + 1);
    });
    EXPECT_EQ(answer.get(home).get().status(), 201);
}

// Limits.

TEST_F(AMock, HasNoMoreThanSoManyAtOnce) {
    server->on("GET", home).reply(200).after(1s);
    limited = client(server, {.at_once = {.per_origin = 2}});
    std::vector<future<response>> all;
    for (int i = 0; i != 5; ++i)
        all.push_back(limited.get(home));
    EXPECT_EQ(server->requests().size(), 2u);
    EXPECT_EQ(limited.stats().queued, 3u);
    EXPECT_EQ(limited.stats().queued_by_origin.begin()->second, 3u);
    server->advance(1s);
    EXPECT_EQ(server->requests().size(), 2u) << "their bodies are unread";
    for (auto& each : all)
        if (each.ready())
            each.get();
    EXPECT_EQ(server->requests().size(), 4u);
}

TEST_F(AMock, RefusesWhatTheQueueHasNoRoomFor) {
    server->on("GET", home).after(1s);
    limited = client(server, {.at_once = {.total = 1, .queue = 1}});
    auto one = limited.get(home), two = limited.get(home);
    EXPECT_EQ(failure_of([&] { limited.get(home).get(); }), errc::queue_full);
}

TEST_F(AMock, TellsWhichLimitWasOverInTheQueue) {
    server->on("GET", home).after(1h);
    limited = client(server, {.at_once = {.total = 1}});
    auto one = limited.get(home);
    auto two = limited.fetch({.url = home, .limits = {.queue = 2s}});
    server->advance(2s);
    try {
        two.get();
        ADD_FAILURE();
    } catch (const fetch_error& error) {
        EXPECT_EQ(error.limit(), time_limit::queue);
        EXPECT_EQ(error.phase(), fetch_phase::queue);
    }
}

// What is malformed.

TEST_F(AMock, RefusesWhatIsMalformedAtTheCall) {
    for (const char* url : {"", "example.test", "/path", "ftp://example.test/", "http://",
                            "http://a b/", "http://example.test/a\nb", "file:///etc/hosts"})
        EXPECT_THROW(static_cast<void>(tested.get(url)), std::invalid_argument) << url;
    const auto refuse = [&](request what) {
        EXPECT_THROW(static_cast<void>(tested.fetch(std::move(what))), std::invalid_argument);
    };
    refuse({.url = home, .method = "G ET"});
    refuse({.url = home, .method = "CONNECT"});
    refuse({.url = home, .method = "HEAD", .body = "x"});
    refuse({.url = home, .headers = {{"Transfer-Encoding", "chunked"}}});
    refuse({.url = home, .headers = {{"connection", "close"}}});
    refuse({.url = home, .headers = {{"Proxy-Authorization", "x"}}});
    refuse({.url = home, .headers = {{"Content-Length", "4"}}, .body = "x"});
    refuse({.url = home, .limits = {.stall = -1ms}});
    refuse({.url = home, .retries = retry_policy{.attempts = 0}});
    EXPECT_TRUE(server->requests().empty());
}

TEST_F(AMock, ResolvesAgainstABase) {
    const client based(server, {.base = "http://example.test/api/", .headers = {{"X-Key", "k"}}});
    server->on("GET", "http://example.test/api/items?a=1");
    EXPECT_EQ(based.get("items?a=1").get().status(), 200);
    EXPECT_EQ(server->requests()[0].headers.get("X-Key"), "k");
}

TEST_F(AMock, HelpsWithParametersAndAuthentication) {
    server->on("GET", "http://example.test/?a=%C3%A4%20b&c=%26#part");
    request what{.url = "http://example.test/#part"};
    EXPECT_EQ(tested.fetch(what.query({{"a", "\xC3\xA4 b"}, {"c", "&"}}).basic_auth("me", "secret"))
                  .get()
                  .status(),
              200);
    EXPECT_EQ(server->requests()[0].headers.get("Authorization"), "Basic bWU6c2VjcmV0");
    EXPECT_EQ(what.bearer("token").headers, (header_list{{"Authorization", "Bearer token"}}));
}

TEST(AClient, HasTheseOptionsUnlessItIsTold) {
    const client_options options;
    EXPECT_EQ(options.most_body, 64u << 20);
    EXPECT_EQ(options.high_water, 1u << 20);
    EXPECT_EQ(options.at_once.queue, 65'536u);
    EXPECT_EQ(options.at_once.per_origin + options.at_once.total, 0u);
    EXPECT_EQ(options.redirects.mode, redirect_mode::follow);
    EXPECT_EQ(options.redirects.most, 10u);
    EXPECT_EQ(options.retries.attempts, 1u);
    EXPECT_EQ(options.retries.first, 100ms);
    EXPECT_EQ(options.retries.most, 10s);
    EXPECT_EQ(options.retries.budget, 0.2);
    EXPECT_EQ(options.version, http_version::automatic);
}

// Bodies.

TEST(AResponse, GivesItsBodyOnce) {
    auto one = response::of(200, {}, "body");
    EXPECT_EQ(one.text().get(), "body");
    EXPECT_EQ(failure_of([&] { static_cast<void>(one.text()); }), errc::already_retrieved);
    EXPECT_EQ(failure_of([&] { static_cast<void>(one.body()); }), errc::already_retrieved);
}

TEST(AResponse, ThrowsForItsStatus) {
    auto one = response::of(404, {{"X-One", "1"}}, std::string(5000, 'x'));
    try {
        one.throw_for_status();
        ADD_FAILURE();
    } catch (const status_error& error) {
        EXPECT_EQ(error.status(), 404);
        EXPECT_EQ(error.headers().get("X-One"), "1");
        EXPECT_EQ(error.body(), std::string(4096, 'x'));
    }
    EXPECT_EQ(response::of(200, {}, "x").throw_for_status().status(), 200);
    EXPECT_EQ(response::of(204).checked().get().status(), 204);
    EXPECT_THROW(response::of(500).checked().get(), status_error);
}

TEST(AResponse, IsReadByLines) {
    auto lines = response::of(200, {}, "one\r\ntwo\n\nlast").body();
    EXPECT_EQ(lines.line().get(), "one");
    EXPECT_EQ(lines.line().get(), "two");
    EXPECT_EQ(lines.read(1).get(), "\n");
    EXPECT_EQ(lines.line().get(), "last");
    EXPECT_EQ(lines.line().get(), std::nullopt);
    EXPECT_EQ(lines.line().get(), std::nullopt);
    EXPECT_EQ(lines.read().get(), "");
}

TEST(AResponse, IsReadByPieces) {
    auto stream = response::of(200, {}, "abcdef").body();
    EXPECT_EQ(stream.read(4).get(), "abcd");
    EXPECT_EQ(stream.read(4).get(), "ef");
    EXPECT_EQ(stream.read().get(), "");
    EXPECT_THROW(static_cast<void>(stream.read(0)), std::invalid_argument);
}

TEST(AResponse, IsAStreamOfEvents) {
    auto one = response::of(200, {{"Content-Type", "text/event-stream; charset=utf-8"}},
                            "\xEF\xBB\xBF: comment\n"
                            "event: add\ndata: 1\r\ndata:2\rid: 7\n\n"
                            "data\n\n"
                            "retry: 250\nid\n\n" +
                                std::string("id: a\0b\n\n", 9) + "data: unfinished\n");
    auto events = one.events();
    const auto first = events.next().get();
    ASSERT_TRUE(first);
    EXPECT_EQ(first->type, "add");
    EXPECT_EQ(first->data, "1\n2");
    EXPECT_EQ(first->id, "7");
    const auto second = events.next().get();
    ASSERT_TRUE(second);
    EXPECT_EQ(second->type, "message");
    EXPECT_EQ(second->data, "");
    EXPECT_EQ(second->id, "7");
    EXPECT_EQ(events.next().get(), std::nullopt);
    EXPECT_EQ(events.retry(), 250ms);
    EXPECT_EQ(events.last_event_id(), "");
}

TEST(AResponse, OfAnotherTypeIsNoStreamOfEvents) {
    EXPECT_THROW(static_cast<void>(response::of(200).events()), fetch_error);
}

/// Gives these, one after the other, and then fails or ends.
body_source pieces(std::vector<std::string> all, std::exception_ptr failure = nullptr) {
    return [all = std::move(all), failure, next = std::size_t{0}]() mutable {
        if (next != all.size())
            return make_ready_future(all[next++]);
        return failure ? make_failed_future<std::string>(failure)
                       : make_ready_future(std::string());
    };
}

TEST(AResponse, MayHaveABodyOfPieces) {
    auto text = response::of(200, {}, pieces({"a", "bc", "d"}));
    EXPECT_EQ(text.text().get(), "abcd");
    auto stream = response::of(200, {}, pieces({"abc", "d"})).body();
    EXPECT_EQ(stream.read(2).get(), "ab");
    EXPECT_EQ(stream.read().get(), "c");
    EXPECT_EQ(stream.read().get(), "d");
    EXPECT_EQ(stream.read().get(), "");
    EXPECT_EQ(stream.read().get(), "");
    std::size_t count = 0;
    response::of(200, {}, pieces(std::vector<std::string>(100'000, "x")))
        .into([&](const std::string&) { ++count; })
        .get();
    EXPECT_EQ(count, 100'000u);
}

TEST(AResponse, FailsForEverWithWhatItsBodyFailsWith) {
    const auto failure = std::make_exception_ptr(std::range_error("mine"));
    auto stream = response::of(200, {}, pieces({"a"}, failure)).body();
    EXPECT_EQ(stream.read().get(), "a");
    for (int i = 0; i != 2; ++i)
        EXPECT_THROW(stream.read().get(), std::range_error);
    EXPECT_THROW(response::of(200, {}, pieces({"a"}, failure)).text().get(), std::range_error);
    EXPECT_THROW(response::of(200, {}, pieces({"a"}, failure)).discard().get(), std::range_error);
}

TEST(AResponse, IsWrittenToAFile) {
    const temporary_directory directory;
    EXPECT_EQ(response::of(200, {}, "body").to_file(directory / "file").get(), 4u);
    EXPECT_EQ(read_file(directory / "file"), "body");
}

TEST(AResponse, MayHaveAnotherBodyAndTheSameHead) {
    auto one = response::of(203, {{"X-One", "1"}}, "old").with_body(pieces({"new"}));
    EXPECT_EQ(one.status(), 203);
    EXPECT_EQ(one.headers().get("X-One"), "1");
    EXPECT_EQ(one.text().get(), "new");
    EXPECT_THROW(static_cast<void>(response::of(7)), std::invalid_argument);
}

TEST_F(AMock, BoundsBodies) {
    server->on("GET", home).reply(200, {}, std::string(1'000, 'x'));
    const client modest(server, {.most_body = 999});
    EXPECT_EQ(failure_of([&] { modest.get(home).get().text().get(); }), errc::too_large);
    EXPECT_EQ(failure_of([&] { modest.get(home).get().body().line().get(); }), errc::too_large);
}

TEST_F(AMock, WritesFilesAtOnce) {
    const temporary_directory directory;
    server->on("GET", home).reply(200, {}, "body");
    auto written =
        tested.get(home).then([&](response one) { return one.to_file(directory / "file"); });
    EXPECT_EQ(written.get(), 4u);
    EXPECT_EQ(read_file(directory / "file"), "body");
}

TEST_F(AMock, HasALimitOfAllTimeForBodiesToo) {
    promise<std::string> never(server->executor());
    server->on("GET", home).reply([&](const request&) {
        return response::of(200, {}, [&] { return never.get_future(); });
    });
    auto body = tested.fetch({.url = home, .limits = {.total = 10s}}).get().text();
    server->advance(9s);
    EXPECT_FALSE(body.ready());
    server->advance(1s);
    try {
        body.get();
        ADD_FAILURE();
    } catch (const fetch_error& error) {
        EXPECT_EQ(error.limit(), time_limit::total);
        EXPECT_EQ(error.phase(), fetch_phase::body);
    }
}

TEST_F(AMock, AsksALayerThatMovesAlong) {
    server->on("GET", home);
    const client layered(server, {.layers = {[alone = std::make_unique<int>(7)](
                                                 request what, transport& next) -> task<response> {
                                      what.headers.set("X-Number", std::to_string(*alone));
                                      auto answer = next.fetch(std::move(what));
                                      co_return co_await std::move(answer);
                                  }}});
    layered.get(home).get();
    EXPECT_EQ(server->requests()[0].headers.get("X-Number"), "7");
}

TEST_F(AMock, MayBeAnsweredByALayerAlone) {
    const auto answered = tested.with(
        [](request, transport&) { return make_ready_future(response::of(200, {}, "cached")); });
    response one = answered.get("http://user:secret@example.test/").get();
    EXPECT_EQ(one.url(), home);
    EXPECT_EQ(one.text().get(), "cached");
    EXPECT_TRUE(server->requests().empty());
}

TEST_F(AMock, ShowsNoSecretInWhatItRefuses) {
    try {
        tested.get("http://user:secret@example.test/?secret").get();
        ADD_FAILURE();
    } catch (const fetch_error& error) {
        EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos);
    }
}

} // namespace
