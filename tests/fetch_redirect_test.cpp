// SPDX-License-Identifier: MIT
// Redirects, as browsers follow them.
#include "support/fetch_fixture.hpp"
#include <curlicue/mock.hpp>

#include <memory>
#include <string>
#include <vector>

using namespace curlicue;
using namespace curlicue::test;

namespace {

class ARedirect : public ::testing::Test {
protected:
    /// Has `home` answer so, and gives what is asked for then.
    mock_request turned(int status, request what, const std::string& location = "/there") {
        server = std::make_shared<mock>();
        server->on(what.method, what.url).reply(status, {{"Location", location}});
        const auto url = location.front() == '/' ? "http://example.test" + location : location;
        for (const char* method : {"GET", "HEAD", "POST", "PUT", "DELETE"})
            server->on(method, url);
        const client asked(server);
        response one = asked.fetch(std::move(what)).get();
        EXPECT_TRUE(one.redirected());
        EXPECT_EQ(server->requests().size(), 2u);
        return server->requests().back();
    }
    template <class Call> static std::error_code refusal_of(Call call) {
        return error_of(call).code();
    }

    std::shared_ptr<mock> server = std::make_shared<mock>();
    const std::string home = "http://example.test/";
};

TEST_F(ARedirect, ChangesTheMethodAsBrowsersDo) {
    struct row {
        int status;
        const char *method, *then;
        bool has_body;
    };
    for (const auto& each : std::vector<row>{{301, "GET", "GET", false},
                                             {302, "GET", "GET", false},
                                             {303, "GET", "GET", false},
                                             {307, "GET", "GET", false},
                                             {308, "GET", "GET", false},
                                             {301, "HEAD", "HEAD", false},
                                             {303, "HEAD", "HEAD", false},
                                             {301, "POST", "GET", false},
                                             {302, "POST", "GET", false},
                                             {303, "POST", "GET", false},
                                             {307, "POST", "POST", true},
                                             {308, "POST", "POST", true},
                                             {301, "PUT", "PUT", true},
                                             {302, "PUT", "PUT", true},
                                             {303, "PUT", "GET", false},
                                             {307, "PUT", "PUT", true},
                                             {303, "DELETE", "GET", false}}) {
        request what{.url = home, .method = each.method};
        const std::string method = each.method;
        if (method == "POST" || method == "PUT") {
            what.body = "body";
            what.headers = {
                {"Content-Type", "text/plain"}, {"Content-Language", "en"}, {"X-A", "1"}};
        }
        const auto then = turned(each.status, what);
        EXPECT_EQ(then.method, each.then) << each.status << each.method;
        EXPECT_EQ(then.body, each.has_body ? "body" : "") << each.status << each.method;
        EXPECT_EQ(then.headers.contains("Content-Type"), each.has_body);
        EXPECT_EQ(then.headers.contains("Content-Language"), each.has_body);
        EXPECT_EQ(then.headers.contains("X-A"), !what.headers.empty());
    }
}

TEST_F(ARedirect, WithoutALocationOrOfAnotherKindIsFinal) {
    server->on("GET", home).reply(302);
    server->on("GET", home + "300").reply(300, {{"Location", "/"}});
    server->on("GET", home + "304").reply(304, {{"Location", "/"}});
    const client asked(server);
    EXPECT_EQ(asked.get(home).get().status(), 302);
    EXPECT_EQ(asked.get(home + "300").get().status(), 300);
    EXPECT_EQ(asked.get(home + "304").get().status(), 304);
    EXPECT_EQ(asked.stats().redirected, 0u);
}

TEST_F(ARedirect, TakesLittleAlongToAnotherOrigin) {
    const header_list all{{"Accept", "a"},     {"Accept-Language", "b"}, {"Content-Type", "c"},
                          {"User-Agent", "d"}, {"Authorization", "e"},   {"Cookie", "f"},
                          {"X-Key", "g"},      {"Range", "bytes=1-"}};
    for (const char* other :
         {"http://other.test/", "http://example.test:81/", "https://example.test/"}) {
        const auto then =
            turned(307, {.url = home, .method = "PUT", .headers = all, .body = "x"}, other);
        EXPECT_EQ(then.headers, (header_list{{"Accept", "a"},
                                             {"Accept-Language", "b"},
                                             {"Content-Type", "c"},
                                             {"User-Agent", "d"}}))
            << other;
    }
    EXPECT_EQ(turned(307, {.url = home, .method = "PUT", .headers = all, .body = "x"}).headers,
              all);
    EXPECT_FALSE(turned(302, {.url = home, .method = "GET", .headers = {{"Content-Type", "c"}}},
                        "http://other.test/")
                     .headers.contains("Content-Type"));
}

TEST_F(ARedirect, DoesNotTakeUpAgainOnTheWayBackWhatItHasDropped) {
    server->on("GET", home).reply(302, {{"Location", "http://other.test/"}});
    server->on("GET", "http://other.test/").reply(302, {{"Location", home + "back"}});
    server->on("GET", home + "back");
    const client asked(server);
    EXPECT_EQ(asked.get(home, {{"Authorization", "secret"}}).get().status(), 200);
    ASSERT_EQ(server->requests().size(), 3u);
    EXPECT_TRUE(server->requests()[0].headers.contains("Authorization"));
    EXPECT_FALSE(server->requests()[2].headers.contains("Authorization"));
}

TEST_F(ARedirect, KeepsTheCredentialsOfAUrlToTheirOrigin) {
    const std::string with = "http://user:secret@example.test/";
    EXPECT_EQ(
        turned(302, {.url = with, .method = "GET"}, "http://user:secret@example.test/there").url,
        "http://user:secret@example.test/there");
    server = std::make_shared<mock>();
    server->on("GET", with).reply(302, {{"Location", "/there"}});
    server->on("GET", "http://user:secret@example.test/there")
        .reply(302, {{"Location", "http://other.test/"}});
    server->on("GET", "http://other.test/").reply(302, {{"Location", home + "back"}});
    server->on("GET", home + "back");
    const client asked(server);
    response one = asked.get(with).get();
    EXPECT_TRUE(server->unexpected().empty());
    EXPECT_EQ(one.url(), home + "back");
}

TEST_F(ARedirect, ShowsNoCredentialsInItsUrl) {
    server->on("GET", "http://user:secret@example.test/");
    const client asked(server);
    EXPECT_EQ(asked.get("http://user:secret@example.test/").get().url(), home);
}

TEST_F(ARedirect, InheritsTheFragment) {
    server->on("GET", home).reply(302, {{"Location", "/a"}});
    server->on("GET", home + "a").reply(302, {{"Location", "/b#new"}});
    server->on("GET", home + "b").reply(302, {{"Location", "/c"}});
    server->on("GET", home + "c");
    const client asked(server);
    EXPECT_EQ(asked.get(home + "a#old").get().url(), home + "c#new");
    server->on("GET", home + "d").reply(302, {{"Location", "/c"}});
    EXPECT_EQ(asked.get(home + "d#old").get().url(), home + "c#old");
}

TEST_F(ARedirect, IsRefusedFromHttpsToAnythingElse) {
    server->on("GET", "https://example.test/").reply(302, {{"Location", home}});
    server->on("GET", "https://example.test/up").reply(302, {{"Location", "https://other.test/"}});
    server->on("GET", "https://other.test/");
    server->on("GET", home).reply(302, {{"Location", "ftp://example.test/"}});
    server->on("GET", home + "file").reply(302, {{"Location", "file:///etc/hosts"}});
    const client asked(server);
    EXPECT_EQ(refusal_of([&] { asked.get("https://example.test/").get(); }),
              errc::redirect_refused);
    EXPECT_EQ(asked.get("https://example.test/up").get().status(), 200);
    EXPECT_EQ(refusal_of([&] { asked.get(home).get(); }), errc::redirect_refused);
    EXPECT_EQ(refusal_of([&] { asked.get(home + "file").get(); }), errc::redirect_refused);
    for (const char* other : {"ws://example.test/", "nonsense://example.test/"}) {
        server->on("GET", home + "other").reply(302, {{"Location", other}}).times(1);
        EXPECT_EQ(refusal_of([&] { asked.get(home + "other").get(); }), errc::redirect_refused)
            << other << ", whether libcurl knows it or not";
    }
}

TEST_F(ARedirect, IsRefusedOnceThereWereSoMany) {
    for (int i = 0; i != 20; ++i)
        server->on("GET", home + std::to_string(i))
            .reply(302, {{"Location", "/" + std::to_string(i + 1)}});
    server->on("GET", home + "20");
    const client asked(server);
    EXPECT_EQ(asked.get(home + "10").get().status(), 200); // ten are allowed
    EXPECT_EQ(refusal_of([&] { asked.get(home + "9").get(); }), errc::redirect_refused);
    EXPECT_EQ(
        asked.fetch({.url = home + "0", .redirects = redirect_policy{.most = 20}}).get().status(),
        200);
    EXPECT_EQ(refusal_of([&] {
                  asked.fetch({.url = home + "19", .redirects = redirect_policy{.most = 0}}).get();
              }),
              errc::redirect_refused);
}

TEST_F(ARedirect, IsTheCallersToFollowOrAnError) {
    server->on("GET", home).reply(302, {{"Location", "/there"}});
    const client manual(server, {.redirects = {.mode = redirect_mode::manual}});
    response one = manual.get(home).get();
    EXPECT_EQ(one.status(), 302);
    EXPECT_EQ(one.headers().get("Location"), "/there");
    EXPECT_FALSE(one.redirected());
    const client strict(server, {.redirects = {.mode = redirect_mode::error}});
    EXPECT_EQ(refusal_of([&] { strict.get(home).get(); }), errc::redirect_refused);
    EXPECT_EQ(server->requests().size(), 2u);
}

TEST_F(ARedirect, WithABadLocationFailsThere) {
    server->on("GET", home).reply(302, {{"Location", "http://a b:c/"}});
    const client asked(server);
    const auto error = error_of([&] { asked.get(home).get(); });
    EXPECT_EQ(error.phase(), fetch_phase::url);
    EXPECT_EQ(error.code(), CURLE_URL_MALFORMAT);
}

TEST_F(ARedirect, LeadsWhereItsCallerReadsTheLocation) {
    const auto asked = [&](auto resolve) {
        server = std::make_shared<mock>();
        server->on("GET", home).reply(302, {{"Location", "that way"}});
        server->on("GET", "http://other.test/");
        const client made(server, {.redirects = {.resolve = std::move(resolve)}});
        return made.get(home, {{"Authorization", "secret"}});
    };
    const auto to = [](std::string url) {
        return [url = std::move(url)](const std::string& from, std::string_view location) {
            EXPECT_EQ(from, "http://example.test/");
            EXPECT_EQ(location, "that way");
            return url;
        };
    };
    EXPECT_EQ(asked(to("http://other.test/#there")).get().url(), "http://other.test/#there");
    EXPECT_FALSE(server->requests().back().headers.contains("Authorization"));
    for (const char* url : {"ftp://example.test/", "file:///etc/passwd"})
        EXPECT_EQ(refusal_of([&] { asked(to(url)).get(); }), errc::redirect_refused) << url;
    EXPECT_EQ(error_of([&] { asked(to("http://[")).get(); }).phase(), fetch_phase::url);
    const auto refuses = [](const std::string&, std::string_view) -> std::string {
        throw std::range_error("mine");
    };
    EXPECT_THROW(asked(refuses).get(), std::range_error);
}

TEST_F(ARedirect, TellsThatThereWereTooMany) {
    server->on("GET", home).reply(302, {{"Location", "/"}});
    const client asked(server);
    EXPECT_EQ(error_of([&] { asked.get(home).get(); }).cause(), CURLE_TOO_MANY_REDIRECTS);
    EXPECT_FALSE(
        error_of([&] {
            asked.fetch({.url = home, .redirects = redirect_policy{.mode = redirect_mode::error}})
                .get();
        }).cause());
}

TEST_F(ARedirect, DoesNotSendABodyAgainThatCanBeReadOnce) {
    server->on("POST", home).reply(307, {{"Location", "/there"}});
    server->on("POST", home + "303").reply(303, {{"Location", "/there"}});
    server->on("GET", home + "there");
    const client asked(server);
    const auto once = [] {
        return request_body::stream([] { return make_ready_future(std::string()); });
    };
    EXPECT_EQ(refusal_of([&] { asked.post(home, once()).get(); }), errc::redirect_refused);
    EXPECT_EQ(asked.post(home + "303", once()).get().status(), 200);
}

TEST_F(ARedirect, MeetsTweakAtItsFirstOriginOnly) {
    // Only libcurl has an easy to tweak; see AFetch.TweaksItsFirstOriginOnly.
    server->on("GET", home).reply(302, {{"Location", "http://other.test/"}});
    server->on("GET", "http://other.test/");
    const client asked(server);
    EXPECT_EQ(asked.fetch({.url = home, .tweak = [](easy&) { FAIL(); }}).get().status(), 200);
}

// Beside real servers.

TEST_F(AFetch, FollowsRedirects) {
    response one = run(made->get(url("/redirect#part")));
    EXPECT_TRUE(one.redirected());
    EXPECT_EQ(one.url(), url("/hello#part"));
    EXPECT_EQ(one.times().hops.size(), 2u);
    EXPECT_EQ(run(one.text()), "hello\n");
    EXPECT_EQ(made->stats().redirected, 1u);
    const auto error = error_of([&] { run(made->get(url("/redirect/loop"))); });
    EXPECT_EQ(error.code(), errc::redirect_refused);
    EXPECT_EQ(made->stats().redirected, 11u);
}

TEST_F(AFetch, SendsABodyAgainWhereItIsRedirected) {
    for (const std::string path : {"/307", "/308"}) {
        response one = run(made->post(odd.url(path), "the body"));
        const auto text = run(one.text());
        EXPECT_TRUE(text.starts_with("POST /echo" + path)) << text;
        EXPECT_TRUE(text.ends_with("\r\n\r\nthe body")) << text;
    }
    response one = run(made->post(odd.url("/303"), "the body", {{"Content-Type", "text/plain"}}));
    const auto text = run(one.text());
    EXPECT_TRUE(text.starts_with("GET /echo/303")) << text;
    EXPECT_FALSE(has(text, "Content-")) << text;
    EXPECT_FALSE(has(text, "the body")) << text;
}

TEST_F(AFetch, TweaksItsFirstOriginOnly) {
    const scripted_server away(for_each_request([&](connection& client, const std::string&) {
        return client.write("HTTP/1.1 302 Found\r\nLocation: " + odd.url("/echo") +
                            "\r\nContent-Length: 0\r\n\r\n");
    }));
    int tweaked = 0;
    request what{.url = away.url(), .tweak = [&](easy& handle) {
                     ++tweaked;
                     handle.setopt<CURLOPT_REFERER>("http://from.test/");
                 }};
    response one = run(made->fetch(what));
    EXPECT_FALSE(has(run(one.text()), "Referer"));
    EXPECT_EQ(tweaked, 1);
    what.tweak_all_hops = true;
    response other = run(made->fetch(what));
    EXPECT_TRUE(has(run(other.text()), "Referer"));
    EXPECT_EQ(tweaked, 3);
}

TEST_F(AFetch, TweaksNothingOnTheWayBack) {
    std::string back;
    const scripted_server away(for_each_request([&](connection& client, const std::string&) {
        return client.write("HTTP/1.1 302 Found\r\nLocation: " + back +
                            "\r\nContent-Length: 0\r\n\r\n");
    }));
    const scripted_server here(for_each_request([&](connection& client, const std::string& head) {
        return client.write(head.starts_with("GET /back ")
                                ? "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
                                : "HTTP/1.1 302 Found\r\nLocation: " + away.url() +
                                      "\r\nContent-Length: 0\r\n\r\n");
    }));
    back = here.url("/back");
    int tweaked = 0;
    request what{.url = here.url(), .tweak = [&](easy&) { ++tweaked; }};
    EXPECT_EQ(run(made->fetch(what)).status(), 200);
    EXPECT_EQ(tweaked, 1);
    what.tweak_all_hops = true;
    EXPECT_EQ(run(made->fetch(what)).status(), 200);
    EXPECT_EQ(tweaked, 4);
}

TEST_F(AFetch, SendsCredentialsOfItsUrlToTheirOriginOnly) {
    std::string seen;
    const scripted_server away(for_each_request([&](connection& client, const std::string& head) {
        seen = head;
        return client.write("HTTP/1.1 302 Found\r\nLocation: " + odd.url("/echo") +
                            "\r\nContent-Length: 0\r\n\r\n");
    }));
    auto with = away.url();
    with.insert(with.find("//") + 2, "user:secret@");
    response one = run(made->get(with));
    EXPECT_TRUE(has(seen, "Authorization: Basic")) << seen;
    EXPECT_FALSE(has(run(one.text()), "Authorization"));
}

} // namespace
