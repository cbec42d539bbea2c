// SPDX-License-Identifier: MIT
// The cache, by the rules of RFC 9111 and RFC 5861.
#include "support/async_fixture.hpp"
#include "support/failure.hpp"
#include "support/fetch_fixture.hpp"
#include "support/scripted_server.hpp"
#include <curlicue/cache.hpp>
#include <curlicue/coalesce.hpp>
#include <curlicue/easy.hpp>
#include <curlicue/error.hpp>
#include <curlicue/fetch.hpp>
#include <curlicue/fetch_error.hpp>
#include <curlicue/mock.hpp>
#include <curlicue/share.hpp>

#include <array>
#include <chrono>
#include <ctime>
#include <initializer_list>
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

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

/// As HTTP has them (RFC 9110 5.6.7), this far from now.
std::string date(std::chrono::seconds from_now) {
    const auto time = std::time(nullptr) + from_now.count();
    std::tm parts{};
    gmtime_r(&time, &parts);
    std::array<char, 64> text{};
    const auto size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return {text.data(), size};
}

class ACache : public ::testing::Test {
protected:
    void TearDown() override { tested.close().get(); }

    client caching(cache how) { return client(server, {.network_layers = {std::move(how)}}); }
    mock::expectation& serve(header_list headers, std::string body = "one", int status = 200) {
        return server->on("GET", home).reply(status, std::move(headers), std::move(body));
    }
    struct seen {
        int status;
        std::string body;
        header_list headers;
    };
    seen get(header_list headers = {}) {
        return fetch({.url = home, .headers = std::move(headers)});
    }
    seen fetch(request what) {
        auto one = tested.fetch(std::move(what)).get();
        auto body = one.text().get();
        return {one.status(), std::move(body), one.headers()};
    }
    /// Whether the second of two requests is answered without the server.
    bool is_kept(header_list headers, header_list first = {}, header_list second = {},
                 int status = 200) {
        server = std::make_shared<mock>();
        tested = caching({});
        serve(std::move(headers), "one", status);
        get(std::move(first));
        get(std::move(second));
        return asked() == 1;
    }
    bool is_fresh_after(std::chrono::seconds time, header_list headers, header_list request = {},
                        int status = 200) {
        server = std::make_shared<mock>();
        tested = caching({});
        serve(std::move(headers), "one", status);
        get();
        server->advance(time);
        get(std::move(request));
        return asked() == 1;
    }
    std::size_t asked() const { return server->requests().size(); }
    std::optional<std::string> sent(const char* name) const {
        const auto all = server->requests();
        const auto value = all.back().headers.get(name);
        return value ? std::optional(std::string(*value)) : std::nullopt;
    }

    std::shared_ptr<mock> server = std::make_shared<mock>();
    const std::string home = "http://example.test/";
    client tested = caching({});
};

// What is kept (3). -------------------------------------------------------------------------------

TEST_F(ACache, AnswersAgainWithoutTheServer) {
    serve({{"Cache-Control", "max-age=60"}, {"X-One", "1"}});
    for (int i = 0; i != 3; ++i) {
        const auto one = get();
        EXPECT_EQ(one.status, 200);
        EXPECT_EQ(one.body, "one");
        EXPECT_EQ(one.headers.get("X-One"), "1");
    }
    EXPECT_EQ(asked(), 1u);
}

TEST_F(ACache, KeepsWhatMayBeKept) {
    const std::string later = date(60s), before = date(-1h);
    EXPECT_TRUE(is_kept({{"Cache-Control", "max-age=60"}}));
    EXPECT_TRUE(is_kept({{"Cache-Control", "private, max-age=60"}})) << "it is private";
    EXPECT_TRUE(is_kept({{"Expires", later}}));
    EXPECT_TRUE(is_kept({{"Last-Modified", before}})) << "by a tenth of the time since then";
    EXPECT_TRUE(is_kept({{"Cache-Control", "max-age=60"}}, {}, {}, 418)) << "any final status";
    EXPECT_TRUE(is_kept({{"Cache-Control", "public"}, {"Last-Modified", before}}, {}, {}, 418));
    EXPECT_FALSE(is_kept({}));
    EXPECT_FALSE(is_kept({{"Last-Modified", before}}, {}, {}, 418));
    EXPECT_FALSE(is_kept({{"Cache-Control", "no-store, max-age=60"}}));
    EXPECT_FALSE(is_kept({{"Cache-Control", "max-age=60"}, {"Cache-Control", "no-store"}}));
    EXPECT_FALSE(is_kept({{"Cache-Control", "max-age=60"}}, {{"Cache-Control", "no-store"}}));
    EXPECT_FALSE(is_kept({{"Cache-Control", "max-age=60"}}, {}, {}, 206));
    EXPECT_FALSE(is_kept({{"Cache-Control", "max-age=60"}, {"Set-Cookie", "a=b"}}));
    EXPECT_TRUE(is_kept({{"Cache-Control", "public, max-age=60"}, {"Set-Cookie", "a=b"}}));
    EXPECT_FALSE(is_kept({{"Cache-Control", "s-maxage=60"}})) << "that is for shared ones";
    EXPECT_FALSE(is_kept({{"Cache-Control", "no-cache, max-age=60"}}));
    EXPECT_FALSE(is_kept({{"Cache-Control", "no-cache=\"Set-Cookie, X\", max-age=60"}}));
}

