// SPDX-License-Identifier: MIT
// What a callback of a multi's transfer may do, what it may not, and what becomes of its
// exceptions.
#include "support/callback_kinds.hpp"
#include "support/files.hpp"
#include "support/multi_driver.hpp"
#include "support/multi_fixture.hpp"
#include "support/scripted_server.hpp"
#include <curlicue/multi.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;
using testing::ElementsAre;

namespace {

class ACallback : public multi_fixture, public ::testing::WithParamInterface<callback_kind> {
protected:
    multi transfers;
};

std::string name_of(const ::testing::TestParamInfo<callback_kind>& tested) {
    return tested.param.name;
}

INSTANTIATE_TEST_SUITE_P(Of, ACallback, ::testing::ValuesIn(callback_kinds()), name_of);

/// Every public call of a multi, from inside a callback of the transfer `own`.
void call_everything(multi& transfers, easy own, const easy& other) {
    const std::vector<std::pair<const char*, probe>> refused{
        {"perform", [&] { transfers.perform(); }},
        {"add_handle", [&] { transfers.add_handle(other); }},
        {"add_handle own", [&] { transfers.add_handle(own); }},
        {"remove_handle", [&] { transfers.remove_handle(own); }},
        {"remove_handle other", [&] { transfers.remove_handle(other); }},
        {"fdset", [&] { transfers.fdset(); }},
        {"select", [&] { transfers.select(0ms); }},
        {"poll", [&] { transfers.poll(0ms); }},
        {"info_read", [&] { transfers.info_read(); }},
        {"timeout", [&] { transfers.timeout(); }},
        {"socket_action", [&] { transfers.socket_action(CURL_SOCKET_TIMEOUT, 0); }},
        {"socket_all", [&] { transfers.socket_all(); }},
        {"setopt", [&] { transfers.setopt<CURLMOPT_MAXCONNECTS>(1); }},
        {"setopt", [&] { transfers.setopt<CURLMOPT_SOCKETFUNCTION>(nullptr); }},
        {"close", [&] { transfers.close(); }},
        {"easy::close", [&] { own.close(); }},
    };
    for (const auto& [name, call] : refused)
        EXPECT_EQ(refusal(call), errc::inside_callback) << name;

    EXPECT_TRUE(transfers.contains(own));
    EXPECT_FALSE(transfers.contains(other));
    EXPECT_FALSE(transfers.closed());
    EXPECT_NE(transfers.native_handle(), nullptr);
    transfers.wakeup();
    EXPECT_EQ(multi_refusal([&] { transfers.assign(0, nullptr); }), CURLM_BAD_SOCKET);
    EXPECT_EQ(multi_refusal([&] { transfers.unassign(0); }), CURLM_BAD_SOCKET);
}

TEST_P(ACallback, MayAskButNotDriveItsMulti) {
    easy page(url("/hello"));
    std::string body;
    page.setopt<CURLOPT_WRITEDATA>(body);
    const easy other(url("/hello"));
    int calls = 0;
    GetParam().install(page, [&] {
        ++calls;
        call_everything(transfers, easy::borrow(page.native_handle()), other);
    });
    transfers.add_handle(page);
    EXPECT_THAT(run(transfers).succeeded, ElementsAre(page));
    EXPECT_GT(calls, 0);
}

TEST_P(ACallback, MayRunAnotherMultiToItsEnd) {
    std::string inner_body;
    std::string body;
    easy page = get("/hello", body);
    bool done = false;
    GetParam().install(page, [&] {
        if (std::exchange(done, true))
            return;
        multi inner;
        inner.add_handle(get("/hello", inner_body));
        EXPECT_EQ(run(inner).succeeded.size(), 1u);
    });
    transfers.add_handle(page);
    EXPECT_THAT(run(transfers).succeeded, ElementsAre(page));
    EXPECT_EQ(inner_body, "hello\n");
}

TEST_P(ACallback, EndsItsTransferWithWhatItThrows) {
    std::string body;
    std::string other_body;
    easy page = get("/hello", body);
    const easy other = get("/bytes/1048576", other_body);
    GetParam().install(page, [] { throw std::domain_error("from the callback"); });
    transfers.add_handle(page);
    transfers.add_handle(other);
    const info_batch told = run(transfers);
    EXPECT_THAT(told.succeeded, ElementsAre(other)) << "the others go on";
    EXPECT_EQ(other_body, bytes(1 << 20));
    ASSERT_EQ(told.failed.size(), 1u);
    EXPECT_EQ(told.failed[0].handle, page);
    EXPECT_NE(told.failed[0].code, CURLE_OK);
    EXPECT_NE(told.failed[0].message, "");
    ASSERT_TRUE(told.failed[0].exception);
    EXPECT_THROW(std::rethrow_exception(told.failed[0].exception), std::domain_error);
    EXPECT_TRUE(transfers.contains(page)) << "as after every other end";
    transfers.remove_handle(page);
    EXPECT_FALSE(page.attached());
}

TEST_P(ACallback, MayDestroyItsMulti) {
    auto dying = std::make_unique<multi>();
    std::string body;
    std::string other_body;
    easy page = get("/hello", body);
    const easy other = get("/slow/1048576", other_body);
    GetParam().install(page, [&] {
        dying.reset();
        EXPECT_TRUE(page.attached()) << "libcurl is still at it";
    });
    dying->add_handle(page);
    dying->add_handle(other);
    const patience patience;
    while (dying) {
        patience.check();
        multi& driven = *dying;
        driven.perform();
        if (dying)
            dying->poll(10ms);
    }
    EXPECT_FALSE(page.attached());
    EXPECT_FALSE(other.attached());
    EXPECT_FALSE(page.closed());
}

// ---- the same, of the multi's own callables

class AMultisOwnCallable : public multi_fixture {
protected:
    /// Makes a probe of the socket, or the timer callable.
    static void listen(multi& transfers, bool sockets, probe look) {
        if (sockets)
            transfers.setopt<CURLMOPT_SOCKETFUNCTION>([look](auto...) {
                look();
                return 0;
            });
        else
            transfers.setopt<CURLMOPT_TIMERFUNCTION>([look](auto) {
                look();
                return 0;
            });
    }

