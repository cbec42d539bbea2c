// SPDX-License-Identifier: MIT
// A multi that tells its sockets and its timer to callables, as an event loop would have it.
#include "support/files.hpp"
#include "support/multi_driver.hpp"
#include "support/multi_fixture.hpp"
#include "support/scripted_server.hpp"
#include <curlicue/multi.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

/// A server that lets libcurl wait for its answer, and closes the connection.
class slow_server : public scripted_server {
public:
    slow_server()
        : scripted_server([](connection& client) {
              client.read_request_head();
              std::this_thread::sleep_for(20ms);
              client.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
          }) {}
};

/// A server that never answers.
class silent_server : public scripted_server {
public:
    silent_server() : scripted_server([](connection& client) { client.hold(); }) {}
};

class AMultiWithSockets : public multi_fixture {
protected:
    using milliseconds = std::optional<std::chrono::milliseconds>;

    /// Calls `socket_action` now and then, until something is to be read.
    static info_batch kick(multi& driven) {
        const patience patience;
        while (driven.socket_action(CURL_SOCKET_TIMEOUT, 0) > 0) {
            patience.check();
            driven.poll(10ms);
            driven.socket_all();
        }
        return driven.info_read();
    }

    /// Adds a transfer the end of whose socket makes the socket callable throw, and lets it
    /// connect.
    void wait_for_removal_of(const easy& page) {
        curl_socket_t used = CURL_SOCKET_BAD;
        transfers.setopt<CURLMOPT_SOCKETFUNCTION>(
            [&used](const easy* handle, curl_socket_t socket, int what, void*) {
                if (what == CURL_POLL_REMOVE)
                    throw std::domain_error("still needed");
                if (handle != nullptr)
                    used = socket;
                return 0;
            });
        transfers.add_handle(page);
        const patience patience;
        while (used == CURL_SOCKET_BAD) {
            patience.check();
            transfers.socket_action(CURL_SOCKET_TIMEOUT, 0);
        }
    }

    multi transfers;
};

TEST_F(AMultiWithSockets, IsDrivenByPollByHand) {
    socket_driver driver(transfers);
    std::vector<std::string> bodies(5);
    for (std::string& body : bodies)
        transfers.add_handle(get("/bytes/1048576", body));
    EXPECT_EQ(driver.run().succeeded.size(), 5u);
    EXPECT_THAT(bodies, Each(bytes(1 << 20)));
}

TEST_F(AMultiWithSockets, TellsWhatToWatchUntilTheEnd) {
    const slow_server server;
    socket_driver driver(transfers);
    std::string body;
    easy page(server.url());
    page.setopt<CURLOPT_WRITEDATA>(body);
    transfers.add_handle(page);
    driver.run();
    EXPECT_EQ(body, "ok");
    EXPECT_THAT(driver.masks, Contains(CURL_POLL_IN));
    ASSERT_FALSE(driver.masks.empty());
    EXPECT_EQ(driver.masks.back(), CURL_POLL_REMOVE);
    EXPECT_THAT(driver.watched, IsEmpty());
}

TEST_F(AMultiWithSockets, AsksForATimerAndStopsIt) {
    const slow_server server;
    socket_driver driver(transfers);
    std::string body;
    easy page(server.url());
    page.setopt<CURLOPT_WRITEDATA>(body);
    transfers.add_handle(page);
    EXPECT_THAT(driver.timers, ElementsAre(milliseconds(0ms)));
    EXPECT_THAT(driver.run().succeeded, ElementsAre(page));
    // 8.5.0 says no more when the last time that it asked for has come (Curl_update_timer).
    if (curl_version_info(CURLVERSION_NOW)->version_num != 0x080500) {
        EXPECT_EQ(driver.timers.back(), std::nullopt);
    }
}

