// SPDX-License-Identifier: MIT
// Servers that speak HTTP/2, and not as they should. Each transfer has a connection of its own:
// with several on one, libcurl 7.88 stalls by itself now and then.
#include "support/attacked_multi.hpp"
#include "support/memory_peak.hpp"
#include "support/python_server.hpp"
#include "support/scripted_server.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/version.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;
using testing::AnyOf;
using testing::Ne;

namespace {

/// What broken_http2.py replies with.
std::string whole_body() {
    std::string body;
    for (int i = 0; i < 256 * 16; ++i)
        body += static_cast<char>(i % 256);
    return body;
}

class AnHttp2Transfer : public AnAttackedMulti {
protected:
    void SetUp() override {
        AnAttackedMulti::SetUp();
        if (!has_feature("HTTP2"))
            GTEST_SKIP() << "this libcurl speaks no HTTP/2";
        static const bool h2_is_there = python_has("h2");
        if (!h2_is_there)
            GTEST_SKIP() << "python3-h2 is not installed";
    }

    static const python_server& server() {
        static const python_server instance("broken_http2.py");
        return instance;
    }
    static std::string url(std::string_view path) { return server().url("http://127.0.0.1", path); }
    static void as_http2(easy& page) {
        page.setopt<CURLOPT_HTTP_VERSION>(CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
    }
    static void on_its_own(easy& page) {
        as_http2(page);
        page.setopt<CURLOPT_FRESH_CONNECT>(true).setopt<CURLOPT_FORBID_REUSE>(true);
    }

    /// Ten at once, which all end like that.
    void expect_ten(std::string_view path, const testing::Matcher<int>& code) {
        for (int i = 0; i < 10; ++i)
            start(url(path), &on_its_own);
        finish();
        for (const attempt& each : attempts) {
            EXPECT_THAT(each.code.value(), code) << path << ": " << each.page.error();
            expect_sound(each);
        }
        expect_http2_service();
    }

    /// Success is the whole body, and failure a code for a peer that is broken or gone.
    static void expect_sound(const attempt& ended) {
        EXPECT_THAT(ended.code.value(),
                    AnyOf(CURLE_OK, CURLE_COULDNT_CONNECT, CURLE_HTTP2, CURLE_HTTP2_STREAM,
                          CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE,
                          CURLE_GOT_NOTHING));
        EXPECT_TRUE(ended.code ? whole_body().starts_with(ended.body) : ended.body == whole_body());
    }

    void expect_http2_service(void (*prepare)(easy&) = &as_http2) {
        const attempt& page = start(url("/ok"), prepare);
        run_to([&] { return page.endings != 0; });
        EXPECT_FALSE(page.code) << page.page.error();
        EXPECT_EQ(page.page.getinfo<CURLINFO_HTTP_VERSION>(), CURL_HTTP_VERSION_2_0);
        EXPECT_TRUE(page.body == whole_body());
        attempts.pop_back();
    }
};

// ---- GOAWAY

class AnHttp2Goaway : public AnHttp2Transfer {};

TEST_F(AnHttp2Goaway, BeforeTheReplyLetsItCome) { expect_ten("/goaway/before", CURLE_OK); }

TEST_F(AnHttp2Goaway, InTheMiddleOfTheReplyLetsItCome) { expect_ten("/goaway/middle", CURLE_OK); }

TEST_F(AnHttp2Goaway, AfterTheReplyTakesNothingAway) { expect_ten("/goaway/after", CURLE_OK); }

TEST_F(AnHttp2Goaway, ThatRefusesTheRequestFailsIt) { expect_ten("/goaway/refused", Ne(CURLE_OK)); }

TEST_F(AnHttp2Goaway, InTheMiddleOfTheReplyLeavesTheNextToANewConnection) {
    for (std::size_t i = 0; i < 50; i += sparseness())
        EXPECT_FALSE(fetch(url("/goaway/middle"), &as_http2).code);
    for (const attempt& each : attempts)
        EXPECT_TRUE(each.body == whole_body());
}

// libcurl 7.88 fails one in a hundred with CURLE_HTTP2, also when it is alone: those that it starts
// on the connection before it has read the GOAWAY.
TEST_F(AnHttp2Goaway, BetweenTwoRepliesFailsTheNextAtMost) {
    for (std::size_t i = 0; i < 50; i += sparseness())
        EXPECT_THAT(fetch(url("/goaway/after"), &as_http2).code.value(),
                    AnyOf(CURLE_OK, CURLE_HTTP2));
    for (const attempt& each : attempts)
        expect_sound(each);
}

class AnHttp2Upload : public AnAttackedMulti {};

// libcurl 8.14 loses the wake-ups of uploads beneath which a connection ends: nothing but a call
// for all transfers gets them going.
TEST_F(AnHttp2Upload, GoesOnWhereItsConnectionEnds) {
    if (!has_feature("HTTP2"))
        GTEST_SKIP() << "this libcurl speaks no HTTP/2";
    const std::string body(300'000, 'x');
    for (int i = 0; i < 100; ++i) {
        run_to([this] { return multi->stats().pending < 10; });
        start("http://127.0.0.1/", [&](easy& page) {
            page.setopt<CURLOPT_UNIX_SOCKET_PATH>(nginx::shared().fleeting_socket().string())
                .setopt<CURLOPT_HTTP_VERSION>(CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE)
                .setopt<CURLOPT_POSTFIELDS>(body);
        });
    }
    finish();
    for (const attempt& each : attempts) {
        EXPECT_THAT(each.code.value(),
                    AnyOf(CURLE_OK, CURLE_HTTP2, CURLE_HTTP2_STREAM, CURLE_RECV_ERROR))
            << each.page.error();
        EXPECT_EQ(each.body, each.code ? "" : "hello\n");
    }
}

// ---- RST_STREAM

class AnHttp2Reset : public AnHttp2Transfer, public ::testing::WithParamInterface<int> {};

TEST_P(AnHttp2Reset, BeforeTheReplyEndsTheTransfer) {
    const std::string path = "/reset/" + std::to_string(GetParam()) + "/before";
    expect_ten(path, Ne(CURLE_OK));
}

TEST_P(AnHttp2Reset, InTheMiddleOfTheReplyEndsTheTransfer) {
    const std::string path = "/reset/" + std::to_string(GetParam()) + "/middle";
    expect_ten(path, Ne(CURLE_OK));
}

// NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, STREAM_CLOSED, CANCEL, ENHANCE_YOUR_CALM,
// HTTP_1_1_REQUIRED
INSTANTIATE_TEST_SUITE_P(WithCode, AnHttp2Reset, ::testing::Values(0, 1, 2, 5, 8, 11));

TEST_F(AnHttp2Transfer, IsNotRetriedForEverWhenTheStreamIsRefused) {
    expect_ten("/reset/7/before", Ne(CURLE_OK)); // REFUSED_STREAM
}

// ---- waiting, and noise

TEST_F(AnHttp2Transfer, ThatMayNotSendItsBodyIsEndedByItsTimeout) {
    const std::string sent(100000, 'x');
    for (int i = 0; i < 10; ++i) {
        attempt& waiting = attempts.emplace_back(easy(url("/window")));
        on_its_own(waiting.page);
        waiting.page.setopt<CURLOPT_POSTFIELDS>(sent);
        watch(waiting, multi->add_handle(waiting.page).timeout(300ms));
    }
    finish();
    for (const attempt& each : attempts)
        EXPECT_EQ(each.code, std::errc::timed_out);
    expect_http2_service();
}

class AnHttp2Flood : public AnHttp2Transfer {
protected:
    /// The server never stops, and never answers: a timeout does, unless libcurl does before.
    void expect_bounds(std::string_view path) {
        const memory_peak memory;
        for (int i = 0; i < 3; ++i) {
            attempt& flooded = attempts.emplace_back(easy(url(path)));
            on_its_own(flooded.page);
            watch(flooded, multi->add_handle(flooded.page).timeout(1s));
        }
        finish();
        for (const attempt& each : attempts)
            EXPECT_TRUE(each.code);
        EXPECT_LT(memory.growth(), 32U << 20);
        expect_http2_service();
    }
};

TEST_F(AnHttp2Flood, OfSettingsNeedsLittleMemory) { expect_bounds("/flood/settings"); }

TEST_F(AnHttp2Flood, OfPingsNeedsLittleMemory) { expect_bounds("/flood/ping"); }

// libcurl 7.88 cannot use such a connection again: it fails with CURLE_HTTP2, also when libcurl is
// alone. What is ours is to sleep meanwhile, and that others are served.
TEST_F(AnHttp2Transfer, WakesNobodyWhenItsConnectionIsPingedWhileIdle) {
    for (int i = 0; i < 5; ++i) {
        start(url("/idle"), &as_http2);
        finish();
        const auto before = multi->stats().wakeups;
        {
            host_timer host(loop);
            run_to([&] { return host.ticks() >= 100; });
        }
        EXPECT_LE(multi->stats().wakeups - before, 12u);
        expect_http2_service(&on_its_own);
    }
    EXPECT_FALSE(attempts.front().code);
    for (const attempt& each : attempts)
        expect_sound(each);
}

// ---- where it is cut

TEST_F(AnHttp2Transfer, EndsOnceWhereverItsConnectionIsCut) {
    constexpr std::size_t step = 16;
    std::atomic<std::size_t> next{0};
    const scripted_server proxy([&](connection& client) {
        const std::size_t index = next++;
        client.relay(server().port(), index / 2 * step);
        if (index % 2 == 0)
            client.reset();
    });
    const std::size_t most = whole_body().size() + 256; // with its head and frames
    for (std::size_t cut = 0; cut < most; cut += step)
        for (int i = 0; i < 2; ++i)
            start(proxy.url("/ok"), &on_its_own);
    finish();
    std::size_t complete = 0;
    for (const attempt& each : attempts) {
        expect_sound(each);
        complete += each.code ? 0 : 1;
    }
    EXPECT_GT(complete, 0u);
    EXPECT_LT(complete, attempts.size() / 10);
    close();
}

} // namespace