    multi transfers;
};

TEST_F(AMultisOwnCallable, MayAskButNotDriveItsMulti) {
    for (const bool sockets : {true, false}) {
        std::string body;
        easy page = get("/hello", body);
        const easy other(url("/hello"));
        int calls = 0;
        listen(transfers, sockets, [&] {
            ++calls;
            call_everything(transfers, page, other);
            EXPECT_EQ(refusal([&] { page.pause(CURLPAUSE_ALL); }), errc::inside_callback);
        });
        transfers.add_handle(page);
        const patience patience;
        while (transfers.socket_action(CURL_SOCKET_TIMEOUT, 0) > 0) {
            patience.check();
            transfers.poll(10ms);
            transfers.socket_all();
        }
        EXPECT_THAT(transfers.info_read().succeeded, ElementsAre(page));
        EXPECT_GT(calls, 0);
        transfers.setopt<CURLMOPT_SOCKETFUNCTION>(nullptr);
        transfers.setopt<CURLMOPT_TIMERFUNCTION>(nullptr);
        transfers.remove_handle(page);
    }
}

TEST_F(AMultisOwnCallable, MayDestroyItsMulti) {
    for (const bool sockets : {true, false}) {
        const scripted_server server([](connection& client) { client.hold(); });
        auto dying = std::make_unique<multi>();
        const easy page(server.url());
        int calls = 0;
        listen(*dying, sockets, [&] {
            ++calls;
            dying.reset();
        });
        multi& driven = *dying;
        driven.add_handle(page);
        const patience patience;
        while (dying) {
            patience.check();
            driven.socket_action(CURL_SOCKET_TIMEOUT, 0);
        }
        EXPECT_EQ(calls, 1) << "nobody is called back by a destroyed multi";
        EXPECT_FALSE(page.attached());
    }
}

TEST_F(AMultisOwnCallable, MayDestroyItsMultiAndThrow) {
    auto dying = std::make_unique<multi>();
    const easy page(url("/hello"));
    dying->setopt<CURLMOPT_TIMERFUNCTION>([&](auto) -> int {
        dying.reset();
        throw std::domain_error("my last words");
    });
    multi& driven = *dying;
    EXPECT_THROW(driven.add_handle(page), std::domain_error);
    EXPECT_FALSE(dying);
    EXPECT_FALSE(page.attached());
}

// ---- exceptions of every kind

class AnException : public multi_fixture {
protected:
    template <class Throw> std::exception_ptr told_of(Throw thrown) {
        easy page(url("/hello"));
        page.setopt<CURLOPT_WRITEFUNCTION>(
            [thrown](std::span<const char>) -> std::size_t { return thrown(); });
        transfers.add_handle(page);
        const info_batch told = run(transfers);
        transfers.remove_handle(page);
        return told.failed.at(0).exception;
    }

