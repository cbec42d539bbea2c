// SPDX-License-Identifier: MIT
// Servers that hang up: at every byte of a reply, after it, and between two.
#include "support/attacked_multi.hpp"
#include "support/files.hpp"
#include "support/scripted_server.hpp"
#include <curlicue/async_multi.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;

namespace {

constexpr std::string_view content = "0123456789abcdef";

/// A reply whose body is `content`.
struct reply {
    std::string name;
    std::string text;
    std::size_t head; ///< how long that is: a body follows
};

reply made(const char* name, const std::string& head, const std::string& body) {
    return {name, head + body, head.size()};
}

const reply with_length = made(
    "Length", "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 16\r\n\r\n", "0123456789abcdef");
const reply with_chunks =
    made("Chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n",
         "5\r\n01234\r\nB;x=y\r\n56789abcdef\r\n0\r\nA: b\r\n\r\n");

enum class hang_up { by_fin, by_rst, by_half_close };

struct cut_case {
    reply said;
    hang_up how;
    friend void PrintTo(const cut_case& printed, std::ostream* to) { *to << printed.said.name; }
};

class ACutReply : public AnAttackedMulti, public ::testing::WithParamInterface<cut_case> {
protected:
    /// Says as many bytes of the reply as the path asks for, then hangs up.
    static void serve(connection& client) {
        const auto& [said, how] = GetParam();
        const std::string head = client.read_request_head();
        if (head.empty())
            return;
        client.write(std::string_view(said.text).substr(0, std::stoul(head.substr(5))));
        if (how == hang_up::by_rst)
            client.reset();
        if (how == hang_up::by_half_close) {
            client.half_close();
            client.hold();
        }
    }
};

/// The code that tells such a cut.
/// libcurl 7.88 asks no more of a head than its first line, nor more of the line after the last
/// trailer than its CR, if the connection then ends as it should (Curl_http_done,
/// Curl_httpchunk_read). There it is for libcurl alone to say.
testing::Matcher<int> code_of(const cut_case& hung_up, std::size_t cut) {
    const auto& [said, how] = hung_up;
    if (cut == said.text.size())
        return CURLE_OK;
    if (how == hang_up::by_rst)
        return CURLE_RECV_ERROR;
    if (cut <= said.text.find('\n'))
        return CURLE_GOT_NOTHING;
    if (cut < said.head || said.text.substr(cut) == "\n")
        return testing::_;
    return CURLE_PARTIAL_FILE;
}

TEST_P(ACutReply, EndsOnceAndIsToldAsWhatItIs) {
    const scripted_server server(&serve);
    const std::size_t whole = GetParam().said.text.size();
    for (std::size_t cut = 0; cut <= whole; ++cut)
        start(server.url("/" + std::to_string(cut)));
    finish();
    std::size_t cut = 0;
    for (const attempt& each : attempts) {
        SCOPED_TRACE("cut after " + std::to_string(cut) + " bytes");
        if (cut % sparseness() == 0) {
            EXPECT_EQ(each.code, ended_alone(quiet(server.url("/" + std::to_string(cut)))));
        }
        EXPECT_THAT(each.code.value(), code_of(GetParam(), cut));
        EXPECT_EQ(each.body, content.substr(0, each.body.size()));
        EXPECT_TRUE(cut < whole || each.body == content);
        ++cut;
    }
    close();
}

const std::vector<cut_case> cut_cases{
    {with_length, hang_up::by_fin},        {with_length, hang_up::by_rst},
    {with_length, hang_up::by_half_close}, {with_chunks, hang_up::by_fin},
    {with_chunks, hang_up::by_rst},        {with_chunks, hang_up::by_half_close},
};

std::string name_of(const ::testing::TestParamInfo<cut_case>& info) {
    const std::array ways{"Fin", "Rst", "HalfClose"};
    return info.param.said.name + "By" + ways.at(static_cast<std::size_t>(info.param.how));
}

INSTANTIATE_TEST_SUITE_P(Of, ACutReply, ::testing::ValuesIn(cut_cases), name_of);

// ---- after the whole of it

TEST_F(AnAttackedMulti, LosesNoWholeReplyToTheResetThatFollows) {
    const std::string body = bytes(16000);
    const auto serve = [&](connection& client) {
        client.read_request_head();
        client.write("HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "3e80\r\n" +
                     body + "\r\n0\r\n\r\n");
        client.reset();
    };
    const scripted_server server(serve);
    for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < 50; ++i)
            start(server.url());
        finish();
    }
    EXPECT_EQ(attempts.size(), 1000u);
    for (const attempt& each : attempts) {
        ASSERT_FALSE(each.code) << each.page.error();
        ASSERT_TRUE(each.body == body);
    }
}

