// SPDX-License-Identifier: MIT
// A process that forks: what was there before is the parent's.
#include "support/async_fixture.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/loop.hpp>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <curl/curl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

/// Whether `in_child` is true in a child of this process.
bool holds_in_a_child(const std::function<bool()>& in_child) {
    const auto child = ::fork();
    if (child == 0) {
        bool holds = false;
        try {
            ::alarm(60); // rather than hang
            holds = in_child();
        } catch (const std::exception& error) {
            static_cast<void>(std::fprintf(stderr, "in the child: %s\n", error.what()));
        }
        ::_exit(holds ? 0 : 1);
    }
    int status = -1;
    return child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
}

template <class Call> bool is_forked(Call call) {
    return failure_of([&] { static_cast<void>(call()); }) == errc::forked;
}

class AFork : public async_fixture {
protected:
    static constexpr std::size_t size = 16777216;

    // In the middle of its body, over TLS: were the child to end it, it would say so to the server.
    void begin() {
        page.setopt<CURLOPT_URL>(nginx::shared().https("/bytes/16777216"));
        page.setopt<CURLOPT_CAINFO>(nginx::shared().ca_file().string());
        page.setopt<CURLOPT_WRITEDATA>(body);
        // 8.5 reads a hundred buffers at once where TLS has more (transfer.c, readwrite_data).
        page.setopt<CURLOPT_BUFFERSIZE>(4096);
        over = multi->add_handle(page);
        run_to([&] { return !body.empty(); });
        ASSERT_LT(body.size(), size);
    }
    void end() {
        run(std::move(over));
        EXPECT_EQ(body.size(), size);
    }

    std::string body;
    easy page;
    future<easy> over;
};

TEST_F(AFork, RefusesEveryCallInTheChild) {
    begin();
    EXPECT_TRUE(holds_in_a_child([&] {
        easy other(url("/hello"));
        return is_forked([&] { return multi->add_handle(other); }) &&
               is_forked([&] { return multi->remove_handle(page); }) &&
               is_forked([&] { return multi->setopt<CURLMOPT_MAXCONNECTS>(1); }) &&
               is_forked([&] { return multi->futures(); }) &&
               is_forked([&] { return multi->ref(); }) &&
               is_forked([&] { return multi->post([] {}); }) &&
               is_forked([&] { return multi->run_until(over); }) &&
               is_forked([&] { return multi->close(); }) &&
               is_forked([&] { return multi->drain(1s); }) &&
               is_forked([&] { return page.pause(CURLPAUSE_ALL); }) && !other.attached();
    }));
    end();
}

TEST_F(AFork, TouchesNothingOfTheParentsWhenTheChildDropsItAll) {
    begin();
    EXPECT_TRUE(holds_in_a_child([&] {
        over.cancel();
        multi.reset();
        page = easy();
        over = {};
        return true;
    }));
    end();
}

TEST_F(AFork, DrivesNothingOfTheParentsInTheChildsLoop) {
    begin();
    EXPECT_TRUE(holds_in_a_child([&] {
        const auto before = body.size();
        if (uv_loop_fork(&loop) != 0)
            return false;
        for (int turn = 0; turn != 1000; ++turn)
            uv_run(&loop, UV_RUN_NOWAIT);
        return body.size() == before;
    }));
    end();
}

TEST_F(AFork, LetsTheChildMakeItsOwn) {
    begin();
    EXPECT_TRUE(holds_in_a_child([] {
        uv_loop_t own;
        uv_loop_init(&own);
        std::string text;
        {
            async_multi mine(&own);
            mine.run_until(mine.add_handle(get("/hello", text)));
            mine.run_until(mine.close());
        }
        return text == "hello\n" && uv_loop_close(&own) == 0;
    }));
    end();
}

// Forked while another thread asks for memory, a child would wait for a lock of the address
// sanitizer's: with that of g++ 12 one in 3,000 does, in any program. So theirs have nothing to do.
TEST_F(AFork, LeavesTheThreadsOfThePoolToTheParent) {
    auto pool = std::make_unique<loop_pool>(2);
    std::promise<void> began;
    easy held(url("/bytes/1024"));
    held.setopt<CURLOPT_WRITEFUNCTION>([&](std::span<const char>) -> std::size_t {
        began.set_value();
        return CURL_WRITEFUNC_PAUSE;
    });
    auto stays = pool->add_handle(held);
    began.get_future().get();
    for (int i = 0; i != 20; ++i)
        EXPECT_TRUE(holds_in_a_child([&] {
            const bool refused = is_forked([&] { return pool->add_handle(easy(url("/hello"))); });
            pool.reset();
            loop_thread own;
            std::string text;
            own.multi().add_handle(get("/hello", text)).get();
            return refused && text == "hello\n";
        }));
    EXPECT_FALSE(stays.ready());
    stays.cancel();
    pool.reset();
}

} // namespace