    multi transfers;
};

TEST_F(AnException, NeedNotBeAStandardOne) {
    EXPECT_THROW(std::rethrow_exception(told_of([]() -> std::size_t { throw 42; })), int);
}

TEST_F(AnException, MayMeanThatMemoryIsOut) {
    EXPECT_THROW(std::rethrow_exception(told_of([]() -> std::size_t { throw std::bad_alloc(); })),
                 std::bad_alloc);
}

TEST_F(AnException, BelongsToOneTransferOnly) {
    std::string body;
    easy page = get("/hello", body);
    bool fail = true;
    page.setopt<CURLOPT_HEADERFUNCTION>([&](std::string_view header) {
        if (fail)
            throw std::domain_error("once");
        return header.size();
    });
    transfers.add_handle(page);
    finish(transfers);
    transfers.remove_handle(page); // which withdraws what nobody read
    fail = false;
    transfers.add_handle(page);
    EXPECT_THAT(run(transfers).succeeded, ElementsAre(page));
}

TEST_F(AnException, LeavesNobodyWaitingWhereItEndsTheLastTransfer) {
    easy page(url("/slow/1048576"));
    page.setopt<CURLOPT_VERBOSE>(true);
    page.setopt<CURLOPT_DEBUGFUNCTION>([](curl_infotype, std::span<const char>) {
        throw std::domain_error("heard by nobody in libcurl");
    });
    transfers.add_handle(page);
    EXPECT_EQ(transfers.perform(), 0);
    ASSERT_EQ(transfers.info_read().failed.size(), 1u);
}

class ACloseSocketCallable : public multi_fixture {
protected:
    /// Fetched, its connection kept for the next one.
    easy fetched() {
        easy page(url("/status/204"));
        page.setopt<CURLOPT_CLOSESOCKETFUNCTION>([](curl_socket_t socket) -> int {
            ::close(socket);
            throw std::domain_error("closed with a bang");
        });
        transfers.add_handle(page);
        EXPECT_EQ(run(transfers).succeeded.size(), 1u);
        return page;
    }

    multi transfers;
};

TEST_F(ACloseSocketCallable, IsHeardByTheCloseOfTheMulti) {
    fetched();
    EXPECT_THROW(transfers.close(), std::domain_error);
    EXPECT_TRUE(transfers.closed());
}

TEST_F(ACloseSocketCallable, IsHeardThoughItsEasyIsGone) {
    transfers.remove_handle(fetched());
    EXPECT_THROW(transfers.close(), std::domain_error);
    EXPECT_TRUE(transfers.closed());
}

// ---- pausing

class ATransfer : public multi_fixture {
protected:
    /// A page that stops its first chunk.
    easy paused_at_once(std::string& body) {
        easy page(url("/bytes/1048576"));
        page.setopt<CURLOPT_WRITEFUNCTION>([&](std::span<const char> data) {
            if (!std::exchange(paused_, true))
                return std::size_t{CURL_WRITEFUNC_PAUSE};
            body.append(data.data(), data.size());
            return data.size();
        });
        return page;
    }

    void perform_until_paused() {
        const patience patience;
        while (!paused_) {
            patience.check();
            transfers.perform();
            transfers.poll(10ms);
        }
    }

    multi transfers;
    bool paused_ = false;
};

TEST_F(ATransfer, GoesOnWhereItWasPaused) {
    std::string body;
    easy page = paused_at_once(body);
    transfers.add_handle(page);
    perform_until_paused();
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(transfers.perform(), 1);
        transfers.poll(5ms);
    }
    EXPECT_EQ(body, "");
    page.unpause();
    EXPECT_THAT(run(transfers).succeeded, ElementsAre(page));
    EXPECT_EQ(body, bytes(1 << 20));
}

TEST_F(ATransfer, GoesOnWhereItWasPausedDrivenBySockets) {
    std::string body;
    easy page = paused_at_once(body);
    socket_driver driver(transfers);
    transfers.add_handle(page);
    while (!paused_)
        driver.step();
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(driver.step(), 1);
    EXPECT_EQ(body, "");
    page.unpause();
    EXPECT_THAT(driver.run().succeeded, ElementsAre(page));
    EXPECT_EQ(body, bytes(1 << 20));
}

TEST_F(ATransfer, MayPauseItselfInsideItsCallback) {
    std::string body;
    easy page(url("/bytes/1048576"));
    page.setopt<CURLOPT_WRITEFUNCTION>([&](easy& self, std::span<const char> data) {
        body.append(data.data(), data.size());
        if (!std::exchange(paused_, true))
            self.pause(CURLPAUSE_RECV);
        return data.size();
    });
    transfers.add_handle(page);
    perform_until_paused();
    transfers.perform();
    EXPECT_LT(body.size(), std::size_t{1 << 20});
    page.unpause();
    EXPECT_THAT(run(transfers).succeeded, ElementsAre(page));
    EXPECT_EQ(body, bytes(1 << 20));
}

TEST_F(ATransfer, EndsWithWhatItsCallbackThrowsAtTheUnpause) {
    easy page(url("/bytes/1048576"));
    page.setopt<CURLOPT_WRITEFUNCTION>([&](std::span<const char>) -> std::size_t {
        if (!std::exchange(paused_, true))
            return CURL_WRITEFUNC_PAUSE;
        throw std::domain_error("not now");
    });
    transfers.add_handle(page);
    perform_until_paused();
    page.unpause();
    const info_batch told = run(transfers);
    ASSERT_EQ(told.failed.size(), 1u);
    EXPECT_THROW(std::rethrow_exception(told.failed[0].exception), std::domain_error);
}

TEST_F(ATransfer, HasNothingToPauseUnlessItRuns) {
    const easy page(url("/hello"));
    EXPECT_NO_THROW(page.pause(CURLPAUSE_ALL));
}

} // namespace
