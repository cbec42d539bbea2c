// SPDX-License-Identifier: MIT
// What servers do to connections, and what a connection costs.
#include "support/async_fixture.hpp"
#include "support/files.hpp"
#include "support/scripted_server.hpp"
#include "support/temporary_directory.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/multi.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

std::atomic<int> epoll_ctl_calls{0};

} // namespace

// libuv's calls come here, since a program's own symbols go before those of its libraries.
extern "C" int epoll_ctl(int epoll, int operation, int descriptor, epoll_event* event) noexcept {
    ++epoll_ctl_calls;
    return static_cast<int>(::syscall(SYS_epoll_ctl, epoll, operation, descriptor, event));
}

namespace {

/// Starts one transfer after another, each in the continuation of the one before.
void one_after_another(async_multi& multi, std::function<easy()> next, int count,
                       std::function<void()> done) {
    if (count == 0)
        return done();
    multi.add_handle(next())
        .then([&multi, next, count, done = std::move(done)](easy&&) {
            one_after_another(multi, next, count - 1, done);
        })
        .detach([](const std::exception_ptr& why) {
            ADD_FAILURE() << failure_of([&] { std::rethrow_exception(why); }).message();
        });
}

TEST_F(AnAsyncMulti, DeliversEveryFullBodyThatAResetFollows) {
    const std::string reply =
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n" + bytes(1000);
    const scripted_server server([&](connection& client) {
        client.read_request_head();
        client.write(reply);
        client.reset();
    });
    int delivered = 0, failed = 0;
    std::list<std::string> bodies;
    for (int round = 0; round < 20; ++round) {
        std::vector<future<result<easy>>> pages;
        for (int i = 0; i < 50; ++i) {
            easy page = quiet(server.url());
            page.setopt<CURLOPT_WRITEDATA>(bodies.emplace_back());
            multi->add_handle(page)
                .then_result([&](result<easy>&& outcome) { ++(outcome ? delivered : failed); })
                .detach([](const std::exception_ptr&) {});
        }
        uv_run(&loop, UV_RUN_DEFAULT);
    }
    EXPECT_EQ(delivered, 1000);
    EXPECT_EQ(failed, 0);
    for (const std::string& body : bodies)
        ASSERT_TRUE(body == bytes(1000));
}

TEST_F(AnAsyncMulti, FailsATransferThatAResetCutsShort) {
    const scripted_server server([](connection& client) {
        client.read_request_head();
        client.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc");
        client.reset();
    });
    std::vector<future<easy>> pages;
    for (int i = 0; i < 100; ++i)
        pages.push_back(multi->add_handle(quiet(server.url())));
    for (auto& outcome : run(when_all(std::move(pages))))
        EXPECT_FALSE(outcome);
    EXPECT_EQ(multi->stats().failed, 100u);
    close();
}

TEST_F(AnAsyncMulti, SurvivesServersThatCloseEverySeventhKeptConnection) {
    // libcurl finds such a connection dead when it wants to use it again, closes it, and opens
    // another under the same number.
    const temporary_directory directory;
    std::atomic<int> requests{0};
    const auto serve = [&](connection& client) {
        while (!client.read_request_head().empty()) {
            client.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes");
            if (++requests % 7 == 0)
                return;
        }
    };
    const scripted_server server(serve, directory / "socket");
    std::string body;
    easy page("http://localhost/");
    page.setopt<CURLOPT_UNIX_SOCKET_PATH>((directory / "socket").string());
    page.setopt<CURLOPT_WRITEDATA>(body);
    bool done = false;
    // A copy each: libcurl 7.88 forgives an easy five meetings with a close in all its life.
    one_after_another(
        *multi, [&] { return page.duphandle(); }, 2000, [&] { done = true; });
    run_to([&] { return done; });
    EXPECT_EQ(multi->stats().completed, 2000u);
    EXPECT_EQ(body.size(), 6000u);
    EXPECT_GT(server.accepted(), 250u);
    close();
}

TEST_F(AnAsyncMulti, TalksOverAUnixSocket) {
    std::string body;
    easy page = get("/bytes/1024", body);
    page.setopt<CURLOPT_UNIX_SOCKET_PATH>(nginx::shared().unix_socket().string());
    bool done = false;
    one_after_another(
        *multi, [&] { return page; }, 200, [&] { done = true; });
    run_to([&] { return done; });
    EXPECT_EQ(body.size(), std::size_t{200 << 10});
    EXPECT_EQ(page.getinfo<CURLINFO_NUM_CONNECTS>(), 0) << "one connection for all";
}

TEST_F(AnAsyncMulti, WaitsForNoTimerBetweenTransfersOnOneConnection) {
    std::string body;
    const easy page = get("/hello", body);
    run(multi->add_handle(page));
    run(multi->post([] {}));
    const auto before = multi->stats().wakeups;
    const int calls_before = epoll_ctl_calls;
    constexpr int count = 500;
    bool done = false;
    one_after_another(
        *multi, [&] { return page; }, count, [&] { done = true; });
    run_to([&] { return done; });
    EXPECT_LE(multi->stats().wakeups - before, static_cast<std::uint64_t>(2 * count + count / 10))
        << "the answer, and the turn that follows";
    EXPECT_LE(epoll_ctl_calls - calls_before, count / 50)
        << "the watch stays as it is from one transfer to the next";
}

TEST_F(AnAsyncMulti, KeepsNoWatchOnAConnectionThatTheServerHasClosed) {
    const scripted_server server([](connection& client) {
        client.read_request_head();
        client.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes");
    });
    std::string body;
    easy page = quiet(server.url());
    page.setopt<CURLOPT_WRITEDATA>(body);
    run(multi->add_handle(page));
    const auto before = multi->stats().wakeups;
    {
        host_timer host(loop);
        run_to([&] { return host.ticks() >= 50; });
    }
    EXPECT_LE(multi->stats().wakeups - before, 5u) << "the end of an idle connection is told once";
    run(multi->add_handle(page));
    EXPECT_EQ(body, "yesyes");
}

// ---- fairness

TEST_F(AnAsyncMulti, RunsAThousandTransfersBesideATimerOfItsHosts) {
    struct tally {
        std::size_t run = 0, longest = 0;
    } completions;
    close();
    multi.emplace(&loop,
                  async_multi_options{.hooks = {[](void* arg) noexcept -> void* {
                                                    static_cast<tally*>(arg)->run = 0;
                                                    return nullptr;
                                                },
                                                [](void*, void*) noexcept {}, &completions}});
    std::list<std::string> bodies;
    std::size_t done = 0;
    for (int i = 0; i < 1000; ++i)
        multi->add_handle(get("/bytes/1024", bodies.emplace_back()))
            .then([&](easy&&) {
                ++done;
                completions.longest = std::max(completions.longest, ++completions.run);
            })
            .detach([](const std::exception_ptr&) { ADD_FAILURE(); });
    {
        host_timer host(loop);
        run_to([&] { return done == 1000; });
        EXPECT_GT(host.ticks(), 1);
    }
    EXPECT_LE(completions.longest, 256u);
    const std::string expected = bytes(1 << 10);
    for (const std::string& body : bodies)
        ASSERT_TRUE(body == expected);
    close();
}

TEST_F(AnAsyncMulti, RunsNoMoreThanABatchOfContinuationsInOneEntry) {
    struct tally {
        std::size_t run = 0, longest = 0;
    } completions;
    close();
    multi.emplace(&loop,
                  async_multi_options{.hooks = {[](void* arg) noexcept -> void* {
                                                    static_cast<tally*>(arg)->run = 0;
                                                    return nullptr;
                                                },
                                                [](void*, void*) noexcept {}, &completions}});
    // All end in one call of libcurl's: a thousand files that are not there.
    std::size_t done = 0;
    for (int i = 0; i < 1000; ++i)
        multi->add_handle(quiet("file:///no/such/file"))
            .catch_error([&](const std::exception_ptr&) -> easy {
                ++done;
                completions.longest = std::max(completions.longest, ++completions.run);
                return easy();
            })
            .detach([](const std::exception_ptr&) { ADD_FAILURE(); });
    run_to([&] { return done == 1000; });
    EXPECT_GT(completions.longest, 1u);
    EXPECT_LE(completions.longest, 256u);
    close(); // the hooks end with this function
}

// ---- CONNECT_ONLY

class AConnectOnlyTransfer : public async_fixture {
protected:
    AConnectOnlyTransfer() { page.setopt<CURLOPT_CONNECT_ONLY>(1); }

