// SPDX-License-Identifier: MIT
// What an async_multi refuses, and that nothing has changed then; and whom it has.
#include "support/async_fixture.hpp"
#include "support/files.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/loop.hpp>
#include <curlicue/multi.hpp>

#include <array>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

// ---- options

TEST_F(AnAsyncMulti, RefusesTheOptionsItOwns) {
    for (const CURLMoption owned :
         {CURLMOPT_SOCKETFUNCTION, CURLMOPT_SOCKETDATA, CURLMOPT_TIMERFUNCTION, CURLMOPT_TIMERDATA,
          CURLMOPT_PUSHFUNCTION, CURLMOPT_PUSHDATA, detail::multiopt_notifyfunction,
          detail::multiopt_notifydata, CURLMOPT_PIPELINING_SITE_BL})
        EXPECT_THROW(multi->setopt(owned, 1), std::invalid_argument) << owned;
    std::string body;
    run(multi->add_handle(get("/hello", body)));
    EXPECT_EQ(body, "hello\n") << "and is driven by them as before";
}

TEST_F(AnAsyncMulti, AcceptsTheOptionsThatTakeANumber) {
    multi->setopt<CURLMOPT_MAXCONNECTS>(8);
    multi->setopt<CURLMOPT_MAX_HOST_CONNECTIONS>(2);
    multi->setopt<CURLMOPT_PIPELINING>(CURLPIPE_MULTIPLEX);
    multi->setopt(CURLMOPT_MAX_TOTAL_CONNECTIONS, 1);
    std::vector<std::string> bodies(5);
    std::vector<future<easy>> pages;
    for (std::string& body : bodies)
        pages.push_back(multi->add_handle(get("/bytes/1024", body)));
    std::size_t most = 0;
    run_to([&] {
        most = std::max(most, multi->stats().sockets);
        return multi->stats().completed == 5;
    });
    EXPECT_EQ(most, 1u) << "one connection in all";
}

TEST_F(AnAsyncMulti, PassesOnThatLibcurlDoesNotKnowAnOption) {
    EXPECT_EQ(multi_refusal([&] { multi->setopt(static_cast<CURLMoption>(9999), 1); }),
              CURLM_UNKNOWN_OPTION);
}

TEST_F(AnAsyncMulti, TakesOptionsBeforeItIsBound) {
    multi.emplace();
    multi->setopt<CURLMOPT_MAX_TOTAL_CONNECTIONS>(1);
    EXPECT_THROW(multi->setopt(CURLMOPT_SOCKETFUNCTION, 1), std::invalid_argument);
    const loop_scope scope(&loop);
    std::array<std::string, 3> bodies;
    for (std::string& body : bodies)
        static_cast<void>(multi->add_handle(get("/bytes/1024", body)));
    std::size_t most = 0;
    run_to([&] {
        most = std::max(most, multi->stats().sockets);
        return multi->stats().completed == 3;
    });
    EXPECT_EQ(most, 1u);
}

// ---- adding

TEST_F(AnAsyncMulti, RefusesADuplicateWhileTheFirstGoesOn) {
    std::string body;
    easy page = get("/slow/1048576", body);
    auto first = multi->add_handle(page);
    async_multi other(&loop);
    curlicue::multi third;
    EXPECT_EQ(refusal([&] { static_cast<void>(multi->add_handle(page)); }), errc::already_added);
    EXPECT_EQ(refusal([&] { static_cast<void>(multi->perform(page)); }), errc::already_added);
    EXPECT_EQ(refusal([&] { static_cast<void>(other.add_handle(page)); }), errc::already_added);
    EXPECT_EQ(refusal([&] { third.add_handle(page); }), errc::already_added);
    EXPECT_EQ(refusal([&] { page.perform(); }), errc::attached);
    EXPECT_EQ(multi->size(), 1u);
    EXPECT_EQ(other.size(), 0u);
    EXPECT_EQ(run(std::move(first)), page);
    EXPECT_TRUE(body == bytes(1 << 20));
    EXPECT_EQ(multi->stats().completed, 1u);
}

TEST_F(AnAsyncMulti, RefusesAnEasyThatAMultiHas) {
    const easy page = quiet(url("/hello"));
    curlicue::multi other;
    other.add_handle(page);
    EXPECT_EQ(refusal([&] { static_cast<void>(multi->add_handle(page)); }), errc::already_added);
    other.remove_handle(page);
    EXPECT_EQ(run(multi->add_handle(page)), page);
}

TEST_F(AnAsyncMulti, TakesAnEasyAgainOnceItIsDone) {
    std::string body;
    const easy page = get("/hello", body);
    for (int i = 0; i < 3; ++i)
        run(multi->add_handle(page));
    EXPECT_EQ(body, "hello\nhello\nhello\n");
}

