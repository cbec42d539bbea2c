// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/export.hpp>
#include <curlicue/transport.hpp>

#include <chrono>

namespace curlicue {

/// A network layer that spares an origin (scheme, host and port) which fails again and again: for
/// `rest` its requests fail at once with `errc::breaker_open`. Then one goes through, and tells
/// whether the others may.
///
/// Failures are what a `fetch_error` says, but for the time in the client's own queue, and heads
/// with a status of 500 or more; a cancelled request is neither. Copies of one layer, those in
/// several clients too, count together.
/// @threading the layer is thread-safe
struct CURLICUE_EXPORT breaker {
    unsigned failures = 5; ///< in a row
    std::chrono::milliseconds rest = std::chrono::milliseconds(30'000);

    /// @throws std::invalid_argument for 0 failures, or a rest of less than 0
    operator layer() const; // NOLINT(*-explicit-*): a layer is what it is for
};

} // namespace curlicue