    std::string echo(std::string_view sent) {
        while (!page.send(sent))
            uv_run(&loop, UV_RUN_NOWAIT);
        std::string answer;
        std::array<char, 64> buffer{};
        const patience patience;
        while (answer.size() < sent.size()) {
            patience.check();
            if (const auto size = page.recv(buffer))
                answer.append(buffer.data(), *size);
        }
        return answer;
    }

    scripted_server server{[](connection& client) {
        for (std::string byte; !(byte = client.read(1)).empty();)
            client.write(byte);
    }};
    easy page = quiet(server.url());
};

TEST_F(AConnectOnlyTransfer, StaysAddedForSendAndRecv) {
    run(multi->add_handle(page));
    EXPECT_TRUE(page.attached());
    EXPECT_TRUE(multi->contains(page));
    EXPECT_EQ(multi->size(), 1u);
    EXPECT_TRUE(multi->futures().empty()) << "it is not pending";
    EXPECT_EQ(multi->stats().pending, 0u);
    EXPECT_EQ(multi->stats().completed, 1u);
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0) << "and holds no loop";
    EXPECT_EQ(echo("hello"), "hello");
    std::string body;
    run(multi->add_handle(get("/hello", body)));
    EXPECT_EQ(echo("again"), "again") << "others do not disturb it";
    multi->remove_handle(page);
    EXPECT_FALSE(page.attached());
    EXPECT_EQ(multi->stats().cancelled, 0u);
    EXPECT_EQ(multi->stats().completed, 2u);
    close();
}

