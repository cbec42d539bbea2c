// SPDX-License-Identifier: MIT
// Retries: what is sent again, when, and how often.
#include "support/fetch_fixture.hpp"
#include "support/temporary_directory.hpp"
#include <curlicue/mime.hpp>
#include <curlicue/mock.hpp>
#include <curlicue/sleep.hpp>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

class ARetry : public ::testing::Test {
protected:
    void TearDown() override { tested.close().get(); } // with what waits yet
    std::size_t asked() const { return server->requests().size(); }
    request again(unsigned attempts = 3) const {
        return {.url = home, .retries = retry_policy{.attempts = attempts}};
    }
    static std::string date_in(std::chrono::seconds time) {
        const auto when = std::time(nullptr) + static_cast<std::time_t>(time.count());
        std::tm parts{};
        gmtime_r(&when, &parts);
        std::string text(64, '\0');
        text.resize(std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts));
        return text;
    }

    std::shared_ptr<mock> server = std::make_shared<mock>();
    client tested{server};
    const std::string home = "http://example.test/";
};

TEST_F(ARetry, IsOffUnlessAskedFor) {
    server->on("GET", home).reply(503);
    const auto answer = tested.get(home).get();
    EXPECT_EQ(answer.status(), 503);
    EXPECT_EQ(answer.attempts(), 1u);
    EXPECT_EQ(asked(), 1u);
    server->on("HEAD", home).fail(CURLE_COULDNT_CONNECT);
    const auto error = error_of([&] { tested.head(home).get(); });
    EXPECT_EQ(error.code(), CURLE_COULDNT_CONNECT);
    EXPECT_EQ(error.attempts(), 1u);
}

TEST_F(ARetry, IsOfTheseStatuses) {
    for (const int status : {408, 425, 429, 500, 502, 503, 504}) {
        server = std::make_shared<mock>();
        server->on("GET", home).reply(status).times(1);
        server->on("GET", home);
        const client one(server);
        auto answer = one.fetch(again());
        server->advance(1min);
        EXPECT_EQ(answer.get().status(), 200) << status;
    }
    for (const int status : {400, 401, 403, 404, 501, 505}) {
        server = std::make_shared<mock>();
        server->on("GET", home).reply(status);
        const client one(server);
        EXPECT_EQ(one.fetch(again()).get().status(), status);
        EXPECT_EQ(asked(), 1u) << status;
    }
}

TEST_F(ARetry, IsOfOneReasonAfterAnother) {
    server->on("GET", home).reply(503).times(1);
    server->on("GET", home).fail(CURLE_COULDNT_CONNECT).times(1);
    server->on("GET", home);
    auto answer = tested.fetch(again());
    server->advance(1min);
    EXPECT_EQ(answer.get().status(), 200);
    EXPECT_EQ(tested.stats().retried, 2u);
}

TEST_F(ARetry, HandsOutAStatusThatStays) {
    server->on("GET", home).reply(503, {}, "busy");
    auto answer = tested.fetch(again());
    server->advance(1min);
    response one = answer.get();
    EXPECT_EQ(one.status(), 503);
    EXPECT_EQ(one.attempts(), 3u);
    EXPECT_EQ(one.text().get(), "busy");
    EXPECT_EQ(asked(), 3u);
}

