// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <limits>

namespace curlicue::detail {

// Time does not overflow here: what is too long for its type is as long as that can tell, and what
// is less than nothing is nothing. `hours::max()` means for ever.

/// Seconds in which no duration and no point in time overflows, as exact as any of them.
using long_seconds = std::chrono::duration<long double>;

/// `duration` in units of `To`, rounded up.
template <class To, class Rep, class Period>
constexpr To saturated(std::chrono::duration<Rep, Period> duration) noexcept {
    if (!(duration > duration.zero())) // nor a number
        return To::zero();
    // A second before the end, since what is converted to floating point is rounded.
    if (long_seconds(duration) >= long_seconds(To::max()) - long_seconds(1))
        return To::max();
    return std::chrono::ceil<To>(duration);
}

/// The time `duration` after `time`: not before, and never past the end of the clock.
template <class Clock, class Rep, class Period>
constexpr auto later(std::chrono::time_point<Clock> time,
                     std::chrono::duration<Rep, Period> duration) noexcept {
    const auto more = saturated<typename Clock::duration>(duration);
    // Before the clock's beginning there is room for any duration.
    const bool fits = time < typename Clock::time_point() || more < Clock::time_point::max() - time;
    return fits ? time + more : Clock::time_point::max();
}

/// The time `duration` from now: not before, and never past the end of the clock.
template <class Rep, class Period>
std::chrono::steady_clock::time_point
deadline_after(std::chrono::duration<Rep, Period> duration) noexcept {
    return later(std::chrono::steady_clock::now(), duration);
}

/// How long it is until then.
template <class Clock, class Duration>
long_seconds left_until(const std::chrono::time_point<Clock, Duration>& time) noexcept {
    // In floating point, since the types of both need not have one in common that fits.
    return long_seconds(time.time_since_epoch()) - long_seconds(Clock::now().time_since_epoch());
}

/// When our clock will be at `time` of another.
template <class Clock, class Duration>
std::chrono::steady_clock::time_point
deadline_at(const std::chrono::time_point<Clock, Duration>& time) noexcept {
    return deadline_after(left_until(time));
}

} // namespace curlicue::detail
