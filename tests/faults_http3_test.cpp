// SPDX-License-Identifier: MIT
// HTTP/3, whose connections libcurl and its QUIC take care of themselves, on a datagram socket.
#include "support/attacked_multi.hpp"
#include "support/failure.hpp"
#include "support/files.hpp"
#include "support/road.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/version.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <curl/curl.h>
#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;

namespace {

class AnHttp3Transfer : public AnAttackedMulti {
protected:
    void SetUp() override {
        AnAttackedMulti::SetUp();
        if (!has_feature("HTTP3"))
            GTEST_SKIP() << "this libcurl speaks no HTTP/3";
        if (!nginx::speaks_http3())
            GTEST_SKIP() << "this nginx speaks no HTTP/3";
        if (!leads_straight())
            GTEST_SKIP() << "no relay carries datagrams";
    }

    static easy over_http3(const nginx& server, std::string_view path, std::string& body) {
        easy page(server.https(path));
        page.setopt<CURLOPT_CAINFO>(server.ca_file().string())
            .setopt<CURLOPT_HTTP_VERSION>(CURL_HTTP_VERSION_3ONLY)
            .setopt<CURLOPT_WRITEDATA>(body);
        return page;
    }

    /// Calls a large download off once it has come as far as `run_there` runs it.
    template <class Run> void cancel_one(Run run_there) {
        std::string body;
        auto running = multi->add_handle(over_http3(nginx::shared(), "/bytes/16777216", body));
        run_there(body);
        running.cancel();
        EXPECT_EQ(failure_of([&] { run(std::move(running)); }), errc::cancelled);
    }

    void expect_http3_service() {
        for (int i = 0; i != 3; ++i) {
            std::string body;
            auto running = multi->add_handle(over_http3(nginx::shared(), "/hello", body));
            run_to([&] { return running.ready(); });
            const easy page = run(std::move(running));
            EXPECT_EQ(body, "hello\n");
            EXPECT_EQ(page.getinfo<CURLINFO_HTTP_VERSION>(), CURL_HTTP_VERSION_3);
        }
    }
};

TEST_F(AnHttp3Transfer, SharesAConnectionWithTheNext) {
    expect_http3_service();
    std::string body;
    const easy page = run(multi->add_handle(over_http3(nginx::shared(), "/bytes/1048576", body)));
    EXPECT_TRUE(body == bytes(1 << 20));
    EXPECT_EQ(page.getinfo<CURLINFO_NUM_CONNECTS>(), 0);
    close();
}

// With OpenSSL's QUIC nothing came over a connection any more after some twelve of them.
TEST_F(AnHttp3Transfer, LeavesTheWayFreeWhenItIsCancelledInTheMiddle) {
    expect_http3_service();
    for (int i = 0; i != 40; ++i)
        cancel_one([&](const std::string& body) { run_to([&] { return !body.empty(); }); });
    expect_http3_service();
    close();
}

TEST_F(AnHttp3Transfer, LeavesTheWayFreeWhenItIsCancelledBeforeItsReply) {
    expect_http3_service();
    for (int i = 0; i != 100; ++i)
        cancel_one([&](const std::string&) {
            for (int turn = 0; turn != 3; ++turn)
                uv_run(&loop, UV_RUN_NOWAIT);
        });
    expect_http3_service();
    close();
}

// An easy's own choice comes back with its next transfer.
TEST_F(AnHttp3Transfer, KeepsItsConnectionsAfterOneThatWasCancelled) {
    std::string body;
    easy page = over_http3(nginx::shared(), "/bytes/16777216", body);
    auto running = multi->add_handle(page);
    run_to([&] { return !body.empty(); });
    running.cancel();
    EXPECT_EQ(failure_of([&] { run(std::move(running)); }), errc::cancelled);
    page.setopt<CURLOPT_URL>(nginx::shared().https("/hello"));
    run(multi->add_handle(page));
    run(multi->add_handle(page));
    EXPECT_EQ(page.getinfo<CURLINFO_NUM_CONNECTS>(), 0);
    close();
}

TEST_F(AnHttp3Transfer, EndsWhenItsServerIsGone) {
    std::optional<nginx> server(std::in_place);
    std::string body;
    auto running = multi->add_handle(over_http3(*server, "/slow/16777216", body));
    run_to([&] { return !body.empty(); });
    server.reset();
    EXPECT_NE(failure_of([&] { run(std::move(running)); }).value(), CURLE_OK);
    expect_http3_service();
    close();
}

} // namespace
