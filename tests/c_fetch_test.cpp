// SPDX-License-Identifier: MIT
// What curlicue_fetch sends, and what comes of it.
#include "support/c_fetch_fixture.hpp"
#include "support/files.hpp"
#include "support/server_process.hpp"
#include "support/temporary_directory.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include <sys/socket.h>

using namespace curlicue::test;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

/// What a server has got that sends it back.
class AnEchoForC : public AFetchForC {
protected:
    const scripted_server odd = make_odd_server();
    const std::string echo = odd.url("/echo");
};

TEST_F(AFetchForC, HasAHeadAndTheWholeBody) {
    c_fetch page(url("/hello"));
    page.on_head = [](curlicue_call*, const curlicue_head& head) {
        EXPECT_EQ(head.size, sizeof head);
        EXPECT_EQ(head.status, 200);
        EXPECT_EQ(head.version, CURLICUE_HTTP_1);
        EXPECT_STREQ(head.reason, "OK");
        EXPECT_EQ(head.url, url("/hello"));
        EXPECT_EQ(head.redirected, 0);
        EXPECT_STREQ(head.remote_address, "127.0.0.1");
        EXPECT_STREQ(curlicue_head_get(&head, "CONTENT-length"), "6");
        EXPECT_EQ(curlicue_head_get(&head, "X-None"), nullptr);
        EXPECT_TRUE(
            std::any_of(head.headers, head.headers + head.header_count, [](const auto& field) {
                return std::string(field.name) == "Content-Length" &&
                       std::string(field.value) == "6";
            }));
        return 0;
    };
    run(page);
    EXPECT_EQ(page.status, CURLICUE_OK);
    EXPECT_EQ(page.message, "success");
    EXPECT_EQ(page.body, "hello\n");
    EXPECT_EQ(page.answer, 200);
    EXPECT_EQ(page.attempts, 1U);
    EXPECT_EQ(page.phase, CURLICUE_PHASE_NONE);
    c_fetch none(url("/status/404"));
    run(none);
    EXPECT_EQ(none.status, CURLICUE_OK) << "an answer is no failure";
    EXPECT_EQ(none.answer, 404);
}

TEST_F(AFetchForC, HandsOnABodyPartByPart) {
    c_fetch page(url("/bytes/1048576"));
    int parts = 0;
    page.on_body = [&](curlicue_call*) { return ++parts, 0; };
    run(page);
    EXPECT_EQ(page.status, CURLICUE_OK);
    EXPECT_GT(parts, 1);
    EXPECT_TRUE(page.body == bytes(1 << 20));
}

TEST_F(AnEchoForC, SendsMethodHeadersAndBytes) {
    const std::string body("\0\r\n\xff", 4);
    const curlicue_header headers[] = {
        {"X-Test", "1"}, {"X-Empty", ""}, {"User-Agent", nullptr}, {"X-Test", "2"}};
    c_fetch page(echo);
    page.request.headers = headers;
    page.request.header_count = std::size(headers);
    page.request.body = body.data();
    page.request.body_size = 4;
    run(page);
    EXPECT_THAT(page.body, AllOf(StartsWith("POST /echo "), HasSubstr("\r\nX-Test: 1\r\n"),
                                 HasSubstr("\r\nX-Test: 2\r\n"), HasSubstr("\r\nX-Empty:\r\n"),
                                 Not(HasSubstr("User-Agent")), EndsWith("\r\n\r\n" + body)));
    c_fetch put(echo);
    put.request.method = "PUT";
    put.request.body = "";
    run(put);
    EXPECT_THAT(put.body, AllOf(StartsWith("PUT "), HasSubstr("\r\nContent-Length: 0\r\n")));
}

TEST_F(AnEchoForC, SendsAFile) {
    const temporary_directory directory;
    std::ofstream(directory / "sent") << "from a file";
    const auto path = (directory / "sent").string();
    c_fetch page(echo);
    page.request.body_file = path.c_str();
    run(page);
    EXPECT_THAT(page.body, EndsWith("\r\n\r\nfrom a file"));
    const auto missing = (directory / "missing").string();
    c_fetch none(echo);
    none.request.body_file = missing.c_str();
    EXPECT_EQ(none.start(multi), UV_ENOENT);
    EXPECT_THAT(curlicue_last_refusal(), HasSubstr("missing"));
    EXPECT_EQ(none.call, nullptr);
}

