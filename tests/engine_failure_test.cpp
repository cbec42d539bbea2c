// SPDX-License-Identifier: MIT
// What libcurl refuses, gives up, or does at an awkward moment.
#include "socket_watch.hpp"
#include "support/fake_curl/engine_fixture.hpp"
#include "support/fake_curl/out_of_memory.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;
using testing::Each;
using testing::ElementsAre;

namespace {

class AnEngine : public engine_fixture {
protected:
    std::vector<future<easy>> add(std::vector<easy>& handles) {
        std::vector<future<easy>> all;
        for (auto& each : handles)
            all.push_back(multi->add_handle(each));
        return all;
    }
};

// libcurl gives up. -------------------------------------------------------------------------------

TEST_F(AnEngine, FailsAllThatIsPendingWhenSocketActionFailsButNotWhatIsFinished) {
    std::vector<easy> handles(3);
    auto all = add(handles);
    curl->on_action = [&](fake_multi& multi, curl_socket_t, int) {
        multi.complete(handles[1].native_handle());
    };
    curl->refuse(fake_call::socket_action, CURLM_INTERNAL_ERROR);
    turn();
    EXPECT_EQ(outcome(std::move(all[0])), multi_code(CURLM_INTERNAL_ERROR));
    EXPECT_EQ(outcome(std::move(all[1])), std::error_code());
    EXPECT_EQ(outcome(std::move(all[2])), multi_code(CURLM_INTERNAL_ERROR));
    EXPECT_EQ(multi->stats().rebuilds, 1u);
    EXPECT_EQ(multi->stats().failed, 2u);
    EXPECT_EQ(multi->size(), 0u);
}

TEST_F(AnEngine, GoesOnWithANewMultiHandleAndTheOptionsOfTheOld) {
    multi->setopt<CURLMOPT_MAXCONNECTS>(7);
    multi->setopt<CURLMOPT_MAX_HOST_CONNECTIONS>(3);
    multi->setopt<CURLMOPT_MAX_HOST_CONNECTIONS>(2);
    easy handle;
    auto failed = multi->add_handle(handle);
    curl->refuse(fake_call::socket_action, CURLM_OUT_OF_MEMORY);
    turn();
    EXPECT_EQ(outcome(std::move(failed)), multi_code(CURLM_OUT_OF_MEMORY));

    multi->setopt<CURLMOPT_MAX_TOTAL_CONNECTIONS>(9);
    curl->on_action = [](fake_multi& multi, curl_socket_t, int) { multi.complete_all(); };
    auto again = multi->add_handle(handle);
    EXPECT_EQ(curl->multis_made(), 2u);
    EXPECT_EQ(curl->multi().numbers[CURLMOPT_MAXCONNECTS], 7);
    EXPECT_EQ(curl->multi().numbers[CURLMOPT_MAX_HOST_CONNECTIONS], 2);
    EXPECT_EQ(curl->multi().numbers[CURLMOPT_MAX_TOTAL_CONNECTIONS], 9);
    turn();
    EXPECT_EQ(outcome(std::move(again)), std::error_code());
}

TEST_F(AnEngine, StopsItsWatchesAndItsTimerWhenLibcurlGivesUp) {
    const socket_pair pair;
    easy handle;
    auto failed = multi->add_handle(handle);
    curl->on_action = [&](fake_multi& multi, curl_socket_t, int) {
        multi.announce(pair.fd(), CURL_POLL_IN);
        multi.set_timer(100'000);
    };
    curl->refuse(fake_call::socket_action, CURLM_INTERNAL_ERROR);
    // Some versions name sockets and times in the cleanup; a multi handle that goes needs neither.
    curl->on_cleanup = [&](fake_multi& multi) {
        multi.announce(pair.fd(), CURL_POLL_INOUT);
        multi.set_timer(0);
        multi.set_timer(100'000);
    };
    pair.make_readable();
    turn(3);
    EXPECT_TRUE(failed.ready());
    EXPECT_EQ(watched(pair.fd()), std::nullopt);
    EXPECT_EQ(multi->stats().sockets, 0u);
    EXPECT_EQ(curl->calls(fake_call::socket_action), 1u);
}

TEST_F(AnEngine, RunsTheContinuationOfAFailureOutsideLibcurl) {
    easy handle;
    bool again = false;
    multi->add_handle(handle)
        .catch_error([&](std::exception_ptr) {
            EXPECT_FALSE(curl->inside());
            curl->on_action = [](fake_multi& multi, curl_socket_t, int) { multi.complete_all(); };
            return multi->add_handle(handle);
        })
        .then([&](const easy&) { again = true; })
        .detach([](std::exception_ptr) { ADD_FAILURE(); });
    curl->refuse(fake_call::socket_action, CURLM_INTERNAL_ERROR);
    run_to([&] { return again; });
}

// Names are looked up. ----------------------------------------------------------------------------

class AnEngineThatLooksUp : public AnEngine {
protected:
    void SetUp() override {
        AnEngine::SetUp();
        multi.reset();
        curl->looks_names_up = true;
        multi.emplace(&loop, async_multi_options{.heartbeat = 0ms, .look_ups = 1});
    }
    void found(easy& handle, CURLcode code = CURLE_OK) {
        inside(handle, [&](fake_multi& multi) { multi.complete(handle.native_handle(), code); });
    }
    bool begun(easy& handle) { return curl->has(handle.native_handle()); }
};

TEST_F(AnEngineThatLooksUp, AsksTheNextNameHoweverWhoWaitedForItFails) {
    bool failed = true;
    int failures = 0;
    for (std::size_t skip = 0; failed; ++skip) {
        std::vector<easy> handles;
        for (const char* const url : {"http://one", "https://two", "http://three"})
            handles.emplace_back(url + std::to_string(skip) + ".test/");
        auto all = add(handles);
        ASSERT_EQ(multi->stats().running, 1u);
        found(handles[0]);
        curl->on_action = [&](fake_multi& multi, curl_socket_t, int) {
            const enough_memory enough;
            multi.complete_all();
        };
        {
            const out_of_memory memory(skip);
            turn();
            failed = out_of_memory::happened();
        }
        run_to([&] { return all[1].ready() && all[2].ready(); });
        try {
            all[1].get();
        } catch (const std::bad_alloc&) {
            ++failures;
        }
        curl->on_action = nullptr;
    }
    EXPECT_GT(failures, 0);
}

TEST_F(AnEngineThatLooksUp, AsksAnewForANameThatWasUnknownOnce) {
    easy unknown("http://one.test/"), other("http://two.test/");
    auto failed = multi->add_handle(unknown);
    found(unknown, CURLE_COULDNT_RESOLVE_HOST);
    run_to([&] { return failed.ready(); });
    auto first = multi->add_handle(other), again = multi->add_handle(unknown);
    EXPECT_FALSE(begun(unknown));
    found(other);
    run_to([&] { return again.ready() || begun(unknown); });
    EXPECT_TRUE(begun(unknown));
    again.cancel();
}

// An add is refused. ------------------------------------------------------------------------------

TEST_F(AnEngine, RollsBackAnAddThatLibcurlRefuses) {
    easy handle;
    curl->refuse(fake_call::add, CURLM_BAD_EASY_HANDLE);
    try {
        static_cast<void>(multi->add_handle(handle));
        FAIL() << "it was not refused";
    } catch (const multi_error& error) {
        EXPECT_EQ(error.code(), multi_code(CURLM_BAD_EASY_HANDLE));
    }
    EXPECT_FALSE(handle.attached());
    EXPECT_FALSE(multi->contains(handle));
    EXPECT_EQ(multi->size(), 0u);
    EXPECT_EQ(multi->stats().pending, 0u);
    EXPECT_EQ(multi->stats().running, 0u);
    EXPECT_TRUE(multi->futures().empty());

    curl->on_action = [](fake_multi& multi, curl_socket_t, int) { multi.complete_all(); };
    auto over = multi->add_handle(handle);
    turn();
    EXPECT_EQ(outcome(std::move(over)), std::error_code());
}

TEST_F(AnEngine, LeavesTheOthersAloneWhenLibcurlRefusesAnAdd) {
    easy first, second;
    auto over = multi->add_handle(first);
    curl->refuse(fake_call::add, CURLM_OUT_OF_MEMORY);
    EXPECT_THROW(static_cast<void>(multi->add_handle(second)), multi_error);
    curl->on_action = [](fake_multi& multi, curl_socket_t, int) { multi.complete_all(); };
    turn();
    EXPECT_EQ(outcome(std::move(over)), std::error_code());
    EXPECT_EQ(curl->multis_made(), 1u);
}

TEST_F(AnEngine, FailsTheFutureOfAnAddOnAnotherThreadThatLibcurlRefuses) {
    easy handle;
    curl->refuse(fake_call::add, CURLM_BAD_EASY_HANDLE);
    future<easy> failed;
    multi->ref(); // what another thread adds holds the loop once it has come home
    std::thread([&] { failed = multi->add_handle(handle); }).join();
    run_to([&] { return failed.ready(); });
    EXPECT_EQ(outcome(std::move(failed)), multi_code(CURLM_BAD_EASY_HANDLE));
    EXPECT_FALSE(handle.attached());
    EXPECT_EQ(multi->stats().failed, 1u);
    EXPECT_EQ(multi->stats().pending, 0u);
}

TEST_F(AnEngine, FailsTheFutureOfAnAddInsideLibcurlThatLibcurlRefuses) {
    easy first, second;
    future<easy> failed;
    auto pending = multi->add_handle(first);
    curl->refuse(fake_call::add, CURLM_BAD_EASY_HANDLE);
    inside(first, [&](fake_multi&) {
        failed = multi->add_handle(second);
        EXPECT_FALSE(failed.ready());
        EXPECT_TRUE(multi->contains(second));
    });
    EXPECT_EQ(outcome(std::move(failed)), multi_code(CURLM_BAD_EASY_HANDLE));
    EXPECT_FALSE(multi->contains(second));
    EXPECT_FALSE(pending.ready());
}

TEST_F(AnEngine, TakesARemovalInsideAnAddThatLibcurlRefuses) {
    easy handle;
    std::vector<shared_future<easy>> seen;
    curl->refuse(fake_call::add, CURLM_BAD_EASY_HANDLE);
    curl->on_add = [&](fake_multi&, CURL*) {
        seen = multi->futures();
        multi->remove_handle(handle);
    };
    EXPECT_THROW(static_cast<void>(multi->add_handle(handle)), multi_error);
    ASSERT_EQ(seen.size(), 1u);
    EXPECT_TRUE(seen[0].cancelled());
    EXPECT_TRUE(seen[0].ready());
    EXPECT_FALSE(handle.attached());
    EXPECT_EQ(multi->stats().pending, 0u);
}

// A removal is refused. ---------------------------------------------------------------------------

TEST_F(AnEngine, RebuildsTheMultiHandleWhenLibcurlDoesNotLetGo) {
    easy stuck, other;
    auto cancelled = multi->add_handle(stuck);
    auto pending = multi->add_handle(other);
    turn();
    curl->refuse(fake_call::remove, CURLM_RECURSIVE_API_CALL);
    curl->on_cleanup = [&](fake_multi&) {
        // It is the cleanup that makes libcurl let go: not before may anybody touch the easy.
        EXPECT_FALSE(cancelled.ready());
        EXPECT_TRUE(stuck.attached());
    };
    EXPECT_TRUE(cancelled.cancel());
    EXPECT_TRUE(cancelled.ready());
    EXPECT_FALSE(stuck.attached());
    EXPECT_EQ(outcome(std::move(pending)), multi_code(CURLM_RECURSIVE_API_CALL));
    EXPECT_EQ(multi->stats().rebuilds, 1u);
    EXPECT_EQ(multi->stats().running, 0u);
    EXPECT_EQ(multi->stats().cancelled, 1u);
    EXPECT_EQ(multi->stats().failed, 1u);
    EXPECT_EQ(multi->size(), 0u);
    curl->on_cleanup = nullptr;
    auto again = multi->add_handle(stuck);
    EXPECT_EQ(curl->multis_made(), 2u);
}

TEST_F(AnEngine, KeepsTheResultOfATransferThatLibcurlDoesNotLetGo) {
    easy finished, other;
    auto over = multi->add_handle(finished);
    auto pending = multi->add_handle(other);
    curl->on_action = [&](fake_multi& multi, curl_socket_t, int) {
        multi.complete(finished.native_handle());
    };
    curl->on_cleanup = [&](fake_multi&) { EXPECT_FALSE(over.ready()); };
    curl->refuse(fake_call::remove, CURLM_INTERNAL_ERROR);
    turn();
    EXPECT_EQ(outcome(std::move(over)), std::error_code());
    EXPECT_EQ(outcome(std::move(pending)), multi_code(CURLM_INTERNAL_ERROR));
}

TEST_F(AnEngine, ClosesAnEasyThatLibcurlDoesNotLetGoAfterItsMultiHandle) {
    easy stuck;
    auto cancelled = multi->add_handle(stuck);
    curl->refuse(fake_call::remove, CURLM_INTERNAL_ERROR);
    stuck.close(); // the fake tells if it is cleaned up too early
    EXPECT_TRUE(cancelled.cancelled());
    EXPECT_TRUE(cancelled.ready());
}

TEST_F(AnEngine, ClosesThoughLibcurlLetsGoOfNothing) {
    std::vector<easy> handles(3);
    auto all = add(handles);
    curl->refuse(fake_call::remove, CURLM_INTERNAL_ERROR);
    multi->run_until(multi->close());
    for (auto& each : all) {
        EXPECT_TRUE(each.ready());
        EXPECT_TRUE(each.cancelled());
    }
    EXPECT_EQ(curl->multis(), 0u);
}

// Messages. ---------------------------------------------------------------------------------------

TEST_F(AnEngine, ReadsAllMessagesOfACallInTheirOrder) {
    std::vector<easy> handles(10);
    std::vector<int> order;
    int index = 0;
    for (auto& each : handles)
        multi->add_handle(each).detach([](std::exception_ptr) {});
    for (auto& each : multi->futures())
        each.then_result([&, index = index++](result<easy>&& how) {
                order.push_back(index);
                EXPECT_EQ(how.has_value(), index % 2 == 0);
                EXPECT_FALSE(curl->inside());
            })
            .detach([](std::exception_ptr) {});
    curl->on_action = [&](fake_multi& multi, curl_socket_t, int) {
        for (int i = 9; i >= 0; --i)
            multi.complete(handles[static_cast<std::size_t>(i)].native_handle(),
                           i % 2 == 0 ? CURLE_OK : CURLE_RECV_ERROR);
    };
    turn(2);
    EXPECT_THAT(order, ElementsAre(9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
    EXPECT_EQ(multi->stats().completed, 5u);
    EXPECT_EQ(multi->stats().failed, 5u);
}

TEST_F(AnEngine, ReadsAMessageThatComesWithinAnAdd) {
    easy handle;
    curl->on_add = [](fake_multi& multi, CURL* easy) { multi.complete(easy); };
    auto over = multi->add_handle(handle);
    turn();
    EXPECT_EQ(outcome(std::move(over)), std::error_code());
    EXPECT_FALSE(handle.attached());
}

TEST_F(AnEngine, ReadsAMessageThatComesWithinAnAddAtOnceWhereNoTurnIsAskedFor) {
    easy handle;
    curl->on_add = [](fake_multi& multi, CURL* easy) {
        multi.complete(easy);
        multi.set_timer(-1);
    };
    EXPECT_EQ(outcome(multi->add_handle(handle)), std::error_code());
    EXPECT_FALSE(handle.attached());
}

TEST_F(AnEngine, ReadsAMessageThatComesWithinARemovalOfAnother) {
    easy first, second;
    auto removed = multi->add_handle(first);
    auto over = multi->add_handle(second);
    curl->on_remove = [&](fake_multi& multi, CURL* easy) {
        if (easy == first.native_handle())
            multi.complete(second.native_handle(), CURLE_GOT_NOTHING);
    };
    multi->remove_handle(first);
    EXPECT_TRUE(removed.cancelled());
    EXPECT_EQ(outcome(std::move(over)), std::error_code(CURLE_GOT_NOTHING, easy_category()));
}

TEST_F(AnEngine, ReadsAMessageThatComesWithinAPause) {
    easy handle;
    auto over = multi->add_handle(handle);
    inside(handle, [](fake_multi& multi) { multi.complete_all(CURLE_WRITE_ERROR); });
    EXPECT_EQ(outcome(std::move(over)), std::error_code(CURLE_WRITE_ERROR, easy_category()));
}

TEST_F(AnEngine, IgnoresMessagesOfStrangersAndOfTheCancelled) {
    easy handle, stranger;
    auto over = multi->add_handle(handle);
    curl->on_action = [&](fake_multi& multi, curl_socket_t, int) {
        multi.complete(stranger.native_handle());
        multi.complete(handle.native_handle());
        over.cancel();
    };
    turn();
    EXPECT_TRUE(over.ready());
    EXPECT_TRUE(over.cancelled());
    EXPECT_EQ(multi->stats().cancelled, 1u);
    EXPECT_EQ(multi->stats().completed, 0u);
}

TEST_F(AnEngine, ResolvesEachCompletionOnce) {
    std::vector<easy> handles(50);
    std::vector<int> told(handles.size());
    for (std::size_t i = 0; i != handles.size(); ++i)
        multi->add_handle(handles[i])
            .then_result([&, i](result<easy>&&) { ++told[i]; })
            .detach([](std::exception_ptr) {});
    // Some are doubled, some cancelled in the same call, before or after the message.
    curl->on_action = [&](fake_multi& multi_now, curl_socket_t, int) {
        for (std::size_t i = 0; i != handles.size(); ++i) {
            if (i % 5 == 1)
                multi->remove_handle(handles[i]);
            if (i % 5 != 2)
                multi_now.complete(handles[i].native_handle());
            if (i % 5 == 3)
                multi_now.complete(handles[i].native_handle());
            if (i % 5 == 4 || i % 5 == 2)
                multi->remove_handle(handles[i]);
        }
    };
    turn(3);
    EXPECT_THAT(told, Each(1));
    EXPECT_EQ(multi->stats().pending, 0u);
}

TEST_F(AnEngine, KeepsAConnectOnlyEasyAndCountsItOnce) {
    easy handle;
    handle.setopt<CURLOPT_CONNECT_ONLY>(1L);
    auto over = multi->add_handle(handle);
    curl->on_action = [&](fake_multi& multi, curl_socket_t, int) { multi.complete_all(); };
    turn();
    EXPECT_EQ(outcome(std::move(over)), std::error_code());
    EXPECT_TRUE(multi->contains(handle));
    curl->on_pause = [](fake_multi& multi, CURL*) { multi.complete_all(); };
    handle.unpause();
    EXPECT_EQ(multi->stats().completed, 1u);
    EXPECT_EQ(multi->stats().pending, 0u);
    multi->remove_handle(handle);
    EXPECT_FALSE(multi->contains(handle));
    EXPECT_EQ(multi->stats().completed, 1u);
    EXPECT_EQ(multi->stats().cancelled, 0u);
}

// Calls inside libcurl. ---------------------------------------------------------------------------

TEST_F(AnEngine, LetsOneDirectionGoOnAndNotTheOther) {
    easy handle;
    const auto over = multi->add_handle(handle);
    handle.pause(CURLPAUSE_ALL);
    handle.unpause(easy::direction::receive);
    handle.pause(easy::direction::receive);
    EXPECT_EQ(curl->bitmasks, (std::vector{CURLPAUSE_ALL, CURLPAUSE_SEND, CURLPAUSE_ALL}));
}

TEST_F(AnEngine, TakesEveryCallInsideLibcurlAndActsWhenItHasReturned) {
    easy running, removed, cancelled, added;
    auto pending = multi->add_handle(running);
    auto first = multi->add_handle(removed);
    auto second = multi->add_handle(cancelled);
    future<easy> third;
    int paused = 0;
    curl->on_pause = [&](fake_multi&, CURL*) { ++paused; };
    curl->on_action = [&](fake_multi&, curl_socket_t, int) {
        curl->on_action = nullptr;
        multi->remove_handle(removed);
        EXPECT_FALSE(multi->contains(removed));
        EXPECT_TRUE(second.cancel());
        EXPECT_TRUE(second.cancelled());
        EXPECT_FALSE(second.ready());
        third = multi->add_handle(added);
        running.unpause();
        running.pause(CURLPAUSE_ALL); // one call of libcurl's for both
        EXPECT_THROW(multi->setopt<CURLMOPT_MAXCONNECTS>(1), usage_error);
        EXPECT_EQ(curl->calls(fake_call::remove), 0u);
    };
    turn();
    EXPECT_TRUE(first.ready() && first.cancelled());
    EXPECT_TRUE(second.ready());
    EXPECT_TRUE(curl->has(added.native_handle()));
    EXPECT_FALSE(pending.ready());
    EXPECT_EQ(paused, 1);
}

TEST_F(AnEngine, ClosesInsideLibcurlWhenItHasReturned) {
    std::vector<easy> handles(3);
    auto all = add(handles);
    future<void> closed;
    curl->on_action = [&](fake_multi&, curl_socket_t, int) {
        closed = multi->close();
        EXPECT_TRUE(multi->closed());
        EXPECT_EQ(curl->calls(fake_call::cleanup), 0u);
    };
    turn();
    for (auto& each : all)
        EXPECT_TRUE(each.ready() && each.cancelled());
    run_to([&] { return closed.ready(); });
    EXPECT_EQ(curl->multis(), 0u);
}

TEST_F(AnEngine, TakesAnyCallInsideEachCallOfItsEnd) {
    std::vector<easy> handles(3);
    easy late;
    auto all = add(handles);
    const auto meddle = [&] {
        EXPECT_TRUE(multi->close().valid());
        EXPECT_THROW(static_cast<void>(multi->add_handle(late)), usage_error);
        for (auto& each : all)
            each.cancel();
        if (!handles[0].closed())
            handles[0].close();
    };
    curl->on_remove = [&](fake_multi&, CURL*) { meddle(); };
    curl->on_cleanup = [&](fake_multi&) { meddle(); };
    multi->run_until(multi->close());
    for (auto& each : all)
        EXPECT_TRUE(each.ready() && each.cancelled());
}

TEST_F(AnEngine, RemovesThousandsInsideOneCall) {
    std::vector<easy> handles(5000);
    auto all = add(handles);
    curl->on_action = [&](fake_multi&, curl_socket_t, int) {
        for (auto& each : all)
            each.cancel();
    };
    turn();
    EXPECT_TRUE(std::ranges::all_of(all, [](auto& each) { return each.ready(); }));
    EXPECT_EQ(multi->size(), 0u);
}

// Memory. -----------------------------------------------------------------------------------------

// Takes what is kept of watches that ended, so that the next one asks for memory.
struct as_large_as_a_watch : detail::recycled {
    alignas(detail::socket_watch) std::array<std::byte, sizeof(detail::socket_watch)> bytes;
};

// Either the watch works, or the transfer fails and the next one works.
TEST_F(AnEngine, SurvivesEveryFailedAllocationOfAWatch) {
    using enum out_of_memory::lasting;
    std::vector<std::unique_ptr<as_large_as_a_watch>> taken;
    for (int kept = 0; kept != 1024; ++kept) // of earlier tests
        taken.push_back(std::make_unique<as_large_as_a_watch>());
    for (const auto lasting : {once, from_there_on}) {
        const auto rebuilt_before = multi->stats().rebuilds;
        bool failed = true;
        for (std::size_t skip = 0; failed; ++skip) {
            const socket_pair pair;
            easy handle;
            const auto rebuilt = multi->stats().rebuilds;
            taken.push_back(std::make_unique<as_large_as_a_watch>());
            auto over = multi->add_handle(handle);
            curl->on_action = [&](fake_multi& multi, curl_socket_t socket, int) {
                curl->on_action = [&](fake_multi& multi, curl_socket_t socket, int) {
                    EXPECT_EQ(socket, pair.fd()) << "it is only the heartbeat that helps";
                    multi.complete_all();
                };
                EXPECT_EQ(socket, CURL_SOCKET_TIMEOUT);
                const out_of_memory memory(skip, lasting);
                multi.announce(pair.fd(), CURL_POLL_IN);
                failed = out_of_memory::happened();
            };
            pair.make_readable();
            run_to([&] { return over.ready(); });
            const bool gave_up = multi->stats().rebuilds != rebuilt;
            EXPECT_EQ(outcome(std::move(over)),
                      gave_up ? multi_code(CURLM_OUT_OF_MEMORY) : std::error_code());
            EXPECT_EQ(watched(pair.fd()), gave_up ? std::nullopt : std::optional(UV_READABLE));
            curl->on_action = [&](fake_multi& multi, curl_socket_t, int) {
                multi.announce(pair.fd(), CURL_POLL_REMOVE);
                multi.complete_all();
            };
            auto after = multi->add_handle(handle);
            run_to([&] { return after.ready(); });
            EXPECT_EQ(outcome(std::move(after)), std::error_code());
        }
        EXPECT_GT(multi->stats().rebuilds, rebuilt_before);
    }
}

TEST_F(AnEngine, SurvivesEveryFailedAllocationOfATimer) {
    bool failed = true;
    int failures = 0;
    for (std::size_t skip = 0; failed; ++skip) {
        easy handle;
        auto over = multi->add_handle(handle);
        int called = 0;
        curl->on_action = [&](fake_multi& multi, curl_socket_t, int) {
            if (called++ != 0)
                return multi.complete_all();
            const out_of_memory memory(skip);
            multi.set_timer(1);
            failed = out_of_memory::happened();
            failures += failed ? 1 : 0;
        };
        run_to([&] { return over.ready(); });
        EXPECT_EQ(outcome(std::move(over)), std::error_code());
    }
    EXPECT_GT(failures, 0);
    EXPECT_EQ(multi->stats().heartbeats, 0u) << "nothing else came to the rescue";
}

TEST_F(AnEngine, ChangesNothingWhenAnAddRunsOutOfMemory) {
    bool failed = true;
    int failures = 0;
    curl->on_add = nullptr;
    for (std::size_t skip = 0; failed; ++skip) {
        easy handle;
        std::optional<future<easy>> over;
        try {
            const out_of_memory memory(skip);
            over = multi->add_handle(handle);
        } catch (const std::bad_alloc&) {
            ++failures;
            EXPECT_FALSE(handle.attached());
            EXPECT_FALSE(multi->contains(handle));
            EXPECT_EQ(multi->stats().pending, 0u);
            EXPECT_EQ(multi->size(), 0u);
        }
        failed = out_of_memory::happened();
        if (over)
            over->cancel();
    }
    EXPECT_GT(failures, 0);
}

} // namespace
