// SPDX-License-Identifier: MIT
// A client on an async_multi, beside real servers.
#include "support/fetch_fixture.hpp"
#include "support/memory_peak.hpp"
#include <curlicue/mock.hpp>
#include <curlicue/sleep.hpp>

#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

TEST_F(AFetch, GetsABody) {
    response one = run(fetch(*multi, url("/hello")));
    EXPECT_EQ(one.status(), 200);
    EXPECT_EQ(one.reason(), "OK");
    EXPECT_EQ(one.version(), http_version::http1);
    EXPECT_EQ(one.url(), url("/hello"));
    EXPECT_EQ(one.content_length(), 6u);
    EXPECT_EQ(one.remote_address(), "127.0.0.1");
    EXPECT_FALSE(one.redirected());
    EXPECT_EQ(run(one.text()), "hello\n");
    EXPECT_TRUE(one.trailers().empty());
    ASSERT_EQ(one.times().hops.size(), 1u);
    EXPECT_GT(one.times().hops[0].done.count(), 0);
}

TEST_F(AFetch, IsTheShortestProgram) {
    std::vector<future<std::string>> bodies;
    for (const auto& where : {url("/hello"), url("/status/404"), url("/bytes/1024")})
        bodies.push_back(made->get(where).then(
            [](response one) { return std::move(one).throw_for_status().text(); }));
    const auto all = run(when_all(std::move(bodies)));
    EXPECT_EQ(all[0].value(), "hello\n");
    EXPECT_EQ(all[1].message(), "fetch: status 404 Not Found");
    EXPECT_EQ(all[2].value(), bytes(1024));
}

TEST_F(AFetch, IsCompressedUnlessToldOtherwise) {
    EXPECT_EQ(text_of(url("/gzip/1048576")), bytes(1 << 20));
    response plain = run(made->fetch({.url = url("/gzip/1048576"), .decompress = false}));
    EXPECT_FALSE(plain.headers().contains("Content-Encoding"));
    response raw = run(made->get(url("/gzip/1048576"), {{"Accept-Encoding", "gzip"}}));
    EXPECT_EQ(raw.headers().get("Content-Encoding"), "gzip");
    EXPECT_NE(run(raw.text()), bytes(1 << 20));
}

TEST_F(AFetch, SpeaksTlsAndHttp2) {
    response one = run(made->get(nginx::shared().https("/hello")));
    EXPECT_EQ(one.version(), http_version::http2);
    EXPECT_EQ(run(one.text()), "hello\n");
}

TEST_F(AFetch, SendsWhatItIsGiven) {
    const auto get = echo({.headers = {{"X-Test", "1"}, {"X-Empty", ""}}});
    EXPECT_TRUE(get.starts_with("GET /echo HTTP/1.1\r\n")) << get;
    EXPECT_TRUE(has(get, "\r\nX-Test: 1\r\n")) << get;
    EXPECT_TRUE(has(get, "\r\nX-Empty:\r\n")) << get;
    EXPECT_TRUE(has(get, "\r\nAccept: */*\r\n")) << get;
    EXPECT_TRUE(has(get, "\r\nUser-Agent: curlicue/")) << get;
    EXPECT_FALSE(has(get, "Content-")) << get;
    const auto post = echo({.body = "body"});
    EXPECT_TRUE(post.starts_with("POST /echo HTTP/1.1\r\n")) << post;
    EXPECT_TRUE(has(post, "\r\nContent-Length: 4\r\n")) << post;
    EXPECT_FALSE(has(post, "Content-Type")) << post;
    EXPECT_FALSE(has(post, "Expect")) << post;
    EXPECT_TRUE(post.ends_with("\r\n\r\nbody")) << post;
    const auto put = echo({.method = "PUT", .body = "body"});
    EXPECT_TRUE(put.starts_with("PUT /echo HTTP/1.1\r\n")) << put;
    EXPECT_TRUE(put.ends_with("\r\n\r\nbody")) << put;
    EXPECT_TRUE(has(echo({.method = "POST"}), "\r\nContent-Length: 0\r\n"));
    EXPECT_TRUE(has(echo({.method = "PUT"}), "\r\nContent-Length: 0\r\n"));
    EXPECT_TRUE(echo({.method = "DELETE"}).starts_with("DELETE /echo"));
    EXPECT_TRUE(echo({.method = "QUERY", .body = "q"}).starts_with("QUERY /echo"));
}