TEST_F(AnEchoForC, SendsWhatItsUserHasWhenThereIsSome) {
    c_fetch page(echo);
    page.request.body_size = 4;
    int asked = 0;
    std::thread slow;
    page.read = [&](char* into, std::size_t room, std::size_t& count) {
        EXPECT_GE(room, 2U);
        switch (++asked) {
        case 1:
        case 3:
            slow = std::thread([&] { EXPECT_EQ(curlicue_fetch_more(page.call), 0); });
            return static_cast<int>(CURLICUE_AGAIN);
        default:
            if (slow.joinable())
                slow.join();
            std::memcpy(into, asked == 2 ? "on" : "ce", count = 2);
            return 0;
        }
    };
    run(page);
    if (slow.joinable())
        slow.join();
    EXPECT_EQ(page.status, CURLICUE_OK) << page.message;
    EXPECT_EQ(asked, 4) << "its size is known";
    EXPECT_THAT(page.body, AllOf(HasSubstr("\r\nContent-Length: 4\r\n"), EndsWith("\r\n\r\nonce")));
}

TEST_F(AnEchoForC, EndsWithWhatItsReaderReturns) {
    c_fetch broken(echo);
    broken.read = [](char*, std::size_t, std::size_t&) { return static_cast<int>(UV_EIO); };
    run(broken);
    EXPECT_EQ(broken.status, UV_EIO);
    EXPECT_EQ(broken.message, uv_strerror(UV_EIO));
    c_fetch boastful(echo);
    boastful.read = [](char*, std::size_t room, std::size_t& count) {
        count = room + 1;
        return 0;
    };
    run(boastful);
    EXPECT_EQ(boastful.status, CURLICUE_FAILED);
    EXPECT_THAT(boastful.message, HasSubstr("room"));
    c_fetch chunked(echo);
    chunked.read = [sent = false](char* into, std::size_t, std::size_t& count) mutable {
        if (!std::exchange(sent, true))
            std::memcpy(into, "once", count = 4);
        return 0;
    };
    run(chunked);
    EXPECT_THAT(chunked.body, AllOf(HasSubstr("chunked"), HasSubstr("once")));
}

TEST_F(AFetchForC, FollowsRedirectsAsItIsAsked) {
    c_fetch followed(url("/redirect"));
    run(followed);
    EXPECT_EQ(followed.body, "hello\n");
    c_fetch shown(url("/redirect"));
    shown.request.redirects.mode = CURLICUE_REDIRECT_MANUAL;
    run(shown);
    EXPECT_EQ(shown.answer, 302);
    c_fetch refused(url("/redirect"));
    refused.request.redirects.mode = CURLICUE_REDIRECT_ERROR;
    run(refused);
    EXPECT_EQ(refused.status, CURLICUE_REDIRECT_REFUSED);
    EXPECT_EQ(refused.phase, CURLICUE_PHASE_HEADERS);
    c_fetch endless(url("/redirect/loop"));
    endless.request.redirects.most = 3;
    run(endless);
    EXPECT_EQ(endless.status, CURLICUE_REDIRECT_REFUSED);
}

TEST_F(AFetchForC, IsLedWhereItsUserReadsTheLocation) {
    const auto there = url("/bytes/1024");
    c_fetch page(url("/redirect"));
    page.resolve = [&](std::string_view from, std::string_view location, char* into,
                       std::size_t room) {
        EXPECT_EQ(from, url("/redirect"));
        EXPECT_EQ(location, "/hello");
        EXPECT_GT(room, there.size());
        std::strcpy(into, there.c_str());
        return 0;
    };
    run(page);
    EXPECT_TRUE(page.body == bytes(1024));
    c_fetch refused(url("/redirect"));
    refused.resolve = [](auto, auto, char*, std::size_t) { return 77; };
    run(refused);
    EXPECT_EQ(refused.status, 77);
    c_fetch endless(url("/redirect"));
    endless.resolve = [](auto, auto, char* into, std::size_t room) {
        std::memset(into, 'x', room);
        return 0;
    };
    run(endless);
    EXPECT_EQ(endless.status, CURLICUE_FAILED);
    EXPECT_THAT(endless.message, HasSubstr("room"));
    make_client([&](auto& options) {
        options.data = const_cast<char*>(there.c_str());
        options.resolve_redirect = [](void* data, const char*, const char*, char* into, size_t) {
            std::strcpy(into, static_cast<const char*>(data));
            return 0;
        };
    });
    c_fetch same(url("/redirect"));
    run(same);
    EXPECT_TRUE(same.body == bytes(1024)) << "as its client says";
}

