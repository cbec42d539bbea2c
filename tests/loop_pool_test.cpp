// SPDX-License-Identifier: MIT
#include "support/async_fixture.hpp"
#include "support/files.hpp"
#include <curlicue/loop.hpp>
#include <curlicue/url.hpp>
#include <curlicue/version.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <latch>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

class ALoopPool : public ::testing::Test {
protected:
    /// Started by a thread of a test, nginx would end with that thread.
    static void SetUpTestSuite() { nginx::shared(); }

    static std::string url(std::string_view path) { return nginx::shared().http(path); }

    static easy get(std::string_view path, std::string& body) {
        easy handle = quiet(url(path));
        handle.setopt<CURLOPT_WRITEDATA>(body);
        return handle;
    }
    static easy slow() { return quiet(url("/slow/16777216")); }

    /// From nginx, under the name of one of many servers.
    static easy from_server(std::size_t number, std::string_view path) {
        const auto nginx_url = url("");
        easy handle =
            quiet("http://server-" + std::to_string(number) + ".test" + std::string(path));
        return handle.setopt<CURLOPT_CONNECT_TO>(
            {"::" + nginx_url.substr(nginx_url.find("://") + 3)});
    }

    static std::size_t pending(loop_pool& pool, std::size_t loop) {
        return pool[loop].multi().stats().pending;
    }

    /// The loop whose thread this is.
    static std::size_t here(loop_pool& pool) {
        std::size_t loop = 0;
        while (pool[loop].loop() != loop_scope::current())
            ++loop;
        return loop;
    }
};

// ---- transfers

TEST_F(ALoopPool, RunsTheTransfersOfManyThreads) {
    loop_pool pool(2);
    std::atomic<int> good{0};
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 8; ++t)
        threads.emplace_back([&, t] {
            std::string body;
            easy page = from_server(t, "/bytes/1024");
            page.setopt<CURLOPT_WRITEDATA>(body);
            for (int i = 0; i < 25; ++i) {
                body.clear();
                EXPECT_EQ(pool.perform(page).get(), page);
                good += body == bytes(1 << 10) ? 1 : 0;
            }
        });
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_EQ(good, 200);
    EXPECT_EQ(pool.stats().completed, 200u);
    EXPECT_EQ(pool.stats().pending, 0u);
}

TEST_F(ALoopPool, RunsLargeTransfersOnAllItsLoopsAtOnce) {
    loop_pool pool(2);
    std::vector<std::string> bodies(80);
    std::vector<future<easy>> running;
    for (std::string& body : bodies)
        running.push_back(pool.add_handle(get("/bytes/1048576", body)));
    gather(std::move(running)).get();
    EXPECT_TRUE(std::all_of(bodies.begin(), bodies.end(),
                            [all = bytes(1 << 20)](const auto& body) { return body == all; }));
    EXPECT_GT(pool[0].multi().stats().completed, 0u);
    EXPECT_GT(pool[1].multi().stats().completed, 0u);
}

TEST_F(ALoopPool, RunsContinuationsWhereTheTransferRan) {
    loop_pool pool(4);
    std::set<std::size_t> loops;
    for (std::size_t server = 0; server < 16; ++server) {
        std::optional<std::size_t> ran;
        easy page = from_server(server, "/hello");
        page.setopt<CURLOPT_WRITEFUNCTION>([&](std::span<const char> data) {
            ran = here(pool);
            return data.size();
        });
        const auto loop = pool.add_handle(page).then([&](const easy&) { return here(pool); }).get();
        EXPECT_EQ(ran, loop);
        loops.insert(loop);
    }
    EXPECT_GT(loops.size(), 1u) << "of 16 servers";
}

TEST_F(ALoopPool, TakesTransfersFromItsOwnThreads) {
    loop_pool pool(2);
    std::vector<future<easy>> chains;
    for (std::size_t server = 0; server < 8; ++server)
        chains.push_back(
            pool.add_handle(from_server(server, "/hello")).then([&pool, server](const easy&) {
                return pool.add_handle(from_server(server + 1, "/hello"));
            }));
    for (future<easy>& each : chains)
        each.get();
    EXPECT_EQ(pool.stats().completed, 16u);
}

// ---- placement