TEST_F(AConnectOnlyTransfer, IsWaitedForUntilSomethingCame) {
    run(multi->add_handle(page));
    std::array<char, 64> buffer{};
    EXPECT_EQ(page.recv(buffer), std::nullopt);
    auto readable = page.readable();
    for (int i = 0; i != 3; ++i)
        uv_run(&loop, UV_RUN_NOWAIT);
    EXPECT_FALSE(readable.ready());
    run(page.writable());
    ASSERT_EQ(page.send("x"), 1u);
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0) << "it holds the loop until then, and no longer";
    EXPECT_TRUE(readable.ready());
    EXPECT_EQ(page.recv(buffer), 1u);
    EXPECT_EQ(page.recv(buffer), std::nullopt);
    EXPECT_EQ(echo("hello"), "hello");
    close();
}

TEST_F(AConnectOnlyTransfer, IsTalkedToByATask) {
    const auto talk = [&](std::string text) -> task<std::string> {
        co_await multi->add_handle(page);
        std::string answer;
        std::array<char, 7> buffer{};
        for (int round = 0; round != 20; ++round) {
            for (std::string_view left = text; !left.empty();) {
                const auto sent = page.send(left);
                if (sent)
                    left.remove_prefix(*sent);
                else
                    co_await page.writable();
            }
            const auto whole = answer.size() + text.size();
            while (answer.size() < whole) {
                const auto size = page.recv(buffer);
                if (size)
                    answer.append(buffer.data(), *size);
                else
                    co_await page.readable();
            }
        }
        co_return answer;
    };
    EXPECT_EQ(multi->run_until(talk("hello, echo; ")).size(), 20 * 13u);
    close();
}

TEST_F(AConnectOnlyTransfer, TellsAllWhoWaitAndEachOnce) {
    run(multi->add_handle(page));
    auto first = page.readable(), second = page.readable();
    ASSERT_EQ(page.send("x"), 1u);
    run(std::move(first));
    EXPECT_TRUE(second.ready());
    std::array<char, 64> buffer{};
    ASSERT_EQ(page.recv(buffer), 1u);
    auto third = page.readable();
    uv_run(&loop, UV_RUN_NOWAIT);
    EXPECT_FALSE(third.ready());
    close();
    EXPECT_TRUE(third.ready());
    EXPECT_TRUE(third.cancelled());
}

TEST_F(AConnectOnlyTransfer, IsReadableAtItsEnd) {
    const scripted_server brief([](connection& client) { client.read(1); });
    easy over = quiet(brief.url());
    over.setopt<CURLOPT_CONNECT_ONLY>(1);
    run(multi->add_handle(over));
    ASSERT_EQ(over.send("x"), 1u);
    run(over.readable());
    std::array<char, 64> buffer{};
    EXPECT_EQ(over.recv(buffer), 0u);
    run(over.readable()); // and stays so
    close();
}

TEST_F(AConnectOnlyTransfer, IsWaitedForBesideAWatchOfItsUsers) {
    run(multi->add_handle(page));
    auto readable = page.readable();
    uv_poll_t own{};
    ASSERT_EQ(uv_poll_init_socket(&loop, &own, page.getinfo<CURLINFO_ACTIVESOCKET>()), 0);
    int told = 0;
    own.data = &told;
    uv_poll_start(&own, UV_READABLE, [](uv_poll_t* self, int, int) {
        ++*static_cast<int*>(self->data);
        uv_poll_stop(self);
    });
    ASSERT_EQ(page.send("x"), 1u);
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT_EQ(told, 1);
    EXPECT_TRUE(readable.ready());
    uv_close(reinterpret_cast<uv_handle_t*>(&own), nullptr);
    close();
}

TEST_F(AConnectOnlyTransfer, CancelsItsWaitsWithItsRemoval) {
    const auto connected = multi->add_handle(page).share(); // who keeps it keeps no socket
    multi->run_until(connected);
    auto readable = page.readable();
    auto writable = page.writable();
    multi->remove_handle(page);
    EXPECT_TRUE(readable.cancelled() && readable.ready());
    EXPECT_TRUE(writable.cancelled() && writable.ready());
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0) << "nothing holds the loop";
    close();
}

