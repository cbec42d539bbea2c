// SPDX-License-Identifier: MIT
// Which of its multi handles an engine gives a transfer to, and how they act as one.
#include "support/fake_curl/shard_fixture.hpp"
#include <curlicue/version.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <malloc.h>

using namespace curlicue;
using namespace curlicue::test;
using testing::ElementsAre;

namespace {

class AnEngineWithShards : public shard_fixture {};

// Where a transfer goes. --------------------------------------------------------------------------

TEST_F(AnEngineWithShards, FillsOneBeforeItOpensAnother) {
    add(32);
    EXPECT_THAT(filled(), ElementsAre(32));
    add(1);
    EXPECT_THAT(filled(), ElementsAre(32, 1));
    add(31);
    EXPECT_THAT(filled(), ElementsAre(32, 32));
    add(1);
    EXPECT_THAT(filled(), ElementsAre(32, 32, 1));
}

TEST_F(AnEngineWithShards, OpensNoMoreThanAllowed) {
    start(shards::one);
    add(70);
    EXPECT_THAT(filled(), ElementsAre(70));
    start();
    add(64 * 32 + 64 + 1);
    EXPECT_EQ(open(), 64u);
    EXPECT_EQ(filled().front(), 34u) << "one more in each, and in the first another";
    EXPECT_EQ(filled().back(), 33u);
}

TEST_F(AnEngineWithShards, PutsUpWithTheFirstWhereNoOtherCanBeMade) {
    curl->most_multis = 1;
    add(40);
    EXPECT_THAT(filled(), ElementsAre(40));
    EXPECT_EQ(open(), 1u);
    curl->most_multis = 2;
    add(1);
    EXPECT_THAT(filled(), ElementsAre(40, 1));
}

TEST_F(AnEngineWithShards, RefusesATransferForWhichNoneCanBeMade) {
    curl->most_multis = 0;
    EXPECT_THROW(add(1), std::bad_alloc);
    EXPECT_EQ(multi->stats().pending, 0u);
    curl->most_multis = 1;
    add(1);
    EXPECT_THAT(filled(), ElementsAre(1));
}

TEST_F(AnEngineWithShards, GivesWhatGoesBeyondToTheOneWithTheFewest) {
    start(shards::fixed(2));
    add(64 + 3);
    EXPECT_THAT(filled(), ElementsAre(34, 33));
    cancel(0, 2);
    EXPECT_THAT(filled(), ElementsAre(32, 33));
    add(1);
    EXPECT_THAT(filled(), ElementsAre(33, 33));
    cancel(32, 64);
    EXPECT_THAT(filled(), ElementsAre(33, 1));
    add(2);
    EXPECT_THAT(filled(), ElementsAre(33, 3));
}

TEST_F(AnEngineWithShards, NeedsAtLeastOne) {
    EXPECT_THROW(static_cast<void>(shards::fixed(0)), std::invalid_argument);
    EXPECT_EQ(shards::fixed(1).most(), shards::one.most());
}

TEST_F(AnEngineWithShards, UsesTheFirstWithRoomAgain) {
    add(70);
    cancel(0, 3);
    cancel(40, 42);
    EXPECT_THAT(filled(), ElementsAre(29, 30, 6));
    add(4);
    EXPECT_THAT(filled(), ElementsAre(32, 31, 6));
    curl->on_action = [](fake_multi& multi, curl_socket_t, int) { multi.complete_all(); };
    run_to([&] { return multi->stats().running == 0; });
    EXPECT_THAT(filled(), ElementsAre(0, 0, 0));
    add(32);
    EXPECT_THAT(filled(), ElementsAre(32, 0, 0));
}

TEST_F(AnEngineWithShards, CountsEachServerByItself) {
    add(40, "http://one/");
    add(40, "http://two/");
    add(33, "http://one:8080/");
    add(33, "ftp://one/");
    EXPECT_THAT(filled(), ElementsAre(2 * 32, 8 + 8 + 2 * 32, 1 + 1));
}

TEST_F(AnEngineWithShards, GivesEachABoundedNumberOfTransfersToWhateverServers) {
    for (int i = 0; i != 300; ++i)
        add(1, "http://server-" + std::to_string(i) + "/");
    EXPECT_THAT(filled(), ElementsAre(64, 64, 64, 64, 44));
}

TEST_F(AnEngineWithShards, GoesBackToWhereAServerHasBeen) {
    add(1);
    cancel(0, 1);
    for (int i = 0; i != 64; ++i)
        add(1, "http://server-" + std::to_string(i) + "/");
    add(1);
    EXPECT_THAT(filled(), ElementsAre(65)) << "its connection is kept there";
    add(1, "http://new/");
    EXPECT_THAT(filled(), ElementsAre(65, 1));
}

TEST_F(AnEngineWithShards, KnowsAServerWhateverUserIsNamed) {
    for (int i = 0; i != 32; ++i)
        add(1, "http://user-" + std::to_string(i) + ":secret@one/");
    add(1, "HTTP://ONE:80/");
    EXPECT_THAT(filled(), ElementsAre(32, 1));
}

TEST_F(AnEngineWithShards, TakesAProxyForTheServer) {
    const auto through = [&](const std::string& proxy, const std::string& name) {
        easy page("http://" + name + "/");
        page.setopt<CURLOPT_PROXY>(proxy);
        add(page);
    };
    for (int i = 0; i != 32; ++i)
        through("http://user-" + std::to_string(i) + ":secret@proxy:3128",
                "name-" + std::to_string(i));
    through("proxy:3128", "last");
    EXPECT_THAT(filled(), ElementsAre(32, 1));
    start();
    for (int i = 0; i != 33; ++i)
        through("socks5://proxy:3128", "name-" + std::to_string(i));
    EXPECT_THAT(filled(), ElementsAre(33)) << "through which there is a connection for each";
}

TEST_F(AnEngineWithShards, TakesAURLThatItCannotReadToLibcurl) {
    for (const auto* const url : {"http://one:port/", "http://", "://one", "nonsense://one/", "@"})
        add(1, url);
    EXPECT_THAT(filled(), ElementsAre(5));
}

TEST_F(AnEngineWithShards, ForgetsServersThatNobodyAsks) {
    const auto ask = [&](int from, int to) {
        for (int i = from; i != to; ++i)
            multi->add_handle(easy("http://server-" + std::to_string(i) + "/")).cancel();
    };
    ask(0, 6000);
    const auto before = ::mallinfo2().uordblks;
    ask(6000, 26000);
    EXPECT_LT(::mallinfo2().uordblks, before + (1U << 20));
}

TEST_F(AnEngineWithShards, KnowsAServerByWhateverPathItIsAskedFor) {
    add(16, "http://one/some/where");
    add(8, "http://one?who");
    add(8, "http://one#who");
    add(1, "http://one");
    EXPECT_THAT(filled(), ElementsAre(32, 1));
}

TEST_F(AnEngineWithShards, FollowsAnEasyToItsNextServer) {
    add(33);
    auto page = started.back().handle;
    cancel(32, 33);
    page.setopt<CURLOPT_URL>("http://two/");
    add(page);
    EXPECT_EQ(curl->owner_of(page.native_handle()), &multi_at(0));
    started.back().over.cancel();
    page.reset();
    page.setopt<CURLOPT_URL>("http://one/");
    add(page);
    EXPECT_EQ(curl->owner_of(page.native_handle()), &multi_at(1));
}

TEST_F(AnEngineWithShards, RemembersAServerToWhichNothingRuns) {
    add(1);
    auto page = started.back().handle;
    cancel(0, 1);
    add(1, "http://two/");
    add(32);
    add(page);
    EXPECT_EQ(curl->owner_of(page.native_handle()), &multi_at(1)) << "the 33rd to that server";
}

TEST_F(AnEngineWithShards, AsksABorrowedHandleForItsServerEachTime) {
    const std::unique_ptr<CURL, void (*)(CURL*)> handle(curl_easy_init(), &curl_easy_cleanup);
    add(32);
    for (const auto& [url, home] : {std::pair("http://one/", 1u), std::pair("http://two/", 0u),
                                    std::pair("http://one/", 1u)}) {
        curl_easy_setopt(handle.get(), CURLOPT_URL, url);
        auto over = multi->add_handle(easy::borrow(handle.get()));
        EXPECT_EQ(curl->owner_of(handle.get()), &multi_at(home)) << url;
        over.cancel();
    }
}

TEST_F(AnEngineWithShards, SpreadsWhatOtherThreadsAdd) {
    add(1, "http://two/"); // holds the loop
    std::vector<easy> handles;
    for (int i = 0; i != 40; ++i)
        handles.emplace_back("http://one/");
    std::thread([&] {
        for (const auto& each : handles)
            multi->add_handle(each).detach([](const std::exception_ptr&) {});
    }).join();
    run_to([&] { return curl->calls(fake_call::add) == 41; });
    EXPECT_THAT(filled(), ElementsAre(33, 8));
}

TEST_F(AnEngineWithShards, SpreadsWhatCallbacksAdd) {
    add(32);
    easy next("http://one/");
    inside(started.front().handle, [&](fake_multi&) { add(next); });
    EXPECT_THAT(filled(), ElementsAre(32, 1));
    EXPECT_TRUE(curl->has(next.native_handle()));
}

TEST_F(AnEngineWithShards, DoesNotCountATransferThatLibcurlRefuses) {
    add(32);
    for (int i = 0; i != 40; ++i) {
        curl->refuse(fake_call::add, CURLM_BAD_EASY_HANDLE);
        EXPECT_THROW(static_cast<void>(multi->add_handle(easy("http://one/"))), multi_error);
    }
    add(32);
    EXPECT_THAT(filled(), ElementsAre(32, 32));
    EXPECT_EQ(multi->stats().running, 64u);
}

// Servers whose connections carry many transfers. -------------------------------------------------

TEST_F(AnEngineWithShards, KeepsAServerInOneWhileItMayMultiplex) {
    if (!has_feature("HTTP2"))
        GTEST_SKIP() << "this libcurl speaks no HTTP/2";
    multi->setopt<CURLMOPT_PIPELINING>(CURLPIPE_MULTIPLEX);
    add(40, "https://one/");
    EXPECT_THAT(filled(), ElementsAre(40));
    add(40, "http://one/");
    EXPECT_THAT(filled(), ElementsAre(72, 8)) << "without TLS it does not negotiate";
    for (int i = 0; i != 40; ++i) {
        easy page("http://two/");
        page.setopt<CURLOPT_HTTP_VERSION>(CURL_HTTP_VERSION_2_0);
        add(page);
    }
    EXPECT_THAT(filled(), ElementsAre(72, 8 + 40)) << "unless it is told to";
}

TEST_F(AnEngineWithShards, SpreadsAServerThatDoesNotMultiplexOnceAHeadIsThere) {
    if (!has_feature("HTTP2"))
        GTEST_SKIP() << "this libcurl speaks no HTTP/2";
    multi->setopt<CURLMOPT_PIPELINING>(CURLPIPE_MULTIPLEX);
    add(2, "https://one/");
    curl->infos[CURLINFO_HTTP_VERSION] = CURL_HTTP_VERSION_1_1;
    add(38, "https://one/");
    EXPECT_THAT(filled(), ElementsAre(32, 8)) << "none of them is over";
}

TEST_F(AnEngineWithShards, DoesNotTakeAnOldHeadForThatOfAServer) {
    if (!has_feature("HTTP2"))
        GTEST_SKIP() << "this libcurl speaks no HTTP/2";
    multi->setopt<CURLMOPT_PIPELINING>(CURLPIPE_MULTIPLEX);
    curl->infos[CURLINFO_HTTP_VERSION] = CURL_HTTP_VERSION_1_1; // of what each has done before
    add(40, "https://one/");
    EXPECT_THAT(filled(), ElementsAre(40));
}

TEST_F(AnEngineWithShards, SpreadsWebSockets) {
    multi->setopt<CURLMOPT_PIPELINING>(CURLPIPE_MULTIPLEX);
    add(33, "wss://one/");
    add(33, "ws://one/");
    EXPECT_THAT(filled(), ElementsAre(32 + 32, 1 + 1));
}

TEST_F(AnEngineWithShards, SpreadsAServerThatMayNotMultiplex) {
    multi->setopt<CURLMOPT_PIPELINING>(CURLPIPE_MULTIPLEX);
    add(40, "https://one/");
    cancel(0, 40);
    multi->setopt<CURLMOPT_PIPELINING>(CURLPIPE_NOTHING);
    for (std::size_t i = 0; i != 40; ++i)
        add(easy(started[i].handle));
    EXPECT_THAT(filled(), ElementsAre(32, 8));
}

} // namespace
