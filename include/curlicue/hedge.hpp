// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/export.hpp>
#include <curlicue/transport.hpp>

#include <chrono>

namespace curlicue {

/// A layer of `client_options::layers` that asks once more where an answer is late: each `after`
/// that brings none begins another attempt beside the others. The first head with a status below
/// 500 is the response, and the other attempts are cancelled; where there is none, it is the
/// outcome of the last that has ended. Only methods that are idempotent (RFC 9110 9.2.2), and
/// bodies that are replayable.
///
/// An attempt is all that the steps below do of a request: redirects, retries, the queue.
/// @threading the layer is thread-safe
struct CURLICUE_EXPORT hedge {
    /// As long as nearly all answers take: the 95th percentile has one request in twenty doubled.
    std::chrono::milliseconds after = std::chrono::milliseconds(1'000);
    unsigned most = 1; ///< attempts beside the first

    /// @throws std::invalid_argument for an `after` of less than 0
    operator layer() const; // NOLINT(*-explicit-*): a layer is what it is for
};

} // namespace curlicue
