// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/clock.hpp>
#include <curlicue/detail/export.hpp>
#include <curlicue/future.hpp>

#include <chrono>
#include <concepts>

namespace curlicue {

/// Ready `time` from now by the clock of `where`, or at the loop's next turn if that is 0 or less;
/// `milliseconds::max()` is for ever. Holds the loop until then as a transfer does, also if the
/// future is dropped; cancelled, it is over.
/// @throws usage_error{errc::closed}; usage_error{errc::no_loop} if the executor has no timer, but
///     called on another thread than its own the future fails with that instead
/// @threading thread-safe
CURLICUE_EXPORT future<void> sleep_for(executor& where, std::chrono::milliseconds time);

/// Ready at `time`, by the clock of `where`. Otherwise as `sleep_for`.
CURLICUE_EXPORT future<void> sleep_until(executor& where, executor::clock::time_point time);
/// The same for another clock: the time that this one says is left until then.
template <class Clock, class Duration>
    requires(!std::same_as<Clock, executor::clock>)
future<void> sleep_until(executor& where, const std::chrono::time_point<Clock, Duration>& time) {
    return sleep_until(where, detail::later(where.now(), detail::left_until(time)));
}

} // namespace curlicue
