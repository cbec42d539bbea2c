// SPDX-License-Identifier: MIT
// The servers keep the promises that the other tests build upon, as seen by libcurl alone.
#include "support/files.hpp"
#include "support/ftp_server.hpp"
#include "support/nginx.hpp"
#include "support/proxy.hpp"
#include "support/relay.hpp"
#include "support/scripted_server.hpp"
#include "support/server_process.hpp"
#include "support/uv_fixture.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <curl/curl.h>
#include <gtest/gtest.h>

using namespace curlicue::test;

namespace {

struct outcome {
    CURLcode code;
    long status = 0;
    long version = 0;
    std::string body = {};
};

outcome get(
    const std::string& url, const std::function<void(CURL*)>& prepare = [](CURL*) {}) {
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy(curl_easy_init(),
                                                                   &curl_easy_cleanup);
    outcome result{};
    const auto append = [](char* data, std::size_t, std::size_t size, void* body) noexcept {
        static_cast<std::string*>(body)->append(data, size);
        return size;
    };
    curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION,
                     static_cast<std::size_t (*)(char*, std::size_t, std::size_t, void*)>(append));
    curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &result.body);
    prepare(easy.get());
    result.code = curl_easy_perform(easy.get());
    curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &result.status);
    curl_easy_getinfo(easy.get(), CURLINFO_HTTP_VERSION, &result.version);
    return result;
}

void trust(CURL* easy) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, nginx::shared().ca_file().c_str());
}

std::size_t read_from(char* data, std::size_t, std::size_t size, void* source) noexcept {
    auto& rest = *static_cast<std::string_view*>(source);
    size = rest.copy(data, size);
    rest.remove_prefix(size);
    return size;
}

void upload(CURL* easy, std::string_view& body) {
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, &read_from);
    curl_easy_setopt(easy, CURLOPT_READDATA, &body);
}

} // namespace

TEST(ReservedPort, RefusesConnectionsUntilSomebodyServes) {
    const reserved_port port;
    EXPECT_EQ(get("http://" + port.address()).code, CURLE_COULDNT_CONNECT);
}

TEST(Nginx, ServesBytesOverHttp) {
    EXPECT_EQ(get(nginx::shared().http("/hello")).body, "hello\n");
    for (const std::size_t size : {0, 1 << 10, 1 << 20, 1 << 24}) {
        const outcome got = get(nginx::shared().http("/bytes/" + std::to_string(size)));
        EXPECT_EQ(got.status, 200);
        EXPECT_TRUE(got.body == bytes(size)) << size;
    }
}

TEST(Nginx, ServesHttp2OverTls) {
    const outcome got = get(nginx::shared().https("/bytes/1048576"), trust);
    EXPECT_EQ(got.version, CURL_HTTP_VERSION_2_0);
    EXPECT_TRUE(got.body == bytes(1 << 20));
}

TEST(Nginx, IsNotTrustedByDefault) {
    EXPECT_EQ(get(nginx::shared().https("/hello")).code, CURLE_PEER_FAILED_VERIFICATION);
}

TEST(Nginx, ServesAUnixSocket) {
    const outcome got = get("http://localhost/hello", [](CURL* easy) {
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, nginx::shared().unix_socket().c_str());
    });
    EXPECT_EQ(got.body, "hello\n");
}

TEST(Nginx, AnswersWithTheStatusAskedFor) {
    EXPECT_EQ(get(nginx::shared().http("/status/204")).status, 204);
    for (const long status : {404, 500, 503}) {
        const outcome got = get(nginx::shared().http("/status/" + std::to_string(status)));
        EXPECT_EQ(got.status, status);
        EXPECT_EQ(got.body, std::to_string(status) + '\n');
    }
}

TEST(Nginx, Redirects) {
    const auto follow = [](CURL* easy) {
        curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
        curl_easy_setopt(easy, CURLOPT_MAXREDIRS, 5L);
    };
    EXPECT_EQ(get(nginx::shared().http("/redirect")).status, 302);
    EXPECT_EQ(get(nginx::shared().http("/redirect"), follow).body, "hello\n");
    EXPECT_EQ(get(nginx::shared().http("/redirect/loop"), follow).code, CURLE_TOO_MANY_REDIRECTS);
}

