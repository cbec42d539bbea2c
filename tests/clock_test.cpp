// SPDX-License-Identifier: MIT
// Time that is too long, or less than nothing.
#include "support/manual_executor.hpp"
#include <curlicue/detail/clock.hpp>
#include <curlicue/future.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>
#include <thread>

#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::detail;
using namespace curlicue::test;
using namespace std::chrono;
using namespace std::chrono_literals;

namespace {

using real = duration<double>;
constexpr double infinite = std::numeric_limits<double>::infinity();
constexpr double no_number = std::numeric_limits<double>::quiet_NaN();

TEST(ADuration, IsRoundedUpToWhatItIsConvertedTo) {
    EXPECT_EQ(saturated<milliseconds>(2s), 2000ms);
    EXPECT_EQ(saturated<milliseconds>(1001us), 2ms);
    EXPECT_EQ(saturated<seconds>(1ns), 1s);
    EXPECT_EQ(saturated<seconds>(real(0.5)), 1s);
    EXPECT_EQ(saturated<nanoseconds>(hours(24 * 365 * 100)), hours(24 * 365 * 100));
}

TEST(ADuration, ThatIsTooLongIsAsLongAsCanBeTold) {
    EXPECT_EQ(saturated<milliseconds>(seconds::max()), milliseconds::max());
    EXPECT_EQ(saturated<nanoseconds>(hours::max()), nanoseconds::max());
    EXPECT_EQ(saturated<nanoseconds>(nanoseconds::max()), nanoseconds::max());
    EXPECT_EQ(saturated<milliseconds>(real(infinite)), milliseconds::max());
    using years_of_32_bits = duration<std::int32_t, std::ratio<31556952>>;
    EXPECT_EQ(saturated<nanoseconds>(years_of_32_bits::max()), nanoseconds::max());
}

TEST(ADuration, ThatIsLessThanNothingIsNothing) {
    for (const auto each : {hours::min(), hours(-1), hours(0)})
        EXPECT_EQ(saturated<nanoseconds>(each), 0ns);
    for (const double each : {-infinite, -0.1, no_number})
        EXPECT_EQ(saturated<milliseconds>(real(each)), 0ms);
}

TEST(ATime, DoesNotPassTheEndOfItsClock) {
    constexpr auto end = steady_clock::time_point::max();
    EXPECT_EQ(later(end, 1ns), end);
    EXPECT_EQ(later(end, 0ns), end);
    EXPECT_EQ(later(end - 10ns, 9ns), end - 1ns);
    EXPECT_EQ(later(end - 10ns, 11ns), end);
    EXPECT_EQ(later(steady_clock::time_point(1s), hours::max()), end);
    EXPECT_EQ(later(steady_clock::time_point(1s), 2s), steady_clock::time_point(3s));
    EXPECT_EQ(later(later(deadline_after(milliseconds::max()), 1s), 1s), end);
    EXPECT_EQ(deadline_after(seconds::max()), end);
}

// Where an executor's own clock begins, nobody knows.
TEST(ATime, BeforeTheBeginningOfItsClockHasRoomForEveryDuration) {
    constexpr auto first = steady_clock::time_point::min();
    static_assert(later(first, 10ms) == first + 10ms);
    static_assert(later(first, hours::max()) == first + steady_clock::duration::max());
    static_assert(later(steady_clock::time_point(-1ns), 3ns) == steady_clock::time_point(2ns));
}

TEST(ATime, OfAnotherClockMayBeAsFarAwayAsItLikes) {
    using coarse = time_point<system_clock, hours>;
    EXPECT_EQ(deadline_at(coarse::max()), steady_clock::time_point::max());
    EXPECT_EQ(deadline_at(system_clock::time_point::max()) > steady_clock::now() + 24h, true);
    for (const auto past : {deadline_at(coarse::min()), deadline_at(system_clock::now() - 1h),
                            deadline_at(system_clock::time_point::min())})
        EXPECT_LE(past, steady_clock::now());
    const auto soon = deadline_at(system_clock::now() + 1h) - steady_clock::now();
    EXPECT_LE(soon, 2h);
    EXPECT_GT(soon, 0h);
}

class AWait : public testing::Test {
protected:
    /// Waits on another thread than the executor's.
    template <class F> bool elsewhere(F wait) {
        bool ready = false;
        std::thread([&] { ready = wait(); }).join();
        return ready;
    }

    manual_executor loop;
    promise<int> source{loop};
    future<int> sink = source.get_future();
};

TEST_F(AWait, MayBeForAsLongAsTypesCanTell) {
    std::thread keeps([&] {
        std::this_thread::sleep_for(10ms);
        source.set_value(1);
    });
    EXPECT_TRUE(elsewhere([&] { return sink.wait_for(hours::max()); }));
    keeps.join();
    EXPECT_TRUE(elsewhere([&] { return sink.wait_for(real(infinite)); }));
    EXPECT_TRUE(elsewhere([&] { return sink.wait_until(time_point<system_clock, hours>::max()); }));
}

TEST_F(AWait, OfLessThanNothingDoesNotWait) {
    EXPECT_FALSE(elsewhere([&] { return sink.wait_for(hours::min()); }));
    EXPECT_FALSE(elsewhere([&] { return sink.wait_for(real(no_number)); }));
    EXPECT_FALSE(
        elsewhere([&] { return sink.wait_until(time_point<system_clock, hours>::min()); }));
    source.set_value(1);
}

} // namespace