TEST_F(AMultiWithSockets, EndsATransferInTimeByItsTimerAlone) {
    const silent_server server;
    socket_driver driver(transfers);
    easy page(server.url());
    page.setopt<CURLOPT_TIMEOUT_MS>(50);
    transfers.add_handle(page);
    const info_batch told = driver.run();
    ASSERT_EQ(told.failed.size(), 1u);
    EXPECT_EQ(told.failed[0].code, CURLE_OPERATION_TIMEDOUT);
}

TEST_F(AMultiWithSockets, IsDrivenBySocketAll) {
    transfers.setopt<CURLMOPT_SOCKETFUNCTION>([](auto...) { return 0; });
    std::string body;
    const easy page = get("/bytes/1048576", body);
    transfers.add_handle(page);
    const patience patience;
    while (transfers.socket_all() > 0) {
        patience.check();
        transfers.poll(10ms);
    }
    EXPECT_THAT(transfers.info_read().succeeded, ElementsAre(page));
    EXPECT_EQ(body, bytes(1 << 20));
}

TEST_F(AMultiWithSockets, NamesTheEasyThatASocketServes) {
    std::string body;
    const easy page = get("/hello", body);
    std::vector<easy> named;
    transfers.setopt<CURLMOPT_SOCKETFUNCTION>([&](const easy* handle, curl_socket_t, int, void*) {
        if (handle != nullptr)
            named.push_back(*handle);
        return 0;
    });
    transfers.add_handle(page);
    kick(transfers);
    EXPECT_THAT(named, testing::AllOf(Contains(page), Each(page)));
}

TEST_F(AMultiWithSockets, GivesASocketThePointerItWasAssigned) {
    const slow_server server;
    std::string body;
    easy page(server.url());
    page.setopt<CURLOPT_WRITEDATA>(body);
    std::map<curl_socket_t, std::vector<void*>> pointers;
    transfers.setopt<CURLMOPT_SOCKETFUNCTION>(
        [&](const easy*, curl_socket_t socket, int what, void* pointer) {
            pointers[socket].push_back(pointer);
            if (what != CURL_POLL_REMOVE)
                transfers.assign(socket, &pointers[socket]);
            return 0;
        });
    transfers.add_handle(page);
    kick(transfers);
    EXPECT_EQ(body, "ok");
    EXPECT_FALSE(pointers.empty());
    for (auto& [socket, given] : pointers) {
        EXPECT_EQ(given.front(), nullptr);
        given.erase(given.begin());
        EXPECT_THAT(given, Each(&pointers[socket]));
    }
}

TEST_F(AMultiWithSockets, TakesAPointerBack) {
    const silent_server server;
    const easy page(server.url());
    int mine = 0;
    void* last = &mine;
    curl_socket_t used = CURL_SOCKET_BAD;
    transfers.setopt<CURLMOPT_SOCKETFUNCTION>(
        [&](const easy* handle, curl_socket_t socket, int, void* pointer) {
            if (used == CURL_SOCKET_BAD && handle != nullptr) // not one of libcurl's own
                transfers.assign(used = socket, &mine);
            else if (socket == used)
                last = pointer;
            return 0;
        });
    transfers.add_handle(page);
    const patience patience;
    while (used == CURL_SOCKET_BAD) {
        patience.check();
        transfers.socket_action(CURL_SOCKET_TIMEOUT, 0);
    }
    transfers.unassign(used);
    transfers.remove_handle(page);
    EXPECT_EQ(last, nullptr);
}

TEST_F(AMultiWithSockets, RefusesAPointerForASocketItDoesNotUse) {
    EXPECT_EQ(multi_refusal([&] { transfers.assign(0, this); }), CURLM_BAD_SOCKET);
    EXPECT_EQ(multi_refusal([&] { transfers.unassign(0); }), CURLM_BAD_SOCKET);
}

// ---- callables: replaced, taken back, released

