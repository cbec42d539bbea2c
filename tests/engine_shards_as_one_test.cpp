// SPDX-License-Identifier: MIT
// Several multi handles that look like one.
#include "support/fake_curl/out_of_memory.hpp"
#include "support/fake_curl/shard_fixture.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

using namespace curlicue;
using namespace curlicue::test;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

namespace {

class Shards : public shard_fixture {};

// Options and numbers. ----------------------------------------------------------------------------

TEST_F(Shards, AllHaveTheOptionsWheneverTheyAreOpened) {
    multi->setopt<CURLMOPT_MAX_CONCURRENT_STREAMS>(7);
    multi->setopt<CURLMOPT_CHUNK_LENGTH_PENALTY_SIZE>(1 << 20);
    add(65);
    EXPECT_THAT(numbers(CURLMOPT_MAX_CONCURRENT_STREAMS), ElementsAre(7, 7, 7));
    EXPECT_THAT(numbers(CURLMOPT_CHUNK_LENGTH_PENALTY_SIZE), Each(1 << 20));
    multi->setopt<CURLMOPT_MAX_CONCURRENT_STREAMS>(8);
    EXPECT_THAT(numbers(CURLMOPT_MAX_CONCURRENT_STREAMS), ElementsAre(8, 8, 8));
    add(32);
    EXPECT_THAT(numbers(CURLMOPT_MAX_CONCURRENT_STREAMS), ElementsAre(8, 8, 8, 8));
}

TEST_F(Shards, AreCountedTogether) {
    EXPECT_EQ(open(), 0u);
    add(70);
    EXPECT_EQ(open(), 3u);
    EXPECT_EQ(multi->size(), 70u);
    EXPECT_EQ(multi->stats().pending, 70u);
    EXPECT_EQ(multi->stats().running, 70u);
    const socket_pair first, last;
    inside(started.front().handle,
           [&](fake_multi& multi) { multi.announce(first.fd(), CURL_POLL_IN); });
    inside(started.back().handle,
           [&](fake_multi& multi) { multi.announce(last.fd(), CURL_POLL_IN); });
    turn();
    EXPECT_EQ(multi->stats().sockets, 2u);
    cancel(0, 10);
    cancel(60, 70);
    EXPECT_EQ(multi->stats().pending, 50u);
    EXPECT_EQ(multi->stats().running, 50u);
    EXPECT_EQ(multi->stats().cancelled, 20u);
    curl->on_action = [](fake_multi& multi, curl_socket_t, int) { multi.complete_all(); };
    started[10].handle.unpause();
    started[40].handle.unpause();
    // The time of a turn may be over after one of them.
    run_to([&] { return multi->stats().pending == 0; });
    EXPECT_EQ(multi->stats().completed, 50u);
    multi->run_until(multi->close());
    EXPECT_EQ(open(), 0u);
    EXPECT_EQ(multi->stats().sockets, 0u);
}

TEST_F(Shards, KeepTheOrderOfTheirFutures) {
    for (int i = 0; i != 40; ++i) {
        add(1, "http://one/");
        add(1, "http://two/");
    }
    cancel(10, 20); // the places that they leave are taken by the last
    add(10, "http://one/");
    started.erase(started.begin() + 10, started.begin() + 20);
    const auto pending = multi->futures();
    ASSERT_EQ(pending.size(), started.size());
    std::vector<easy> handles;
    for (std::size_t i = 0; i != pending.size(); ++i) {
        EXPECT_TRUE(pending[i] == started[i].over) << i;
        handles.push_back(started[i].handle);
    }
    std::ranges::reverse(handles);
    const auto named = multi->futures(handles);
    EXPECT_TRUE(named.front() == started.back().over);
    EXPECT_TRUE(named.back() == started.front().over);
}

// One transfer of a later shard. ------------------------------------------------------------------

class ATransferOfALaterShard : public shard_fixture {
protected:
    void SetUp() override {
        shard_fixture::SetUp();
        add(40);
        turn();
    }
    bool libcurl_has(std::size_t number) const { return curl->has(curl_of(number)); }
    auto error(std::size_t number) { return outcome(std::move(started.at(number).over)); }
};

TEST_F(ATransferOfALaterShard, CanBeCancelled) {
    cancel(35, 36);
    EXPECT_FALSE(libcurl_has(35));
    EXPECT_EQ(error(35), errc::cancelled);
    EXPECT_THAT(filled(), ElementsAre(32, 7));
}

TEST_F(ATransferOfALaterShard, CanBeRemoved) {
    multi->remove_handle(started[35].handle);
    EXPECT_FALSE(libcurl_has(35));
    EXPECT_EQ(error(35), errc::cancelled);
    EXPECT_FALSE(multi->contains(started[35].handle));
    EXPECT_TRUE(multi->contains(started[36].handle));
}

TEST_F(ATransferOfALaterShard, EndsWithItsEasy) {
    started[35].handle.close();
    EXPECT_EQ(error(35), errc::cancelled);
    EXPECT_THAT(filled(), ElementsAre(32, 7));
}

TEST_F(ATransferOfALaterShard, CanBePaused) {
    std::vector<std::pair<fake_multi*, CURL*>> paused;
    curl->on_pause = [&](fake_multi& multi, CURL* easy) { paused.emplace_back(&multi, easy); };
    started[35].handle.pause(CURLPAUSE_RECV);
    ASSERT_EQ(paused.size(), 1u);
    EXPECT_EQ(paused[0], std::pair(&multi_at(1), curl_of(35)));
    std::vector<fake_multi*> driven;
    curl->on_action = [&](fake_multi& multi, curl_socket_t, int) { driven.push_back(&multi); };
    started[35].handle.unpause();
    turn();
    EXPECT_THAT(driven, ElementsAre(&multi_at(1))) << "what waited may need no socket";
}

TEST_F(ATransferOfALaterShard, IsCancelledWhenTheEngineCloses) {
    multi->run_until(multi->close());
    EXPECT_EQ(error(0), errc::cancelled);
    EXPECT_EQ(error(39), errc::cancelled);
    EXPECT_EQ(curl->multis(), 0u);
}

// libcurl gives one up. ---------------------------------------------------------------------------

TEST_F(Shards, FailAlone) {
    multi->setopt<CURLMOPT_MAX_CONCURRENT_STREAMS>(7);
    add(70);
    turn();
    auto* const bad = &multi_at(1);
    curl->on_action = [&](fake_multi& multi, curl_socket_t, int) {
        if (&multi == bad)
            curl->refuse(fake_call::socket_action, CURLM_INTERNAL_ERROR);
    };
    inside(started[40].handle, [](fake_multi& multi) { multi.set_timer(0); });
    turn();
    EXPECT_THAT(filled(), ElementsAre(32, 6));
    for (std::size_t i = 0; i != 70; ++i)
        EXPECT_EQ(started[i].over.ready(), i >= 32 && i < 64) << i;
    EXPECT_EQ(outcome(std::move(started[40].over)), multi_code(CURLM_INTERNAL_ERROR));
    EXPECT_EQ(multi->stats().rebuilds, 1u);
    EXPECT_EQ(open(), 2u);
    EXPECT_EQ(multi->stats().running, 38u);

    add(1);
    EXPECT_THAT(filled(), ElementsAre(32, 6, 1)) << "in the place of the one that failed";
    EXPECT_EQ(multi_at(2).numbers[CURLMOPT_MAX_CONCURRENT_STREAMS], 7);
    EXPECT_EQ(curl->multis_made(), 4u);
    EXPECT_EQ(open(), 3u);
    curl->on_action = [](fake_multi& multi, curl_socket_t, int) { multi.complete_all(); };
    turn();
    EXPECT_EQ(outcome(std::move(started[70].over)), std::error_code());
}

TEST_F(Shards, FailAloneForLackOfMemoryForAWatch) {
    add(40);
    turn();
    const socket_pair pair;
    inside(started[35].handle, [&](fake_multi& multi) {
        const out_of_memory memory(0, out_of_memory::lasting::from_there_on);
        multi.announce(pair.fd(), CURL_POLL_IN);
    });
    turn();
    EXPECT_THAT(filled(), ElementsAre(32));
    EXPECT_EQ(outcome(std::move(started[35].over)), multi_code(CURLM_OUT_OF_MEMORY));
    EXPECT_FALSE(started[0].over.ready());
}

// Either the transfer starts, be it in the first, or nothing of it is left.
TEST_F(Shards, SurviveEveryFailedAllocationOfTheirOpening) {
    add(32);
    const easy next("http://one/");
    bool failed = true;
    for (std::size_t skip = 0; failed; ++skip) {
        future<easy> over;
        try {
            const out_of_memory memory(skip);
            over = multi->add_handle(next);
            failed = out_of_memory::happened();
            EXPECT_EQ(multi->stats().running, 33u);
        } catch (const std::bad_alloc&) {
            EXPECT_FALSE(next.attached());
            EXPECT_EQ(multi->stats().running, 32u);
            EXPECT_EQ(multi->size(), 32u);
        }
        if (failed)
            over.cancel();
        else
            EXPECT_THAT(filled(), ElementsAre(32, 1));
    }
}

// Turns. ------------------------------------------------------------------------------------------

TEST_F(Shards, AreAllDrivenInOneTurn) {
    add(100);
    std::map<fake_multi*, int> driven;
    curl->on_action = [&](fake_multi& multi, curl_socket_t socket, int) {
        EXPECT_EQ(socket, CURL_SOCKET_TIMEOUT);
        ++driven[&multi];
    };
    const auto begun = std::chrono::steady_clock::now();
    turn();
    // Where the machine is busy, the time of a turn is over before, and the others have the next.
    if (std::chrono::steady_clock::now() - begun < std::chrono::milliseconds(10)) {
        EXPECT_EQ(driven.size(), 4u);
    }
    for (int turns = 0; turns != 100 && driven.size() != 4; ++turns)
        turn();
    EXPECT_EQ(driven.size(), 4u);
    for (const auto& [multi, times] : driven)
        EXPECT_EQ(times, 1);
    driven.clear();
    inside(started[50].handle, [](fake_multi& multi) { multi.set_timer(0); });
    turn();
    EXPECT_EQ(driven, (std::map<fake_multi*, int>{{&multi_at(1), 1}})) << "and not the others";
}

TEST_F(Shards, AreAllDrivenThoughACallbackOpensMore) {
    add(96);
    std::set<fake_multi*> driven;
    curl->on_action = [&](fake_multi& multi, curl_socket_t, int) {
        if (driven.empty())
            add(96);
        driven.insert(&multi);
    };
    run_to([&] { return driven.size() == 6; });
    EXPECT_THAT(filled(), ElementsAre(32, 32, 32, 32, 32, 32));
}

TEST_F(Shards, AllHaveTheirHeartbeatThoughACallbackOpensMore) {
    restart({.heartbeat = std::chrono::milliseconds(1)});
    add(96);
    turn();
    turn(); // without a wish of libcurl's, only heartbeats are left
    std::set<fake_multi*> driven;
    curl->on_action = [&](fake_multi& multi, curl_socket_t, int) {
        if (driven.empty())
            add(96);
        driven.insert(&multi);
    };
    run_to([&] { return driven.size() == 6; });
    EXPECT_EQ(open(), 6u);
}

TEST_F(Shards, LetTheHostInThoughTwoWantToBeCalledAtOnceForEver) {
    add(64);
    std::map<fake_multi*, int> driven, longest;
    curl->on_action = [&](fake_multi& multi, curl_socket_t, int) {
        longest[&multi] = std::max(longest[&multi], ++driven[&multi]);
        ASSERT_LE(driven[&multi], 100) << "the loop does not come round";
        multi.set_timer(0);
    };
    uv_prepare_t prepare;
    uv_prepare_init(&loop, &prepare);
    prepare.data = &driven;
    uv_prepare_start(&prepare, [](uv_prepare_t* prepare) {
        static_cast<std::map<fake_multi*, int>*>(prepare->data)->clear();
    });
    uv_timer_t timer;
    uv_timer_init(&loop, &timer);
    int ticks = 0;
    timer.data = &ticks;
    uv_timer_start(
        &timer, [](uv_timer_t* timer) { ++*static_cast<int*>(timer->data); }, 1, 1);
    run_to([&] { return ticks >= 20; });
    EXPECT_EQ(longest.size(), 2u) << "one does not keep the other out";
    for (const auto& [multi, times] : longest)
        EXPECT_LE(times, 16); // eight rounds in the turn of the timer, and of a wake-up
    uv_close(reinterpret_cast<uv_handle_t*>(&prepare), nullptr);
    uv_close(reinterpret_cast<uv_handle_t*>(&timer), nullptr);
    turn();
}

TEST_F(Shards, HaveTimesOfTheirOwn) {
    curl->on_add = [](fake_multi& multi, CURL*) { multi.set_timer(-1); };
    add(33);
    inside(started.front().handle, [](fake_multi& multi) { multi.set_timer(100'000); });
    turn();
    std::vector<fake_multi*> driven;
    curl->on_action = [&](fake_multi& multi, curl_socket_t, int) { driven.push_back(&multi); };
    inside(started.back().handle, [](fake_multi& multi) { multi.set_timer(1); });
    turn();
    while (timer_due() <= 50'000)
        turn(); // one that waits may find the time come before it waits, and wait for the other
    EXPECT_THAT(driven, AllOf(Not(IsEmpty()), Each(&multi_at(1))));
}

// Sockets. ----------------------------------------------------------------------------------------

class SocketsOfAPoll : public shard_fixture {
protected:
    /// What happens, in its order, when a socket of each of two shards is ready in one poll.
    std::string story_of_one() {
        add(64);
        turn();
        const socket_pair first, second;
        inside(started.front().handle,
               [&](fake_multi& multi) { multi.announce(first.fd(), CURL_POLL_IN); });
        inside(started.back().handle,
               [&](fake_multi& multi) { multi.announce(second.fd(), CURL_POLL_IN); });
        turn();
        std::string story;
        curl->on_action = [&](fake_multi& multi, curl_socket_t socket, int) {
            if (socket == CURL_SOCKET_TIMEOUT)
                return;
            EXPECT_EQ(&multi, &multi_at(socket == first.fd() ? 0 : 1));
            (socket == first.fd() ? first : second).drain();
            story += "socket ";
            multi.complete_all();
        };
        for (auto* const each : {&started.front(), &started.back()})
            std::move(each->over)
                .then([&](easy) { story += "continuation "; })
                .detach([](const std::exception_ptr&) { ADD_FAILURE(); });
        const auto wakeups = multi->stats().wakeups;
        first.make_readable();
        second.make_readable();
        turn();
        const auto of_the_poll =
            story + std::to_string(multi->stats().wakeups - wakeups) + " wake-ups";
        run_to([&] { return multi->size() == 0; });
        curl->on_action = nullptr;
        started.clear();
        return of_the_poll;
    }
};

// What is left when a turn has lasted 10 ms comes with the next one: under valgrind a first call of
// everything takes longer than that, and any machine may.
TEST_F(SocketsOfAPoll, HaveOneTurn) {
    std::string story;
    for (int tries = 0; tries != 20 && !story.starts_with("socket socket"); ++tries)
        story = story_of_one();
    EXPECT_EQ(story, "socket socket continuation continuation 3 wake-ups")
        << "a wake-up is one for each socket, and the turn";
}

TEST_F(Shards, MayUseANumberOneAfterTheOther) {
    add(33);
    turn();
    const socket_pair pair;
    const auto tell = [&](std::size_t number, int what) {
        inside(started[number].handle, [&](fake_multi& multi) { multi.announce(pair.fd(), what); });
    };
    tell(0, CURL_POLL_IN);
    tell(32, CURL_POLL_IN); // closed without a word, and opened by another
    tell(0, CURL_POLL_REMOVE);
    EXPECT_EQ(watched(pair.fd()), UV_READABLE) << "it is not the first one's any more";
    turn();
    EXPECT_EQ(multi->stats().sockets, 1u);
    std::vector<fake_multi*> driven;
    curl->on_action = [&](fake_multi& multi, curl_socket_t socket, int) {
        if (socket == pair.fd())
            driven.push_back(&multi);
        pair.drain();
    };
    pair.make_readable();
    turn();
    EXPECT_THAT(driven, ElementsAre(&multi_at(1)));
    tell(32, CURL_POLL_REMOVE);
    EXPECT_EQ(watched(pair.fd()), std::nullopt);
}

} // namespace