TEST(Nginx, ServesAThousandAtOnce) {
    const std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> multi(curl_multi_init(),
                                                                      &curl_multi_cleanup);
    const std::string url = nginx::shared().http("/bytes/0");
    std::vector<CURL*> easies(1000);
    for (CURL*& easy : easies) {
        easy = curl_easy_init();
        curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
        curl_multi_add_handle(multi.get(), easy);
    }
    int running = 1;
    while (running > 0) {
        curl_multi_perform(multi.get(), &running);
        curl_multi_poll(multi.get(), nullptr, 0, 100, nullptr);
    }
    for (CURL* easy : easies) {
        long status = 0, connections = 0;
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connections);
        EXPECT_EQ(status, 200);
        EXPECT_EQ(connections, 1);
        curl_multi_remove_handle(multi.get(), easy);
        curl_easy_cleanup(easy);
    }
}

TEST(Nginx, CompressesForThoseWhoAccept) {
    const outcome got = get(nginx::shared().http("/gzip/1048576"), [](CURL* easy) {
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    });
    EXPECT_TRUE(got.body == bytes(1 << 20));
    EXPECT_FALSE(get(nginx::shared().http("/gzip/1048576"), [](CURL* easy) {
                     curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
                     curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
                 }).body == bytes(1 << 20));
}

TEST(Nginx, IsSlowOnRequest) {
    const outcome got = get(nginx::shared().http("/slow/16777216"),
                            [](CURL* easy) { curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 300L); });
    EXPECT_EQ(got.code, CURLE_OPERATION_TIMEDOUT);
    EXPECT_FALSE(got.body.empty());
    EXPECT_LT(got.body.size(), std::size_t{1} << 20);
}

TEST(Nginx, RepeatsTheRequest) {
    const outcome got = get(nginx::shared().http("/request?a=b"), [](CURL* easy) {
        curl_easy_setopt(easy, CURLOPT_USERAGENT, "curlicue");
        curl_easy_setopt(easy, CURLOPT_COOKIE, "taste=sweet");
    });
    EXPECT_EQ(got.body, "GET\n/request?a=b\nHTTP/1.1\ncurlicue\n\ntaste=sweet\n\n");
}

TEST(Nginx, AsksForAPassword) {
    EXPECT_EQ(get(nginx::shared().http("/auth")).status, 401);
    EXPECT_EQ(get(nginx::shared().http("/auth"),
                  [](CURL* easy) { curl_easy_setopt(easy, CURLOPT_USERPWD, "user:secret"); })
                  .body,
              "hello\n");
}

TEST(Nginx, StoresUploads) {
    const std::string sent = bytes(1 << 20);
    std::string_view rest = sent;
    const std::string url = nginx::shared().http("/upload/put");
    EXPECT_EQ(get(url, [&](CURL* easy) { upload(easy, rest); }).status, 201);
    EXPECT_TRUE(get(url).body == sent);
}

TEST(Nginx, StoresWhatIsPosted) {
    const std::string sent = bytes(100'000);
    const outcome got = get(nginx::shared().http("/post/posted"), [&](CURL* easy) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(sent.size()));
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, sent.data());
    });
    EXPECT_EQ(got.status, 201);
    EXPECT_TRUE(get(nginx::shared().http("/upload/posted")).body == sent);
}

TEST(Proxy, ForwardsAndTunnels) {
    const auto through_proxy = [](CURL* easy) {
        curl_easy_setopt(easy, CURLOPT_PROXY, proxy::shared().url().c_str());
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
        trust(easy);
    };
    EXPECT_NE(get(nginx::shared().http("/request"), through_proxy).body.find("curlicue"),
              std::string::npos);
    EXPECT_EQ(get(nginx::shared().https("/hello"), through_proxy).body, "hello\n");
}

TEST(FtpServer, ReadsAndWrites) {
    EXPECT_TRUE(get(ftp_server::shared().url("1048576")).body == bytes(1 << 20));
    EXPECT_EQ(get(ftp_server::shared().url("missing")).code, CURLE_REMOTE_FILE_NOT_FOUND);
    const std::string sent = bytes(5000);
    std::string_view rest = sent;
    EXPECT_EQ(get(ftp_server::shared().url("new"), [&](CURL* easy) { upload(easy, rest); }).code,
              CURLE_OK);
    EXPECT_TRUE(get(ftp_server::shared().url("new")).body == sent);
}