TEST_F(ALoopPool, FindsTheConnectionsOfAServerAgain) {
    loop_pool pool(4);
    for (std::size_t server = 0; server < 8; ++server)
        for (int i = 0; i < 5; ++i) {
            const easy page = pool.add_handle(from_server(server, "/hello")).get();
            EXPECT_EQ(page.getinfo<CURLINFO_NUM_CONNECTS>(), i == 0 ? 1 : 0)
                << "server " << server << ", transfer " << i;
        }
}

TEST_F(ALoopPool, KeepsAServerAtHomeWhileThatHasFewTransfers) {
    loop_pool pool(2);
    std::vector<future<easy>> running;
    for (int i = 0; i < 32; ++i)
        running.push_back(pool.add_handle(slow()));
    EXPECT_EQ(std::max(pending(pool, 0), pending(pool, 1)), 32u);
}

TEST_F(ALoopPool, SpreadsAServerWithMany) {
    loop_pool pool(2);
    std::vector<future<easy>> running;
    for (int i = 0; i < 100; ++i)
        running.push_back(pool.add_handle(slow()));
    EXPECT_GE(pending(pool, 0), 40u);
    EXPECT_GE(pending(pool, 1), 40u);
    EXPECT_EQ(pool.stats().pending, 100u);
}

TEST_F(ALoopPool, CountsWhatWasAddedToALoopByHand) {
    loop_pool pool(2);
    std::vector<future<easy>> running;
    running.push_back(pool.add_handle(slow()));
    const std::size_t home = pending(pool, 0) != 0 ? 0 : 1;
    for (int i = 0; i < 40; ++i)
        running.push_back(pool[home].multi().add_handle(slow()));
    running.push_back(pool.add_handle(slow()));
    EXPECT_EQ(pending(pool, 1 - home), 1u);
}

TEST_F(ALoopPool, KeepsAServerAtHomeWhereTheOthersHaveNotClearlyFewer) {
    loop_pool pool(2);
    std::vector<future<easy>> running;
    running.push_back(pool.add_handle(slow()));
    const std::size_t home = pending(pool, 0) != 0 ? 0 : 1;
    for (int i = 0; i < 35; ++i) {
        running.push_back(pool[home].multi().add_handle(slow()));
        if (i < 30)
            running.push_back(pool[1 - home].multi().add_handle(slow()));
    }
    running.push_back(pool.add_handle(slow()));
    EXPECT_EQ(pending(pool, home), 37u);
    EXPECT_EQ(pending(pool, 1 - home), 30u);
}

TEST_F(ALoopPool, KeepsAServerAtHomeWhoseConnectionsCarryManyTransfers) {
    loop_pool pool(2);
    std::vector<future<easy>> running;
    for (int i = 0; i < 60; ++i) {
        easy page = quiet(nginx::shared().https("/slow/16777216"));
        page.setopt<CURLOPT_CAINFO>(nginx::shared().ca_file().string());
        running.push_back(pool.add_handle(page));
    }
    const auto busiest = std::max(pending(pool, 0), pending(pool, 1));
    if (libcurl_version().found >= version_number{8, 4, 0})
        EXPECT_EQ(busiest, 60u);
    else
        EXPECT_LE(busiest, 40u) << "it does not multiplex";
}

TEST_F(ALoopPool, KeepsAServerAtHomeThatAParsedUrlNames) {
    loop_pool pool(2);
    std::vector<future<easy>> running;
    for (int i = 0; i < 4; ++i) {
        easy page = slow();
        page.unset<CURLOPT_URL>().setopt<CURLOPT_CURLU>(curlicue::url(url("/slow/16777216")));
        running.push_back(pool.add_handle(page));
    }
    EXPECT_EQ(std::max(pending(pool, 0), pending(pool, 1)), 4u);
}

TEST_F(ALoopPool, PlacesAnEasyWhoseServerItCannotTellByLoadAlone) {
    const curlicue::url address(url("/slow/16777216"));
    std::vector<std::unique_ptr<CURL, void (*)(CURL*)>> handles;
    loop_pool pool(2);
    std::vector<future<easy>> running;
    for (int i = 0; i < 4; ++i) {
        CURL* const page = handles.emplace_back(curl_easy_init(), &curl_easy_cleanup).get();
        curl_easy_setopt(page, CURLOPT_CURLU, address.native_handle()); // of which nobody tells
        curl_easy_setopt(
            page, CURLOPT_WRITEFUNCTION,
            +[](char*, std::size_t, std::size_t size, void*) { return size; });
        running.push_back(pool.add_handle(easy::borrow(page)));
    }
    EXPECT_EQ(pending(pool, 0), 2u);
    EXPECT_EQ(pending(pool, 1), 2u);
}

