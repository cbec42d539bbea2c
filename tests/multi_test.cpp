// SPDX-License-Identifier: MIT
// A multi without any loop: handles, results, waiting, options and closing.
#include "support/files.hpp"
#include "support/multi_driver.hpp"
#include "support/multi_fixture.hpp"
#include "support/scripted_server.hpp"
#include "support/server_process.hpp"
#include <curlicue/multi.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/select.h>
#include <unistd.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

namespace {

class AMulti : public multi_fixture {
protected:
    /// Adds a transfer from a silent server and performs it until its answer is all it waits for.
    curl_socket_t wait_for_the_answer_to(easy page) {
        curl_socket_t socket = CURL_SOCKET_BAD;
        page.setopt<CURLOPT_SOCKOPTFUNCTION>([&](curl_socket_t opened, curlsocktype) {
            socket = opened;
            return CURL_SOCKOPT_OK;
        });
        transfers.add_handle(page);
        const patience patience;
        while (std::ranges::count(transfers.fdset().read, socket) == 0) {
            patience.check();
            transfers.perform();
            transfers.poll(10ms);
        }
        return socket;
    }

    multi transfers;
};

/// A server that keeps its clients waiting until it goes.
class silent_server : public scripted_server {
public:
    silent_server() : scripted_server([](connection& client) { client.hold(); }) {}
};

/// A pipe, with a byte in it.
class full_pipe {
public:
    full_pipe() {
        if (::pipe(ends_.data()) != 0 || ::write(ends_[1], "x", 1) != 1)
            throw std::runtime_error("pipe");
    }
    full_pipe(const full_pipe&) = delete;
    full_pipe& operator=(const full_pipe&) = delete;
    ~full_pipe() {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }
    int reading_end() const { return ends_[0]; }

private:
    std::array<int, 2> ends_{};
};

// ---- transfers and their results

TEST_F(AMulti, FetchesAPage) {
    std::string body;
    const easy page = get("/hello", body);
    transfers.add_handle(page);
    const info_batch told = run(transfers);
    EXPECT_THAT(told.succeeded, ElementsAre(page));
    EXPECT_THAT(told.failed, IsEmpty());
    EXPECT_EQ(told.remaining, 0u);
    EXPECT_EQ(body, "hello\n");
}

TEST_F(AMulti, RunsTransfersSideBySide) {
    std::array<std::string, 5> bodies;
    std::vector<easy> pages;
    for (std::string& body : bodies) {
        pages.push_back(get("/bytes/1048576", body));
        transfers.add_handle(pages.back());
    }
    EXPECT_EQ(transfers.perform(), 5);
    EXPECT_THAT(run(transfers).succeeded, testing::UnorderedElementsAreArray(pages));
    for (const std::string& body : bodies)
        EXPECT_EQ(body, bytes(1 << 20));
}

TEST_F(AMulti, CallsAStatusOf404ASuccess) {
    std::string body;
    const easy page = get("/status/404", body);
    transfers.add_handle(page);
    EXPECT_THAT(run(transfers).succeeded, ElementsAre(page));
    EXPECT_EQ(page.getinfo<CURLINFO_RESPONSE_CODE>(), 404);
}

TEST_F(AMulti, TellsARefusedConnectionAsFailed) {
    const reserved_port nobody;
    const easy page("http://" + nobody.address());
    transfers.add_handle(page);
    const info_batch told = run(transfers);
    EXPECT_THAT(told.succeeded, IsEmpty());
    ASSERT_EQ(told.failed.size(), 1u);
    EXPECT_EQ(told.failed[0].handle, page);
    EXPECT_EQ(told.failed[0].code, CURLE_COULDNT_CONNECT);
    EXPECT_THAT(told.failed[0].message, testing::HasSubstr("connect"));
    EXPECT_FALSE(told.failed[0].exception);
}

TEST_F(AMulti, TellsATimeoutAsFailed) {
    const silent_server server;
    easy page(server.url());
    page.setopt<CURLOPT_TIMEOUT_MS>(50);
    transfers.add_handle(page);
    const info_batch told = run(transfers);
    ASSERT_EQ(told.failed.size(), 1u);
    EXPECT_EQ(told.failed[0].code, CURLE_OPERATION_TIMEDOUT);
}

TEST_F(AMulti, LosesNoMessageWhenAskedForTwoOfThree) {
    std::array<std::string, 3> bodies;
    std::vector<easy> pages;
    for (std::string& body : bodies) {
        pages.push_back(get("/hello", body));
        transfers.add_handle(pages.back());
    }
    finish(transfers);
    info_batch told = transfers.info_read(2);
    EXPECT_EQ(told.succeeded.size(), 2u);
    EXPECT_EQ(told.remaining, 1u);
    for (const easy& page : told.succeeded) // with which libcurl forgets theirs, and only theirs
        transfers.remove_handle(page);
    gather(told, transfers.info_read(2));
    EXPECT_THAT(told.succeeded, testing::UnorderedElementsAreArray(pages));
    EXPECT_EQ(told.remaining, 0u);
}

TEST_F(AMulti, OnlyCountsWhenAskedForNone) {
    std::string body;
    transfers.add_handle(get("/hello", body));
    finish(transfers);
    const info_batch told = transfers.info_read(0);
    EXPECT_THAT(told.succeeded, IsEmpty());
    EXPECT_EQ(told.remaining, 1u);
    EXPECT_EQ(transfers.info_read().succeeded.size(), 1u);
}

TEST_F(AMulti, TellsEachTransferOnce) {
    std::string body;
    transfers.add_handle(get("/hello", body));
    EXPECT_EQ(run(transfers).succeeded.size(), 1u);
    const info_batch again = transfers.info_read();
    EXPECT_THAT(again.succeeded, IsEmpty());
    EXPECT_THAT(again.failed, IsEmpty());
    EXPECT_EQ(again.remaining, 0u);
}

TEST_F(AMulti, WithdrawsWhatWasNotReadOfARemovedHandle) {
    std::array<std::string, 2> bodies;
    const easy removed = get("/hello", bodies[0]);
    const easy kept = get("/hello", bodies[1]);
    transfers.add_handle(removed);
    transfers.add_handle(kept);
    finish(transfers);
    EXPECT_EQ(transfers.info_read(0).remaining, 2u);
    transfers.remove_handle(removed);
    EXPECT_THAT(transfers.info_read().succeeded, ElementsAre(kept));
}

TEST_F(AMulti, TellsNothingOfAHandleThatNeverEnded) {
    const silent_server server;
    transfers.add_handle(easy(server.url()));
    EXPECT_EQ(transfers.perform(), 1);
    const info_batch told = transfers.info_read();
    EXPECT_THAT(told.succeeded, IsEmpty());
    EXPECT_THAT(told.failed, IsEmpty());
}

// ---- adding and removing

TEST_F(AMulti, ContainsAnEasyUntilItIsRemoved) {
    std::string body;
    const easy page = get("/hello", body);
    EXPECT_FALSE(transfers.contains(page));
    transfers.add_handle(page);
    EXPECT_TRUE(transfers.contains(page));
    EXPECT_TRUE(page.attached());
    run(transfers);
    EXPECT_TRUE(transfers.contains(page)) << "over is not removed";
    transfers.remove_handle(page);
    EXPECT_FALSE(transfers.contains(page));
    EXPECT_FALSE(page.attached());
}

TEST_F(AMulti, UsesAnEasyAgainOnceItIsRemoved) {
    std::string body;
    const easy page = get("/hello", body);
    for (int i = 0; i < 2; ++i) {
        transfers.add_handle(page);
        EXPECT_EQ(run(transfers).succeeded.size(), 1u);
        transfers.remove_handle(page);
    }
    EXPECT_EQ(body, "hello\nhello\n");
}

TEST_F(AMulti, KeepsAnEasyAliveThatNobodyElseHolds) {
    std::string body;
    transfers.add_handle(get("/hello", body));
    run(transfers);
    EXPECT_EQ(body, "hello\n");
}

TEST_F(AMulti, EndsARunningTransferThatIsRemoved) {
    const silent_server server;
    const easy page(server.url());
    transfers.add_handle(page);
    EXPECT_EQ(transfers.perform(), 1);
    transfers.remove_handle(page);
    EXPECT_EQ(transfers.perform(), 0);
    EXPECT_THAT(transfers.info_read().failed, IsEmpty());
}

TEST_F(AMulti, RefusesAnEasyThatIsAddedAlreadyAndGoesOnWithIt) {
    std::string body;
    const easy page = get("/hello", body);
    transfers.add_handle(page);
    EXPECT_EQ(refusal([&] { transfers.add_handle(page); }), errc::already_added);
    EXPECT_THAT(run(transfers).succeeded, ElementsAre(page));
}

TEST_F(AMulti, RefusesAnEasyOfAnotherMulti) {
    std::string body;
    const easy page = get("/hello", body);
    multi another;
    another.add_handle(page);
    EXPECT_EQ(refusal([&] { transfers.add_handle(page); }), errc::already_added);
    EXPECT_FALSE(transfers.contains(page));
    EXPECT_TRUE(another.contains(page));
    EXPECT_EQ(refusal([&] { transfers.remove_handle(page); }), errc::not_added);
    EXPECT_THAT(run(another).succeeded, ElementsAre(page));
}

TEST_F(AMulti, RefusesAnEasyInsideItsOwnPerform) {
    std::string body;
    easy page = get("/hello", body);
    errc why{};
    page.setopt<CURLOPT_HEADERFUNCTION>([&](easy& self, std::string_view header) {
        why = refusal([&] { transfers.add_handle(self); });
        return header.size();
    });
    page.perform();
    EXPECT_EQ(why, errc::already_added);
    EXPECT_FALSE(transfers.contains(page));
    EXPECT_EQ(body, "hello\n");
}

TEST_F(AMulti, RefusesAClosedEasy) {
    easy page(url("/hello"));
    page.close();
    EXPECT_EQ(refusal([&] { transfers.add_handle(page); }), errc::closed);
    EXPECT_EQ(refusal([&] { transfers.remove_handle(page); }), errc::not_added);
    EXPECT_FALSE(transfers.contains(page));
}

TEST_F(AMulti, RefusesToRemoveAStranger) {
    const easy stranger(url("/hello"));
    EXPECT_EQ(refusal([&] { transfers.remove_handle(stranger); }), errc::not_added);
}

TEST_F(AMulti, RefusesToRemoveTwice) {
    const easy page(url("/hello"));
    transfers.add_handle(page);
    transfers.remove_handle(page);
    EXPECT_EQ(refusal([&] { transfers.remove_handle(page); }), errc::not_added);
}

TEST_F(AMulti, GivesAnEasyBackThatLibcurlRefuses) {
    const std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> elsewhere(curl_multi_init(),
                                                                          &curl_multi_cleanup);
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> lent(curl_easy_init(),
                                                                   &curl_easy_cleanup);
    ASSERT_EQ(curl_multi_add_handle(elsewhere.get(), lent.get()), CURLM_OK);
    const easy page = easy::borrow(lent.get());
    try {
        transfers.add_handle(page);
        FAIL() << "libcurl took a handle that it has in another multi";
    } catch (const multi_error& error) {
        EXPECT_EQ(error.code(), std::error_code(CURLM_ADDED_ALREADY, multi_category()));
        EXPECT_THAT(error.what(), testing::HasSubstr("curl_multi_add_handle"));
    }
    EXPECT_FALSE(transfers.contains(page));
    EXPECT_FALSE(page.attached());
    curl_multi_remove_handle(elsewhere.get(), lent.get());
    transfers.add_handle(page);
    EXPECT_TRUE(transfers.contains(page));
    transfers.remove_handle(page);
}

TEST_F(AMulti, TellsABorrowedHandleAsItself) {
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> lent(curl_easy_init(),
                                                                   &curl_easy_cleanup);
    curl_easy_setopt(lent.get(), CURLOPT_URL, url("/hello").c_str());
    curl_easy_setopt(lent.get(), CURLOPT_NOBODY, 1L);
    transfers.add_handle(easy::borrow(lent.get()));
    EXPECT_TRUE(transfers.contains(easy::borrow(lent.get())));
    EXPECT_THAT(run(transfers).succeeded, ElementsAre(easy::borrow(lent.get())));
    transfers.remove_handle(easy::borrow(lent.get()));
    long status = 0;
    curl_easy_getinfo(lent.get(), CURLINFO_RESPONSE_CODE, &status);
    EXPECT_EQ(status, 200);
}

TEST_F(AMulti, RemovesAnEasyThatIsClosed) {
    const silent_server server;
    easy page(server.url());
    transfers.add_handle(page);
    transfers.perform();
    page.close();
    EXPECT_TRUE(page.closed());
    EXPECT_EQ(transfers.perform(), 0);
    EXPECT_THAT(transfers.info_read().failed, IsEmpty());
}

// ---- waiting

TEST_F(AMulti, IsDrivenByFdsetAndTheCallersOwnSelect) {
    std::string body;
    transfers.add_handle(get("/bytes/1048576", body));
    const patience patience;
    while (transfers.perform() > 0) {
        patience.check();
        const fd_sets sets = transfers.fdset();
        fd_set read, write;
        FD_ZERO(&read);
        FD_ZERO(&write);
        int highest = -1;
        for (const curl_socket_t socket : sets.read) {
            FD_SET(socket, &read);
            highest = std::max(highest, socket);
        }
        for (const curl_socket_t socket : sets.write) {
            FD_SET(socket, &write);
            highest = std::max(highest, socket);
        }
        timeval time{.tv_sec = 0, .tv_usec = 10'000};
        ASSERT_GE(::select(highest + 1, &read, &write, nullptr, &time), 0);
    }
    EXPECT_EQ(body, bytes(1 << 20));
}

TEST_F(AMulti, HasNoDescriptorsWhenIdle) {
    const fd_sets sets = transfers.fdset();
    EXPECT_THAT(sets.read, IsEmpty());
    EXPECT_THAT(sets.write, IsEmpty());
    EXPECT_THAT(sets.except, IsEmpty());
}

TEST_F(AMulti, NamesTheSocketItReadsFrom) {
    const silent_server server;
    const curl_socket_t socket = wait_for_the_answer_to(easy(server.url()));
    EXPECT_THAT(transfers.fdset().read, Contains(socket)); // libcurl 8.20 has one of its own
    EXPECT_THAT(transfers.fdset().except, IsEmpty());
}

TEST_F(AMulti, IsDrivenBySelect) {
    std::string body;
    const easy page = get("/bytes/1048576", body);
    transfers.add_handle(page);
    const patience patience;
    while (transfers.perform() > 0) {
        patience.check();
        transfers.select(100ms);
    }
    EXPECT_THAT(transfers.info_read().succeeded, ElementsAre(page));
    EXPECT_EQ(body, bytes(1 << 20));
}

TEST_F(AMulti, SelectsNothingWhenIdle) { EXPECT_EQ(transfers.select(10s), -1); }

TEST_F(AMulti, SelectsZeroWhenTheTimeIsOver) {
    const silent_server server;
    wait_for_the_answer_to(easy(server.url()));
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(transfers.select(30ms), 0);
    EXPECT_GE(std::chrono::steady_clock::now() - start, 29ms);
}

TEST_F(AMulti, RefusesANegativeTime) {
    EXPECT_EQ(multi_refusal([&] { transfers.select(-1ms); }), CURLM_BAD_FUNCTION_ARGUMENT);
    EXPECT_EQ(multi_refusal([&] { transfers.poll(-1ms); }), CURLM_BAD_FUNCTION_ARGUMENT);
}

TEST_F(AMulti, PollsForAWhileWhenIdle) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(transfers.poll(30ms), 0);
    EXPECT_GE(std::chrono::steady_clock::now() - start, 29ms);
}

TEST_F(AMulti, PollsForTheCallersDescriptorsToo) {
    const full_pipe pipe;
    std::array<curl_waitfd, 1> mine{{{pipe.reading_end(), CURL_WAIT_POLLIN, 0}}};
    EXPECT_EQ(transfers.poll(10s, mine), 1);
    EXPECT_EQ(mine[0].revents, CURL_WAIT_POLLIN);
}

TEST_F(AMulti, SaysThatTheCallersDescriptorIsNotReady) {
    const silent_server server;
    std::array<curl_waitfd, 1> mine{{{STDIN_FILENO, CURL_WAIT_POLLPRI, CURL_WAIT_POLLIN}}};
    EXPECT_EQ(transfers.poll(0ms, mine), 0);
    EXPECT_EQ(mine[0].revents, 0);
}

TEST_F(AMulti, EndsThePollThatFollowsAWakeup) {
    transfers.wakeup();
    const auto start = std::chrono::steady_clock::now();
    transfers.poll(20s);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
}

TEST_F(AMulti, WaitsForNoTimeWhenIdle) { EXPECT_EQ(transfers.timeout(), std::nullopt); }

TEST_F(AMulti, WantsToBeCalledAtOnceAfterAnAdd) {
    std::string body;
    transfers.add_handle(get("/hello", body));
    EXPECT_EQ(transfers.timeout(), 0ms);
}

// ---- options

TEST_F(AMulti, TakesNumbers) {
    transfers.setopt<CURLMOPT_PIPELINING>(CURLPIPE_MULTIPLEX);
    transfers.setopt<CURLMOPT_PIPELINING>(true);
    transfers.setopt<CURLMOPT_MAXCONNECTS>(5);
    transfers.setopt<CURLMOPT_MAX_HOST_CONNECTIONS>(2L);
    transfers.setopt<CURLMOPT_MAX_TOTAL_CONNECTIONS>(3u);
    transfers.setopt<CURLMOPT_MAX_PIPELINE_LENGTH>(4);
    transfers.setopt<CURLMOPT_MAX_CONCURRENT_STREAMS>(50);
    transfers.setopt<CURLMOPT_CONTENT_LENGTH_PENALTY_SIZE>(curl_off_t(1) << 40);
    transfers.setopt<CURLMOPT_CHUNK_LENGTH_PENALTY_SIZE>(0);
    transfers.setopt(CURLMOPT_MAXCONNECTS, 6);
}

TEST_F(AMulti, HeedsTheNumbersItTakes) {
    transfers.setopt<CURLMOPT_MAX_HOST_CONNECTIONS>(1);
    std::array<std::string, 4> bodies;
    long connections = 0;
    std::vector<easy> pages;
    for (std::string& body : bodies) {
        pages.push_back(get("/hello", body));
        transfers.add_handle(pages.back());
    }
    EXPECT_EQ(run(transfers).succeeded.size(), 4u);
    for (const easy& page : pages)
        connections += page.getinfo<CURLINFO_NUM_CONNECTS>();
    EXPECT_EQ(connections, 1);
}

TEST_F(AMulti, TakesTheBlockListsOfOld) {
    transfers.setopt<CURLMOPT_PIPELINING_SITE_BL>(std::vector<std::string>{"example.com:80"});
    transfers.setopt<CURLMOPT_PIPELINING_SERVER_BL>(nullptr);
    transfers.setopt(CURLMOPT_PIPELINING_SERVER_BL, std::vector<std::string>{"IIS/6.0"});
}

TEST_F(AMulti, RefusesAnUnknownOption) {
    EXPECT_EQ(multi_refusal([&] { transfers.setopt(static_cast<CURLMoption>(9999), 1); }),
              CURLM_UNKNOWN_OPTION);
    EXPECT_EQ(multi_refusal([&] { transfers.setopt(static_cast<CURLMoption>(10999), nullptr); }),
              CURLM_UNKNOWN_OPTION);
    EXPECT_EQ(multi_refusal([&] { transfers.setopt(static_cast<CURLMoption>(0), 1); }),
              CURLM_UNKNOWN_OPTION);
}

TEST_F(AMulti, RefusesOptionsThatAreNotTheUsers) {
    for (const CURLMoption option : {CURLMOPT_SOCKETDATA, CURLMOPT_TIMERDATA, CURLMOPT_PUSHFUNCTION,
                                     CURLMOPT_PUSHDATA, static_cast<CURLMoption>(10019)})
        EXPECT_THROW(transfers.setopt(option, nullptr), std::invalid_argument) << option;
}

TEST_F(AMulti, RefusesAValueOfTheWrongKind) {
    EXPECT_THROW(transfers.setopt(CURLMOPT_MAXCONNECTS, nullptr), std::invalid_argument);
    EXPECT_THROW(transfers.setopt(CURLMOPT_MAXCONNECTS, std::vector<std::string>{}),
                 std::invalid_argument);
    EXPECT_THROW(transfers.setopt(CURLMOPT_SOCKETFUNCTION, 1), std::invalid_argument);
    EXPECT_THROW(
        transfers.setopt(CURLMOPT_TIMERFUNCTION, multi_socket_function([](auto...) { return 0; })),
        std::invalid_argument);
    EXPECT_THROW(transfers.setopt(CURLMOPT_PIPELINING_SITE_BL, 1), std::invalid_argument);
}

// ---- closing

TEST_F(AMulti, ClosesOnceAndForAll) {
    EXPECT_FALSE(transfers.closed());
    EXPECT_NE(transfers.native_handle(), nullptr);
    transfers.close();
    transfers.close();
    EXPECT_TRUE(transfers.closed());
    EXPECT_EQ(transfers.native_handle(), nullptr);
}

TEST_F(AMulti, RefusesEverythingOnceClosed) {
    const easy page(url("/hello"));
    transfers.close();
    EXPECT_EQ(refusal([&] { transfers.add_handle(page); }), errc::closed);
    EXPECT_EQ(refusal([&] { transfers.remove_handle(page); }), errc::closed);
    EXPECT_EQ(refusal([&] { transfers.perform(); }), errc::closed);
    EXPECT_EQ(refusal([&] { transfers.fdset(); }), errc::closed);
    EXPECT_EQ(refusal([&] { transfers.select(0ms); }), errc::closed);
    EXPECT_EQ(refusal([&] { transfers.poll(0ms); }), errc::closed);
    EXPECT_EQ(refusal([&] { transfers.wakeup(); }), errc::closed);
    EXPECT_EQ(refusal([&] { transfers.info_read(); }), errc::closed);
    EXPECT_EQ(refusal([&] { transfers.timeout(); }), errc::closed);
    EXPECT_EQ(refusal([&] { transfers.socket_action(CURL_SOCKET_TIMEOUT, 0); }), errc::closed);
    EXPECT_EQ(refusal([&] { transfers.socket_all(); }), errc::closed);
    EXPECT_EQ(refusal([&] { transfers.setopt<CURLMOPT_MAXCONNECTS>(1); }), errc::closed);
    EXPECT_EQ(refusal([&] { transfers.assign(0, nullptr); }), errc::closed);
    EXPECT_EQ(refusal([&] { transfers.unassign(0); }), errc::closed);
    EXPECT_EQ(refusal([&] { transfers.notify_enable(0u); }), errc::closed);
    EXPECT_EQ(refusal([&] { transfers.notify_disable(0u); }), errc::closed);
    EXPECT_FALSE(transfers.contains(page));
}

TEST_F(AMulti, LeavesEasiesOpenWhenItCloses) {
    const silent_server server;
    std::string body;
    easy idle(url("/hello"));
    easy running(server.url());
    easy done = get("/hello", body);
    transfers.add_handle(done);
    run(transfers);
    transfers.add_handle(running);
    transfers.perform();
    transfers.add_handle(idle);
    transfers.close();
    for (const easy* page : {&idle, &running, &done}) {
        EXPECT_FALSE(page->closed());
        EXPECT_FALSE(page->attached());
    }
    done.perform();
    EXPECT_EQ(body, "hello\nhello\n");
}

TEST_F(AMulti, ClosesEasiesToldToDoSo) {
    const silent_server server;
    multi closing({.close_handles = true});
    const easy idle(url("/hello"));
    const easy running(server.url());
    const easy removed(url("/hello"));
    closing.add_handle(running);
    closing.add_handle(removed);
    closing.perform();
    closing.remove_handle(removed);
    closing.add_handle(idle);
    closing.close();
    EXPECT_TRUE(idle.closed());
    EXPECT_TRUE(running.closed());
    EXPECT_FALSE(removed.closed());
}

TEST_F(AMulti, ClosesThemAtItsEndToo) {
    const silent_server server;
    const easy idle(url("/hello"));
    const easy running(server.url());
    {
        multi closing({.close_handles = true});
        closing.add_handle(running);
        closing.perform();
        closing.add_handle(idle);
    }
    EXPECT_TRUE(idle.closed());
    EXPECT_TRUE(running.closed());
}

TEST_F(AMulti, ClosesThemWhenItEndsInsideACallback) {
    std::optional<multi> closing(std::in_place, multi_options{.close_handles = true});
    const easy other(url("/hello"));
    easy page(url("/hello"));
    page.setopt<CURLOPT_WRITEFUNCTION>([&](std::span<const char> data) {
        closing.reset();
        return data.size();
    });
    closing->add_handle(other);
    closing->add_handle(page);
    auto& kept = *closing;
    while (closing)
        kept.perform();
    EXPECT_TRUE(other.closed());
    EXPECT_TRUE(page.closed());
}

TEST_F(AMulti, IsClosedWhenMovedFrom) {
    std::string body;
    const easy page = get("/hello", body);
    transfers.add_handle(page);
    multi moved(std::move(transfers));
    EXPECT_TRUE(transfers.closed()); // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(refusal([&] { transfers.perform(); }), errc::closed);
    transfers.close();
    EXPECT_THAT(run(moved).succeeded, ElementsAre(page));
}

TEST_F(AMulti, LetsGoOfItsEasiesWhenAnotherIsMovedIn) {
    std::string body;
    const easy before(url("/hello"));
    const easy page = get("/hello", body);
    transfers.add_handle(before);
    multi another;
    another.add_handle(page);
    transfers = std::move(another);
    EXPECT_FALSE(before.attached());
    EXPECT_THAT(run(transfers).succeeded, ElementsAre(page));
}

} // namespace
