// SPDX-License-Identifier: MIT
// A process that has no descriptors left.
#include "support/async_fixture.hpp"
#include <curlicue/async_multi.hpp>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace curlicue;
using namespace curlicue::test;

namespace {

/// Lets the process open so many more descriptors, and no others.
class descriptors_left {
public:
    explicit descriptors_left(std::size_t count) {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        // The limit is a number, and the lowest free ones are given out first.
        std::vector<int> free;
        while (free.size() <= count)
            free.push_back(::dup(STDERR_FILENO));
        auto limited = before_;
        limited.rlim_cur = static_cast<rlim_t>(free.back());
        for (const int each : free)
            ::close(each);
        ::setrlimit(RLIMIT_NOFILE, &limited);
    }
    descriptors_left(const descriptors_left&) = delete;
    descriptors_left& operator=(const descriptors_left&) = delete;
    ~descriptors_left() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

class ALackOfDescriptors : public async_fixture {
protected:
    void SetUp() override {
        async_fixture::SetUp();
#ifdef __SANITIZE_ADDRESS__
        GTEST_SKIP() << "this sanitizer needs descriptors of its own";
#endif
        const easy first = quiet(url("/hello")); // what is opened once is open
        run(multi->add_handle(first));
        close();
        multi.emplace(&loop);
        multi->setopt<CURLMOPT_MAXCONNECTS>(0); // so is what a multi handle has
    }
    future<std::vector<result<easy>>> start(std::size_t count,
                                            const std::vector<std::string>& urls) {
        std::vector<future<easy>> all;
        for (std::size_t i = 0; i != count; ++i)
            all.push_back(multi->add_handle(quiet(urls[i % urls.size()])));
        return when_all(std::move(all));
    }
    void succeed(const std::vector<result<easy>>& all) {
        for (const auto& each : all)
            EXPECT_TRUE(each.has_value()) << each.error().message();
        EXPECT_GT(multi->stats().waits, 0u);
        EXPECT_EQ(multi->stats().running, 0u);
    }
};

TEST_F(ALackOfDescriptors, MakesTransfersWait) {
    const descriptors_left some(4); // further multi handles want two each
    succeed(run(start(200, {url("/hello")})));
}

// A connection to one server is of no use for the other.
TEST_F(ALackOfDescriptors, ClosesConnectionsThatAreIdle) {
    const nginx other;
    const descriptors_left some(2);
    run(start(2, {url("/hello")}));
    succeed(run(start(20, {other.http("/hello"), url("/hello")})));
}

TEST_F(ALackOfDescriptors, FailsATransferForWhichNobodyWillLeaveOne) {
    const descriptors_left none(0);
    const easy page = quiet(url("/hello"));
    const auto code = failure_of([&] { run(multi->add_handle(page)); });
    EXPECT_EQ(code, CURLE_COULDNT_CONNECT);
    EXPECT_EQ(code, std::errc::too_many_files_open);
    EXPECT_THAT(std::string(page.error()), testing::HasSubstr(std::strerror(EMFILE)));
}

TEST_F(ALackOfDescriptors, IsNoReasonToForgetWhoIsCancelledMeanwhile) {
    const descriptors_left some(2);
    const easy held = slow();
    auto holds = multi->add_handle(held);
    auto also_holds = multi->add_handle(slow());
    std::vector<future<easy>> waiting;
    for (int i = 0; i != 10; ++i)
        waiting.push_back(multi->add_handle(quiet(url("/hello"))));
    run_to([&] { return multi->stats().waits >= 10; });
    EXPECT_EQ(multi->stats().running, 2u);
    for (int i = 0; i != 5; ++i)
        EXPECT_TRUE(waiting[static_cast<std::size_t>(i)].cancel());
    holds.cancel();
    for (std::size_t i = 0; i != waiting.size(); ++i)
        EXPECT_EQ(run(when_all(std::move(waiting[i]))).front().has_value(), i >= 5) << i;
    also_holds.cancel();
}

// Nobody of ours leaves any, but the host does.
TEST_F(ALackOfDescriptors, IsLookedIntoAgainAndAgain) {
    auto holds = multi->add_handle(slow());
    run_to([&] { return multi->stats().sockets != 0; });
    std::optional<descriptors_left> none(0);
    auto first = multi->add_handle(quiet(url("/hello")));
    auto second = multi->add_handle(quiet(url("/hello")));
    run_to([&] { return multi->stats().waits >= 5; });
    none.reset();
    for (const auto& each : run(when_all(std::move(first), std::move(second))))
        EXPECT_TRUE(each.has_value());
    EXPECT_FALSE(holds.ready());
    holds.cancel();
}

// Without a heartbeat, and though each try is a new transfer to libcurl.
TEST_F(ALackOfDescriptors, IsWaitedForNoLongerThanTheTransferMayTake) {
    multi.emplace(&loop, async_multi_options{.heartbeat = std::chrono::milliseconds(0)});
    auto holds = multi->add_handle(slow());
    run_to([&] { return multi->stats().sockets != 0; });
    const descriptors_left none(0);
    easy connects = quiet(url("/hello")), transfers = quiet(url("/hello"));
    connects.setopt<CURLOPT_CONNECTTIMEOUT_MS>(200);
    transfers.setopt<CURLOPT_TIMEOUT_MS>(200);
    for (const auto& each : {connects, transfers.duphandle(), connects.duphandle()}) {
        const auto code = failure_of([&] { run(multi->add_handle(each)); });
        EXPECT_EQ(code, std::error_code(CURLE_OPERATION_TIMEDOUT, easy_category()));
    }
    EXPECT_EQ(multi->stats().deadlines, 3u);
    EXPECT_FALSE(holds.ready());
    holds.cancel();
}

TEST_F(ALackOfDescriptors, CountsAsTimeOfTheTransfer) {
    auto holds = multi->add_handle(slow());
    run_to([&] { return multi->stats().sockets != 0; });
    std::optional<descriptors_left> none(0);
    easy late = slow();
    late.setopt<CURLOPT_TIMEOUT_MS>(400).setopt<CURLOPT_WRITEFUNCTION>(
        [&](std::span<const char> data) { return data.size(); });
    const auto begun = std::chrono::steady_clock::now();
    auto over = multi->add_handle(late);
    run_to(
        [&] { return std::chrono::steady_clock::now() - begun > std::chrono::milliseconds(200); });
    none.reset();
    EXPECT_EQ(failure_of([&] { run(std::move(over)); }), CURLE_OPERATION_TIMEDOUT);
    EXPECT_GT(multi->stats().waits, 0u);
    // By libcurl's clock, which began with the last try, it had time left.
    EXPECT_LT(late.getinfo<CURLINFO_TOTAL_TIME_T>(), std::chrono::milliseconds(400));
    holds.cancel();
}

TEST_F(ALackOfDescriptors, IsOverAtTheClose) {
    std::vector<future<easy>> all;
    {
        const descriptors_left some(1);
        for (int i = 0; i != 10; ++i)
            all.push_back(multi->add_handle(slow()));
        run_to([&] { return multi->stats().waits >= 9; });
        close();
    }
    for (const auto& each : all)
        EXPECT_TRUE(each.cancelled() && each.ready());
}

} // namespace
