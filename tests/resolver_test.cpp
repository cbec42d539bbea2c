// SPDX-License-Identifier: MIT
// Looking up names, on a thread of libcurl's: nothing of it may block the loop.
#include "support/async_fixture.hpp"
#include "support/faults/resolver.hpp"
#include "support/scripted_server.hpp"
#include <curlicue/async_multi.hpp>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace curlicue;
using namespace curlicue::test;

namespace {

/// From 8.20 on one for each family, if the system has sockets for it (Curl_async_getaddrinfo).
int questions_for_a_name() {
    const int probe = ::socket(AF_INET6, SOCK_DGRAM, 0);
    if (probe >= 0)
        ::close(probe);
    return probe >= 0 && curl_version_info(CURLVERSION_NOW)->version_num >= 0x081400 ? 2 : 1;
}

class ALookUp : public async_fixture {
protected:
    void SetUp() override {
        async_fixture::SetUp();
        if ((curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_ASYNCHDNS) == 0 ||
            curl_version_info(CURLVERSION_NOW)->ares != nullptr)
            GTEST_SKIP() << "this libcurl does not ask getaddrinfo on a thread";
    }
    void TearDown() override {
        names.go_on();
        async_fixture::TearDown();
    }

    static easy named(std::string_view name) {
        auto address = url("/hello");
        address.replace(address.find("127.0.0.1"), 9, name);
        return quiet(address);
    }
    future<easy> begin_looking(const easy& page) {
        auto over = multi->perform(page);
        run_to([&] { return names.looking() >= questions; });
        return over;
    }
    /// So many transfers, to so many names in turn.
    std::vector<future<easy>> ask(int transfers, int different) {
        std::vector<future<easy>> all;
        for (int i = 0; i != transfers; ++i)
            all.push_back(multi->perform(named("n" + std::to_string(i % different) + ".test")));
        return all;
    }
    std::error_code outcome(future<easy> over) {
        return failure_of([&] { run(std::move(over)); });
    }

