// SPDX-License-Identifier: MIT
// Servers that say too much, too little at a time, or the same for ever.
#include "support/attacked_multi.hpp"
#include "support/memory_peak.hpp"
#include "support/scripted_server.hpp"
#include <curlicue/async_multi.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <thread>

#include <curl/curl.h>
#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t far_too_much = 100U << 20;
/// What kernels take in for a client that does not read, allocators keep, and then some.
constexpr std::size_t tolerable = 32U << 20;

/// Says `piece` again and again, as long as the client listens or until `most` bytes are said.
/// @returns how many that were
std::size_t repeat(connection& client, std::string_view piece, std::size_t most) {
    std::size_t said = 0;
    while (said < most && client.write(piece))
        said += piece.size();
    return said;
}

std::string many_fields() {
    std::string fields;
    while (fields.size() < 1 << 16)
        fields += "A-Field: with a value that is rather long for one\r\n";
    return fields;
}

/// What libcurl says of a line that is too long, and of too many: it has a code for that from 8.6
/// on (Curl_dyn_addn), and counts headers from 8.14 on, trailers too (Curl_headers_push).
CURLcode too_large(unsigned since, CURLcode before) {
    constexpr auto code = static_cast<CURLcode>(100); // CURLE_TOO_LARGE
    return curl_version_info(CURLVERSION_NOW)->version_num >= since ? code : before;
}
CURLcode too_long() { return too_large(0x080600, CURLE_OUT_OF_MEMORY); }
CURLcode too_many(CURLcode before) { return too_large(0x080e00, before); }

class AFlood : public AnAttackedMulti {
protected:
    /// A server that says `start` and then 100 MB of `piece`s: it does not get far.
    void expect_refusal(std::string_view start, std::string_view piece, CURLcode code) {
        std::atomic<std::size_t> said{0};
        const memory_peak memory;
        {
            const scripted_server server([&](connection& client) {
                client.read_request_head();
                client.write(start);
                said = repeat(client, piece, far_too_much);
            });
            const attempt& refused = fetch(server.url());
            EXPECT_EQ(refused.code.value(), code) << refused.page.error();
            EXPECT_EQ(refused.body, "");
            close();
        }
        EXPECT_LT(said, tolerable);
        EXPECT_LT(memory.growth(), tolerable);
    }
};

TEST_F(AFlood, OfOneHeaderIsRefused) {
    expect_refusal("HTTP/1.1 200 OK\r\nA: ", std::string(1 << 16, 'b'), too_long());
}

TEST_F(AFlood, OfAStatusLineIsRefused) {
    expect_refusal("HTTP/1.1 200 ", std::string(1 << 16, 'b'), too_long());
}

TEST_F(AFlood, OfHeadersIsRefused) {
    expect_refusal("HTTP/1.1 200 OK\r\n", many_fields(), too_many(CURLE_RECV_ERROR));
}

// libcurl 7.88 has a limit for headers and none for trailers, which it keeps: it is for the program
// to end that.
TEST_F(AFlood, OfTrailersIsEndedByAHeaderFunction) {
    std::atomic<std::size_t> said{0};
    const memory_peak memory;
    const scripted_server server([&](connection& client) {
        client.read_request_head();
        client.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n");
        said = repeat(client, many_fields(), far_too_much);
    });
    std::size_t heard = 0;
    const attempt& ended = fetch(server.url(), [&](easy& page) {
        page.setopt<CURLOPT_HEADERFUNCTION>([&](std::string_view line) {
            heard += line.size();
            return heard < 1 << 20 ? line.size() : 0;
        });
    });
    EXPECT_EQ(ended.code, too_many(CURLE_WRITE_ERROR));
    EXPECT_LT(memory.growth(), tolerable);
    close();
}

TEST_F(AFlood, OfInterimRepliesIsRefused) {
    std::string replies;
    while (replies.size() < 1 << 16)
        replies += "HTTP/1.1 103 Early Hints\r\nA-Field: with a value\r\n\r\n";
    expect_refusal("", replies, too_many(CURLE_RECV_ERROR));
}

TEST_F(AFlood, OfRedirectsIsRefused) {
    std::atomic<int> requests{0};
    const scripted_server server([&](connection& client) {
        while (!client.read_request_head().empty()) {
            ++requests;
            client.write("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 3\r\n\r\nyes");
        }
    });
    const attempt& refused = fetch(server.url(), [](easy& page) {
        page.setopt<CURLOPT_FOLLOWLOCATION>(true).setopt<CURLOPT_MAXREDIRS>(30);
    });
    EXPECT_EQ(refused.code, CURLE_TOO_MANY_REDIRECTS);
    EXPECT_EQ(requests, 31);
    close();
}

TEST_F(AnAttackedMulti, ReadsTenThousandHeadersOrRefusesThemAll) {
    std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n";
    for (int i = 0; i < 10000; ++i)
        head += "Header-" + std::to_string(i) + ": " + std::to_string(i) + "\r\n";
    const scripted_server server([&](connection& client) {
        client.read_request_head();
        client.write(head + "\r\nyes");
    });
    const attempt& page = fetch(server.url());
    EXPECT_EQ(page.code, ended_alone(quiet(server.url())));
    EXPECT_EQ(page.body, page.code ? "" : "yes");
}

TEST_F(AnAttackedMulti, ServesOthersWhileAServerDribbles) {
    const int enough = 1 + 10 / static_cast<int>(sparseness());
    std::atomic<int> others = 0;
    const scripted_server server([&](connection& client) {
        const auto dribble = [&](std::string_view text) {
            for (const char& byte : text) {
                client.write({&byte, 1});
                std::this_thread::sleep_for(2ms);
            }
        };
        client.read_request_head();
        dribble("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (int pieces = 0; pieces != 1000 && (pieces < 2 || others < enough); ++pieces)
            dribble("5\r\nabcde\r\n");
        dribble("0\r\nA: b\r\n\r\n");
    });
    for (int i = 0; i < 20; ++i)
        start(server.url());
    const auto dribbles = [this] {
        return std::ranges::any_of(attempts, [](const attempt& each) { return each.endings == 0; });
    };
    while (dribbles()) {
        expect_service();
        ++others;
    }
    EXPECT_GE(others, enough);
    finish();
    for (const attempt& each : attempts) {
        EXPECT_FALSE(each.code) << each.page.error();
        EXPECT_TRUE(each.body.starts_with("abcdeabcde")) << each.body;
    }
}

} // namespace
