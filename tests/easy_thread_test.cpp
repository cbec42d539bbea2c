// SPDX-License-Identifier: MIT
#include "easy_core.hpp"
#include "support/nginx.hpp"
#include <curlicue/easy.hpp>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace curlicue {
namespace {

using test::nginx;

template <class Body> void on_threads(int count, Body body) {
    std::vector<std::thread> threads;
    for (int index = 0; index < count; ++index)
        threads.emplace_back(body);
    for (auto& thread : threads)
        thread.join();
}

TEST(AnEasy, MayDieOnAnyThread) {
    const auto url = nginx::shared().http("/hello");
    for (int round = 0; round < 50; ++round) {
        easy handle(url);
        std::string body;
        handle.setopt<CURLOPT_WRITEDATA>(body).perform();
        std::thread other([copy = handle] {});
        handle = easy();
        other.join();
        EXPECT_EQ(body, "hello\n");
    }
}

TEST(AnEasy, IsMadeAndClosedOnManyThreadsAtOnce) {
    on_threads(4, [] {
        for (int round = 0; round < 500; ++round) {
            easy handle("file:///");
            EXPECT_EQ(easy::borrow(handle.native_handle()), handle);
            handle.close();
        }
    });
}

TEST(ABorrowedEasy, IsOneOnManyThreads) {
    CURL* const raw = curl_easy_init();
    const auto first = easy::borrow(raw);
    on_threads(4, [&] {
        for (int round = 0; round < 500; ++round)
            EXPECT_EQ(easy::borrow(raw), first);
    });
    curl_easy_cleanup(raw);
}

class nobody final : public detail::attachment {
    void remove(detail::easy_core&) override {}
    void pause(detail::easy_core&, int) override {}
    void callback_failed(detail::easy_core&) noexcept override {}
};

TEST(AClaim, IsWonByOneOfMany) {
    for (int round = 0; round < 200; ++round) {
        const easy handle;
        std::atomic<int> won{0};
        nobody by;
        on_threads(3, [&] { won += detail::easy_access::core_of(handle)->claim(by) ? 1 : 0; });
        EXPECT_EQ(won, 1);
        detail::easy_access::core_of(handle)->release_claim();
    }
}

} // namespace
} // namespace curlicue
