// SPDX-License-Identifier: MIT
// Easies that come back and are given out again.
#include "support/async_fixture.hpp"
#include <curlicue/easy_pool.hpp>
#include <curlicue/share.hpp>

#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;

namespace {

class AnEasyPool : public async_fixture {
protected:
    easy_pool pool{2};
};

TEST_F(AnEasyPool, GivesOutAgainWhatNobodyHoldsAnyMore) {
    CURL* first = nullptr;
    {
        const easy page = pool.take(url("/hello"));
        const easy copy = page;
        first = page.native_handle();
        EXPECT_EQ(pool.size(), 0u);
    }
    EXPECT_EQ(pool.size(), 1u);
    EXPECT_EQ(pool.take().native_handle(), first);
}

TEST_F(AnEasyPool, ForgetsAllThatWasSet) {
    std::string body;
    {
        easy page = pool.take(url("/status/404"));
        page.setopt<CURLOPT_WRITEDATA>(body).setopt<CURLOPT_FAILONERROR>(true);
        EXPECT_THROW(page.perform(), transfer_error);
    }
    body.clear();
    std::string other;
    easy page = pool.take(url("/status/404"));
    EXPECT_EQ(page.error(), "");
    page.setopt<CURLOPT_WRITEDATA>(other);
    page.perform();
    EXPECT_EQ(page.getinfo<CURLINFO_RESPONSE_CODE>(), 404);
    EXPECT_EQ(body, "");
}

TEST_F(AnEasyPool, ServesTransfersOnALoop) {
    for (int i = 0; i != 10; ++i) {
        std::string body;
        easy page = pool.take(url("/hello"));
        page.setopt<CURLOPT_WRITEDATA>(body);
        auto over = multi->add_handle(std::exchange(page, easy()));
        run(std::move(over));
        EXPECT_EQ(body, "hello\n");
    }
    EXPECT_EQ(pool.size(), 1u) << "the loop has dropped its copies";
}

TEST_F(AnEasyPool, KeepsNoMoreThanItWasTold) {
    { const easy first = pool.take(), second = pool.take(), third = pool.take(); }
    EXPECT_EQ(pool.size(), 2u);
}

TEST_F(AnEasyPool, TakesNoClosedOneBack) {
    pool.take().close();
    EXPECT_EQ(pool.size(), 0u);
}

TEST_F(AnEasyPool, TakesNoneBackThatMayRememberAServer) {
    pool.take().setopt<CURLOPT_COOKIEFILE>("");
    EXPECT_EQ(pool.size(), 0u);
    pool.take().setopt<CURLOPT_HSTS_CTRL>(CURLHSTS_ENABLE);
    EXPECT_EQ(pool.size(), 0u);
    pool.take().setopt<CURLOPT_COOKIE>("name=value"); // is gone with the reset
    EXPECT_EQ(pool.size(), 1u);
}

TEST_F(AnEasyPool, TakesThemOutOfTheirShare) {
    share shared;
    shared.setopt(CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
    pool.take().setopt<CURLOPT_SHARE>(shared);
    EXPECT_EQ(pool.size(), 1u);
    shared.close(); // refused while an easy is in it
}

TEST_F(AnEasyPool, MayGoBeforeItsEasies) {
    std::optional<easy_pool> pool(std::in_place);
    easy page = pool->take(url("/hello"));
    pool.reset();
    EXPECT_FALSE(page.closed());
    page = easy();
}

TEST_F(AnEasyPool, ServesManyThreads) {
    std::vector<std::jthread> threads;
    for (int i = 0; i != 4; ++i)
        threads.emplace_back([this] {
            for (int round = 0; round != 200; ++round)
                pool.take("http://localhost/").setopt<CURLOPT_TIMEOUT>(round);
        });
    threads.clear();
    EXPECT_LE(pool.size(), 2u);
    EXPECT_GE(pool.size(), 1u);
}

} // namespace