TEST_F(AnAsyncMulti, RefusesAClosedEasy) {
    easy page = quiet(url("/hello"));
    page.close();
    EXPECT_EQ(refusal([&] { static_cast<void>(multi->add_handle(page)); }), errc::closed);
    EXPECT_EQ(multi->size(), 0u);
}

TEST_F(AnAsyncMulti, RefusesANullLoop) {
    EXPECT_EQ(refusal([] { async_multi nowhere(nullptr); }), errc::null_handle);
}

TEST_F(AnAsyncMulti, KeepsAnEasyAliveThatNobodyElseHolds) {
    std::string body;
    auto page = multi->add_handle(get("/hello", body));
    EXPECT_EQ(run(std::move(page)).getinfo<CURLINFO_RESPONSE_CODE>(), 200);
    EXPECT_EQ(body, "hello\n");
}

TEST_F(AnAsyncMulti, KeepsTheOptionsOfAnAttachedEasyAsTheyAre) {
    easy page = slow();
    const auto running = multi->add_handle(page);
    EXPECT_EQ(refusal([&] { page.setopt<CURLOPT_VERBOSE>(true); }), errc::attached);
    EXPECT_EQ(refusal([&] { page.reset(); }), errc::attached);
}

// ---- removing

TEST_F(AnAsyncMulti, CancelsTheFutureOfAnEasyThatIsRemoved) {
    const easy page = slow();
    auto running = multi->add_handle(page);
    uv_run(&loop, UV_RUN_ONCE);
    multi->remove_handle(page);
    EXPECT_TRUE(running.cancelled());
    EXPECT_TRUE(running.ready());
    EXPECT_FALSE(page.attached());
    EXPECT_THROW(run(std::move(running)), cancelled);
    EXPECT_EQ(multi->stats().cancelled, 1u);
}

TEST_F(AnAsyncMulti, RefusesToRemoveAStranger) {
    const easy stranger = quiet(url("/hello"));
    EXPECT_EQ(refusal([&] { multi->remove_handle(stranger); }), errc::not_added);
    async_multi other(&loop);
    const auto elsewhere = other.add_handle(stranger);
    EXPECT_EQ(refusal([&] { multi->remove_handle(stranger); }), errc::not_added);
    EXPECT_TRUE(other.contains(stranger));
}

TEST_F(AnAsyncMulti, RefusesToRemoveWhatIsOver) {
    std::string body;
    const easy page = run(multi->add_handle(get("/hello", body)));
    EXPECT_EQ(refusal([&] { multi->remove_handle(page); }), errc::not_added);
    easy closed = slow();
    auto cut = multi->add_handle(closed);
    closed.close();
    EXPECT_TRUE(cut.cancelled());
    EXPECT_EQ(refusal([&] { multi->remove_handle(closed); }), errc::not_added);
    const easy removed = slow();
    static_cast<void>(multi->add_handle(removed));
    multi->remove_handle(removed);
    EXPECT_EQ(refusal([&] { multi->remove_handle(removed); }), errc::not_added);
}

TEST_F(AnAsyncMulti, RefusesToRemoveAfterItsClose) {
    const easy page = slow();
    static_cast<void>(multi->add_handle(page));
    close();
    EXPECT_EQ(refusal([&] { multi->remove_handle(page); }), errc::closed);
}

// ---- loops

TEST_F(AnAsyncMulti, BindsAtItsFirstAddToTheLoopInScope) {
    multi.emplace();
    EXPECT_EQ(multi->loop(), nullptr);
    std::string body;
    {
        const loop_scope scope(&loop);
        static_cast<void>(multi->add_handle(get("/hello", body)));
    }
    EXPECT_EQ(multi->loop(), &loop);
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    EXPECT_EQ(body, "hello\n");
}

TEST_F(AnAsyncMulti, RefusesToBindToNoLoop) {
    multi.emplace();
    const easy page = quiet(url("/hello"));
    EXPECT_EQ(refusal([&] { static_cast<void>(multi->add_handle(page)); }), errc::no_loop);
    EXPECT_EQ(refusal([&] { static_cast<void>(multi->post([] {})); }), errc::no_loop);
    EXPECT_EQ(refusal([&] { multi->executor(); }), errc::no_loop);
    EXPECT_FALSE(page.attached());
    EXPECT_THAT(multi->futures(), IsEmpty());
    const loop_scope scope(&loop);
    EXPECT_EQ(run(multi->add_handle(page)), page) << "nothing had changed";
}

TEST_F(AnAsyncMulti, RefusesAnotherLoop) {
    uv_loop_t second{};
    ASSERT_EQ(uv_loop_init(&second), 0);
    const easy page = quiet(url("/hello"));
    {
        const loop_scope scope(&second);
        EXPECT_EQ(refusal([&] { static_cast<void>(multi->add_handle(page)); }), errc::wrong_loop);
        EXPECT_FALSE(page.attached());
        const loop_scope inner(&loop);
        EXPECT_EQ(loop_scope::current(), &loop);
        EXPECT_EQ(run(multi->add_handle(page)), page);
    }
    EXPECT_EQ(loop_scope::current(), nullptr);
    EXPECT_EQ(uv_loop_close(&second), 0);
}