TEST_F(ARetry, IsOfIdempotentMethodsOnly) {
    for (const char* method : {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"}) {
        server = std::make_shared<mock>();
        server->on(method, home).fail(CURLE_RECV_ERROR);
        const client one(server);
        auto what = again();
        what.method = method;
        auto answer = one.fetch(what);
        server->advance(1min);
        EXPECT_EQ(error_of([&] { answer.get(); }).code(), errc::retries_exhausted) << method;
        EXPECT_EQ(asked(), 3u) << method;
    }
    for (const char* method : {"POST", "PATCH", "QUERY"}) {
        server = std::make_shared<mock>();
        server->on(method, home).fail(CURLE_RECV_ERROR);
        const client one(server);
        auto what = again();
        what.method = method;
        EXPECT_EQ(error_of([&] { one.fetch(what).get(); }).code(), CURLE_RECV_ERROR) << method;
        EXPECT_EQ(asked(), 1u) << method;
    }
    server = std::make_shared<mock>();
    server->on("POST", home).reply(503);
    auto what = again();
    what.body = "x";
    EXPECT_EQ(client(server).fetch(what).get().status(), 503);
    EXPECT_EQ(asked(), 1u);
}

TEST_F(ARetry, IsOfAllMethodsWhereNothingWasSent) {
    for (const int code :
         {CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST, CURLE_SSL_CONNECT_ERROR}) {
        server = std::make_shared<mock>();
        server->on("POST", home).fail(code).times(1);
        server->on("POST", home);
        const client one(server);
        auto what = again();
        what.method = "POST";
        what.body = request_body::stream([] { return make_ready_future(std::string()); });
        auto answer = one.fetch(what);
        server->advance(1min);
        EXPECT_EQ(answer.get().status(), 200) << code;
    }
}

TEST_F(ARetry, IsNotOfABodyThatCanBeReadOnce) {
    server->on("PUT", home).reply(503);
    auto what = again();
    what.method = "PUT";
    what.body = request_body::stream([] { return make_ready_future(std::string()); });
    EXPECT_EQ(tested.fetch(what).get().status(), 503);
    EXPECT_EQ(asked(), 1u);
}

TEST_F(ARetry, IsNotOfWhatComesOutTheSame) {
    server->on("GET", home).fail(CURLE_PEER_FAILED_VERIFICATION);
    const auto error = error_of([&] { tested.fetch(again()).get(); });
    EXPECT_EQ(error.code(), CURLE_PEER_FAILED_VERIFICATION);
    EXPECT_EQ(asked(), 1u);
}

TEST_F(ARetry, NestsTheLastFailureAfterSeveral) {
    server->on("GET", home).fail(CURLE_COULDNT_CONNECT).times(1);
    server->on("GET", home).fail(CURLE_RECV_ERROR);
    auto answer = tested.fetch(again());
    server->advance(1min);
    try {
        answer.get();
        ADD_FAILURE();
    } catch (const fetch_error& error) {
        EXPECT_EQ(error.code(), errc::retries_exhausted);
        EXPECT_EQ(error.attempts(), 3u);
        EXPECT_EQ(failure_of([&] { std::rethrow_if_nested(error); }), CURLE_RECV_ERROR);
    }
}

TEST_F(ARetry, WaitsNoLongerThanItsPolicySays) {
    server->on("GET", home).reply(503).times(2);
    server->on("GET", home);
    auto what = again();
    what.retries->first = 100ms;
    auto answer = tested.fetch(what);
    EXPECT_EQ(asked(), 1u) << "it waits, even if little";
    server->advance(100ms);
    EXPECT_GE(asked(), 2u);
    server->advance(200ms);
    EXPECT_EQ(asked(), 3u);
    EXPECT_EQ(answer.get().status(), 200);
}

TEST_F(ARetry, WaitsAtRandom) {
    server->on("GET", home).reply(503);
    std::vector<future<response>> all;
    for (int i = 0; i != 10; ++i) {
        auto what = again(2);
        what.retries->first = 10'000ms;
        all.push_back(tested.fetch(what));
    }
    server->advance(5s);
    EXPECT_GT(asked(), 10u) << "all of ten in the second half: once in a thousand runs";
    EXPECT_LT(asked(), 20u) << "all of ten in the first half: likewise";
    server->advance(5s);
    EXPECT_EQ(asked(), 20u);
}

TEST_F(ARetry, HeedsSecondsAndDates) {
    server->on("GET", home).reply(503, {{"Retry-After", "7"}}).times(1);
    server->on("GET", home).reply(503, {{"Retry-After", date_in(9s)}}).times(1);
    server->on("GET", home).reply(503, {{"Retry-After", date_in(-100s)}}).times(1);
    server->on("GET", home);
    auto answer = tested.fetch(again(5));
    server->advance(6999ms);
    EXPECT_EQ(asked(), 1u);
    server->advance(1ms);
    EXPECT_EQ(asked(), 2u);
    server->advance(6s);
    EXPECT_EQ(asked(), 2u);
    server->advance(3s);
    EXPECT_EQ(asked(), 4u) << "the third waits for nothing";
    EXPECT_EQ(answer.get().status(), 200);
}

TEST_F(ARetry, HandsOutWhatAsksForTooLongAPause) {
    server->on("GET", home).reply(503, {{"Retry-After", "11"}});
    EXPECT_EQ(tested.fetch(again()).get().status(), 503);
    auto what = again();
    what.retries->most = 20s;
    EXPECT_FALSE(tested.fetch(what).ready());
}

TEST_F(ARetry, IsNotBeyondTheLimitOfAllTime) {
    server->on("GET", home).reply(503, {{"Retry-After", "5"}});
    auto what = again();
    what.limits.total = 4s;
    EXPECT_EQ(tested.fetch(what).get().status(), 503);
    EXPECT_EQ(asked(), 1u);
    what.limits.total = 6s;
    auto answer = tested.fetch(what);
    server->advance(5s);
    EXPECT_EQ(answer.get().status(), 503) << "a third would come too late";
    EXPECT_EQ(asked(), 3u);
}

TEST_F(ARetry, HasABudgetForEachOrigin) {
    server->on("GET", home).fail(CURLE_RECV_ERROR);
    server->on("GET", "http://other.test/").fail(CURLE_RECV_ERROR);
    std::vector<future<response>> all;
    for (int i = 0; i != 20; ++i) {
        auto what = again(2);
        what.retries->first = 0ms;
        all.push_back(tested.fetch(what));
    }
    server->advance(0ms);
    EXPECT_EQ(tested.stats().retried, 10u + 4u); // 10 + 0.2 * 20
    auto other = again(2);
    other.url = "http://other.test/";
    other.retries->first = 0ms;
    const auto before = tested.stats().retried;
    auto answer = tested.fetch(other);
    server->advance(0ms);
    EXPECT_EQ(tested.stats().retried, before + 1);
    EXPECT_EQ(error_of([&] { all[13].get(); }).code(), CURLE_RECV_ERROR)
        << "the last outcome, as it is";
    server->advance(11s);
    auto later = again(2);
    later.retries->first = 0ms;
    auto last = tested.fetch(later);
    server->advance(0ms);
    EXPECT_EQ(error_of([&] { last.get(); }).code(), errc::retries_exhausted);
}

TEST_F(ARetry, HoldsNoSlotWhileItWaits) {
    server->on("GET", home).reply(503, {{"Retry-After", "5"}}).times(1);
    server->on("GET", home);
    const client limited(server, {.at_once = {.total = 1}});
    auto waits = limited.fetch(again());
    EXPECT_EQ(limited.get(home).get().status(), 200);
    EXPECT_FALSE(waits.ready());
    server->advance(5s);
    EXPECT_EQ(waits.get().status(), 200);
}

TEST_F(ARetry, EndsWhereItIsCancelled) {
    server->on("GET", home).reply(503, {{"Retry-After", "5"}});
    auto answer = tested.fetch(again());
    EXPECT_TRUE(answer.cancel());
    server->advance(1h);
    EXPECT_EQ(asked(), 1u);
    EXPECT_EQ(failure_of([&] { answer.get(); }), errc::cancelled);
}

// Beside real servers.

TEST_F(AFetch, TriesAgainWhereTheServerFails) {
    std::atomic<int> requests = 0;
    const scripted_server shaky(for_each_request([&](connection& client, const std::string&) {
        switch (++requests) {
        case 1:
            return false; // no answer at all
        case 2:
            return client.write(
                "HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 4\r\n\r\nbusy");
        default:
            return client.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        }
    }));
    response one = run(
        made->fetch({.url = shaky.url(), .retries = retry_policy{.attempts = 4, .first = 1ms}}));
    EXPECT_EQ(run(one.text()), "hello");
    EXPECT_EQ(requests, 3);
    EXPECT_EQ(one.times().hops.size(), 3u);
    EXPECT_EQ(made->stats().retried, 2u);
}

TEST_F(AFetch, IsNotSentAgainByLibcurlEither) {
    mime parts;
    parts.addpart().name("a").data("b");
    for (auto what : std::vector<request>{{.method = "POST", .body = "body"},
                                          {.method = "POST", .body = ""},
                                          {.method = "POST"},
                                          {.method = "PATCH"},
                                          {.body = request_body::multipart(parts)}}) {
        std::atomic<int> requests = 0;
        // The first answer keeps the connection, which is gone when the second request has come.
        const scripted_server dying([&](connection& client) {
            if (client.read_request_head().empty())
                return; // connected to, but not asked
            ++requests;
            client.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            if (!client.read_request_head().empty())
                ++requests;
            client.read(what.body.size() == 0 ? 0 : 4);
        });
        static_cast<void>(run(made->get(dying.url())));
        what.url = dying.url();
        EXPECT_EQ(error_of([&] { run(made->fetch(what)); }).phase(), fetch_phase::send);
        EXPECT_EQ(requests, 2) << what.method;
    }
}

/// Serves 300,000 bytes, and breaks off after 100,000 the first time.
class broken_off {
public:
    explicit broken_off(std::function<std::string(std::string range)> again,
                        std::string headers = "ETag: \"one\"\r\n")
        : server_(for_each_request([this, again, headers](connection& client,
                                                          const std::string& head) {
              const auto at = head.find("Range: bytes=");
              if (kept(head) > 1) {
                  const auto range =
                      at == head.npos ? "" : head.substr(at + 13, head.find('\r', at) - at - 13);
                  client.write(again(range));
                  return false;
              }
              client.write("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n" + headers + "\r\n" +
                           bytes(300'000).substr(0, 100'000));
              return false;
          })) {}

    std::string url() const { return server_.url(); }
    static std::string partial(std::size_t from, const std::string& etag = "\"one\"") {
        const auto rest = bytes(300'000).substr(from);
        return "HTTP/1.1 206 Partial\r\nETag: " + etag + "\r\nContent-Range: bytes " +
               std::to_string(from) +
               "-299999/300000\r\nContent-Length: " + std::to_string(rest.size()) + "\r\n\r\n" +
               rest;
    }
    static std::string whole() {
        return "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + bytes(300'000);
    }

    /// Of the requests so far.
    std::vector<std::string> heads() const {
        const std::lock_guard lock(mutex_);
        return heads_;
    }

private:
    std::size_t kept(const std::string& head) {
        const std::lock_guard lock(mutex_);
        heads_.push_back(head);
        return heads_.size();
    }

    mutable std::mutex mutex_;
    std::vector<std::string> heads_;
    scripted_server server_;
};

class AResumedFile : public AFetch {
protected:
    std::uint64_t fetched(const broken_off& from, unsigned attempts = 3) {
        response one = run(made->fetch(
            {.url = from.url(), .retries = retry_policy{.attempts = attempts, .first = 1ms}}));
        return run(one.to_file(directory / "file"));
    }
    void expect_whole() {
        EXPECT_TRUE(read_file(directory / "file") == bytes(300'000));
        EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory / ""), {}), 1);
    }
    const temporary_directory directory;
};

TEST_F(AResumedFile, GoesOnWhereItBrokeOff) {
    const broken_off server([](const std::string& range) {
        return broken_off::partial(range.empty() ? 0 : std::stoul(range));
    });
    EXPECT_EQ(fetched(server), 300'000u);
    expect_whole();
    const auto heads = server.heads();
    ASSERT_EQ(heads.size(), 2u);
    EXPECT_TRUE(has(heads[1], "\r\nRange: bytes=100000-\r\n")) << heads[1];
    EXPECT_TRUE(has(heads[1], "\r\nIf-Range: \"one\"\r\n")) << heads[1];
    EXPECT_FALSE(has(heads[1], "Accept-Encoding")) << heads[1];
}

TEST_F(AResumedFile, CountsWhatItHasAsProgress) {
    const broken_off server([](const std::string& range) {
        return broken_off::partial(range.empty() ? 0 : std::stoul(range));
    });
    std::vector<transfer_progress> told;
    response one = run(made->fetch({.url = server.url(),
                                    .retries = retry_policy{.attempts = 3, .first = 1ms},
                                    .progress = [&](const auto& now) { told.push_back(now); }}));
    EXPECT_EQ(run(one.to_file(directory / "file")), 300'000u);
    std::uint64_t before = 0;
    for (const auto& now : told) {
        EXPECT_TRUE(now.to_receive == 300'000 || now.received == 0) << now.to_receive;
        before = std::max(before, now.received);
    }
    EXPECT_EQ(before, 300'000u);
}

TEST_F(AResumedFile, BeginsAnewWhereTheServerSendsAll) {
    const broken_off server([](const std::string&) { return broken_off::whole(); });
    EXPECT_EQ(fetched(server), 300'000u);
    expect_whole();
}

TEST_F(AResumedFile, BeginsAnewWhereTheRestIsAnother) {
    for (const std::string& wrong :
         std::vector{broken_off::partial(50'000), broken_off::partial(100'000, "\"two\""),
                     std::string("HTTP/1.1 416 No\r\nContent-Length: 0\r\n\r\n")}) {
        const broken_off server(
            [&](const std::string& range) { return range.empty() ? broken_off::whole() : wrong; });
        EXPECT_EQ(fetched(server, 4), 300'000u);
        expect_whole();
        const auto heads = server.heads();
        ASSERT_EQ(heads.size(), 3u);
        EXPECT_FALSE(has(heads[2], "Range")) << heads[2];
    }
}

TEST_F(AResumedFile, BeginsAnewWithoutAStrongTag) {
    for (const std::string headers : {"", "ETag: W/\"weak\"\r\n"}) {
        const broken_off server([](const std::string&) { return broken_off::whole(); }, headers);
        EXPECT_EQ(fetched(server), 300'000u);
        expect_whole();
        const auto heads = server.heads();
        ASSERT_EQ(heads.size(), 2u);
        EXPECT_FALSE(has(heads[1], "Range")) << heads[1];
    }
}

// What has changed is another file, and that may break off as well.
TEST_F(AResumedFile, BeginsAnewAndGoesOnWithThat) {
    const auto other = [] { return std::string(300'000, 'x'); };
    const broken_off server([&](const std::string& range) {
        return range == "100000-"
                   ? "HTTP/1.1 200 OK\r\nETag: \"two\"\r\nContent-Length: 300000\r\n\r\n" +
                         other().substr(0, 50'000)
                   : "HTTP/1.1 206 Partial\r\nETag: \"two\"\r\nContent-Range: bytes "
                     "50000-299999/300000\r\nContent-Length: 250000\r\n\r\n" +
                         other().substr(50'000);
    });
    EXPECT_EQ(fetched(server), 300'000u);
    EXPECT_TRUE(read_file(directory / "file") == other());
    const auto heads = server.heads();
    ASSERT_EQ(heads.size(), 3u);
    EXPECT_TRUE(has(heads[1], "\r\nIf-Range: \"one\"\r\n")) << heads[1];
    EXPECT_TRUE(has(heads[2], "\r\nRange: bytes=50000-\r\n")) << heads[2];
    EXPECT_TRUE(has(heads[2], "\r\nIf-Range: \"two\"\r\n")) << heads[2];
}

TEST_F(AResumedFile, IsLeftAloneAfterSoManyAttempts) {
    write_file(directory / "file", "old");
    const broken_off server([](const std::string&) { return std::string(); });
    const auto error = error_of([&] { fetched(server); });
    EXPECT_EQ(error.code(), errc::retries_exhausted);
    EXPECT_EQ(error.attempts(), 3u);
    EXPECT_TRUE(has(error.what(), "fetch: all 3 attempts failed; the last: ")) << error.what();
    EXPECT_FALSE(has(error.what(), "last: fetch: ")) << error.what();
    EXPECT_EQ(server.heads().size(), 3u);
    EXPECT_EQ(read_file(directory / "file"), "old");
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory / ""), {}), 1);
}

TEST_F(AResumedFile, IsNotResumedWithoutRetries) {
    const broken_off server([](const std::string&) { return broken_off::whole(); });
    EXPECT_EQ(error_of([&] { fetched(server, 1); }).code(), CURLE_PARTIAL_FILE);
    EXPECT_FALSE(std::filesystem::exists(directory / "file"));
}

} // namespace