// ---- refusals

TEST_F(ALoopPool, RefusesToHaveNoLoop) {
    try {
        loop_pool pool(0);
        FAIL() << "of size " << pool.size();
    } catch (const std::invalid_argument& error) {
        EXPECT_THAT(error.what(), HasSubstr("ask for 1 at the least"));
    }
}

TEST_F(ALoopPool, HasALoopForEachCoreUnlessToldOtherwise) {
    EXPECT_EQ(loop_pool().size(), loop_pool::cores());
    EXPECT_GE(loop_pool::cores(), 1u);
    EXPECT_EQ(loop_pool(3).size(), 3u);
}

TEST_F(ALoopPool, RefusesAnEasyThatIsAdded) {
    loop_pool pool(2), other(2);
    loop_thread background;
    const easy page = slow();
    for (const auto& add : std::vector<std::function<future<easy>()>>{
             [&] { return pool.add_handle(page); },
             [&] { return pool[1].multi().add_handle(page); },
             [&] { return background.multi().add_handle(page); },
         }) {
        auto running = add();
        EXPECT_EQ(refusal([&] { static_cast<void>(pool.add_handle(page)); }), errc::already_added);
        EXPECT_EQ(refusal([&] { static_cast<void>(other.add_handle(page)); }), errc::already_added);
        EXPECT_FALSE(running.ready());
        running.cancel();
        running.wait();
        EXPECT_FALSE(page.attached());
    }
}

TEST_F(ALoopPool, TakesAnEasyOnceHoweverManyAddIt) {
    loop_pool pool(2), other(2);
    for (int round = 0; round < 50; ++round) {
        const easy page = slow();
        std::atomic<int> refused{0};
        std::vector<future<easy>> added(4);
        std::latch together(4);
        std::vector<std::thread> threads;
        for (std::size_t t = 0; t < added.size(); ++t)
            threads.emplace_back([&, t] {
                together.arrive_and_wait();
                try {
                    added[t] = (t % 2 == 0 ? pool : other).add_handle(page);
                } catch (const usage_error& error) {
                    EXPECT_EQ(error.code(), errc::already_added);
                    ++refused;
                }
            });
        for (std::thread& thread : threads)
            thread.join();
        EXPECT_EQ(refused, 3);
        for (future<easy>& each : added)
            if (each.valid()) {
                each.cancel();
                each.wait();
            }
    }
}

TEST_F(ALoopPool, RefusesAnEasyThatIsClosed) {
    loop_pool one(1), pool(2);
    easy page = slow();
    page.close();
    EXPECT_EQ(refusal([&] { static_cast<void>(one.add_handle(page)); }), errc::closed);
    EXPECT_EQ(refusal([&] { static_cast<void>(pool.add_handle(page)); }), errc::closed);
    const easy moved = std::move(page);
    EXPECT_EQ(refusal([&] { static_cast<void>(pool.add_handle(page)); }), errc::closed); // NOLINT
}

// ---- options, stats, cancelling

TEST_F(ALoopPool, AsksForTheOptionsOfEachLoop) {
    std::vector<std::size_t> asked;
    std::atomic<int> unobserved{0};
    {
        loop_pool pool(3, [&](std::size_t loop) {
            asked.push_back(loop);
            return async_multi_options{
                .on_unobserved_error = [&](const std::exception_ptr&) { ++unobserved; }};
        });
        for (std::size_t loop = 0; loop < pool.size(); ++loop)
            static_cast<void>(
                pool[loop].multi().post([] { throw std::runtime_error("nobody looks"); }));
    }
    EXPECT_THAT(asked, ElementsAre(0, 1, 2));
    EXPECT_EQ(unobserved, 3);
}

TEST_F(ALoopPool, EndsWhatItBeganWhenThereAreNoOptionsToBeHad) {
    EXPECT_THROW(loop_pool(3,
                           [](std::size_t loop) -> async_multi_options {
                               if (loop == 2)
                                   throw std::runtime_error("none");
                               return {};
                           }),
                 std::runtime_error);
}