TEST_F(AMultiWithSockets, CallsNobodyAfterNullptr) {
    int calls = 0;
    transfers.setopt<CURLMOPT_SOCKETFUNCTION>([&](auto...) { return ++calls, 0; });
    transfers.setopt<CURLMOPT_TIMERFUNCTION>([&](auto) { return ++calls, 0; });
    transfers.setopt<CURLMOPT_SOCKETFUNCTION>(nullptr);
    transfers.setopt(CURLMOPT_TIMERFUNCTION, nullptr);
    std::string body;
    transfers.add_handle(get("/hello", body));
    run(transfers);
    EXPECT_EQ(body, "hello\n");
    EXPECT_EQ(calls, 0);
}

TEST_F(AMultiWithSockets, ReleasesACallableThatIsReplacedOrTakenBack) {
    auto token = std::make_shared<int>();
    transfers.setopt<CURLMOPT_SOCKETFUNCTION>([token](auto...) { return 0; });
    transfers.setopt<CURLMOPT_TIMERFUNCTION>([token](auto) { return 0; });
    EXPECT_EQ(token.use_count(), 3);
    transfers.setopt<CURLMOPT_SOCKETFUNCTION>([](auto...) { return 0; });
    EXPECT_EQ(token.use_count(), 2);
    transfers.setopt<CURLMOPT_TIMERFUNCTION>(nullptr);
    EXPECT_EQ(token.use_count(), 1);
}

TEST_F(AMultiWithSockets, ReleasesCallablesWhenItCloses) {
    auto token = std::make_shared<int>();
    transfers.setopt<CURLMOPT_SOCKETFUNCTION>([token](auto...) { return 0; });
    transfers.setopt<CURLMOPT_TIMERFUNCTION>([token](auto) { return 0; });
    transfers.close();
    EXPECT_EQ(token.use_count(), 1);
}

TEST_F(AMultiWithSockets, TakesCallablesAtRunTimeToo) {
    int calls = 0;
    transfers.setopt(CURLMOPT_TIMERFUNCTION,
                     multi_timer_function([&](auto) { return ++calls, 0; }));
    transfers.add_handle(easy(url("/hello")));
    EXPECT_EQ(calls, 1);
}

TEST_F(AMultiWithSockets, TellsAtCloseWhatNotToWatchAnyLonger) {
    const silent_server server;
    std::vector<int> masks;
    std::vector<void*> pointers;
    transfers.setopt<CURLMOPT_SOCKETFUNCTION>(
        [&](const easy*, curl_socket_t socket, int what, void*) {
            masks.push_back(what);
            transfers.assign(socket, what == CURL_POLL_REMOVE ? nullptr : this);
            return 0;
        });
    transfers.add_handle(easy(server.url()));
    const patience patience;
    while (masks.empty()) {
        patience.check();
        transfers.socket_action(CURL_SOCKET_TIMEOUT, 0);
    }
    masks.clear();
    transfers.close();
    EXPECT_THAT(masks, testing::AllOf(testing::Not(IsEmpty()), Each(CURL_POLL_REMOVE)));
}

TEST_F(AMultiWithSockets, CallsNobodyDuringItsDestruction) {
    const silent_server server;
    int calls = 0;
    {
        multi dying;
        dying.setopt<CURLMOPT_SOCKETFUNCTION>([&](auto...) { return ++calls, 0; });
        dying.setopt<CURLMOPT_TIMERFUNCTION>([&](auto) { return ++calls, 0; });
        dying.add_handle(easy(server.url()));
        const patience patience;
        while (dying.fdset().write.empty() && dying.fdset().read.empty()) {
            patience.check();
            dying.socket_action(CURL_SOCKET_TIMEOUT, 0);
        }
        EXPECT_GT(calls, 1);
        calls = 0;
    }
    EXPECT_EQ(calls, 0);
}

// ---- callables that fail

