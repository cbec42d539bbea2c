// SPDX-License-Identifier: MIT
// More transfers than there are descriptors or threads for.
#include "support/async_fixture.hpp"
#include "support/faults/failing_calls.hpp"
#include "support/faults/in_child.hpp"
#include "support/faults/resolver.hpp"
#include "support/faults/scene.hpp"
#include "support/files.hpp"
#include "support/nginx.hpp"

#include <cerrno>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <uv.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

constexpr int crowd_size = 200;

void limit_descriptors(rlim_t soft) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = soft;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

void perform_crowd(scene& on, async_multi& multi, const easy& page) {
    std::vector<easy> pages;
    for (int i = 0; i != crowd_size; ++i)
        pages.push_back(page.duphandle());
    on.trouble_begins();
    for (const auto& each : pages)
        on.expect(multi.perform(each));
    on.run();
}

void crowd(scene& on) { perform_crowd(on, on.open(), quiet(nginx::shared().http("/hello"))); }

void crowd_from_the_start(scene& on) {
    on.trouble_begins();
    crowd(on);
}

void named_crowd(scene& on) {
    const resolver names;
    auto address = nginx::shared().http("/hello");
    address.replace(address.find("127.0.0.1"), 9, "some.test");
    easy page = quiet(address);
    // From 8.20 on a look-up for which there is no thread waits for one (Curl_thrdq_send).
    if (curl_version_info(CURLVERSION_NOW)->version_num >= 0x081400)
        page.setopt<CURLOPT_CONNECTTIMEOUT>(2s);
    perform_crowd(on, on.open(), page);
    on.trouble_ends();
}

class Exhaustion : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        nginx::shared();
        uv_loop_t first; // libuv opens a pipe for signals with the first of a process, for good
        ASSERT_EQ(uv_loop_init(&first), 0);
        ASSERT_EQ(uv_loop_close(&first), 0);
    }

    static void sweep(void (*what)(scene&)) {
        for (rlim_t limit = 12; limit <= 64; limit += 4) {
            const auto end = in_child([&] {
                const auto before = open_descriptors();
                auto complaint = play(
                    {"", what}, [&] { limit_descriptors(limit); }, [] { limit_descriptors(1024); });
                return complaint.empty() && open_descriptors() != before ? "descriptors are open"
                                                                         : complaint;
            });
            EXPECT_TRUE(end.well()) << "with " << limit << " descriptors it " << end.text();
        }
    }
};

TEST_F(Exhaustion, OfDescriptorsLosesNoFuture) { sweep(&crowd); }
TEST_F(Exhaustion, OfDescriptorsBeforeThereIsAMultiLosesNoFuture) { sweep(&crowd_from_the_start); }

TEST_F(Exhaustion, OfThreadsLosesNoFuture) {
    for (const std::size_t first : {1, 2, 20}) {
        const auto end = in_child([&] {
            static constexpr call_failure none_left{"pthread_create", EAGAIN};
            std::optional<failing_call> failing;
            return play(
                {"", &named_crowd},
                [&] { failing.emplace(none_left, first, failing_call::lasting::from_there_on); },
                [&] { failing.reset(); });
        });
        EXPECT_TRUE(end.well()) << "from thread " << first << " on it " << end.text();
    }
}

} // namespace