TEST_F(ALoopPool, SumsUpItsStats) {
    loop_pool pool(2);
    std::vector<future<easy>> fetched;
    for (std::size_t server = 0; server < 16; ++server)
        fetched.push_back(pool.add_handle(from_server(server, "/hello")));
    gather(std::move(fetched)).get();
    EXPECT_THROW(pool.add_handle(quiet("none://")).get(), transfer_error);
    auto late = pool.add_handle(slow());
    late.cancel();
    late.wait();
    const auto running = pool.add_handle(slow());
    EXPECT_EQ(pool.stats().pending, 1u);
    pool.close().wait();

    const auto all = pool.stats();
    const auto first = pool[0].multi().stats(), second = pool[1].multi().stats();
    EXPECT_EQ(all.completed, 16u);
    EXPECT_EQ(all.failed, 1u);
    EXPECT_EQ(all.cancelled, 2u);
    EXPECT_GT(first.completed, 0u);
    EXPECT_GT(second.completed, 0u);
    EXPECT_EQ(all.completed, first.completed + second.completed);
    EXPECT_EQ(all.wakeups, first.wakeups + second.wakeups);
    EXPECT_EQ(all.libcurl_total, first.libcurl_total + second.libcurl_total);
    EXPECT_EQ(all.libcurl_longest, std::max(first.libcurl_longest, second.libcurl_longest));
    EXPECT_GT(all.libcurl_longest, 0ns);
}

TEST_F(ALoopPool, CancelsOnAnyLoop) {
    loop_pool pool(2);
    std::vector<future<easy>> running;
    for (int i = 0; i < 80; ++i)
        running.push_back(pool.add_handle(slow()));
    for (future<easy>& each : running) {
        EXPECT_TRUE(each.cancel());
        each.wait();
        EXPECT_THROW(each.get(), cancelled);
    }
    EXPECT_EQ(pool.stats().cancelled, 80u);
    EXPECT_EQ(pool.stats().pending, 0u);
}

// ---- the end

TEST_F(ALoopPool, ClosesAllItsLoops) {
    loop_pool pool(3);
    std::vector<future<easy>> running;
    for (int i = 0; i < 80; ++i)
        running.push_back(pool.add_handle(slow()));
    EXPECT_FALSE(pool.closed());
    const auto closed = pool.close();
    EXPECT_TRUE(pool.closed());
    closed.wait();
    EXPECT_FALSE(closed.cancelled());
    for (future<easy>& each : running)
        EXPECT_TRUE(each.ready() && each.cancelled());
    for (std::size_t loop = 0; loop < pool.size(); ++loop)
        EXPECT_TRUE(pool[loop].multi().closed());
    EXPECT_EQ(pool.stats().cancelled, 80u);
}

TEST_F(ALoopPool, TakesNothingOnceItIsClosed) {
    for (const std::size_t size : {1, 2}) {
        loop_pool pool(size);
        const auto closed = pool.close();
        const easy page = slow();
        EXPECT_EQ(refusal([&] { static_cast<void>(pool.add_handle(page)); }), errc::closed);
        EXPECT_FALSE(page.attached());
        closed.wait();
        EXPECT_EQ(refusal([&] { static_cast<void>(pool.perform(page)); }), errc::closed);
    }
}

TEST_F(ALoopPool, LetsTasksFinishWhatTheyDoWhileItDrains) {
    std::atomic<int> done = 0;
    std::latch begun(4);
    {
        loop_pool pool(2);
        const auto work = [&](async_multi& home) -> task<> {
            std::string body;
            for (int i = 0; i != 4; ++i) {
                co_await pool.perform(from_server(static_cast<std::size_t>(i), "/hello")
                                          .setopt<CURLOPT_WRITEDATA>(body));
                co_await resume_on(home.executor());
                if (i == 0)
                    begun.count_down();
            }
            done += body == "hello\nhello\nhello\nhello\n" ? 1 : 0;
        };
        std::vector<future<void>> all;
        for (std::size_t i = 0; i != 4; ++i)
            all.push_back(co_spawn(pool[i % 2].multi().executor(), work(pool[i % 2].multi())));
        begun.wait();
        pool.drain(1h).wait();
    }
    EXPECT_EQ(done, 4);
}

TEST_F(ALoopPool, WaitsForNoTaskThatWaitsForItsDrain) {
    loop_pool pool(2);
    std::vector<future<void>> all;
    for (std::size_t i = 0; i != 2; ++i)
        all.push_back(co_spawn(pool[i].multi().executor(), [&pool]() -> task<> {
            co_await pool.drain(std::chrono::milliseconds::max());
        }));
    for (auto& each : all)
        EXPECT_THROW(each.get(), cancelled);
    pool.close().wait();
}