    const int questions = questions_for_a_name();
    resolver names;
};

TEST_F(ALookUp, GivesAnAddressToATransfer) {
    easy page = named("some.test");
    run(multi->perform(page));
    EXPECT_EQ(page.getinfo<CURLINFO_RESPONSE_CODE>(), 200);
    EXPECT_EQ(names.asked(), questions);
}

TEST_F(ALookUp, LetsTheLoopTurnWhileItIsStuck) {
    names.stuck = true;
    auto over = begin_looking(named("stuck.test"));
    {
        const host_timer host(loop);
        run_to([&] { return host.ticks() >= 100; });
        EXPECT_EQ(names.looking(), questions);
        EXPECT_FALSE(over.ready());
    }
    names.go_on();
    run(std::move(over));
}

TEST_F(ALookUp, IsLeftAloneByACancel) {
    names.stuck = true;
    auto over = begin_looking(named("stuck.test"));
    EXPECT_TRUE(over.cancel());
    EXPECT_TRUE(over.ready());
    EXPECT_EQ(names.looking(), questions) << "the cancel has waited for it";
    easy other = quiet(url("/hello"));
    run(multi->perform(other));
    EXPECT_EQ(names.looking(), questions) << "another transfer has waited for it";
}

TEST_F(ALookUp, IsLeftAloneByAClose) {
    names.stuck = true;
    auto first = begin_looking(named("stuck.test")), second = begin_looking(named("too.test"));
    run_to([&] { return names.looking() == 2 * questions; });
    auto closed = multi->close();
    EXPECT_TRUE(first.cancelled() && second.cancelled());
    EXPECT_EQ(names.looking(), 2 * questions) << "the begin of the close has waited for it";
    run(std::move(closed));
    EXPECT_EQ(names.looking(), 2 * questions) << "the close has waited for it";
    EXPECT_EQ(uv_loop_alive(&loop), 0);
}

TEST_F(ALookUp, IsLeftAloneWhenTheEasyGoes) {
    names.stuck = true;
    {
        auto over = begin_looking(named("stuck.test"));
        over.cancel();
    }
    EXPECT_EQ(names.looking(), questions) << "the last easy has waited for it";
}

TEST_F(ALookUp, EndsWithItsTransfersOwnTime) {
    names.stuck = true;
    easy page = named("stuck.test");
    page.setopt<CURLOPT_TIMEOUT_MS>(50);
    EXPECT_EQ(outcome(multi->perform(page)), std::errc::timed_out);
    EXPECT_GE(names.looking(), 1) << "the time out has waited for it";
    EXPECT_LE(names.looking(), questions);
}

TEST_F(ALookUp, FailsWithoutAnAddress) {
    for (const int why : {EAI_NONAME, EAI_AGAIN, EAI_FAIL, EAI_MEMORY}) {
        names.failure = why;
        const auto code = outcome(multi->perform(named("none.test")));
        EXPECT_EQ(code.category(), easy_category());
        EXPECT_EQ(code.value(), CURLE_COULDNT_RESOLVE_HOST) << gai_strerror(why);
    }
    names.failure = 0;
    run(multi->perform(named("some.test")));
}

TEST_F(ALookUp, MayGiveManyAddresses) {
    for (int i = 2; i != 51; ++i)
        names.addresses.push_back("127.0.0." + std::to_string(i));
    easy page = named("many.test");
    run(multi->perform(page));
    EXPECT_EQ(page.getinfo<CURLINFO_RESPONSE_CODE>(), 200);
}

// After the second refusal libcurl 7.88.1 asks neither for a socket nor for a time before half of
// the connect timeout is over, which is minutes: it is the heartbeat that calls for all transfers.
TEST_F(ALookUp, MayGiveAddressesOfWhichTheLastAnswers) {
    names.addresses = {"127.0.0.2", "127.0.0.3", "127.0.0.1"};
    easy page = named("last.test");
    run(multi->perform(page));
    EXPECT_EQ(page.getinfo<CURLINFO_RESPONSE_CODE>(), 200);
}

TEST_F(ALookUp, MayGiveManyAddressesOfWhichNoneAnswers) {
    names.addresses.clear();
    for (int i = 2; i != 52; ++i)
        names.addresses.push_back("127.0.0." + std::to_string(i));
    easy page = named("dead.test");
    page.setopt<CURLOPT_TIMEOUT_MS>(1000);
    const auto code = outcome(multi->perform(page));
    EXPECT_TRUE(code == std::errc::connection_refused || code == std::errc::timed_out)
        << code.message();
    run(multi->perform(quiet(url("/hello"))));
}

TEST_F(ALookUp, MayGiveADeadAddressOfTheNewerKindFirst) {
    names.addresses = {"::1", "127.0.0.1"};
    for (int i = 0; i != 20; ++i) { // the sockets of both use each other's numbers again
        easy page = named("both" + std::to_string(i) + ".test");
        page.setopt<CURLOPT_FORBID_REUSE>(true);
        run(multi->perform(page));
        EXPECT_EQ(page.getinfo<CURLINFO_RESPONSE_CODE>(), 200);
    }
}

// Many of them. -----------------------------------------------------------------------------------

TEST_F(ALookUp, IsOneForAllWhoAskForAName) {
    names.stuck = true;
    auto all = ask(100, 1);
    run_to([&] { return names.looking() >= questions; });
    names.go_on();
    for (auto& each : all)
        EXPECT_EQ(run(std::move(each)).getinfo<CURLINFO_RESPONSE_CODE>(), 200);
    EXPECT_EQ(names.asked(), questions);
    EXPECT_GT(multi->stats().shards, 1u) << "whose transfers have a cache in common";
}

TEST_F(ALookUp, IsOneOfABoundedNumber) {
    multi.emplace(&loop, async_multi_options{.look_ups = 3});
    names.stuck = true;
    auto all = ask(40, 20);
    run_to([&] { return names.looking() >= 3 * questions; });
    run(multi->perform(quiet(url("/hello")))); // needs none
    easy known = named("known.test");
    known.setopt<CURLOPT_RESOLVE>(
        {"known.test" + url("").substr(url("").rfind(':')) + ":127.0.0.1"});
    run(multi->perform(known)); // nor does this
    EXPECT_EQ(names.asked(), 3 * questions);
    names.go_on();
    for (auto& each : all)
        run(std::move(each));
    EXPECT_EQ(names.asked(), 20 * questions);
}

TEST_F(ALookUp, IsWaitedForByEachWithinItsOwnLimits) {
    names.stuck = true;
    auto first = begin_looking(named("stuck.test"));
    easy hasty = named("stuck.test"), patient = named("stuck.test");
    hasty.setopt<CURLOPT_TIMEOUT_MS>(50);
    patient.setopt<CURLOPT_CONNECTTIMEOUT_MS>(50);
    auto cancelled = multi->perform(named("stuck.test")), other = multi->perform(patient);
    EXPECT_EQ(outcome(multi->perform(hasty)), std::errc::timed_out);
    EXPECT_EQ(outcome(std::move(other)), std::errc::timed_out);
    EXPECT_TRUE(cancelled.cancel());
    EXPECT_TRUE(cancelled.ready());
    EXPECT_FALSE(first.ready());
    EXPECT_EQ(names.asked(), questions);
    names.go_on();
    run(std::move(first));
}

TEST_F(ALookUp, BeginsAnewForWhoWaitsWhenTheFirstIsCancelled) {
    names.stuck = true;
    auto first = begin_looking(named("stuck.test"));
    auto second = multi->perform(named("stuck.test")), third = multi->perform(named("stuck.test"));
    EXPECT_TRUE(first.cancel());
    run_to([&] { return names.looking() >= 2 * questions; });
    names.go_on();
    run(std::move(second));
    run(std::move(third));
    EXPECT_EQ(names.asked(), 2 * questions);
}

TEST_F(ALookUp, WithoutAnAddressIsAnAnswerToAllWhoWait) {
    names.failure = EAI_NONAME;
    names.stuck = true;
    auto all = ask(10, 1);
    run_to([&] { return names.looking() >= questions; });
    names.go_on();
    for (auto& each : all)
        EXPECT_EQ(outcome(std::move(each)).value(), CURLE_COULDNT_RESOLVE_HOST);
    EXPECT_EQ(names.asked(), questions);
    EXPECT_EQ(multi->stats().pending, 0u);
}

TEST_F(ALookUp, OnWhichManyWaitIsLeftAloneByAClose) {
    multi.emplace(&loop, async_multi_options{.look_ups = 1});
    names.stuck = true;
    const auto all = ask(40, 4);
    run_to([&] { return names.looking() >= questions; });
    run(multi->close());
    for (const auto& each : all)
        EXPECT_TRUE(each.cancelled());
    EXPECT_EQ(names.asked(), questions);
    EXPECT_EQ(uv_loop_alive(&loop), 0);
}

TEST_F(ALookUp, IsAllowedByALimitThatMakesSense) {
    for (const std::size_t most : {std::size_t(0), std::size_t(1) << 40})
        EXPECT_THROW(async_multi(&loop, async_multi_options{.look_ups = most}),
                     std::invalid_argument);
}

TEST_F(ALookUp, OfManyNamesAtOnceIsStuckWithoutThoseThatAreNot) {
    names.stuck = true;
    auto all = ask(20, 20);
    run_to([&] { return names.looking() == 20; });
    easy known = quiet(url("/hello"));
    run(multi->perform(known));
    EXPECT_EQ(names.looking(), 20);
    names.go_on();
    for (auto& each : all)
        run(std::move(each));
}

} // namespace