TEST_F(AMultiWithSockets, ThrowsFromTheOutermostCallWhatASocketCallableThrew) {
    socket_driver driver(transfers);
    bool fail = false; // not yet: 8.20 names the descriptor of its wake-ups when it gets a transfer
    transfers.setopt<CURLMOPT_SOCKETFUNCTION>(
        [&](auto...) { return fail ? throw std::runtime_error("no more descriptors") : 0; });
    std::string body;
    const easy page = get("/hello", body);
    transfers.add_handle(page);
    fail = true;
    EXPECT_THROW(transfers.socket_action(CURL_SOCKET_TIMEOUT, 0), std::runtime_error);

    transfers.setopt<CURLMOPT_SOCKETFUNCTION>([](auto...) { return 0; });
    EXPECT_THAT(kick(transfers).succeeded, ElementsAre(page)) << "the transfer is unharmed";
    EXPECT_EQ(body, "hello\n");
}

TEST_F(AMultiWithSockets, ThrowsFromPerformWhatATimerCallableThrew) {
    std::string body;
    const easy page = get("/hello", body);
    bool fail = false;
    transfers.setopt<CURLMOPT_TIMERFUNCTION>([&](auto) { return fail ? throw 42 : 0; });
    transfers.add_handle(page);
    fail = true;
    EXPECT_THROW(finish(transfers), int);
    fail = false;
    EXPECT_THAT(run(transfers).succeeded, ElementsAre(page)) << "the transfer is unharmed";
}

TEST_F(AMultiWithSockets, ThrowsFromPerformWhatLibcurlSays) {
    bool fail = false;
    transfers.setopt<CURLMOPT_TIMERFUNCTION>([&](auto) { return fail ? -1 : 0; });
    transfers.add_handle(easy(url("/status/204")));
    fail = true;
    EXPECT_EQ(multi_refusal([&] { finish(transfers); }), CURLM_ABORTED_BY_CALLBACK);
}

TEST_F(AMultiWithSockets, UndoesAnAddWhoseTimerCallableThrew) {
    std::string body;
    const easy before = get("/hello", body);
    const easy page(url("/hello"));
    transfers.add_handle(before);
    transfers.setopt<CURLMOPT_TIMERFUNCTION>([](auto) -> int { throw std::runtime_error("no"); });
    EXPECT_THROW(transfers.add_handle(page), std::runtime_error);
    EXPECT_FALSE(transfers.contains(page));
    EXPECT_FALSE(page.attached());
    transfers.setopt<CURLMOPT_TIMERFUNCTION>(nullptr);
    EXPECT_THAT(run(transfers).succeeded, ElementsAre(before));
}

TEST_F(AMultiWithSockets, UndoesAnAddThatTheTimerCallableRefused) {
    std::string body;
    const easy before = get("/hello", body);
    const easy page(url("/hello"));
    transfers.add_handle(before);
    transfers.setopt<CURLMOPT_TIMERFUNCTION>([](auto) { return -1; });
    EXPECT_EQ(multi_refusal([&] { transfers.add_handle(page); }), CURLM_ABORTED_BY_CALLBACK);
    EXPECT_FALSE(transfers.contains(page));
    EXPECT_FALSE(page.attached());
    transfers.setopt<CURLMOPT_TIMERFUNCTION>(nullptr);
    EXPECT_THAT(run(transfers).succeeded, ElementsAre(before));
}

TEST_F(AMultiWithSockets, ThrowsFromARemovalThatIsDoneWhatACallableThrew) {
    const silent_server server;
    const easy page(server.url());
    wait_for_removal_of(page);
    EXPECT_THROW(transfers.remove_handle(page), std::domain_error);
    EXPECT_FALSE(transfers.contains(page));
    EXPECT_FALSE(page.attached());
}

TEST_F(AMultiWithSockets, ThrowsFromACloseThatIsDoneWhatACallableThrew) {
    const silent_server server;
    const easy page(server.url());
    wait_for_removal_of(page);
    EXPECT_THROW(transfers.close(), std::domain_error);
    EXPECT_TRUE(transfers.closed());
    EXPECT_FALSE(page.attached());
}