TEST_F(AConnectOnlyTransfer, IsWaitedForNoMoreOnceThatIsCancelled) {
    run(multi->add_handle(page));
    auto here = page.readable();
    EXPECT_TRUE(here.cancel());
    EXPECT_TRUE(here.ready());
    auto elsewhere = page.readable();
    std::thread([&] { EXPECT_TRUE(elsewhere.cancel()); }).join();
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0) << "nothing holds the loop";
    EXPECT_TRUE(elsewhere.ready());
    auto late = page.readable().timeout(1ms);
    EXPECT_THROW(run(std::move(late)), timed_out);
    auto removed = page.readable();
    std::thread([&] { EXPECT_TRUE(removed.cancel()); }).join();
    multi->remove_handle(page); // before the cancel is heard of
    EXPECT_TRUE(removed.ready());
    close();
}

TEST_F(AConnectOnlyTransfer, IsWaitedForWhereThatMakesSense) {
    EXPECT_EQ(refusal([&] { page.readable().detach(); }), errc::not_added);
    auto connected = multi->add_handle(page);
    EXPECT_EQ(refusal([&] { page.writable().detach(); }), errc::attached);
    run(std::move(connected));
    std::thread([&] {
        EXPECT_EQ(refusal([&] { page.readable().detach(); }), errc::wrong_thread);
    }).join();
    multi->remove_handle(page);
    EXPECT_EQ(refusal([&] { page.readable().detach(); }), errc::not_added);
    curlicue::multi by_hand;
    by_hand.add_handle(page);
    EXPECT_EQ(refusal([&] { page.readable().detach(); }), errc::no_loop);
    by_hand.remove_handle(page);
    page.close();
    EXPECT_EQ(refusal([&] { page.readable().detach(); }), errc::closed);
    close();
}

TEST_F(AConnectOnlyTransfer, LeavesNoDescriptorBehind) {
    const auto wait_once = [&] {
        easy one = quiet(url("/hello")); // of a server in another process
        one.setopt<CURLOPT_CONNECT_ONLY>(1).setopt<CURLOPT_FORBID_REUSE>(true);
        run(multi->add_handle(one));
        run(one.writable());
        multi->remove_handle(one);
    };
    wait_once();
    const auto before = open_descriptors();
    for (int i = 0; i != 10; ++i)
        wait_once();
    EXPECT_EQ(open_descriptors(), before);
    close();
}

TEST_F(AConnectOnlyTransfer, EndsWithItsMulti) {
    run(multi->add_handle(page));
    close();
    EXPECT_FALSE(page.attached());
    EXPECT_EQ(multi->stats().cancelled, 0u);
}

TEST_F(AConnectOnlyTransfer, EndsWithItsEasy) {
    run(multi->add_handle(page));
    page.close();
    EXPECT_EQ(multi->size(), 0u);
}

TEST_F(AConnectOnlyTransfer, MayLingerWhileItsMultiDrains) {
    run(multi->add_handle(page));
    run(multi->drain(1h));
    EXPECT_FALSE(page.attached());
}

// ---- odd worlds

TEST_F(AnAsyncMulti, LeavesSigpipeToItsHost) {
    ASSERT_NE(std::signal(SIGPIPE, SIG_DFL), SIG_ERR);
    const scripted_server server([](connection& client) {
        client.read_request_head();
        client.reset();
    });
    for (int i = 0; i < 50; ++i) {
        easy page = quiet(server.url());
        page.setopt<CURLOPT_POSTFIELDS>(bytes(200000));
        EXPECT_THROW(run(multi->add_handle(page)), transfer_error);
    }
    close();
}

TEST_F(AnAsyncMulti, TakesDescriptor0ForASocketLikeAnyOther) {
    std::string body;
    easy warm_up = quiet(url("/hello"));
    warm_up.setopt<CURLOPT_FORBID_REUSE>(true);
    run(multi->add_handle(warm_up)); // so that nothing else takes the number
    const int stdin_copy = ::dup(STDIN_FILENO);
    nginx::shared();
    ::close(STDIN_FILENO);
    curl_socket_t used = -1;
    easy page = get("/bytes/1048576", body);
    page.setopt<CURLOPT_SOCKOPTFUNCTION>([&](curl_socket_t socket, curlsocktype) {
        used = socket;
        return CURL_SOCKOPT_OK;
    });
    run(multi->add_handle(page));
    run(multi->add_handle(page));
    EXPECT_EQ(used, 0);
    EXPECT_EQ(body.size(), std::size_t{1 << 21});
    close();
    multi.reset();
    if (stdin_copy >= 0) {
        ::dup2(stdin_copy, STDIN_FILENO);
        ::close(stdin_copy);
    }
}

} // namespace