// ---- between two

class AKeptConnection : public AnAttackedMulti {
protected:
    /// A thousand transfers, the next few started when those before have ended, from a server that
    /// says `head`, a body, and then does as it likes.
    void expect_a_thousand(const std::string& head, const std::function<void(connection&)>& end) {
        const auto serve = [&](connection& client) {
            if (client.read_request_head().empty())
                return;
            client.write("HTTP/1.1 200 OK\r\n" + head + "Content-Length: 3\r\n\r\nyes");
            end(client);
        };
        const scripted_server server(serve);
        // libcurl 7.88 forgives a transfer five connections that end under it: those that were kept
        // before, and those that others leave meanwhile.
        constexpr std::size_t at_once = 2;
        while (attempts.size() < 1000 / sparseness()) {
            for (std::size_t i = 0; i < at_once; ++i)
                start(server.url());
            run_to([&] {
                return multi->stats().completed + multi->stats().failed == attempts.size();
            });
        }
        finish();
        for (const attempt& each : attempts) {
            ASSERT_FALSE(each.code) << each.page.error();
            ASSERT_EQ(each.body, "yes");
        }
        close();
    }
};

TEST_F(AKeptConnection, MayBeClosedWithoutAWord) {
    expect_a_thousand("", [](connection&) {});
}

TEST_F(AKeptConnection, MayBeClosedAsAnnounced) {
    expect_a_thousand("Connection: close\r\n", [](connection&) {});
}

TEST_F(AKeptConnection, MayBeReset) {
    expect_a_thousand("", [](connection& client) { client.reset(); });
}

TEST_F(AKeptConnection, MayBeResetTogetherWithManyOthers) {
    constexpr std::size_t many = 50;
    std::atomic<std::size_t> asked{0};
    std::atomic<bool> kept{true};
    const auto wait_while = [](auto lasts) {
        while (lasts())
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
    };
    const scripted_server server([&](connection& client) {
        const bool of_the_first = kept;
        while (!client.read_request_head().empty()) {
            ++asked;
            wait_while([&] { return asked < many; }); // else one connection might serve two
            client.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes");
            if (of_the_first) {
                wait_while([&] { return kept.load(); });
                return client.reset();
            }
        }
    });
    for (std::size_t i = 0; i < many; ++i)
        start(server.url());
    finish();
    kept = false;
    // 8.22 looks at a connection at most once a second (Curl_cpool_conn_seems_healthy).
    const int rest = curl_version_info(CURLVERSION_NOW)->version_num < 0x081600 ? 20 : 1100;
    {
        host_timer host(loop);
        run_to([&] { return server.open() == 0; });
        run_to([&, seen = host.ticks()] { return host.ticks() >= seen + rest; });
    }
    for (std::size_t i = 0; i < many; ++i)
        start(server.url());
    finish();
    for (const attempt& each : attempts)
        EXPECT_FALSE(each.code) << each.page.error();
    close();
}

TEST_F(AKeptConnection, MayBeHalfClosed) {
    expect_a_thousand("", [](connection& client) {
        client.half_close();
        client.hold();
    });
}

TEST_F(AKeptConnection, MayBeClosedWhileTheNextRequestIsUnderWay) {
    expect_a_thousand("", [](connection& client) { client.read_request_head(); });
}

} // namespace
