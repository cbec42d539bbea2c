// SPDX-License-Identifier: MIT
// Every allocation that a program's transfers make fails once, each in a process of its own: of
// ours, of libcurl's and of libuv's.
#include "support/faults/in_child.hpp"
#include "support/faults/scarce_memory.hpp"
#include "support/faults/scene.hpp"
#include "support/faults/waivers.hpp"
#include "support/files.hpp"
#include "support/nginx.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <thread>

#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;
using lasting = scarce_memory::lasting;

namespace {

constexpr std::size_t too_many_sites = 5000;
constexpr std::size_t enough_failures = 3;
#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t step = 3; // a process takes many times as long
#else
constexpr std::size_t step = 1;
#endif

class Memory : public ::testing::TestWithParam<scenario> {
protected:
    static void SetUpTestSuite() {
        nginx::shared();
        scarce_memory::rule_libraries();
        scene(); // what libuv opens with the first loop of a process stays
    }

    // In time: a thread of libcurl's that nobody waits for any more may have some.
    static bool come_down_to(std::size_t descriptors) {
        for (int tries = 0; tries != 500 && open_descriptors() > descriptors; ++tries)
            std::this_thread::sleep_for(10ms);
        return open_descriptors() <= descriptors;
    }

    // Plays the scenario with a failure at `site`; false in `felt` when it ended before.
    static std::string play_at(std::size_t site, lasting how, bool& felt) {
        const auto before = open_descriptors();
        std::optional<scarce_memory> scarce;
        auto complaint = play(
            GetParam(), [&] { scarce.emplace(site, how); }, [&] { scarce.reset(); });
        felt = scarce_memory::felt();
        if (complaint.empty() && !come_down_to(before))
            complaint = "descriptors are open";
        return complaint;
    }

    void sweep(lasting how) {
        std::size_t site = 1, waived = 0, failures = 0;
        for (bool felt = true; felt && failures != enough_failures; site += step) {
            ASSERT_LT(site, too_many_sites) << "it never ends";
            const auto end = in_child([&] {
                auto complaint = play_at(site, how, felt);
                return complaint.empty() && !felt ? unfelt : complaint;
            });
            felt = end.said != unfelt;
            if (end.crashed_in(upstream_dies_of_no_memory()))
                ++waived;
            else if (!end.well() && felt)
                ADD_FAILURE() << "without allocation " << site << " it " << end.text()
                              << (++failures == enough_failures ? "\nand so on" : "");
        }
        RecordProperty("sites", static_cast<int>(site));
        RecordProperty("waived", static_cast<int>(waived));
        EXPECT_GT(site, 10u) << "nothing was tried";
    }

    static inline const std::string unfelt = "no allocation has failed";
};

TEST_P(Memory, ThatIsMissingOnceIsAnErrorAtTheMost) { sweep(lasting::once); }
TEST_P(Memory, ThatIsGoneForGoodIsAnErrorAtTheMost) { sweep(lasting::from_there_on); }

INSTANTIATE_TEST_SUITE_P(Of, Memory, ::testing::ValuesIn(scenarios()),
                         [](const auto& each) { return std::string(each.param.name); });

} // namespace
