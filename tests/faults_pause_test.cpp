// SPDX-License-Identifier: MIT
// Servers that go on, or away, while a transfer is paused.
#include "support/attacked_multi.hpp"
#include "support/files.hpp"
#include "support/memory_peak.hpp"
#include "support/scripted_server.hpp"
#include <curlicue/async_multi.hpp>

#include <atomic>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <curl/curl.h>
#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;

namespace {

constexpr std::size_t pushed = 64U << 20;
/// What kernels take in for a client that does not read, allocators keep, and then some.
constexpr std::size_t tolerable = 32U << 20;

/// A transfer that pauses at its first byte, and compares what comes later with bytes().
class APausedReader : public AnAttackedMulti {
protected:
    attempt& start_paused(std::string_view url) {
        attempt& started = attempts.emplace_back(easy(url));
        started.page.setopt<CURLOPT_WRITEFUNCTION>([this](std::span<const char> data) {
            if (!std::exchange(paused, true))
                return std::size_t{CURL_WRITEFUNC_PAUSE};
            for (const char byte : data)
                exact = exact && byte == pattern[received++ % pattern.size()];
            return data.size();
        });
        watch(started, multi->add_handle(started.page));
        run_to([&] { return paused; });
        return started;
    }

    /// The loop runs for a hundred milliseconds or more, and next to none of that is for us.
    void expect_peace() {
        host_timer host(loop);
        run_to([&] { return host.ticks() >= 20; });
        const auto before = multi->stats().wakeups;
        run_to([&] { return host.ticks() >= 120; });
        // 8.5.0 wants to hear of it all the same (cf_socket_adjust_pollset), and 8.6 to 8.14 want
        // to be called again and again, once in a millisecond (multi.c, select_bits).
        const auto version = curl_version_info(CURLVERSION_NOW)->version_num;
        if (version != 0x080500) {
            EXPECT_LE(multi->stats().wakeups - before,
                      0x0805ff < version && version < 0x080f00 ? 200u : 12u);
        }
        EXPECT_EQ(received, 0u);
    }

    const std::string pattern = bytes(1 << 20);
    bool paused = false;
    bool exact = true;
    std::size_t received = 0;
};

TEST_F(APausedReader, HoldsBackAServerThatPushes) {
    std::atomic<std::size_t> said{0};
    const scripted_server server([&](connection& client) {
        client.read_request_head();
        client.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(pushed) + "\r\n\r\n");
        while (said < pushed && client.write(pattern))
            said += pattern.size();
    });
    const memory_peak memory;
    attempt& page = start_paused(server.url());
    expect_peace();
    EXPECT_LT(said, tolerable);
    page.page.unpause();
    finish();
    EXPECT_FALSE(page.code) << page.page.error();
    EXPECT_EQ(received, pushed);
    EXPECT_TRUE(exact);
    EXPECT_LT(memory.growth(), tolerable);
    close();
}

TEST_F(APausedReader, IsCancelledUnderAServerThatPushes) {
    const scripted_server server([&](connection& client) {
        client.read_request_head();
        client.write("HTTP/1.1 200 OK\r\n\r\n");
        while (client.write(pattern)) {
        }
    });
    const attempt& page = start_paused(server.url());
    multi->remove_handle(page.page);
    finish();
    EXPECT_EQ(page.code, std::errc::operation_canceled);
    EXPECT_EQ(received, 0u);
}

/// What the server does after `before` of the thousand bytes that it has announced.
class AReaderLeftWhilePaused : public APausedReader {
protected:
    using end = void (*)(connection&);

    attempt& leave(std::size_t before, end how) {
        const scripted_server server([&](connection& client) {
            client.read_request_head();
            client.write("HTTP/1.1 200 OK\r\n" + announced + "\r\n" + pattern.substr(0, before));
            how(client);
        });
        attempt& page = start_paused(server.url());
        expect_peace();
        page.page.unpause();
        finish();
        EXPECT_TRUE(exact);
        close();
        return page;
    }

    std::string announced = "Content-Length: 1000\r\n";
};

void by_half_close(connection& client) {
    client.half_close();
    client.hold();
}

void by_close(connection&) {}

void by_reset(connection& client) { client.reset(); }

TEST_F(AReaderLeftWhilePaused, HearsOfAHalfCloseWhenItGoesOn) {
    EXPECT_EQ(leave(500, by_half_close).code, CURLE_PARTIAL_FILE);
    EXPECT_EQ(received, 500u);
}

TEST_F(AReaderLeftWhilePaused, HearsOfACloseWhenItGoesOn) {
    EXPECT_EQ(leave(500, by_close).code, CURLE_PARTIAL_FILE);
    EXPECT_EQ(received, 500u);
}

TEST_F(AReaderLeftWhilePaused, HearsOfAResetWhenItGoesOn) {
    EXPECT_EQ(leave(500, by_reset).code, CURLE_RECV_ERROR);
    EXPECT_EQ(received, 500u);
}

// A FIN would be the end of such a body.
TEST_F(AReaderLeftWhilePaused, HearsOfAResetWhereNoLengthTells) {
    announced = "";
    EXPECT_EQ(leave(500, by_reset).code, CURLE_RECV_ERROR);
    EXPECT_EQ(received, 500u);
}

TEST_F(AReaderLeftWhilePaused, HasTheWholeOfItWhenTheServerHalfCloses) {
    EXPECT_FALSE(leave(1000, by_half_close).code);
    EXPECT_EQ(received, 1000u);
}

TEST_F(AReaderLeftWhilePaused, HasTheWholeOfItWhenTheServerResets) {
    EXPECT_FALSE(leave(1000, by_reset).code);
    EXPECT_EQ(received, 1000u);
}

} // namespace
