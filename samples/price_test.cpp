// SPDX-License-Identifier: MIT
// A test of code that fetches, without a network and without waiting.
#include <curlicue/fetch.hpp>
#include <curlicue/mock.hpp>

#include <chrono>
#include <memory>
#include <string>

#include <gtest/gtest.h>

using namespace std::chrono_literals;

// What is to be tested.
curlicue::task<int> price_of(curlicue::client shop, std::string item) {
    auto answer = co_await shop.get("items/" + item);
    co_return std::stoi(co_await answer.throw_for_status().text());
}

class Price : public testing::Test {
protected:
    curlicue::future<int> price() { return co_spawn(server->executor(), price_of(shop, "tea")); }

    const std::string tea = "https://shop.example/items/tea";
    std::shared_ptr<curlicue::mock> server = std::make_shared<curlicue::mock>();
    curlicue::client shop{
        server,
        {.base = "https://shop.example/", .limits = {.total = 30s}, .retries = {.attempts = 3}}};
};

TEST_F(Price, IsWhatTheShopSays) {
    server->on("GET", tea).reply(200, {}, "7");
    EXPECT_EQ(price().get(), 7);
}

TEST_F(Price, IsAskedForAgainWhenABusyShopWantsIt) {
    server->on("GET", tea).reply(503, {{"Retry-After", "5"}}).times(1);
    server->on("GET", tea).reply(200, {}, "7");
    auto price = this->price();
    server->advance(4s);
    EXPECT_FALSE(price.ready());
    server->advance(1s);
    EXPECT_EQ(price.get(), 7);
}

TEST_F(Price, IsNotWaitedForLongerThanHalfAMinute) {
    server->on("GET", tea).after(1min);
    auto price = this->price();
    server->advance(30s);
    try {
        price.get();
        FAIL();
    } catch (const curlicue::fetch_error& error) {
        EXPECT_EQ(error.limit(), curlicue::time_limit::total);
    }
}
