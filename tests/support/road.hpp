// SPDX-License-Identifier: MIT
#pragma once

#include "support/relay.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace curlicue::test {

/// The way to a test server: straight, or by a relay where the environment's CURLICUE_ROAD says so.
/// "far" is a round trip of 200 ms, "thinking" are 100 ms before each answer.
class road_to {
public:
    /// @param server its port of 127.0.0.1
    /// @throws std::runtime_error if there is no such road
    explicit road_to(std::uint16_t server);

    /// The one to connect to.
    std::uint16_t port() const noexcept { return relay_ ? relay_->port() : server_; }

private:
    const std::uint16_t server_;
    std::optional<relay> relay_;
};

/// Whether there is no relay in the way: none carries datagrams.
bool leads_straight();

/// How many times fewer rounds a test makes by a road on which each takes its time: one by none.
std::size_t sparseness();

} // namespace curlicue::test
