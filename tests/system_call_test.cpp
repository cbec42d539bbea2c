// SPDX-License-Identifier: MIT
// The system refuses a call, at one place after another of what a program's transfers do, each in a
// process of its own.
#include "support/faults/failing_calls.hpp"
#include "support/faults/in_child.hpp"
#include "support/faults/scene.hpp"
#include "support/faults/waivers.hpp"
#include "support/files.hpp"
#include "support/nginx.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;

namespace {

constexpr std::size_t places_tried = 20;

constexpr std::array failures{
    call_failure{"socket", EMFILE},
    call_failure{"socketpair", EMFILE},
    call_failure{"eventfd", EMFILE},
    call_failure{"epoll_create1", EMFILE},
    call_failure{"epoll_ctl", ENOMEM},
    call_failure{"epoll_ctl", ENOSPC},
    call_failure{"connect", ECONNREFUSED},
    call_failure{"connect", ENETUNREACH},
    call_failure{"connect", EINTR},
    call_failure{"connect", EAGAIN},
    call_failure{"getsockopt", EBADF},
    call_failure{"send", ECONNRESET},
    call_failure{"send", EPIPE},
    call_failure{"send", EINTR},
    call_failure{"send", EAGAIN},
    call_failure{"recv", ECONNRESET},
    call_failure{"recv", EPIPE},
    call_failure{"recv", EINTR},
    call_failure{"recv", EAGAIN},
    call_failure{"read", EINTR},
    call_failure{"read", EAGAIN},
    call_failure{"write", EINTR},
    call_failure{"pthread_create", EAGAIN},
};

/// Those that make other calls than the rest, or at other times.
std::vector<scenario> few_scenarios() {
    std::vector<scenario> few;
    for (const auto& each : scenarios())
        if (each.name == "Tls" || each.name == "AName" || each.name == "AnotherThread" ||
            each.name == "CloseWithPending")
            few.push_back(each);
    return few;
}

class ACallOfTheSystem : public ::testing::TestWithParam<std::tuple<call_failure, scenario>> {
protected:
    static void SetUpTestSuite() {
        nginx::shared();
        scene(); // what libuv opens with the first loop of a process stays
    }

    static std::string play_with(std::size_t which, bool& felt) {
        const auto& [failure, what] = GetParam();
        const auto before = open_descriptors();
        std::optional<failing_call> failing;
        auto complaint = play(
            what, [&, &how = failure] { failing.emplace(how, which); }, [&] { failing.reset(); });
        felt = failing_call::felt();
        if (complaint.empty() && open_descriptors() > before + left_open_by_libuv(which))
            complaint = "descriptors are open";
        return complaint;
    }

    // libuv 1.44: uv_loop_init forgets its epoll descriptor when the eventfd fails.
    static std::size_t left_open_by_libuv(std::size_t which) {
        const auto& [failure, what] = GetParam();
        return what.name == "AnotherThread" && failure.call == "eventfd" && which == 1 ? 1 : 0;
    }

    static inline const std::string unfelt = "no call has failed";
};

TEST_P(ACallOfTheSystem, ThatFailsIsAnErrorAtTheMost) {
#ifdef __SANITIZE_ADDRESS__
    const auto& [failure, what] = GetParam();
    if (failure.call == "send" && what.name == "AName")
        GTEST_SKIP() << "libcurl 7.88 leaks the addresses of which its thread cannot tell";
#endif
    std::size_t which = 1;
    for (; which <= places_tried; ++which) {
        const auto end = in_child([&] {
            bool felt = false;
            auto complaint = play_with(which, felt);
            return complaint.empty() && !felt ? unfelt : complaint;
        });
        if (end.said == unfelt)
            break;
        EXPECT_TRUE(end.well() || end.crashed_in(upstream_dies_of_a_refused_call()))
            << "with call " << which << " it " << end.text();
    }
    if (which == 1)
        GTEST_SKIP() << "there is no such call in this scenario";
}

INSTANTIATE_TEST_SUITE_P(Of, ACallOfTheSystem,
                         ::testing::Combine(::testing::ValuesIn(failures),
                                            ::testing::ValuesIn(few_scenarios())),
                         [](const auto& each) {
                             return name_of(std::get<0>(each.param)) + "_In" +
                                    std::string(std::get<1>(each.param).name);
                         });

} // namespace