TEST_F(AnEchoForC, TellsThatItsConnectionGoes) {
    c_fetch page(echo), last(echo);
    last.request.no_keep_alive = 1;
    run(page);
    EXPECT_THAT(page.body, Not(HasSubstr("Connection: close")));
    run(last);
    EXPECT_THAT(last.body, HasSubstr("\r\nConnection: close\r\n"));
}

TEST_F(AFetchForC, OpensADoorToEveryOption) {
    c_fetch page(url("/request"));
    struct sockets {
        int opened = 0;
    } seen;
    page.tweak = [&](CURL* handle) {
        curl_easy_setopt(handle, CURLOPT_REFERER, "http://from.test/");
        curl_easy_setopt(handle, CURLOPT_USERAGENT, "mine");
        curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, &seen);
        return static_cast<int>(curl_easy_setopt(
            handle, CURLOPT_OPENSOCKETFUNCTION,
            static_cast<curl_opensocket_callback>(
                [](void* data, curlsocktype, curl_sockaddr* address) -> curl_socket_t {
                    ++static_cast<sockets*>(data)->opened;
                    return ::socket(address->family, address->socktype, address->protocol);
                })));
    };
    run(page);
    EXPECT_THAT(page.body, HasSubstr("mine"));
    EXPECT_EQ(seen.opened, 1);
    c_fetch refused(url("/hello"));
    refused.tweak = [](CURL*) { return static_cast<int>(CURLE_UNKNOWN_OPTION); };
    run(refused);
    EXPECT_EQ(refused.status, CURLE_UNKNOWN_OPTION);
    EXPECT_EQ(refused.message, curlicue_strerror(CURLE_UNKNOWN_OPTION));
}

// It answers the challenge itself, and nobody but it knows that it was told to.
TEST_F(AnEchoForC, LetsLibcurlAuthenticate) {
    c_fetch page(odd.url("/digest"));
    page.tweak = [](CURL* handle) {
        curl_easy_setopt(handle, CURLOPT_USERPWD, "user:password");
        return static_cast<int>(curl_easy_setopt(handle, CURLOPT_HTTPAUTH, CURLAUTH_DIGEST));
    };
    run(page);
    EXPECT_EQ(page.answer, 200);
    EXPECT_EQ(page.body, "hello\n");
}

TEST_F(AFetchForC, GathersSoMuch) {
    c_fetch page(url("/bytes/1048576"));
    page.request.most_body = 1000;
    run(page);
    EXPECT_EQ(page.status, CURLICUE_TOO_LARGE);
    EXPECT_EQ(page.phase, CURLICUE_PHASE_BODY);
    EXPECT_EQ(page.body, "");
    c_fetch parts(url("/bytes/1048576"));
    parts.request.most_body = 1000;
    parts.on_body = [](curlicue_call*) { return 0; };
    run(parts);
    EXPECT_EQ(parts.body.size(), 1U << 20) << "that is for the user to say";
}

TEST_F(AFetchForC, HasTheBodyAsItCame) {
    c_fetch decoded(url("/gzip/1048576"));
    run(decoded);
    EXPECT_TRUE(decoded.body == bytes(1 << 20));
    const curlicue_header gzip{"Accept-Encoding", "gzip"};
    c_fetch encoded(url("/gzip/1048576"));
    encoded.request.headers = &gzip;
    encoded.request.header_count = 1;
    encoded.request.encoded = 1;
    run(encoded);
    EXPECT_THAT(encoded.body, StartsWith("\x1f\x8b"));
}

} // namespace
