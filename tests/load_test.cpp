// SPDX-License-Identifier: MIT
// Many transfers at a time, one after another, and for long.
#include "support/async_fixture.hpp"
#include "support/files.hpp"
#include <curlicue/async_multi.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr bool keeps_freed_memory = true;
#else
constexpr bool keeps_freed_memory = false;
#endif

/// What this process has.
struct holdings {
    std::size_t descriptors = open_descriptors();
    std::size_t heap = ::mallinfo2().uordblks;
    std::size_t resident = resident_bytes();

    static std::size_t resident_bytes() {
        std::size_t size = 0, resident = 0;
        std::ifstream("/proc/self/statm") >> size >> resident;
        return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    }
};

class ALoad : public async_fixture {
protected:
    task<> one_after_another(std::size_t count) {
        const easy page = quiet(url("/hello"));
        while (count-- != 0)
            co_await multi->perform(page);
    }
    /// One in ten is cancelled, at any time.
    task<> some_cancelled(std::size_t count) {
        const easy small = quiet(url("/hello")), large = quiet(url("/bytes/1048576"));
        while (count-- != 0) {
            const auto over = multi->perform(random_() % 8 == 0 ? large : small).share();
            if (random_() % 10 == 0) {
                co_await multi->post([] {});
                over.cancel();
            }
            try {
                co_await over;
            } catch (const cancelled&) {
                ++cancelled_;
            }
        }
    }
    template <class Work> void at_a_time(std::size_t count, Work work) {
        std::vector<future<void>> all;
        for (std::size_t i = 0; i != count; ++i)
            all.push_back(co_spawn(multi->executor(), work()));
        run(gather(std::move(all)));
    }

    std::size_t cancelled_ = 0;

private:
    std::mt19937 random_{20};
};

TEST_F(ALoad, OfTenThousandAtATimeIsCarried) {
    constexpr std::size_t count = 10'000;
    nginx::shared();
    const auto before = open_descriptors();
    {
        const easy page = quiet(url("/hello"));
        std::vector<easy> pages;
        std::vector<future<easy>> all;
        for (std::size_t i = 0; i != count; ++i) {
            pages.push_back(page.duphandle());
            all.push_back(multi->add_handle(pages.back()));
        }
        EXPECT_EQ(multi->stats().running, count);
        for (const auto& each : run(when_all(std::move(all))))
            ASSERT_TRUE(each.has_value()) << each.error().message();
    }
    close();
    EXPECT_EQ(open_descriptors(), before);
}

TEST_F(ALoad, OfAHundredThousandOneAfterAnotherIsCarried) {
    constexpr std::size_t each = 6250;
    at_a_time(16, [&] { return one_after_another(each); });
    EXPECT_EQ(multi->stats().completed, 16 * each);
}

TEST_F(ALoad, LeavesNothingBehindHoweverLong) {
    const char* const given = std::getenv("CURLICUE_SOAK_SECONDS");
    const auto end = std::chrono::steady_clock::now() +
                     std::chrono::seconds(given != nullptr ? std::atoi(given) : 5);
    std::vector<holdings> rounds;
    do {
        at_a_time(32, [&] { return some_cancelled(100); });
        rounds.emplace_back();
    } while (rounds.size() < 4 || std::chrono::steady_clock::now() < end);
    const auto& settled = rounds[rounds.size() / 3];
    const auto& last = rounds.back();
    std::cout << multi->stats().completed << " transfers, " << cancelled_ << " cancelled; resident "
              << settled.resident / 1024 << " KiB, then " << last.resident / 1024 << "; heap "
              << settled.heap / 1024 << " KiB, then " << last.heap / 1024 << '\n';
    EXPECT_GT(cancelled_, 0u);
    EXPECT_EQ(multi->stats().spins, 0u);
    EXPECT_LE(last.descriptors, settled.descriptors + 32) << "connections that wait in the pool";
    if (keeps_freed_memory)
        GTEST_SKIP() << "this sanitizer keeps freed memory";
    EXPECT_LE(last.heap, settled.heap + (512 << 10));
    EXPECT_LE(last.resident, settled.resident + (2 << 20));
}

} // namespace
