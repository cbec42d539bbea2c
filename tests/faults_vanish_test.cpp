// SPDX-License-Identifier: MIT
// Servers that vanish without a word, whatever is under way with them.
#include "support/attacked_multi.hpp"
#include "support/files.hpp"
#include "support/ftp_server.hpp"
#include "support/relay.hpp"
#include <curlicue/async_multi.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include <curl/curl.h>
#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

enum class when { at_once, in_the_greeting, after_the_request, in_the_body };
constexpr std::array<std::string_view, 4> moments{"AtOnce", "InTheGreeting", "AfterTheRequest",
                                                  "InTheBody"};

/// What is under way. None of it is over soon.
struct transfer_kind {
    std::string_view name;
    std::string (*url)();
    void (*prepare)(easy&) = [](easy&) {};
    int how_many = 1;
    bool pauses = false;
    friend void PrintTo(const transfer_kind& printed, std::ostream* to) { *to << printed.name; }
};

std::string slow() { return nginx::shared().http("/slow/16777216"); }
std::string slow_https() { return nginx::shared().https("/slow/16777216"); }
std::string stored() { return nginx::shared().http("/upload/vanished"); }
std::string over_ftp() { return ftp_server::shared().url("1048576"); }

void trusting(easy& page) {
    page.setopt<CURLOPT_CAINFO>(nginx::shared().ca_file().string());
    page.setopt<CURLOPT_HTTP_VERSION>(CURL_HTTP_VERSION_1_1);
}
void trusting_http2(easy& page) {
    trusting(page);
    page.setopt<CURLOPT_HTTP_VERSION>(CURL_HTTP_VERSION_2TLS);
}
void endless(easy& page) {
    page.setopt<CURLOPT_UPLOAD>(true).setopt<CURLOPT_READFUNCTION>([](std::span<char> space) {
        std::ranges::fill(space, 'x');
        return space.size();
    });
}

const std::array kinds{
    transfer_kind{"Http", &slow},
    transfer_kind{"Https", &slow_https, &trusting},
    transfer_kind{"Http2", &slow_https, &trusting_http2, 3},
    transfer_kind{"AnUpload", &stored, &endless},
    transfer_kind{.name = "APausedDownload", .url = &slow, .pauses = true},
    transfer_kind{.name = "Ftp", .url = &over_ftp, .pauses = true}, // its data have a straight way
    transfer_kind{.name = "SeveralAtOnce", .url = &slow, .how_many = 10},
};

class AVanishedServer : public AnAttackedMulti {
protected:
    void begin(const transfer_kind& kind, when vanishes, void (*limit)(easy&)) {
        // What is on such a way is lost with it.
        way = std::make_unique<relay>(kind.url(),
                                      relay::road{vanishes == when::in_the_greeting ? 1h : 0h});
        if (vanishes == when::at_once)
            way->vanish();
        for (int i = 0; i != kind.how_many; ++i)
            start(way->url(kind.url()), [&](easy& page) {
                kind.prepare(page);
                limit(page);
                page.setopt<CURLOPT_WRITEFUNCTION>([this, &kind](std::span<const char> data) {
                    came = true;
                    return kind.pauses ? std::size_t{CURL_WRITEFUNC_PAUSE} : data.size();
                });
            });
        {
            const host_timer looks(loop); // nothing else may come before the time limit does
            run_to([&] { return has_come_to(vanishes) || over(); });
        }
        EXPECT_FALSE(over()) << attempts.front().page.error();
        way->vanish();
    }
    bool has_come_to(when moment) {
        const easy& page = attempts.front().page;
        switch (moment) {
        case when::at_once:
            return true;
        case when::in_the_greeting:
            return way->accepted() != 0;
        case when::after_the_request:
            return came || page.getinfo<CURLINFO_REQUEST_SIZE>() != 0; // FTP has none
        case when::in_the_body:
            return came || page.getinfo<CURLINFO_SIZE_UPLOAD_T>() != 0;
        }
        return true;
    }
    bool over() const {
        return std::ranges::all_of(attempts, [](const attempt& each) { return each.endings != 0; });
    }
    template <class Code> void expect_all(Code code) {
        for (const attempt& each : attempts)
            EXPECT_EQ(each.code, code) << each.page.error();
    }
    void expect_counted() {
        const auto stats = multi->stats();
        EXPECT_EQ(stats.pending, 0u);
        EXPECT_EQ(stats.completed + stats.failed + stats.cancelled, attempts.size());
        EXPECT_EQ(stats.completed, 0u);
    }

    std::unique_ptr<relay> way; // goes after the multi, as it never says goodbye
    bool came = false;
};

void no_limit(easy&) {}
void short_limit(easy& page) { page.setopt<CURLOPT_TIMEOUT_MS>(300ms); }
void low_speed(easy& page) {
    page.setopt<CURLOPT_LOW_SPEED_LIMIT>(1 << 20).setopt<CURLOPT_LOW_SPEED_TIME>(1);
}

class AServerThatVanishes : public AVanishedServer,
                            public ::testing::WithParamInterface<std::tuple<transfer_kind, when>> {
protected:
    void vanish(void (*limit)(easy&)) {
        begin(std::get<0>(GetParam()), std::get<1>(GetParam()), limit);
    }
};

TEST_P(AServerThatVanishes, IsATimeoutOfItsTransfers) {
    vanish(&short_limit);
    run_to([&] { return over(); });
    expect_all(CURLE_OPERATION_TIMEDOUT);
    expect_counted();
    expect_service();
    close();
}

TEST_P(AServerThatVanishes, HoldsNoCancelUp) {
    vanish(&no_limit);
    for (const attempt& each : attempts)
        multi->remove_handle(each.page);
    finish();
    expect_all(std::errc::operation_canceled);
    close();
}

TEST_P(AServerThatVanishes, HoldsNoCloseUp) {
    vanish(&no_limit);
    close();
    expect_counted();
}

TEST_P(AServerThatVanishes, HoldsNoDrainUpForLongerThanItsPatience) {
    vanish(&no_limit);
    run(multi->drain(100ms));
    EXPECT_TRUE(over());
    expect_counted();
}

std::string name_of(const ::testing::TestParamInfo<std::tuple<transfer_kind, when>>& info) {
    const auto& [kind, moment] = info.param;
    return std::string(kind.name) + std::string(moments.at(static_cast<std::size_t>(moment)));
}

INSTANTIATE_TEST_SUITE_P(Of, AServerThatVanishes,
                         ::testing::Combine(::testing::ValuesIn(kinds),
                                            ::testing::Values(when::at_once, when::in_the_greeting,
                                                              when::after_the_request,
                                                              when::in_the_body)),
                         name_of);

TEST_F(AVanishedServer, IsTooSlowForALowSpeedLimit) {
    begin(kinds[0], when::in_the_body, &low_speed);
    run_to([&] { return over(); });
    expect_all(CURLE_OPERATION_TIMEDOUT);
    close();
}

TEST_F(AVanishedServer, IsATimeoutOfWhatGoesOnAKeptConnectionAndNoMore) {
    const std::string direct = nginx::shared().http("/hello");
    way = std::make_unique<relay>(direct, relay::road{});
    EXPECT_FALSE(fetch(way->url(direct)).code);
    way->vanish();
    for (int i = 0; i != 3; ++i)
        EXPECT_EQ(fetch(way->url(direct), &short_limit).code, CURLE_OPERATION_TIMEDOUT);
    EXPECT_EQ(multi->stats().failed, 3u);
    close();
}

} // namespace