TEST_F(ACache, ReadsDirectivesAsTheyCome) {
    EXPECT_TRUE(is_kept({{"Cache-Control", "MAX-AGE=60"}}));
    EXPECT_TRUE(is_kept({{"Cache-Control", "foo=\"a, no-store\" ,, max-age=\"60\""}}));
    EXPECT_TRUE(is_kept({{"Cache-Control", "max-age=99999999999999999999"}}));
    EXPECT_TRUE(is_kept({{"Cache-Control", "max-age=60, max-age=0"}})) << "the first counts";
    EXPECT_FALSE(is_kept({{"Cache-Control", "max-age=0, max-age=60"}}));
    for (const char* wrong : {"max-age=", "max-age", "max-age=-1", "max-age=6x", "max-age= 6 0",
                              "xmax-age=60", "\"max-age=60"})
        EXPECT_FALSE(is_kept({{"Cache-Control", wrong}})) << wrong;
}

TEST_F(ACache, KeepsNothingThatWasNotReadToItsEnd) {
    serve({{"Cache-Control", "max-age=60"}}, "one");
    auto stream = tested.get(home).get().body();
    EXPECT_EQ(stream.read(1).get(), "o");
    { const auto gone = std::move(stream); }
    get();
    EXPECT_EQ(asked(), 2u);
    get();
    EXPECT_EQ(asked(), 2u);
}

