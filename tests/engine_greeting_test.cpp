// SPDX-License-Identifier: MIT
// How many TLS handshakes begin at a time, and what becomes of transfers that wait for theirs.
#include "support/fake_curl/shard_fixture.hpp"

#include <algorithm>
#include <cstddef>
#include <string>

#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;

namespace {

class ABurstOfTls : public shard_fixture {
protected:
    std::size_t begun() const { return multi->stats().running; }
    /// Turns of the loop until all have begun; in the meantime, how many in one at the most.
    std::size_t most_begun_in_a_turn() {
        std::size_t most = 0;
        run_to([&, before = begun()]() mutable {
            most = std::max(most, begun() - before);
            before = begun();
            return begun() == multi->stats().pending;
        });
        return most;
    }
};

TEST_F(ABurstOfTls, BeginsOneByOne) {
    add(100, "https://one/");
    EXPECT_EQ(begun(), 1u);
    EXPECT_EQ(most_begun_in_a_turn(), 1u);
}

TEST_F(ABurstOfTls, BeginsOneByOneWhereEachIsToAServerOfItsOwn) {
    for (int i = 0; i != 100; ++i)
        add(1, "https://server-" + std::to_string(i) + "/");
    EXPECT_EQ(begun(), 1u);
    EXPECT_EQ(most_begun_in_a_turn(), 1u);
}

TEST_F(ABurstOfTls, IsNoneWithoutTls) {
    add(100, "http://one/");
    EXPECT_EQ(begun(), 100u);
}

TEST_F(ABurstOfTls, IsNoneWhereThereIsAConnection) {
    const socket_pair first, second;
    add(1, "https://one/");
    inside(started.front().handle, [&](fake_multi& multi) {
        multi.announce(first.fd(), CURL_POLL_IN);
        multi.announce(second.fd(), CURL_POLL_IN);
    });
    add(2, "https://one/");
    EXPECT_EQ(begun(), 2u) << "of two connections one was free";
    cancel(0, 3);
}

TEST_F(ABurstOfTls, GoesOnThoughSomeOfItAreCancelled) {
    add(10, "https://one/");
    cancel(1, 9);
    let_all_start();
    EXPECT_EQ(begun(), 2u);
}

TEST_F(ABurstOfTls, GoesOnThoughLibcurlRefusesSomeOfIt) {
    add(3, "https://one/");
    curl->refuse(fake_call::add, CURLM_BAD_EASY_HANDLE);
    let_all_start();
    EXPECT_EQ(begun(), 2u);
    EXPECT_EQ(outcome(std::move(started[1].over)),
              std::error_code(CURLM_BAD_EASY_HANDLE, multi_category()));
}

TEST_F(ABurstOfTls, GoesOnWhereItsMultiHandleFails) {
    add(3, "https://one/");
    curl->refuse(fake_call::socket_action, CURLM_INTERNAL_ERROR);
    run_to([&] { return started[0].over.ready(); });
    let_all_start();
    EXPECT_EQ(begun(), 2u);
}

TEST_F(ABurstOfTls, IsCancelledByAClose) {
    add(10, "https://one/");
    multi->run_until(multi->close());
    for (auto& each : started)
        EXPECT_EQ(outcome(std::move(each.over)), errc::cancelled);
}

} // namespace