TEST_F(AFetch, LeavesOutHeadersThatItWouldSend) {
    const auto get = echo({.left_out = {"user-agent", "Accept", "Accept-Encoding"}});
    EXPECT_FALSE(has(get, "curlicue")) << get;
    EXPECT_FALSE(has(get, "Accept")) << get;
    const auto post =
        echo({.body = request_body::of("{}", "application/json"), .left_out = {"Content-Type"}});
    EXPECT_FALSE(has(post, "Content-Type")) << post;
    const client one(*multi, {.headers = {{"X-Mine", "1"}}, .user_agent = "me"});
    const auto sent = [&](request what) {
        what.url = odd.url("/echo");
        return run(run(one.fetch(std::move(what))).text());
    };
    EXPECT_TRUE(has(sent({}), "X-Mine"));
    EXPECT_FALSE(has(sent({.left_out = {"x-mine"}}), "X-Mine"));
    EXPECT_TRUE(has(sent({.headers = {{"Accept", "a/b"}}, .left_out = {"Accept"}}), "a/b"))
        << "what it has is sent";
    for (const auto* wrong : {"", "a b", "Content-Length", "Transfer-Encoding", "proxy-x"})
        EXPECT_THROW(static_cast<void>(made->fetch({.url = url("/hello"), .left_out = {wrong}})),
                     std::invalid_argument)
            << wrong;
}

TEST_F(AFetch, HasADoorToEveryOption) {
    const auto text =
        echo({.tweak = [](easy& handle) { handle.setopt<CURLOPT_REFERER>("http://from.test/"); }});
    EXPECT_TRUE(has(text, "\r\nReferer: http://from.test/\r\n"));
    EXPECT_THROW(run(made->fetch({.url = url("/hello"),
                                  .tweak = [](easy&) { throw std::range_error("mine"); }})),
                 std::range_error);
}

TEST_F(AFetch, TakesUrlsOfManyTypesAndRequests) {
    const auto where = url("/hello");
    const auto text = [&](future<response> one) { return run(run(std::move(one)).text()); };
    EXPECT_EQ(text(fetch(*multi, where)), "hello\n");
    EXPECT_EQ(text(fetch(*multi, where.c_str())), "hello\n");
    EXPECT_EQ(text(fetch(*multi, std::string_view(where))), "hello\n");
    EXPECT_EQ(text(fetch(*multi, {.url = where})), "hello\n");
    EXPECT_EQ(text(fetch(*multi, request{.url = where})), "hello\n");
    EXPECT_EQ(text(made->fetch(where)), "hello\n");
    EXPECT_EQ(text(made->fetch(where.c_str())), "hello\n");
    EXPECT_EQ(text(made->fetch(std::string_view(where))), "hello\n");
    EXPECT_EQ(text(made->fetch({.url = where})), "hello\n");
}

TEST_F(AFetch, HasACallForEachMethod) {
    const auto sent = [&](future<response> one) {
        const auto text = run(run(std::move(one)).text());
        return text.substr(0, text.find(' '));
    };
    const auto where = odd.url("/echo");
    EXPECT_EQ(sent(made->get(where)), "GET");
    EXPECT_EQ(sent(made->del(where)), "DELETE");
    EXPECT_EQ(sent(made->post(where, "x")), "POST");
    EXPECT_EQ(sent(made->put(where, std::string("x"))), "PUT");
    EXPECT_EQ(sent(made->patch(where, std::string_view("x"))), "PATCH");
    EXPECT_EQ(sent(made->fetch({.url = where, .body = "x"})), "POST");
    EXPECT_EQ(sent(made->fetch({.url = where, .method = "OPTIONS"})), "OPTIONS");
    EXPECT_EQ(sent(made->fetch({.url = where, .method = "delete"})), "DELETE");
    EXPECT_EQ(sent(made->fetch({.url = where, .method = "query"})), "query");
    response head = run(made->head(url("/hello")));
    EXPECT_EQ(head.content_length(), 6u);
    EXPECT_EQ(run(head.text()), "");
    EXPECT_EQ(run(run(made->fetch({.url = url("/hello"), .method = "head"})).text()), "");
}

TEST_F(AFetch, ShowsTheFinalHeadOnly) {
    response one = run(made->get(odd.url("/hints")));
    EXPECT_EQ(one.status(), 200);
    EXPECT_FALSE(one.headers().contains("Link"));
    EXPECT_EQ(run(one.text()), "abc");
    response folded = run(made->get(odd.url("/header/folded")));
    EXPECT_EQ(folded.headers().get("X-Folded"), "a b");
}