TEST(ScriptedServer, SendsOneByteAtATime) {
    const scripted_server server([](connection& client) {
        client.read_request_head();
        for (const char byte : std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
            client.write({&byte, 1});
    });
    EXPECT_EQ(get(server.url()).body, "ok");
    EXPECT_EQ(server.accepted(), 1U);
}

TEST(ScriptedServer, ResetsInTheMiddleOfABody) {
    const scripted_server server([](connection& client) {
        client.read_request_head();
        client.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        client.reset();
    });
    EXPECT_EQ(get(server.url()).code, CURLE_RECV_ERROR);
}

TEST(ScriptedServer, HalfClosesAndStillReads) {
    std::string seen;
    {
        const scripted_server server([&](connection& client) {
            client.read_request_head();
            client.write("HTTP/1.1 200 OK\r\n\r\nthat is all");
            client.half_close();
            seen = client.read(1);
        });
        EXPECT_EQ(get(server.url()).body, "that is all");
    }
    EXPECT_EQ(seen, "");
}

TEST(ScriptedServer, NeverAnswersAndStillStops) {
    const scripted_server server([](connection& client) { client.hold(); });
    EXPECT_EQ(
        get(server.url(), [](CURL* easy) { curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 50L); }).code,
        CURLE_OPERATION_TIMEDOUT);
}

TEST(ScriptedServer, ReadsABody) {
    const scripted_server server([](connection& client) {
        client.read_request_head();
        const std::string body = client.read(4);
        client.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + body);
    });
    const outcome got =
        get(server.url(), [](CURL* easy) { curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "echo"); });
    EXPECT_EQ(got.body, "echo");
}

TEST(Relay, HandsEverythingOnAndTakesItsTime) {
    relay far(nginx::shared().http("/"),
              {std::chrono::milliseconds(20), std::chrono::milliseconds(30)});
    const std::string url = far.url(nginx::shared().http("/bytes/1048576"));
    EXPECT_TRUE(get(url).body == bytes(1 << 20));
    EXPECT_EQ(far.accepted(), 1u);
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy(curl_easy_init(),
                                                                   &curl_easy_cleanup);
    curl_easy_setopt(easy.get(), CURLOPT_URL, far.url(nginx::shared().http("/hello")).c_str());
    curl_easy_setopt(easy.get(), CURLOPT_NOBODY, 1L);
    ASSERT_EQ(curl_easy_perform(easy.get()), CURLE_OK);
    curl_off_t microseconds = 0;
    curl_easy_getinfo(easy.get(), CURLINFO_TOTAL_TIME_T, &microseconds);
    EXPECT_GE(microseconds, 70'000);
}

TEST(Relay, HandsUploadsOn) {
    relay far(nginx::shared().http("/"), {});
    const std::string sent = bytes(1 << 22);
    std::string_view rest = sent;
    const std::string url = nginx::shared().http("/upload/far");
    get(far.url(url), [&](CURL* easy) { upload(easy, rest); });
    EXPECT_TRUE(get(url).body == sent);
}

TEST(Relay, TellsOfEnds) {
    const scripted_server server([](connection& client) {
        client.read_request_head();
        client.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    });
    relay far(server.url(), {std::chrono::milliseconds(1)});
    EXPECT_EQ(get(far.url(server.url())).code, CURLE_PARTIAL_FILE);
    while (far.open() != 0 || server.open() != 0)
        std::this_thread::yield();
}

TEST(Relay, HandsAResetOnBehindWhatCameBefore) {
    const scripted_server server([](connection& client) {
        client.read_request_head();
        client.write("HTTP/1.1 200 OK\r\n\r\nhalf"); // a FIN would be the end of it
        client.reset();
    });
    const relay far(server.url(), {std::chrono::milliseconds(1)});
    const auto ended = get(far.url(server.url()));
    EXPECT_EQ(ended.code, CURLE_RECV_ERROR);
    EXPECT_EQ(ended.body, "half");
}

TEST(Relay, VanishesWithoutAWord) {
    const scripted_server server([](connection& client) {
        client.read_request_head();
        client.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    });
    relay gone(server.url(), {});
    gone.vanish();
    EXPECT_EQ(get(gone.url(server.url()),
                  [](CURL* easy) { curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 50L); })
                  .code,
              CURLE_OPERATION_TIMEDOUT);
    EXPECT_EQ(gone.accepted(), 1u);
}

TEST(OpenDescriptors, ComeAndGo) {
    const std::size_t before = open_descriptors();
    {
        const reserved_port port;
        EXPECT_EQ(open_descriptors(), before + 1);
    }
    EXPECT_EQ(open_descriptors(), before);
}

using UvFixture = uv_fixture;

TEST_F(UvFixture, RunsWhatATestLeavesBehind) {
    const auto timer = new uv_timer_t;
    uv_timer_init(&loop, timer);
    uv_timer_start(
        timer,
        [](uv_timer_t* fired) {
            uv_close(reinterpret_cast<uv_handle_t*>(fired),
                     [](uv_handle_t* closed) { delete reinterpret_cast<uv_timer_t*>(closed); });
        },
        1, 0);
}