TEST(ALoopScope, NestsAndRefusesNull) {
    uv_loop_t first{}, second{};
    const loop_scope outer(&first);
    {
        const loop_scope inner(&second);
        EXPECT_EQ(loop_scope::current(), &second);
        EXPECT_EQ(refusal([] { const loop_scope none(nullptr); }), errc::null_handle);
        EXPECT_EQ(loop_scope::current(), &second);
    }
    EXPECT_EQ(loop_scope::current(), &first);
}

TEST_F(AnAsyncMulti, IsTheCurrentLoopOfItsContinuations) {
    EXPECT_EQ(run(multi->post([] { return loop_scope::current(); })), &loop);
    std::string body;
    auto inner = run(multi->post([&] {
        auto made_inside = std::make_unique<async_multi>();
        static_cast<void>(made_inside->add_handle(get("/hello", body)));
        return made_inside;
    }));
    EXPECT_EQ(inner->loop(), &loop);
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    EXPECT_EQ(body, "hello\n");
}

// ---- futures()

TEST_F(AnAsyncMulti, HasNoFuturesAtFirst) {
    EXPECT_THAT(multi->futures(), IsEmpty());
    EXPECT_THAT(multi->futures({}), IsEmpty());
}

TEST_F(AnAsyncMulti, TellsPendingFuturesInTheOrderTheyWereAdded) {
    const auto first = multi->add_handle(slow());
    const auto second = multi->add_handle(slow());
    const auto third = multi->add_handle(slow());
    const auto all = multi->futures();
    ASSERT_EQ(all.size(), 3u);
    EXPECT_TRUE(all[0] == first);
    EXPECT_TRUE(all[1] == second);
    EXPECT_TRUE(all[2] == third);
}

TEST_F(AnAsyncMulti, TellsTheFuturesAskedForInTheOrderAsked) {
    const std::array pages{slow(), slow(), slow()};
    std::vector<future<easy>> running;
    for (const easy& page : pages)
        running.push_back(multi->add_handle(page));
    const std::array asked{pages[2], pages[0], pages[2]};
    const auto told = multi->futures(asked);
    ASSERT_EQ(told.size(), 3u) << "one asked for twice is told twice";
    EXPECT_TRUE(told[0] == running[2]);
    EXPECT_TRUE(told[1] == running[0]);
    EXPECT_TRUE(told[2] == told[0]);
}

TEST_F(AnAsyncMulti, KnowsNoFutureOfAStranger) {
    const std::array asked{slow(), slow()};
    static_cast<void>(multi->add_handle(asked[0]));
    EXPECT_THROW(static_cast<void>(multi->futures(asked)), std::out_of_range);
}

TEST_F(AnAsyncMulti, LeavesOutTheFuturesOfWhatIsOver) {
    std::string body;
    const std::array done{get("/hello", body)};
    const std::array gone{slow()};
    const auto running = multi->add_handle(slow());
    auto finished = multi->add_handle(done[0]);
    auto cut = multi->add_handle(gone[0]);
    run(std::move(finished));
    cut.cancel();
    ASSERT_EQ(multi->futures().size(), 1u);
    EXPECT_TRUE(multi->futures()[0] == running);
    EXPECT_THROW(static_cast<void>(multi->futures(done)), std::out_of_range);
    EXPECT_THROW(static_cast<void>(multi->futures(gone)), std::out_of_range);
}

TEST_F(AnAsyncMulti, CancelsATransferByAFutureItTold) {
    const auto running = multi->add_handle(slow());
    EXPECT_TRUE(multi->futures().at(0).cancel());
    EXPECT_TRUE(running.cancelled());
}

// ---- contains, size

TEST_F(AnAsyncMulti, ContainsAnEasyUntilItsTransferIsOver) {
    std::string body;
    const easy page = get("/hello", body);
    EXPECT_FALSE(multi->contains(page));
    EXPECT_EQ(multi->size(), 0u);
    auto running = multi->add_handle(page);
    EXPECT_TRUE(multi->contains(page));
    EXPECT_EQ(multi->size(), 1u);
    run(std::move(running));
    EXPECT_FALSE(multi->contains(page));
    EXPECT_EQ(multi->size(), 0u);
}

TEST_F(AnAsyncMulti, ContainsAnEasyUntilItIsRemoved) {
    const easy page = slow();
    static_cast<void>(multi->add_handle(page));
    EXPECT_TRUE(multi->contains(page));
    multi->remove_handle(page);
    EXPECT_FALSE(multi->contains(page));
    EXPECT_EQ(multi->size(), 0u);
}

} // namespace