TEST_F(AFetch, TakesAHeaderOfManyLinesForNoMoreThanItIs) {
    const scripted_server server([](connection& client) {
        client.read_request_head();
        std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Folded:";
        for (int line = 0; line != 10'000; ++line)
            head += "\r\n a";
        client.write(head + "\r\n\r\n");
    });
    const memory_peak memory;
    response folded = run(made->get(server.url()));
#ifndef __SANITIZE_ADDRESS__ // which keeps what libcurl frees at each line
    EXPECT_LT(memory.growth(), 16u << 20);
#endif
    const auto value = *folded.headers().get("X-Folded");
    EXPECT_EQ(value.size(), 2u * 10'000 - 1);
    EXPECT_TRUE(value.starts_with("a a"));
}

TEST_F(AFetch, ReadsAHeadAsItIsMeant) {
    using namespace std::string_literals;
    const std::string start = "HTTP/1.1 200 OK\r\n", end = "Content-Length: 0\r\n\r\n";
    struct row {
        std::string lines;
        header_list fields;
    };
    for (const auto& each : std::vector<row>{
             {"X-A: a\r\nHTTP/1.1 500: no\r\nX-B: b\r\n", {{"X-A", "a"}, {"X-B", "b"}}},
             {"X A: a\r\n(): b\r\n folded\r\nn\xE4me: c\r\nX-A: d\r\n", {{"X-A", "d"}}},
             {"X-A : a\r\nX-B \t:b\r\n", {{"X-A", "a"}, {"X-B", "b"}}},
             {"X-A: a\rX-B: b\r\n", {{"X-A", "a X-B: b"}}},
             {"X-A: \ra\r\r\n \r b\r\n", {{"X-A", "a b"}}},
             {"X-A: \xFC\x01\r\n", {}},
             {"X-A:\r\n", {{"X-A", ""}}}}) {
        const scripted_server odd_one(for_each_request([&](connection& client, const std::string&) {
            return client.write(start + each.lines + end);
        }));
        response one = run(made->get(odd_one.url()));
        EXPECT_EQ(one.status(), 200) << each.lines;
        for (const auto field : each.fields)
            EXPECT_EQ(one.headers().get(field.name), field.value) << each.lines;
        EXPECT_EQ(one.headers().size(), each.fields.empty() ? 2u : each.fields.size() + 1)
            << each.lines;
    }
}

TEST_F(AFetch, TakesNoTrailerForAHead) {
    const scripted_server odd_one(for_each_request([](connection& client, const std::string&) {
        return client.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"
                            "X-A: a\r\nHTTP/1.1 500 X: no\r\n\r\n");
    }));
    response one = run(made->get(odd_one.url()));
    EXPECT_EQ(run(one.text()), "ok");
    EXPECT_EQ(one.status(), 200);
    EXPECT_EQ(one.trailers(), (header_list{{"X-A", "a"}}));
}

TEST_F(AFetch, BeginsInItsCallIfItIsTo) {
    const client sooner(*multi, {.begins_at_call = true});
    int tweaked = 0;
    const auto asked = [&](const client& by) {
        return by.fetch({.url = url("/redirect"), .tweak = [&](easy&) { ++tweaked; }});
    };
    auto one = asked(sooner);
    EXPECT_EQ(tweaked, 1);
    EXPECT_EQ(multi->size(), 1u);
    auto other = asked(*made);
    EXPECT_EQ(tweaked, 1);
    EXPECT_EQ(run(run(std::move(one)).text()), "hello\n");
    EXPECT_EQ(run(run(std::move(other)).text()), "hello\n");
    EXPECT_EQ(tweaked, 4);
    const client closed_by(*multi, {.begins_at_call = true});
    EXPECT_EQ(failure_of([&] {
                  run(closed_by.fetch(
                      {.url = url("/hello"), .tweak = [](easy& handle) { handle.close(); }}));
              }),
              errc::closed);
}

TEST_F(AFetch, BeginsLaterInsideLibcurl) {
    const client sooner(*multi, {.begins_at_call = true});
    std::optional<future<response>> inner;
    int tweaked = 0;
    request what{.url = url("/hello")};
    what.progress = [&](const transfer_progress&) {
        if (inner)
            return;
        inner = sooner.fetch({.url = url("/hello"), .tweak = [&](easy&) { ++tweaked; }});
        EXPECT_EQ(tweaked, 0);
    };
    EXPECT_EQ(run(run(made->fetch(what)).text()), "hello\n");
    ASSERT_TRUE(inner);
    EXPECT_EQ(run(run(std::move(*inner)).text()), "hello\n");
    EXPECT_EQ(tweaked, 1);
}

TEST_F(AFetch, EndsIfItsEasyIsClosed) {
    const scripted_server silent([](connection& client) { client.hold(); });
    std::optional<easy> kept;
    auto pending =
        made->fetch({.url = silent.url(), .tweak = [&](easy& handle) { kept = handle; }});
    run_to([&] { return silent.accepted() == 1; });
    kept->close();
    EXPECT_EQ(failure_of([&] { run(std::move(pending)); }), errc::cancelled);
}

TEST_F(AFetch, TellsTheServerThatItIsTheConnectionsLast) {
    EXPECT_TRUE(has(echo({.keep_alive = false}), "\r\nConnection: close\r\n"));
    EXPECT_FALSE(has(echo({}), "Connection:"));
}

TEST_F(AFetch, KeepsTheHeadersOfACompressedBody) {
    response one = run(made->get(url("/gzip/1048576")));
    EXPECT_EQ(one.headers().get("Content-Encoding"), "gzip");
    EXPECT_EQ(run(one.text()), bytes(1 << 20));
}

TEST_F(AFetch, LetsTweakAuthenticate) {
    response one = run(made->fetch({.url = odd.url("/digest"), .tweak = [](easy& handle) {
                                        handle.setopt<CURLOPT_HTTPAUTH>(CURLAUTH_DIGEST)
                                            .setopt<CURLOPT_USERPWD>("user:secret");
                                    }}));
    EXPECT_EQ(one.status(), 200);
    EXPECT_EQ(run(one.text()), "hello\n");
    response refused = run(made->get(odd.url("/digest")));
    EXPECT_EQ(refused.status(), 401);
    request basic{.url = url("/auth")};
    EXPECT_EQ(run(run(made->fetch(basic.basic_auth("user", "secret"))).text()), "hello\n");
    EXPECT_EQ(run(made->fetch({.url = url("/auth")})).status(), 401);
}

struct point {
    int x;
    friend point from_body(body_as<point>, const std::string& text) { return {std::stoi(text)}; }
    friend request_body to_body(const point& of) { return std::to_string(of.x); }
};

TEST_F(AFetch, LetsTweakFollowRedirects) {
    response one = run(
        made->fetch({.url = url("/redirect"),
                     .redirects = redirect_policy{.mode = redirect_mode::manual},
                     .tweak = [](easy& handle) { handle.setopt<CURLOPT_FOLLOWLOCATION>(true); }}));
    EXPECT_EQ(one.status(), 200);
    EXPECT_EQ(run(one.text()), "hello\n");
}

TEST_F(AFetch, HasBodiesOfTypesOfTheUsers) {
    response one = run(made->put(url("/upload/point"), request_body::from(point{42})));
    EXPECT_EQ(one.status() / 100, 2);
    response two = run(made->get(url("/upload/point")));
    EXPECT_EQ(run(two.as<point>()).x, 42);
    response bad = run(made->get(url("/hello")));
    EXPECT_THROW(run(bad.as<point>()), std::invalid_argument);
}

/// As much of nlohmann::json as matters.
struct number_as_json {
    int value = 0;
    std::string dump() const { return std::to_string(value); }
    static number_as_json parse(const std::string& text) { return {std::stoi(text)}; }
};

TEST_F(AFetch, KnowsJson) {
    const auto sent = echo({.body = request_body::from(number_as_json{42})});
    EXPECT_TRUE(has(sent, "\r\nContent-Type: application/json\r\n")) << sent;
    EXPECT_TRUE(sent.ends_with("\r\n\r\n42")) << sent;
    response one = run(made->put(url("/upload/json"), "43"));
    response two = run(made->get(url("/upload/json")));
    EXPECT_EQ(run(two.as<number_as_json>()).value, 43);
}

TEST_F(AFetch, ConnectsBeforeItIsNeeded) {
    const scripted_server server(for_each_request([](connection& client, const std::string&) {
        return client.write("HTTP/1.1 204 None\r\n\r\n");
    }));
    run(made->preconnect(server.url()));
    EXPECT_EQ(server.accepted(), 1u);
    EXPECT_EQ(run(made->get(server.url())).status(), 204);
    EXPECT_EQ(server.accepted(), 1u);
    EXPECT_THROW(run(made->preconnect("http://127.0.0.1:1/")), fetch_error);
}

/// Answers with "hello", at once but for /later, which waits to be let go.
class a_network_that_changes {
public:
    a_network_that_changes() = default;
    a_network_that_changes(const a_network_that_changes&) = delete;
    a_network_that_changes& operator=(const a_network_that_changes&) = delete;
    ~a_network_that_changes() { let_go(); }

    std::string url(std::string_view path = "/") const { return server_.url(path); }
    std::size_t accepted() const { return server_.accepted(); }
    void let_go() {
        if (!std::exchange(gone_on_, true))
            go_.set_value();
    }

private:
    bool gone_on_ = false;
    std::promise<void> go_;
    std::shared_future<void> gone_ = go_.get_future().share();
    const scripted_server server_{
        for_each_request([this](connection& client, const std::string& head) {
            if (head.find("/later") != std::string::npos)
                gone_.wait();
            return client.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        })};
};

TEST_F(AFetch, LeavesConnectionsOfANetworkThatHasChanged) {
    for (const auto sharding : {shards::automatic, shards::one}) {
        multi.emplace(&loop, async_multi_options{.sharding = sharding});
        a_network_that_changes here;
        client mine(*multi);
        const auto get = [&] { return run(run(mine.get(here.url())).text()); };
        get();
        get();
        EXPECT_EQ(here.accepted(), 1u);
        mine.network_changed();
        get();
        EXPECT_EQ(here.accepted(), 2u) << "nothing ran";

        auto later = mine.get(here.url("/later"));
        run_to([&] { return here.accepted() == 2; });
        get(); // beside it
        EXPECT_EQ(here.accepted(), 3u);
        mine.network_changed();
        get();
        EXPECT_EQ(here.accepted(), 4u) << "the one that waited is not used";
        here.let_go();
        EXPECT_EQ(run(run(std::move(later)).text()), "hello") << "what ran goes on";
    }
}

TEST_F(AFetch, ReusesConnectionsOfTheNetworkOfNow) {
    a_network_that_changes here;
    client mine(*multi);
    const auto get = [&] { return run(run(mine.get(here.url())).text()); };
    auto later = mine.get(here.url("/later"));
    run_to([&] { return here.accepted() == 1; });
    get();
    mine.network_changed();
    run(sleep_for(multi->executor(), 3100ms)); // libcurl counts in seconds
    for (int i = 0; i != 3; ++i)
        get();
    EXPECT_EQ(here.accepted(), 3u);
    here.let_go();
    run(std::move(later));
}

TEST_F(AFetch, MayBeOfAMockOnItsLoop) {
    const auto server = std::make_shared<mock>(multi->executor());
    server->on("GET", "http://example.test/").reply(200, {}, "hello").after(20ms);
    bool called = false;
    const client tested(server, {.layers = {[&](request what, transport& next) {
                                     called = true;
                                     return next.fetch(std::move(what));
                                 }}});
    auto answer = tested.get("http://example.test/");
    EXPECT_FALSE(called) << "not inside the call";
    response one = run(std::move(answer));
    EXPECT_EQ(run(one.text()), "hello");
    EXPECT_THROW(server->advance(1s), std::logic_error);
}

TEST_F(AFetch, IsRunInsideTasks) {
    const auto both = [&]() -> task<std::string> {
        auto answer = made->get(url("/hello"));
        response one = co_await std::move(answer);
        auto body = one.text();
        co_return co_await std::move(body);
    };
    EXPECT_EQ(run(co_spawn(multi->executor(), both)), "hello\n");
}

TEST_F(AFetch, HasLayersWhoseNextLivesAsLongAsTheBody) {
    int chunks = 0;
    std::optional<client> layered(made->with([&](request what, transport& next) {
        return next.fetch(std::move(what)).then([&](response one) {
            auto body = std::make_shared<body_stream>(one.body());
            return std::move(one).with_body([body, &chunks] {
                ++chunks;
                return body->read();
            });
        });
    }));
    response one = run(layered->get(url("/bytes/1048576")));
    layered.reset();
    EXPECT_EQ(one.content_length(), 1u << 20);
    EXPECT_TRUE(run(one.text()) == bytes(1 << 20));
    EXPECT_GT(chunks, 1);
}

// Where a connection of the older version is kept, libcurl takes that for the newer one, too.
TEST_F(AFetch, SpeaksTheVersionThatIsAskedFor) {
    const auto where = nginx::shared().https("/hello");
    const auto ca = nginx::shared().ca_file().string();
    const client newer(*multi, {.version = http_version::http2, .tls = {.ca_file = ca}});
    EXPECT_EQ(run(newer.get(where)).version(), http_version::http2);
    const client old(*multi, {.version = http_version::http1, .tls = {.ca_file = ca}});
    EXPECT_EQ(run(old.get(where)).version(), http_version::http1);
}

} // namespace
