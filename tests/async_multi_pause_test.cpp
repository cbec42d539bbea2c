// SPDX-License-Identifier: MIT
// Transfers that stop in their middle and go on: not a byte less, and not a byte twice.
#include "support/async_fixture.hpp"
#include "support/files.hpp"
#include "support/scripted_server.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/version.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <ostream>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

/// How a page is fetched.
struct way {
    std::string name;
    std::function<void(easy&)> choose;
    friend void PrintTo(const way& chosen, std::ostream* out) { *out << chosen.name; }
};

const std::vector<way> ways{
    {"Http", [](easy& page) { page.setopt<CURLOPT_URL>(nginx::shared().http("/bytes/1048576")); }},
    {"Https",
     [](easy& page) {
         page.setopt<CURLOPT_URL>(nginx::shared().https("/bytes/1048576"));
         page.setopt<CURLOPT_CAINFO>(nginx::shared().ca_file().string());
         page.setopt<CURLOPT_HTTP_VERSION>(CURL_HTTP_VERSION_1_1);
     }},
    {"Http2",
     [](easy& page) {
         page.setopt<CURLOPT_URL>(nginx::shared().https("/bytes/1048576"));
         page.setopt<CURLOPT_CAINFO>(nginx::shared().ca_file().string());
         page.setopt<CURLOPT_HTTP_VERSION>(CURL_HTTP_VERSION_2TLS);
     }},
};

class APausedTransfer : public async_fixture, public ::testing::WithParamInterface<way> {
protected:
    void SetUp() override {
        async_fixture::SetUp();
        if (GetParam().name == "Http2" && !has_feature("HTTP2"))
            GTEST_SKIP() << "this libcurl speaks no HTTP/2";
    }

    /// A page that stops its first chunk.
    easy stopped_at_once() {
        easy page;
        GetParam().choose(page);
        page.setopt<CURLOPT_WRITEFUNCTION>([this](std::span<const char> data) {
            if (!std::exchange(paused, true))
                return std::size_t{CURL_WRITEFUNC_PAUSE};
            body.append(data.data(), data.size());
            return data.size();
        });
        return page;
    }

    /// Nothing comes while it is paused, though the loop runs.
    void expect_peace() {
        {
            host_timer host(loop);
            run_to([&] { return host.ticks() >= 20; });
        }
        const std::size_t before = body.size();
        {
            host_timer host(loop);
            run_to([&] { return host.ticks() >= 20; });
        }
        EXPECT_EQ(body.size(), before);
        EXPECT_LT(before, std::size_t{1 << 20});
    }

    std::string body;
    bool paused = false;
};

INSTANTIATE_TEST_SUITE_P(Over, APausedTransfer, ::testing::ValuesIn(ways),
                         [](const auto& tested) { return tested.param.name; });

TEST_P(APausedTransfer, GoesOnWhereItWasPaused) {
    easy page = stopped_at_once();
    auto running = multi->add_handle(page);
    run_to([&] { return paused; });
    expect_peace();
    EXPECT_EQ(body, "");
    page.unpause();
    run(std::move(running));
    EXPECT_TRUE(body == bytes(1 << 20));
    close();
}

TEST_P(APausedTransfer, KeepsTheLoopAlive) {
    easy page = stopped_at_once();
    const auto running = multi->add_handle(page);
    run_to([&] { return paused; });
    EXPECT_NE(uv_loop_alive(&loop), 0) << "though libcurl waits for nothing";
    host_timer resume(loop, [&] {
        if (resume.ticks() == 20) {
            resume.stop();
            page.unpause();
        }
    });
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    EXPECT_TRUE(running.ready());
    EXPECT_TRUE(body == bytes(1 << 20));
}

TEST_P(APausedTransfer, MayBePausedFromOutsideAgainAndAgain) {
    easy page;
    GetParam().choose(page);
    page.setopt<CURLOPT_WRITEDATA>(body);
    page.setopt<CURLOPT_BUFFERSIZE>(16384);
    auto running = multi->add_handle(page);
    for (int pauses = 0; pauses < 5; ++pauses) {
        const std::size_t before = body.size();
        run_to([&] { return body.size() > before || running.ready(); });
        if (running.ready())
            break;
        page.pause(CURLPAUSE_RECV);
        page.pause(CURLPAUSE_RECV);
        expect_peace();
        page.unpause();
    }
    run(std::move(running));
    EXPECT_TRUE(body == bytes(1 << 20));
}

TEST_P(APausedTransfer, MayBePausedAndUnpausedInsideItsCallback) {
    easy page;
    GetParam().choose(page);
    int pauses = 0;
    page.setopt<CURLOPT_WRITEFUNCTION>([&](easy& self, std::span<const char> data) {
        body.append(data.data(), data.size());
        self.pause(CURLPAUSE_RECV);
        if (++pauses % 2 == 0)
            self.unpause(); // the last word counts
        else
            static_cast<void>(multi->post([self]() mutable {
                if (self.attached())
                    self.unpause();
            }));
        return data.size();
    });
    run(multi->add_handle(page));
    EXPECT_GT(pauses, 2);
    EXPECT_TRUE(body == bytes(1 << 20));
}