TEST_F(AMultiWithSockets, LetsGoOfAHandleWhoseRemovalMinusOneSpoils) {
    const easy page(url("/hello"));
    transfers.setopt<CURLMOPT_TIMERFUNCTION>([](milliseconds timeout) { return timeout ? 0 : -1; });
    transfers.add_handle(page);
    try {
        transfers.remove_handle(page); // not every libcurl stops the timer here
    } catch (const multi_error& error) {
        EXPECT_EQ(error.code(), std::error_code(CURLM_ABORTED_BY_CALLBACK, multi_category()));
    }
    EXPECT_FALSE(transfers.contains(page));
    EXPECT_FALSE(page.attached());
}

// ---- notifications

class AMultiWithNotifications : public AMultiWithSockets {
protected:
    // By number: libcurl's headers name them from 8.17 on.
    static constexpr auto notify_function = static_cast<CURLMoption>(20018);
    static constexpr unsigned info_read = 0;
    static constexpr unsigned easy_done = 1;

    static bool too_old() { return curl_version_info(CURLVERSION_NOW)->version_num < 0x081100; }
};

TEST_F(AMultiWithNotifications, NotifiesOfMessages) {
    if (too_old())
        GTEST_SKIP() << curl_version();
    std::string body;
    const easy page = get("/hello", body);
    std::vector<unsigned> notifications;
    std::vector<easy> done;
    info_batch told;
    transfers.setopt<notify_function>([&](unsigned notification, const easy* handle) {
        notifications.push_back(notification);
        if (notification == easy_done && handle != nullptr)
            done.push_back(*handle);
        if (notification == info_read) {
            EXPECT_EQ(handle, nullptr) << "libcurl's own";
            gather(told, transfers.info_read());
        }
    });
    transfers.notify_enable(info_read, easy_done);
    transfers.add_handle(page);
    run(transfers);
    EXPECT_THAT(notifications, Contains(info_read));
    EXPECT_THAT(done, ElementsAre(page));
    EXPECT_THAT(told.succeeded, ElementsAre(page));

    transfers.remove_handle(page);
    notifications.clear();
    transfers.notify_disable(info_read, easy_done);
    transfers.add_handle(page);
    EXPECT_THAT(run(transfers).succeeded, ElementsAre(page));
    EXPECT_THAT(notifications, IsEmpty());
}

TEST_F(AMultiWithNotifications, ThrowsFromTheOutermostCallWhatANotifyCallableThrew) {
    if (too_old())
        GTEST_SKIP() << curl_version();
    std::string body;
    transfers.setopt<notify_function>(
        [](unsigned, const easy*) { throw std::runtime_error("notified"); });
    transfers.notify_enable(info_read);
    transfers.add_handle(get("/hello", body));
    EXPECT_THROW(run(transfers), std::runtime_error);
    EXPECT_EQ(transfers.info_read().succeeded.size(), 1u);
}

TEST_F(AMultiWithNotifications, RefusesAnUnknownNotification) {
    if (too_old())
        GTEST_SKIP() << curl_version();
    EXPECT_EQ(multi_refusal([&] { transfers.notify_enable(9999u); }), CURLM_UNKNOWN_OPTION);
}
TEST_F(AMultiWithNotifications, SaysThatLibcurlIsTooOldForNotifications) {
    if (!too_old())
        GTEST_SKIP() << curl_version();
    EXPECT_EQ(refusal([&] { transfers.setopt<notify_function>([](unsigned, const easy*) {}); }),
              errc::too_old);
    EXPECT_EQ(refusal([&] { transfers.setopt(notify_function, nullptr); }), errc::too_old);
    EXPECT_EQ(refusal([&] { transfers.notify_enable(0u, 1u); }), errc::too_old);
    EXPECT_EQ(refusal([&] { transfers.notify_disable(0u); }), errc::too_old);
}

} // namespace
