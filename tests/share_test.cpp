// SPDX-License-Identifier: MIT
#include "support/nginx.hpp"
#include <curlicue/easy.hpp>
#include <curlicue/share.hpp>

#include <latch>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace curlicue {
namespace {

using test::nginx;

template <class Call> std::error_code usage_of(Call call) {
    try {
        call();
    } catch (const usage_error& error) {
        return error.code();
    }
    return {};
}

easy using_share(const share& data, const std::string& url) {
    easy handle(url);
    handle.setopt<CURLOPT_SHARE>(data).setopt<CURLOPT_WRITEFUNCTION>(
        [](std::span<const char> chunk) { return chunk.size(); });
    return handle;
}

TEST(AShare, IsWhatItsCopiesAre) {
    share data;
    const share copy = data;
    EXPECT_EQ(data, copy);
    EXPECT_NE(data, share());
    data.close();
    EXPECT_TRUE(copy.closed());
    EXPECT_EQ(copy.native_handle(), nullptr);
}

TEST(AShare, SharesWhatItIsTold) {
    share data{CURL_LOCK_DATA_DNS};
    EXPECT_TRUE(data.shares(CURL_LOCK_DATA_DNS));
    data.setopt(CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
    data.setopt(CURLSHOPT_UNSHARE, CURL_LOCK_DATA_DNS);
    EXPECT_FALSE(data.shares(CURL_LOCK_DATA_DNS));
    EXPECT_TRUE(data.shares(CURL_LOCK_DATA_COOKIE));
}

TEST(AShare, GivesCookiesFromOneEasyToAnother) {
    const share data{CURL_LOCK_DATA_COOKIE};
    auto first = using_share(data, nginx::shared().http("/cookie"));
    first.setopt<CURLOPT_COOKIEFILE>("").perform();
    auto second = using_share(data, nginx::shared().http("/request"));
    std::string body;
    second.setopt<CURLOPT_COOKIEFILE>("").setopt<CURLOPT_WRITEDATA>(body).perform();
    EXPECT_NE(body.find("taste=sweet"), std::string::npos);
}

TEST(AShare, LivesAsLongAsAnEasyUsesIt) {
    std::optional<share> data(std::in_place,
                              std::initializer_list<curl_lock_data>{CURL_LOCK_DATA_CONNECT});
    auto first = using_share(*data, nginx::shared().http("/hello"));
    auto second = using_share(*data, nginx::shared().http("/hello"));
    data.reset();
    first.perform();
    first.close();
    second.perform();
    EXPECT_EQ(second.getinfo<CURLINFO_NUM_CONNECTS>(), 0);
}

TEST(AShare, RefusesToCloseOrChangeWhileAnEasyUsesIt) {
    share data{CURL_LOCK_DATA_DNS};
    auto handle = using_share(data, nginx::shared().http("/hello"));
    EXPECT_EQ(usage_of([&] { data.close(); }), errc::attached);
    EXPECT_EQ(usage_of([&] { data.setopt(CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE); }),
              errc::attached);
    handle.unset<CURLOPT_SHARE>();
    data.setopt(CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
    data.close();
    data.close();
    EXPECT_EQ(usage_of([&] { handle.setopt<CURLOPT_SHARE>(data); }), errc::closed);
    EXPECT_EQ(usage_of([&] { data.setopt(CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS); }), errc::closed);
}

TEST(AShare, IsUsedByTheDuplicateAndAfterAResetToo) {
    share data{CURL_LOCK_DATA_DNS};
    auto handle = using_share(data, nginx::shared().http("/hello"));
    auto copy = handle.duphandle();
    handle.reset();
    copy.close();
    EXPECT_EQ(usage_of([&] { data.close(); }), errc::attached);
    handle.close();
    data.close();
}

TEST(AShare, KeepsItsLocksToItself) {
    EXPECT_THROW(share().setopt(CURLSHOPT_LOCKFUNC, CURL_LOCK_DATA_DNS), std::invalid_argument);
}

TEST(AShare, TellsWhatLibcurlRefuses) {
    try {
        share().setopt(CURLSHOPT_SHARE, CURL_LOCK_DATA_LAST);
        FAIL();
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code(), CURLSHE_BAD_OPTION);
    }
}

TEST(AShare, ServesManyThreadsAtOnce) {
    const share data{CURL_LOCK_DATA_DNS, CURL_LOCK_DATA_SSL_SESSION, CURL_LOCK_DATA_PSL};
    const auto url = nginx::shared().http("/cookie");
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread)
        threads.emplace_back([&] {
            for (int round = 0; round < 25; ++round)
                using_share(data, url).setopt<CURLOPT_COOKIEFILE>("").perform();
        });
    for (auto& thread : threads)
        thread.join();
}

class AShareOfOneThread : public ::testing::TestWithParam<curl_lock_data> {};

TEST_P(AShareOfOneThread, RefusesASecondWhileTheFirstTransfers) {
    const share data{GetParam(), CURL_LOCK_DATA_DNS};
    const auto url = nginx::shared().http("/hello");
    auto first = using_share(data, url);
    std::error_code refused;
    first.setopt<CURLOPT_WRITEFUNCTION>([&](std::span<const char> chunk) {
        std::thread([&] {
            auto second = using_share(data, url);
            refused = usage_of([&] { second.perform(); });
            EXPECT_FALSE(second.attached());
        }).join();
        return chunk.size();
    });
    first.perform();
    EXPECT_EQ(refused, errc::wrong_thread);
    std::thread([&] { using_share(data, url).perform(); }).join(); // one after the other is fine
}

TEST_P(AShareOfOneThread, NamesWhatItShares) {
    const share data{GetParam()};
    auto first = using_share(data, nginx::shared().http("/hello"));
    std::string words;
    first.setopt<CURLOPT_WRITEFUNCTION>([&](std::span<const char> chunk) {
        std::thread([&] {
            try {
                using_share(data, nginx::shared().http("/hello")).perform();
            } catch (const usage_error& error) {
                words = error.what();
            }
        }).join();
        return chunk.size();
    });
    first.perform();
    const std::string named = GetParam() == CURL_LOCK_DATA_CONNECT  ? "connections"
                              : GetParam() == CURL_LOCK_DATA_COOKIE ? "cookies"
                                                                    : "HSTS";
    EXPECT_NE(words.find(named), std::string::npos) << words;
}

INSTANTIATE_TEST_SUITE_P(OfConnectionsCookiesAndHsts, AShareOfOneThread,
                         ::testing::Values(CURL_LOCK_DATA_CONNECT, CURL_LOCK_DATA_COOKIE,
                                           CURL_LOCK_DATA_HSTS));

} // namespace
} // namespace curlicue