TEST_P(APausedTransfer, HoldsNoLoopWhenToldNeverTo) {
    close();
    multi.emplace(&loop, async_multi_options{.keep_loop = hold::never});
    easy page = stopped_at_once();
    const auto running = multi->add_handle(page);
    {
        host_timer host(loop);
        run_to([&] { return paused; });
    }
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    EXPECT_FALSE(running.ready());
    page.unpause();
    host_timer host(loop);
    run_to([&] { return running.ready(); });
    EXPECT_TRUE(body == bytes(1 << 20));
}

TEST_P(APausedTransfer, IsCancelledLikeAnyOther) {
    auto running = multi->add_handle(stopped_at_once());
    run_to([&] { return paused; });
    EXPECT_TRUE(running.cancel());
    EXPECT_TRUE(running.ready());
    close();
    EXPECT_EQ(body, "");
}

// ---- uploads, and what is refused

TEST_F(AnAsyncMulti, PausesAnUpload) {
    const std::string sent = bytes(1 << 20);
    std::size_t given = 0;
    int calls = 0;
    bool stopped = false;
    easy page = quiet(url("/upload/paused"));
    page.setopt<CURLOPT_UPLOAD>(true);
    page.setopt<CURLOPT_INFILESIZE_LARGE>(sent.size());
    page.setopt<CURLOPT_READFUNCTION>([&](std::span<char> buffer) {
        if (++calls % 3 == 1) {
            stopped = true;
            return std::size_t{CURL_READFUNC_PAUSE};
        }
        const std::size_t size = sent.copy(buffer.data(), buffer.size(), given);
        given += size;
        return size;
    });
    auto running = multi->add_handle(page);
    int unpaused = 0;
    host_timer resume(loop, [&] {
        if (std::exchange(stopped, false)) {
            ++unpaused;
            page.unpause();
        }
    });
    run(std::move(running));
    EXPECT_GT(unpaused, 3);
    std::string stored;
    run(multi->add_handle(get("/upload/paused", stored)));
    EXPECT_TRUE(stored == sent);
}

TEST_F(AnAsyncMulti, HasNothingToPauseBeforeATransferAndAfterIt) {
    std::string body;
    const easy page = get("/hello", body);
    EXPECT_NO_THROW(page.unpause());
    EXPECT_NO_THROW(page.pause(easy::direction::both));
    run(multi->add_handle(page));
    EXPECT_EQ(body, "hello\n");
    EXPECT_NO_THROW(page.pause(CURLPAUSE_ALL));
    EXPECT_NO_THROW(page.unpause());
}

TEST_F(AnAsyncMulti, SurvivesAnExceptionInsideAnUnpause) {
    bool paused = false;
    easy page = quiet(url("/bytes/1048576"));
    page.setopt<CURLOPT_WRITEFUNCTION>([&](std::span<const char>) -> std::size_t {
        if (!std::exchange(paused, true))
            return CURL_WRITEFUNC_PAUSE;
        throw std::domain_error("not now");
    });
    auto running = multi->add_handle(page);
    run_to([&] { return paused; });
    page.unpause();
    EXPECT_THROW(run(std::move(running)), std::domain_error);
}

TEST_F(AnAsyncMulti, DoesNotSpinWhenAServerHalfClosesAPausedTransfer) {
    const std::string sent = bytes(1 << 20);
    std::atomic<bool> closed{false};
    const scripted_server server([&](connection& client) {
        client.read_request_head();
        client.write("HTTP/1.0 200 OK\r\n\r\n" + sent.substr(0, 1000));
        client.half_close();
        closed = true;
        client.hold();
    });
    std::string body;
    bool paused = false;
    easy page = quiet(server.url());
    page.setopt<CURLOPT_WRITEFUNCTION>([&](std::span<const char> data) {
        if (!std::exchange(paused, true))
            return std::size_t{CURL_WRITEFUNC_PAUSE};
        body.append(data.data(), data.size());
        return data.size();
    });
    auto running = multi->add_handle(page);
    run_to([&] { return paused && closed; });
    const auto before = multi->stats().wakeups;
    {
        host_timer host(loop);
        run_to([&] { return host.ticks() >= 100; });
    }
    // 8.5.0 wants to hear of it all the same (cf_socket_adjust_pollset).
    if (curl_version_info(CURLVERSION_NOW)->version_num != 0x080500) {
        EXPECT_LE(multi->stats().wakeups - before, 10u);
    }
    page.unpause();
    run(std::move(running));
    EXPECT_TRUE(body == sent.substr(0, 1000));
}

} // namespace
