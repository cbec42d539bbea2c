// SPDX-License-Identifier: MIT
#include "support/road.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

namespace curlicue::test {
namespace {

using namespace std::chrono_literals;

std::optional<relay::road> road_of_these_tests() {
    const char* const name = std::getenv("CURLICUE_ROAD");
    if (name == nullptr)
        return std::nullopt;
    if (name == std::string_view("far"))
        return relay::road{.way = 100ms};
    if (name == std::string_view("thinking"))
        return relay::road{.thought = 100ms};
    throw std::runtime_error(std::string("CURLICUE_ROAD=") + name + ": take far or thinking");
}

} // namespace

road_to::road_to(std::uint16_t server) : server_(server) {
    if (const auto road = road_of_these_tests())
        relay_.emplace(server, *road);
}

bool leads_straight() { return !road_of_these_tests(); }

std::size_t sparseness() { return leads_straight() ? 1 : 50; }

} // namespace curlicue::test
