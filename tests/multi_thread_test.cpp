// SPDX-License-Identifier: MIT
// What other threads may do to a multi.
#include "support/multi_driver.hpp"
#include "support/multi_fixture.hpp"
#include <curlicue/multi.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

class AMultiAmongThreads : public multi_fixture {};

TEST_F(AMultiAmongThreads, IsWokenFromItsPollByAnother) {
    multi transfers;
    std::atomic<bool> woken{false};
    std::thread other([&] {
        std::this_thread::sleep_for(20ms);
        woken = true;
        transfers.wakeup();
    });
    const auto start = std::chrono::steady_clock::now();
    while (!woken)
        transfers.poll(20s);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
    other.join();
}

TEST_F(AMultiAmongThreads, MayMoveToAnotherBetweenCalls) {
    multi transfers;
    std::string body;
    transfers.add_handle(get("/bytes/1048576", body));
    transfers.perform();
    std::thread([&] { EXPECT_EQ(run(transfers).succeeded.size(), 1u); }).join();
    EXPECT_EQ(body.size(), std::size_t{1 << 20});
    transfers.close();
}

TEST_F(AMultiAmongThreads, WinsAnEasyThatSeveralWantAlone) {
    for (int round = 0; round < 200; ++round) {
        const easy wanted(url("/hello"));
        std::atomic<int> started{0}, tried{0}, winners{0};
        const auto wait_for_all = [](std::atomic<int>& count) {
            for (++count; count < 4;)
                std::this_thread::yield();
        };
        std::array<std::thread, 4> threads;
        for (std::thread& thread : threads)
            thread = std::thread([&, mine = wanted] {
                multi transfers;
                wait_for_all(started);
                try {
                    transfers.add_handle(mine);
                    ++winners;
                } catch (const usage_error& error) {
                    EXPECT_EQ(error.code(), errc::already_added);
                }
                wait_for_all(tried); // the winner keeps it until then
            });
        for (std::thread& thread : threads)
            thread.join();
        EXPECT_EQ(winners, 1);
    }
}

TEST_F(AMultiAmongThreads, RunsBesideOthersOfTheirOwn) {
    std::array<std::thread, 4> threads;
    for (std::thread& thread : threads)
        thread = std::thread([] {
            for (int i = 0; i < 20; ++i) {
                multi transfers;
                std::string body;
                transfers.add_handle(get("/hello", body));
                EXPECT_EQ(run(transfers).succeeded.size(), 1u);
                EXPECT_EQ(body, "hello\n");
            }
        });
    for (std::thread& thread : threads)
        thread.join();
}

} // namespace
