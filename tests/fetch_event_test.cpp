// SPDX-License-Identifier: MIT
// What an observer and the numbers of a client tell.
#include "support/fetch_fixture.hpp"
#include <curlicue/mock.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

class diary final : public observer {
public:
    void queued(std::uint64_t id, const request& what, time) override {
        note(id, "queued " + what.method);
    }
    void started(std::uint64_t id, time) override { note(id, "started"); }
    void redirected(std::uint64_t id, std::string_view url, time) override {
        note(id, "redirected " + std::string(url));
    }
    void retried(std::uint64_t id, unsigned attempt, time) override {
        note(id, "retried " + std::to_string(attempt));
    }
    void headers(std::uint64_t id, const response& what, time) override {
        note(id, "headers " + std::to_string(what.status()));
    }
    void done(std::uint64_t id, const std::exception_ptr& failure, time) override {
        note(id, failure ? "failed" : "done");
    }
    std::vector<std::string> lines;

private:
    void note(std::uint64_t id, const std::string& what) {
        if (first_ == 0)
            first_ = id;
        lines.push_back(std::to_string(id - first_) + " " + what);
    }
    std::uint64_t first_ = 0;
};

using lines = std::vector<std::string>;

TEST(AnObserver, HearsOfEachStep) {
    const auto server = std::make_shared<mock>();
    server->on("GET", "http://a.test/").reply(503, {{"Retry-After", "1"}}).times(1);
    server->on("GET", "http://a.test/").reply(302, {{"Location", "http://b.test/"}});
    server->on("GET", "http://b.test/");
    const auto seen = std::make_shared<diary>();
    const client told(server, {.retries = {.attempts = 2}, .events = seen});
    auto one = told.get("http://a.test/");
    server->advance(1s);
    one.get();
    EXPECT_EQ(seen->lines, (lines{"0 queued GET", "0 started", "0 headers 503", "0 retried 2",
                                  "0 started", "0 headers 302", "0 redirected http://b.test/",
                                  "0 started", "0 headers 200", "0 done"}));
    EXPECT_EQ(told.stats().requests, 1u);
    EXPECT_EQ(told.stats().retried, 1u);
    EXPECT_EQ(told.stats().redirected, 1u);
}

TEST(AnObserver, HearsOfFailures) {
    const auto seen = std::make_shared<diary>();
    const client told(std::make_shared<mock>(), {.events = seen});
    EXPECT_THROW(told.get("http://a.test/").get(), fetch_error);
    EXPECT_EQ(seen->lines, (lines{"0 queued GET", "0 started", "0 failed"}));
}

TEST_F(AFetch, TellsAnObserverWhenTheBodyIsOver) {
    const auto seen = std::make_shared<diary>();
    const client told(*multi, {.events = seen});
    response one = run(told.get(url("/bytes/16777216")));
    EXPECT_EQ(seen->lines, (lines{"0 queued GET", "0 started", "0 headers 200"}));
    run(one.text());
    EXPECT_EQ(seen->lines.back(), "0 done");
    response two = run(told.get(odd.url("/half")));
    auto text = two.text();
    text.cancel();
    run_to([&] { return told.stats().running == 0; });
    EXPECT_EQ(seen->lines.back(), "1 failed");
    EXPECT_EQ(told.stats().bytes, (1u << 24) + 3);
    EXPECT_EQ(told.stats().requests, 2u);
}

TEST_F(AFetch, TellsTheTimesOfEachHop) {
    response one = run(made->get(url("/redirect")));
    run_until_idle();
    ASSERT_EQ(one.times().hops.size(), 2u);
    EXPECT_LE(one.times().hops[0].resolved, one.times().hops[0].connected);
    EXPECT_LE(one.times().hops[0].connected, one.times().hops[0].sent);
    for (const auto& hop : one.times().hops) {
        EXPECT_LE(hop.sent, hop.first_byte);
        EXPECT_LE(hop.first_byte, hop.done);
        EXPECT_GT(hop.done, 0us);
        EXPECT_EQ(hop.tls, 0us);
    }
    const auto& first = one.times().hops[0];
    EXPECT_EQ(&first, &one.times().hops[0]);
    response secure = run(made->get(nginx::shared().https("/hello")));
    EXPECT_GT(secure.times().hops[0].tls, 0us);
}

} // namespace
