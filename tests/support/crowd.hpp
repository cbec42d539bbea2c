// SPDX-License-Identifier: MIT
#pragma once

#include "support/dice.hpp"
#include "support/files.hpp"
#include "support/multi_driver.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <iostream>
#include <string_view>
#include <thread>

#include <gtest/gtest.h>

namespace curlicue::test {

/// What several threads do to one `Ground(seed)`, by steps at random: it has `step(dice&)`, and
/// tells how many futures were `added` and have `succeeded`. Afterwards no descriptor is open that
/// was not before.
/// @param futures what those are
template <class Ground> void expect_nothing_left_by_a_crowd(std::string_view futures) {
    constexpr int threads = 4;
    const auto first = static_cast<unsigned>(number("CURLICUE_STRESS_SEED", 20));
    const int steps = number("CURLICUE_STRESS_STEPS", 20'000);
    std::cout << steps << " steps (CURLICUE_STRESS_STEPS), seed " << first
              << " (CURLICUE_STRESS_SEED)\n";
    Ground(first).succeeded(); // whoever stays open for good is open now
    const auto before = open_descriptors();
    {
        Ground ground(first);
        std::array<std::thread, threads> crowd;
        for (unsigned i = 0; i != threads; ++i)
            crowd[i] = std::thread([&, i] {
                dice roll(first + 1 + i);
                for (int step = 0; step != steps / threads; ++step)
                    ground.step(roll);
            });
        for (auto& each : crowd)
            each.join();
        std::cout << ground.added() << ' ' << futures << ", " << ground.succeeded()
                  << " succeeded\n";
        EXPECT_GT(ground.added(), static_cast<std::size_t>(steps / 10));
        EXPECT_GT(ground.succeeded(), 0u);
    }
    const patience patience;
    while (open_descriptors() != before) { // lookups that were cancelled end by themselves
        patience.check();
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

} // namespace curlicue::test