TEST_F(ACache, HasRoomForSoMuch) {
    tested = caching({.most = 100'000, .most_body = 20'000});
    for (int i = 0; i != 20; ++i)
        server->on("GET", home + std::to_string(i))
            .reply(200, {{"Cache-Control", "max-age=60"}}, std::string(10'000, 'x'));
    const auto ask = [&](int i) { fetch({.url = home + std::to_string(i)}); };
    for (int i = 0; i != 20; ++i) {
        ask(i);
        ask(0);
    }
    EXPECT_EQ(asked(), 20u) << "what is used stays";
    ask(1);
    EXPECT_EQ(asked(), 21u) << "what was not goes";
    serve({{"Cache-Control", "max-age=60"}}, std::string(20'001, 'x'));
    get();
    get();
    EXPECT_EQ(asked(), 23u) << "too long";
}

TEST_F(ACache, IsPassedBy) {
    server->on("HEAD", home).reply(200, {{"Cache-Control", "max-age=60"}});
    server->on("GET", "http://user:password@example.test/")
        .reply(200, {{"Cache-Control", "max-age=60"}});
    serve({{"Cache-Control", "max-age=60"}});
    std::vector<request> all{{.url = home, .method = "HEAD"},
                             {.url = home, .method = "GET", .body = "body"},
                             {.url = home, .tweak = [](easy&) {}},
                             {.url = "http://user:password@example.test/"}};
    for (const char* name : {"Range", "If-None-Match", "If-Match", "If-Modified-Since",
                             "If-Unmodified-Since", "If-Range"})
        all.push_back({.url = home, .headers = {{name, "x"}}});
    get();
    for (const auto& each : all) {
        const auto before = asked();
        fetch(each);
        fetch(each);
        EXPECT_EQ(asked(), before + 2);
    }
}

TEST_F(ACache, TakesFragmentsOff) {
    serve({{"Cache-Control", "max-age=60"}});
    get();
    fetch({.url = home + "#part"});
    EXPECT_EQ(asked(), 1u);
}

// Who it is for (4.1). ----------------------------------------------------------------------------

TEST_F(ACache, HasOneForEachThatItVariesWith) {
    server->on("GET", home).reply([](const request& what) {
        return response::of(200,
                            {{"Cache-Control", "max-age=60"}, {"Vary", "Accept, accept-language"}},
                            std::string(what.headers.get("Accept").value_or("none")));
    });
    const std::vector<header_list> kinds{{},
                                         {{"Accept", "a"}},
                                         {{"Accept", "b"}},
                                         {{"Accept", "a"}, {"Accept-Language", "c"}},
                                         {{"Accept", "a"}, {"Accept", "b"}}};
    for (int i = 0; i != 2; ++i)
        for (const auto& each : kinds)
            EXPECT_EQ(get(each).body, each.get("Accept").value_or("none"));
    EXPECT_EQ(asked(), kinds.size());
    get({{"Accept", "a, b"}});
    EXPECT_EQ(asked(), kinds.size()) << "the same as two lines";
    get({{"accept", " a"}, {"X-Other", "1"}});
    EXPECT_EQ(asked(), kinds.size());
}

TEST_F(ACache, KeepsNothingThatVariesWithAnything) {
    EXPECT_FALSE(is_kept({{"Cache-Control", "max-age=60"}, {"Vary", "*"}}));
    EXPECT_FALSE(is_kept({{"Cache-Control", "max-age=60"}, {"Vary", "Accept, *"}}));
    EXPECT_FALSE(is_kept({{"Cache-Control", "max-age=60"}, {"Vary", "Accept"}, {"Vary", "*"}}));
    EXPECT_FALSE(is_kept({{"Cache-Control", "max-age=60"}, {"Vary", "no token"}}));
}

TEST_F(ACache, IsOfOneAuthorization) {
    const header_list kept{{"Cache-Control", "public, max-age=60"}};
    const header_list one{{"Authorization", "Bearer one"}},
        other{{"Authorization", "Bearer other"}};
    EXPECT_TRUE(is_kept(kept, one, one));
    EXPECT_FALSE(is_kept(kept, one, other));
    EXPECT_FALSE(is_kept(kept, one, {}));
    EXPECT_FALSE(is_kept(kept, {}, one));
}

// How long it is fresh (4.2). ---------------------------------------------------------------------

TEST_F(ACache, IsFreshForSoLong) {
    EXPECT_TRUE(is_fresh_after(59s, {{"Cache-Control", "max-age=60"}}));
    EXPECT_FALSE(is_fresh_after(60s, {{"Cache-Control", "max-age=60"}}));
    const header_list expires{{"Date", date(0s)}, {"Expires", date(60s)}};
    EXPECT_TRUE(is_fresh_after(50s, expires));
    EXPECT_FALSE(is_fresh_after(70s, expires));
    EXPECT_TRUE(is_fresh_after(50s, {{"Expires", date(60s)}})) << "without a Date";
    EXPECT_TRUE(is_fresh_after(50s, {{"Cache-Control", "max-age=60"}, {"Expires", "0"}}))
        << "max-age before Expires";
    EXPECT_FALSE(is_fresh_after(0s, {{"Expires", "0"}, {"Last-Modified", date(-1000h)}}));
    EXPECT_FALSE(is_fresh_after(0s, {{"Expires", "no date"}, {"ETag", "\"1\""}}));
    const header_list heuristic{{"Last-Modified", date(-1000s)}};
    EXPECT_TRUE(is_fresh_after(90s, heuristic));
    EXPECT_FALSE(is_fresh_after(110s, heuristic));
    EXPECT_FALSE(is_fresh_after(25h, {{"Last-Modified", date(-10000h)}})) << "no longer than a day";
}

TEST_F(ACache, CountsTheAgeThatItCameWith) {
    EXPECT_TRUE(is_fresh_after(19s, {{"Cache-Control", "max-age=60"}, {"Age", "40"}}));
    EXPECT_FALSE(is_fresh_after(20s, {{"Cache-Control", "max-age=60"}, {"Age", "40"}}));
    EXPECT_FALSE(is_fresh_after(25s, {{"Cache-Control", "max-age=60"}, {"Date", date(-40s)}}));
    EXPECT_TRUE(is_fresh_after(50s, {{"Cache-Control", "max-age=60"}, {"Date", date(1h)}}))
        << "a clock that is fast";
    EXPECT_TRUE(is_fresh_after(50s, {{"Cache-Control", "max-age=60"}, {"Age", "young"}}));
    server = std::make_shared<mock>();
    tested = caching({});
    serve({{"Cache-Control", "max-age=60"}}).after(30s);
    auto slow = tested.get(home);
    server->advance(30s);
    slow.get().text().get();
    server->advance(30s);
    auto again = tested.get(home);
    EXPECT_EQ(asked(), 2u) << "as old as it took to come";
    again.cancel();
}

TEST_F(ACache, SaysHowOldItIs) {
    serve({{"Cache-Control", "max-age=60"}, {"Age", "5"}});
    EXPECT_EQ(get().headers.get("Age"), "5");
    server->advance(20s);
    EXPECT_EQ(get().headers.get("Age"), "25");
}

TEST_F(ACache, HeedsWhatTheRequestWants) {
    const header_list minute{{"Cache-Control", "max-age=60"}};
    const auto wants = [](const char* what) { return header_list{{"Cache-Control", what}}; };
    EXPECT_FALSE(is_fresh_after(0s, minute, wants("no-cache")));
    EXPECT_FALSE(is_fresh_after(0s, minute, {{"Pragma", "no-cache"}}));
    EXPECT_TRUE(is_fresh_after(0s, minute, {{"Pragma", "no-cache"}, {"Cache-Control", "x"}}));
    EXPECT_TRUE(is_fresh_after(10s, minute, wants("max-age=10")));
    EXPECT_FALSE(is_fresh_after(11s, minute, wants("max-age=10")));
    EXPECT_TRUE(is_fresh_after(30s, minute, wants("min-fresh=30")));
    EXPECT_FALSE(is_fresh_after(31s, minute, wants("min-fresh=30")));
    EXPECT_TRUE(is_fresh_after(70s, minute, wants("max-stale")));
    EXPECT_TRUE(is_fresh_after(70s, minute, wants("max-stale=10")));
    EXPECT_FALSE(is_fresh_after(71s, minute, wants("max-stale=10")));
    EXPECT_FALSE(is_fresh_after(70s, {{"Cache-Control", "max-age=60, must-revalidate"}},
                                wants("max-stale")));
}

TEST_F(ACache, AnswersByItselfIfItIsTo) {
    EXPECT_EQ(get({{"Cache-Control", "only-if-cached"}}).status, 504);
    EXPECT_EQ(asked(), 0u);
    serve({{"Cache-Control", "max-age=60"}});
    get();
    EXPECT_EQ(get({{"Cache-Control", "only-if-cached"}}).body, "one");
    server->advance(60s);
    EXPECT_EQ(get({{"Cache-Control", "only-if-cached"}}).status, 504);
    EXPECT_EQ(asked(), 1u);
}

// Validation (4.3). -------------------------------------------------------------------------------

TEST_F(ACache, AsksWhetherItHasChanged) {
    const auto changed = date(-10h);
    serve({{"Cache-Control", "max-age=60"},
           {"ETag", "\"1\""},
           {"Last-Modified", changed},
           {"X-One", "1"},
           {"Content-Length", "3"}})
        .times(1);
    serve({{"ETag", "\"1\""},
           {"Cache-Control", "max-age=600"},
           {"X-One", "2"},
           {"Content-Length", "0"},
           {"Set-Cookie", "a=b"}},
          "", 304)
        .times(1);
    get();
    server->advance(60s);
    for (int i = 0; i != 2; ++i) {
        const auto one = get();
        EXPECT_EQ(one.status, 200);
        EXPECT_EQ(one.body, "one");
        EXPECT_EQ(one.headers.get("X-One"), "2") << "the headers are those of the 304";
        EXPECT_EQ(one.headers.get("Content-Length"), "3") << "but for those of the body";
        EXPECT_FALSE(one.headers.contains("Set-Cookie"));
        EXPECT_EQ(one.headers.get("Age"), i == 0 ? "0" : "599");
        server->advance(599s);
    }
    EXPECT_EQ(asked(), 2u);
    EXPECT_EQ(sent("If-None-Match"), "\"1\"");
    EXPECT_EQ(sent("If-Modified-Since"), changed);
}

TEST_F(ACache, TakesWhatHasChanged) {
    serve({{"Cache-Control", "max-age=60"}, {"ETag", "\"1\""}}, "one").times(1);
    serve({{"Cache-Control", "max-age=60"}, {"ETag", "\"2\""}}, "two").times(1);
    get();
    server->advance(60s);
    EXPECT_EQ(get().body, "two");
    EXPECT_EQ(get().body, "two");
    EXPECT_EQ(asked(), 2u);
}

TEST_F(ACache, ValidatesWhatSaysNoCache) {
    serve({{"Cache-Control", "no-cache"}, {"ETag", "W/\"1\""}}).times(1);
    serve({{"ETag", "W/\"1\""}}, "", 304);
    for (int i = 0; i != 3; ++i)
        EXPECT_EQ(get().body, "one");
    EXPECT_EQ(asked(), 3u);
}

TEST_F(ACache, BelievesNo304OfAnother) {
    serve({{"Cache-Control", "max-age=60"}, {"ETag", "\"1\""}}, "one").times(1);
    serve({{"ETag", "\"2\""}}, "", 304).times(1);
    serve({{"ETag", "\"2\""}, {"Cache-Control", "max-age=60"}}, "two").times(1);
    get();
    server->advance(60s);
    EXPECT_EQ(get().body, "two");
    EXPECT_EQ(sent("If-None-Match"), std::nullopt);
    EXPECT_EQ(get().body, "two");
}

TEST_F(ACache, VariesAsTheLast304Says) {
    serve({{"Cache-Control", "max-age=60"}, {"ETag", "\"1\""}}).times(1);
    serve({{"ETag", "\"1\""}, {"Vary", "Accept"}, {"Cache-Control", "max-age=60"}}, "", 304)
        .times(1);
    serve({{"Cache-Control", "max-age=60"}, {"Vary", "Accept"}}, "other");
    get();
    server->advance(60s);
    EXPECT_EQ(get().body, "one");
    EXPECT_EQ(get({{"Accept", "x"}}).body, "other");
    EXPECT_EQ(get().body, "one");
    EXPECT_EQ(asked(), 3u);
}

// Stale ones (4.2.4, RFC 5861). -------------------------------------------------------------------

TEST_F(ACache, AnswersAtOnceAndValidatesInTheBackground) {
    serve({{"Cache-Control", "max-age=60, stale-while-revalidate=30"}, {"ETag", "\"1\""}}, "one")
        .times(1);
    serve({{"Cache-Control", "max-age=60"}}, "two").after(1s);
    get();
    server->advance(90s);
    EXPECT_EQ(get().body, "one");
    EXPECT_EQ(get().body, "one");
    EXPECT_EQ(asked(), 2u) << "by one at a time";
    EXPECT_EQ(sent("If-None-Match"), "\"1\"");
    server->advance(1s);
    EXPECT_EQ(get().body, "two");
    EXPECT_EQ(asked(), 2u);
}

TEST_F(ACache, WaitsWhereItIsTooStale) {
    serve({{"Cache-Control", "max-age=60, stale-while-revalidate=30"}}, "one").times(1);
    serve({}, "two");
    get();
    server->advance(91s);
    EXPECT_EQ(get().body, "two");
}

TEST_F(ACache, HidesErrorsIfItMay) {
    const auto broken_after = [&](std::chrono::seconds time, const char* said, bool status) {
        server = std::make_shared<mock>();
        tested = caching({});
        serve({{"Cache-Control", said}, {"ETag", "\"1\""}}).times(1);
        if (status)
            serve({}, "broken", 503);
        else
            server->on("GET", home).fail(CURLE_COULDNT_CONNECT);
        get();
        server->advance(time);
        try {
            return get().body;
        } catch (const fetch_error& error) {
            return std::string(error.code() == CURLE_COULDNT_CONNECT ? "failed" : error.what());
        }
    };
    for (const bool status : {false, true}) {
        const auto error = status ? "broken" : "failed";
        EXPECT_EQ(broken_after(80s, "max-age=60, stale-if-error=20", status), "one");
        EXPECT_EQ(broken_after(81s, "max-age=60, stale-if-error=20", status), error);
        EXPECT_EQ(broken_after(80s, "max-age=60", status), error);
        EXPECT_EQ(broken_after(80s, "max-age=60, stale-if-error=20, must-revalidate", status),
                  error);
    }
}

// Invalidation (4.4). -----------------------------------------------------------------------------

TEST_F(ACache, ForgetsWhatIsWrittenTo) {
    const auto kept_after = [&](const char* method, int status, header_list headers = {},
                                std::string where = {}) {
        server = std::make_shared<mock>();
        tested = caching({});
        serve({{"Cache-Control", "max-age=60"}});
        if (where.empty())
            where = home;
        server->on(method, where).reply(status, std::move(headers));
        get();
        fetch({.url = where, .method = method});
        get();
        return asked() == 2;
    };
    for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "FOO"}) {
        EXPECT_FALSE(kept_after(method, 200)) << method;
        EXPECT_FALSE(kept_after(method, 302)) << method;
        EXPECT_TRUE(kept_after(method, 404)) << method;
        EXPECT_TRUE(kept_after(method, 500)) << method;
    }
    for (const char* method : {"HEAD", "OPTIONS", "TRACE"})
        EXPECT_TRUE(kept_after(method, 200)) << method;
    const auto other = home + "other";
    EXPECT_TRUE(kept_after("POST", 200, {}, other));
    EXPECT_FALSE(kept_after("POST", 201, {{"Location", "/"}}, other));
    EXPECT_FALSE(kept_after("POST", 200, {{"Content-Location", home}}, other));
    EXPECT_TRUE(kept_after("POST", 201, {{"Location", home}}, "http://other.test/"))
        << "of another origin";
    EXPECT_TRUE(kept_after("POST", 201, {{"Location", "http://["}}, other));
}

// The store. --------------------------------------------------------------------------------------

TEST_F(ACache, TakesWhatMakesNoSenseForNothing) {
    struct broken final : cache_store {
        std::vector<entry> find(std::string_view) override {
            if (throws)
                throw std::runtime_error("broken");
            return {nullptr, std::make_shared<cached_response>(),
                    std::make_shared<cached_response>(
                        cached_response{.status = 200, .initial_age = -5s})};
        }
        void put(std::string_view, entry) override { throw std::runtime_error("broken"); }
        void erase(std::string_view) override { throw std::runtime_error("broken"); }
        bool throws = false;
    };
    const auto store = std::make_shared<broken>();
    tested = caching({.store = store});
    serve({{"Cache-Control", "max-age=60"}});
    server->on("POST", home);
    EXPECT_EQ(get().body, "one");
    store->throws = true;
    EXPECT_EQ(get().body, "one");
    EXPECT_EQ(fetch({.url = home, .method = "POST"}).status, 200);
}

TEST_F(ACache, VariesWithWhatLibcurlAddsToo) {
    serve({{"Cache-Control", "max-age=60"}, {"Vary", "User-Agent"}});
    const layer one = cache{};
    client mine(server, {.user_agent = "one", .network_layers = {one}});
    client other(server, {.user_agent = "other", .network_layers = {one}});
    for (const auto& each : {mine, mine, other, other})
        each.get(home).get().text().get();
    EXPECT_EQ(asked(), 2u);
}

TEST_F(ACache, DoesNotVaryWithCookiesThatItCannotSee) {
    const auto cookies =
        std::make_shared<share>(std::initializer_list<curl_lock_data>{CURL_LOCK_DATA_COOKIE});
    for (const bool shared : {false, true}) {
        server = std::make_shared<mock>();
        serve({{"Cache-Control", "max-age=60"}, {"Vary", "Cookie"}});
        client mine(server, {.share = shared ? cookies : nullptr, .network_layers = {cache{}}});
        for (int i = 0; i != 2; ++i)
            mine.get(home).get().text().get();
        EXPECT_EQ(asked(), shared ? 2u : 1u);
    }
}

// Over HTTP. --------------------------------------------------------------------------------------

class ALayerOverHttp : public async_fixture {};

TEST_F(ALayerOverHttp, LeavesTheConnectionOfWhatNobodyReads) {
    const scripted_server server(for_each_request([](connection& client, const std::string&) {
        client.write("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n"
                     "Content-Length: 6\r\n\r\none");
        std::this_thread::sleep_for(5ms);
        return client.write("two");
    }));
    for (const layer& each : {layer(cache{}), layer(coalesce{})}) {
        const auto before = server.accepted();
        const client layered(*multi, {.network_layers = {each}});
        for (int i = 0; i != 3; ++i) {
            auto one = layered.get(server.url("/" + std::to_string(i)));
            auto equal = layered.get(server.url("/" + std::to_string(i)));
            run(std::move(one));
            run(std::move(equal));
            run_to([&] { return layered.stats().running == 0; });
        }
        EXPECT_LE(server.accepted() - before, 2u) << "as many as there were at a time";
    }
}

} // namespace
