// SPDX-License-Identifier: MIT
#include <curlicue/detail/small_mutex.hpp>

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

using curlicue::detail::small_mutex;

namespace {

constexpr int threads = 4;

TEST(ASmallMutex, LetsOneThreadInAtATime) {
    constexpr int rounds = 20000;
    small_mutex mutex;
    int count = 0;
    std::atomic<int> inside = 0, overlaps = 0;
    {
        std::vector<std::jthread> all;
        for (int i = 0; i != threads; ++i)
            all.emplace_back([&] {
                for (int round = 0; round != rounds; ++round) {
                    const std::lock_guard lock(mutex);
                    overlaps += inside++ != 0;
                    ++count;
                    --inside;
                }
            });
    }
    EXPECT_EQ(count, threads * rounds);
    EXPECT_EQ(overlaps, 0);
}

TEST(ASmallMutex, WakesAllThatWait) {
    small_mutex mutex;
    std::atomic<int> arrived = 0, through = 0;
    std::vector<std::jthread> all;
    mutex.lock();
    for (int i = 0; i != threads; ++i)
        all.emplace_back([&] {
            ++arrived;
            const std::lock_guard lock(mutex);
            ++through;
        });
    while (arrived != threads)
        std::this_thread::yield();
    EXPECT_EQ(through, 0);
    mutex.unlock();
    all.clear(); // joins them
    EXPECT_EQ(through, threads);
}

} // namespace