TEST_F(ALoopPool, ClosesOnce) {
    loop_pool pool(2);
    const auto first = pool.close();
    EXPECT_FALSE(first.cancel());
    const auto second = pool.close();
    EXPECT_EQ(first, second);
    second.wait();
    EXPECT_TRUE(pool.close().ready());
}

TEST_F(ALoopPool, ClosesForAnyThread) {
    for (int round = 0; round < 20; ++round) {
        loop_pool pool(2);
        const auto running = pool.add_handle(slow());
        std::vector<std::thread> others;
        for (int t = 0; t < 3; ++t)
            others.emplace_back([&] { pool.close().wait(); });
        for (std::thread& thread : others)
            thread.join();
        EXPECT_TRUE(running.ready() && running.cancelled());
    }
}

TEST_F(ALoopPool, ClosesForAContinuation) {
    loop_pool pool(2);
    const auto running = pool.add_handle(slow());
    std::atomic<bool> told{false};
    pool[1]
        .multi()
        .post([&] { static_cast<void>(pool.close().then([&] { told = true; })); })
        .wait();
    pool.close().wait();
    EXPECT_TRUE(running.ready() && running.cancelled());
    const patience patience;
    while (!told)
        patience.check();
}

TEST_F(ALoopPool, ClosesALoopThatWasClosedAlone) {
    loop_pool pool(2);
    pool[0].multi().close().wait();
    pool.close().wait();
    EXPECT_TRUE(pool[1].multi().closed());
}

TEST_F(ALoopPool, CancelsWhatIsPendingWhenItIsDestroyed) {
    std::vector<future<easy>> running;
    {
        loop_pool pool(2);
        for (int i = 0; i < 80; ++i)
            running.push_back(pool.add_handle(slow()));
    }
    for (future<easy>& each : running) {
        EXPECT_TRUE(each.ready() && each.cancelled());
        EXPECT_THROW(each.get(), cancelled);
    }
}

TEST_F(ALoopPool, MayBeAskedByItsContinuationsWhileItIsDestroyed) {
    std::atomic<int> asked{0}, refused{0};
    {
        loop_pool pool(3);
        for (int i = 0; i < 60; ++i)
            static_cast<void>(pool.add_handle(slow()).finally([&] {
                for (std::size_t loop = 0; loop < pool.size(); ++loop)
                    asked += pool[loop].multi().closed() ? 1 : 0;
                EXPECT_EQ(pool.stats().completed, 0u);
                try {
                    static_cast<void>(pool.add_handle(slow()));
                } catch (const usage_error& error) {
                    EXPECT_EQ(error.code(), errc::closed);
                    ++refused;
                }
            }));
    }
    EXPECT_EQ(refused, 60);
    EXPECT_GE(asked, 60);
}

TEST_F(ALoopPool, HasAllItsLoopsUntilTheLastContinuationHasRun) {
    std::atomic<int> asked{0};
    {
        loop_pool pool(3);
        static_cast<void>(pool[2].multi().add_handle(slow()).finally([&] {
            std::this_thread::sleep_for(50ms); // in which the others have come to their end
            asked += pool[0].multi().closed() ? 1 : 0;
        }));
    }
    EXPECT_EQ(asked, 1);
}

TEST_F(ALoopPool, EndsEveryFutureOnceHoweverItsEndIsRaced) {
    for (int round = 0; round < 20; ++round) {
        auto pool = std::make_unique<loop_pool>(2);
        std::atomic<int> accepted{0}, refused{0}, ended{0};
        std::vector<std::thread> threads;
        for (std::size_t t = 0; t < 4; ++t)
            threads.emplace_back([&, t] {
                for (std::size_t i = 0; i < 20; ++i)
                    try {
                        auto running = pool->add_handle(from_server(i, "/bytes/1024")).finally([&] {
                            ++ended;
                        });
                        ++accepted;
                        if ((i + t) % 3 == 0)
                            running.cancel();
                    } catch (const usage_error& error) {
                        EXPECT_EQ(error.code(), errc::closed);
                        ++refused;
                    }
            });
        if (round % 2 == 0)
            static_cast<void>(pool->close());
        for (std::thread& thread : threads)
            thread.join();
        pool.reset();
        EXPECT_EQ(accepted + refused, 80);
        EXPECT_EQ(ended, accepted);
    }
}

} // namespace
