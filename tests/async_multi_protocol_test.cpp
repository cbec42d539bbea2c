// SPDX-License-Identifier: MIT
// libcurl is more than HTTP, and HTTP more than one version: the ways to transfer, on a loop.
#include "support/async_fixture.hpp"
#include "support/files.hpp"
#include "support/ftp_server.hpp"
#include "support/proxy.hpp"
#include "support/scripted_server.hpp"
#include "support/temporary_directory.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/mime.hpp>
#include <curlicue/share.hpp>
#include <curlicue/version.hpp>

#include <array>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using testing::HasSubstr;

namespace {

easy secure(std::string_view path, std::string& body) {
    easy page = quiet(nginx::shared().https(path));
    page.setopt<CURLOPT_WRITEDATA>(body);
    page.setopt<CURLOPT_CAINFO>(nginx::shared().ca_file().string());
    return page;
}

TEST_F(AnAsyncMulti, FetchesOverFtp) {
    std::string body;
    for (int i = 0; i < 2; ++i) { // the second over the same control connection
        body.clear();
        easy file(ftp_server::shared().url("1048576"));
        file.setopt<CURLOPT_WRITEDATA>(body);
        run(multi->add_handle(file));
        EXPECT_TRUE(body == bytes(1 << 20));
    }
    close();
}

TEST_F(AnAsyncMulti, FetchesOverActiveFtp) {
    std::string body;
    easy file(ftp_server::shared().url("1048576"));
    file.setopt<CURLOPT_WRITEDATA>(body);
    file.setopt<CURLOPT_FTPPORT>("-");
    run(multi->add_handle(file));
    EXPECT_TRUE(body == bytes(1 << 20));
    close();
}

TEST_F(AnAsyncMulti, StoresOverFtp) {
    const std::string sent = bytes(300000);
    easy stored(ftp_server::shared().url("stored"));
    stored.setopt<CURLOPT_UPLOAD>(true);
    stored.setopt<CURLOPT_READDATA>(sent);
    run(multi->add_handle(stored));
    std::string body;
    easy file(ftp_server::shared().url("stored"));
    file.setopt<CURLOPT_WRITEDATA>(body);
    run(multi->add_handle(file));
    EXPECT_TRUE(body == sent);
}

TEST_F(AnAsyncMulti, ReadsAFile) {
    const temporary_directory directory;
    write_file(directory / "file", bytes(1 << 20));
    std::string body;
    easy file = quiet("file://" + (directory / "file").string());
    file.setopt<CURLOPT_WRITEDATA>(body);
    run(multi->add_handle(file));
    EXPECT_TRUE(body == bytes(1 << 20));
    easy missing = quiet("file://" + (directory / "missing").string());
    EXPECT_EQ(failure_of([&] { run(multi->add_handle(missing)); }), CURLE_FILE_COULDNT_READ_FILE);
}

TEST_F(AnAsyncMulti, GoesThroughAProxy) {
    std::string body;
    easy page = get("/request", body);
    page.setopt<CURLOPT_PROXY>(proxy::shared().url());
    run(multi->add_handle(page));
    EXPECT_THAT(body, HasSubstr("curlicue"));
}

TEST_F(AnAsyncMulti, TunnelsTlsThroughAProxy) {
    std::string body;
    easy page = secure("/bytes/1048576", body);
    page.setopt<CURLOPT_PROXY>(proxy::shared().url());
    run(multi->add_handle(page));
    EXPECT_TRUE(body == bytes(1 << 20));
    close();
}

TEST_F(AnAsyncMulti, VerifiesAServerItKnows) {
    std::string body;
    const easy page = run(multi->add_handle(secure("/hello", body)));
    EXPECT_EQ(page.getinfo<CURLINFO_SSL_VERIFYRESULT>(), 0);
    EXPECT_EQ(body, "hello\n");
}

TEST_F(AnAsyncMulti, RefusesAServerThatNobodyVouchesFor) {
    std::string body;
    easy page = secure("/hello", body);
    page.unset<CURLOPT_CAINFO>();
    EXPECT_EQ(failure_of([&] { run(multi->add_handle(page)); }), CURLE_PEER_FAILED_VERIFICATION);
    EXPECT_EQ(body, "");
    close();
}

TEST_F(AnAsyncMulti, SpeaksHttp2) {
    if (!has_feature("HTTP2"))
        GTEST_SKIP() << "this libcurl speaks no HTTP/2";
    std::list<std::string> bodies;
    std::vector<future<easy>> pages;
    for (int i = 0; i < 20; ++i)
        pages.push_back(multi->add_handle(secure("/bytes/1048576", bodies.emplace_back())));
    for (const easy& page : run(gather(std::move(pages))))
        EXPECT_EQ(page.getinfo<CURLINFO_HTTP_VERSION>(), CURL_HTTP_VERSION_2_0);
    const std::string expected = bytes(1 << 20);
    for (const std::string& body : bodies)
        EXPECT_TRUE(body == expected);
    close();
}

// The media of an RTSP session come over the connection that asked for them; libcurl would give
// that to whoever asks the same server next.
TEST_F(AnAsyncMulti, KeepsRtspSessionsApartThatShareTheirOwnConnections) {
    if (!has_protocol("rtsp"))
        GTEST_SKIP() << "this libcurl speaks no RTSP";
    const scripted_server server([](connection& client) {
        for (std::string head; !(head = client.read_request_head()).empty();) {
            const auto number = head.substr(head.find("CSeq: "));
            client.write("RTSP/1.0 200 OK\r\n" + number.substr(0, number.find('\n') + 1) + "\r\n");
        }
    });
    std::vector<easy> sessions;
    for (int i = 0; i != 3; ++i) {
        easy& session = sessions.emplace_back(quiet("rtsp" + server.url("/media").substr(4)));
        session.setopt<CURLOPT_RTSP_REQUEST>(CURL_RTSPREQ_OPTIONS);
        session.setopt<CURLOPT_SHARE>(share({CURL_LOCK_DATA_CONNECT}));
    }
    for (const long connections : {1, 0, 0})
        for (const easy& session : sessions)
            EXPECT_EQ(run(multi->add_handle(session)).getinfo<CURLINFO_NUM_CONNECTS>(),
                      connections);
}

TEST_F(AnAsyncMulti, FollowsRedirects) {
    std::string body;
    easy page = get("/redirect", body);
    page.setopt<CURLOPT_FOLLOWLOCATION>(true);
    run(multi->add_handle(page));
    EXPECT_EQ(body, "hello\n");
}

TEST_F(AnAsyncMulti, ResolvesAName) {
    std::string body;
    easy page = get("/hello", body);
    std::string named = url("/hello");
    named.replace(named.find("127.0.0.1"), 9, "localhost"); // ::1, where nobody listens, first
    page.setopt<CURLOPT_URL>(named);
    run(multi->add_handle(page));
    EXPECT_EQ(body, "hello\n");
    close();
}

TEST_F(AnAsyncMulti, FailsANameThatThereIsNot) {
    const easy page = quiet("http://no.such.name.invalid/");
    EXPECT_EQ(failure_of([&] { run(multi->add_handle(page)); }), CURLE_COULDNT_RESOLVE_HOST);
    close();
}

TEST_F(AnAsyncMulti, PostsAForm) {
    mime form;
    form.addpart().name("a").data(bytes(100000));
    easy page = quiet(url("/post/form"));
    page.setopt<CURLOPT_MIMEPOST>(form);
    EXPECT_EQ(run(multi->add_handle(page)).getinfo<CURLINFO_RESPONSE_CODE>() / 100, 2);
    std::string stored;
    run(multi->add_handle(get("/upload/form", stored)));
    EXPECT_THAT(stored, HasSubstr(bytes(100000)));
}

TEST_F(AnAsyncMulti, RunsEasiesThatShareEvenTheirConnections) {
    const share data({CURL_LOCK_DATA_CONNECT});
    std::string body;
    for (int i = 0; i < 5; ++i) {
        easy page = get("/hello", body);
        page.setopt<CURLOPT_SHARE>(data);
        run(multi->add_handle(page));
        run(multi->post([] {}));
        EXPECT_EQ(multi->stats().sockets, 0u) << "nobody tells us of the close of such a socket";
    }
    EXPECT_EQ(body, "hello\nhello\nhello\nhello\nhello\n");
    close();
}

} // namespace
