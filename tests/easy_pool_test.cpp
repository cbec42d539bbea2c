// SPDX-License-Identifier: MIT
// Easies that come back and are given out again.
#include "support/async_fixture.hpp"
#include "support/files.hpp"
#include "support/temporary_directory.hpp"
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
    const std::hash<easy> identity;
    std::size_t first = 0;
    {
        const easy page = pool.take(url("/hello"));
        const easy copy = page;
        first = identity(page);
        EXPECT_EQ(pool.size(), 0u);
    }
    EXPECT_EQ(pool.size(), 1u);
    const easy again = pool.take();
    EXPECT_EQ(identity(again), first);
    EXPECT_EQ(pool.size(), 0u);
    EXPECT_EQ(easy::borrow(again.native_handle()), again);
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

TEST_F(AnEasyPool, ForgetsWhatAResetDoesNot) {
    const auto visit = [&](auto turn_on) {
        {
            easy page = pool.take(url("/cookie"));
            turn_on(page);
            page.setopt<CURLOPT_WRITEFUNCTION>(
                [](std::span<const char> data) { return data.size(); });
            page.perform();
            EXPECT_EQ(page.getinfo<CURLINFO_COOKIELIST>().size(), 1u);
            page.reset();
            EXPECT_EQ(page.getinfo<CURLINFO_COOKIELIST>().size(), 1u);
        }
        EXPECT_EQ(pool.size(), 1u);
        easy next = pool.take(url("/request"));
        EXPECT_EQ(next.getinfo<CURLINFO_COOKIELIST>().size(), 0u);
        std::string request;
        next.setopt<CURLOPT_WRITEDATA>(request).perform();
        EXPECT_EQ(request.find("taste"), std::string::npos);
        EXPECT_EQ(next.getinfo<CURLINFO_NUM_CONNECTS>(), 1) << "on a connection of its own";
        next.setopt<CURLOPT_URL>(url("/cookie")).perform();
        EXPECT_EQ(next.getinfo<CURLINFO_COOKIELIST>().size(), 0u) << "it keeps none unasked";
    };
    const temporary_directory directory;
    const auto jar = (directory / "jar").string(); // curl_easy_reset of 7.88 leaks a COOKIEFILE
    visit([&](easy& page) { page.setopt<CURLOPT_COOKIEJAR>(jar); });
    visit([&](easy& page) {
        curl_easy_setopt(page.native_handle(), CURLOPT_COOKIEJAR, jar.c_str());
    });
}

TEST_F(AnEasyPool, WritesTheCookieJarOfWhatComesBack) {
    const temporary_directory directory;
    const auto jar = directory / "jar";
    {
        easy page = pool.take(url("/cookie"));
        page.setopt<CURLOPT_COOKIEJAR>(jar.string()).perform();
    }
    EXPECT_NE(read_file(jar).find("sweet"), std::string::npos);
}

TEST_F(AnEasyPool, TakesNoneBackThatItsLastCallbackHasKept) {
    std::optional<easy> kept;
    {
        easy page = pool.take(url("/hello"));
        page.setopt<CURLOPT_HSTS_CTRL>(CURLHSTS_ENABLE)
            .setopt<CURLOPT_HSTSREADFUNCTION>(
                [given = false]() mutable -> std::optional<hsts_entry> {
                    if (std::exchange(given, true))
                        return std::nullopt;
                    return hsts_entry{"example.com", "20991231 23:59:59", true};
                })
            .setopt<CURLOPT_HSTSWRITEFUNCTION>(
                [&](easy& self, const hsts_entry&, std::size_t, std::size_t) {
                    kept = self;
                    return CURLSTS_OK;
                })
            .setopt<CURLOPT_WRITEFUNCTION>([](std::span<const char> data) { return data.size(); });
        page.perform();
    }
    ASSERT_TRUE(kept);
    EXPECT_EQ(pool.size(), 0u);
    kept.reset();
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
