// SPDX-License-Identifier: MIT
// Transfers on a loop, each a future.
#include "support/async_fixture.hpp"
#include "support/files.hpp"
#include "support/scripted_server.hpp"
#include "support/server_process.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/version.hpp>

#include <chrono>
#include <cstddef>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;
using testing::HasSubstr;

namespace {

TEST_F(AnAsyncMulti, FetchesAPage) {
    std::string body;
    const easy page = get("/hello", body);
    EXPECT_EQ(run(multi->add_handle(page)), page);
    EXPECT_EQ(body, "hello\n");
    EXPECT_EQ(page.getinfo<CURLINFO_RESPONSE_CODE>(), 200);
    EXPECT_FALSE(page.attached());
    close();
}

TEST_F(AnAsyncMulti, PerformsATransferUnderPycurlsName) {
    std::string body;
    const easy page = get("/hello", body);
    EXPECT_EQ(run(multi->perform(page)), page);
    EXPECT_EQ(body, "hello\n");
}

TEST_F(AnAsyncMulti, IsDrivenByTheHostsOwnUvRun) {
    std::string body;
    const auto page = multi->add_handle(get("/hello", body));
    EXPECT_EQ(body, "") << "nothing runs inside add_handle";
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0) << "the loop ends with the last transfer";
    EXPECT_TRUE(page.ready());
    EXPECT_EQ(body, "hello\n");
}

TEST_F(AnAsyncMulti, RunsFiveTransfersSideBySide) {
    std::vector<std::string> bodies(5);
    std::vector<future<easy>> pages;
    for (std::string& body : bodies)
        pages.push_back(multi->add_handle(get("/bytes/1048576", body)));
    EXPECT_EQ(run(gather(std::move(pages))).size(), 5u);
    for (const std::string& body : bodies)
        EXPECT_TRUE(body == bytes(1 << 20));
    close();
}

TEST_F(AnAsyncMulti, RunsAThousandTransfersSideBySide) {
    std::list<std::string> bodies;
    std::vector<future<easy>> pages;
    for (int i = 0; i < 1000; ++i)
        pages.push_back(multi->add_handle(get("/bytes/1024", bodies.emplace_back())));
    EXPECT_EQ(multi->stats().running, 1000u);
    EXPECT_EQ(run(gather(std::move(pages))).size(), 1000u);
    const std::string expected = bytes(1 << 10);
    for (const std::string& body : bodies)
        ASSERT_TRUE(body == expected);
    EXPECT_EQ(multi->stats().completed, 1000u);
    close();
}

TEST_F(AnAsyncMulti, CallsAStatusOf404ASuccess) {
    std::string body;
    const easy page = run(multi->add_handle(get("/status/404", body)));
    EXPECT_EQ(page.getinfo<CURLINFO_RESPONSE_CODE>(), 404);
    EXPECT_EQ(body, "404\n");
    EXPECT_EQ(multi->stats().failed, 0u);
}

TEST_F(AnAsyncMulti, FailsTheFutureOfARefusedConnection) {
    const reserved_port nobody;
    const easy page = quiet("http://" + nobody.address() + "/");
    auto refused = multi->add_handle(page);
    try {
        run(std::move(refused));
        ADD_FAILURE() << "nobody listens there";
    } catch (const transfer_error& error) {
        EXPECT_EQ(error.code(), CURLE_COULDNT_CONNECT);
        EXPECT_EQ(error.code(), std::errc::connection_refused);
        EXPECT_THAT(error.error_buffer(), HasSubstr("onnect"));
        EXPECT_EQ(error.handle(), page);
    }
    EXPECT_FALSE(page.attached());
    EXPECT_EQ(multi->stats().failed, 1u);
    close();
}

TEST_F(AnAsyncMulti, GathersTransfersAndLetsTheSiblingsOfAFailureRunOn) {
    const reserved_port nobody;
    std::string body;
    std::vector<future<easy>> pages;
    pages.push_back(multi->add_handle(quiet("http://" + nobody.address() + "/")));
    const easy sibling = get("/slow/1048576", body);
    pages.push_back(multi->add_handle(sibling));
    auto all = gather(std::move(pages));
    EXPECT_EQ(failure_of([&] { run(std::move(all)); }), CURLE_COULDNT_CONNECT);
    EXPECT_TRUE(multi->contains(sibling));
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    EXPECT_TRUE(body == bytes(1 << 20));
}

// ---- time

TEST_F(AnAsyncMulti, EndsATransferByLibcurlsTimeoutAlone) {
    const scripted_server silent([](connection& client) { client.hold(); });
    easy page = quiet(silent.url());
    page.setopt<CURLOPT_TIMEOUT_MS>(30ms);
    EXPECT_EQ(failure_of([&] { run(multi->add_handle(page)); }), CURLE_OPERATION_TIMEDOUT);
    close();
}

TEST_F(AnAsyncMulti, EndsATransferByTheTimeoutOfItsFuture) {
    const scripted_server silent([](connection& client) { client.hold(); });
    const easy page = quiet(silent.url());
    auto late = multi->add_handle(page).timeout(30ms);
    EXPECT_EQ(failure_of([&] { run(std::move(late)); }), std::errc::timed_out);
    EXPECT_FALSE(page.attached());
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0) << "a timeout that is over holds no loop";
    close();
}

TEST_F(AnAsyncMulti, LetsTheLoopGoWhenATimeoutWasNotNeeded) {
    std::string body;
    run(multi->add_handle(get("/hello", body)).timeout(1h));
    EXPECT_EQ(body, "hello\n");
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
}

TEST_F(AnAsyncMulti, WaitsOutADelayOfLibcurls) {
    // A rate limit makes libcurl wait by its timer, with nothing to read meanwhile.
    std::string body;
    easy page = get("/bytes/1024", body);
    page.setopt<CURLOPT_BUFFERSIZE>(1024);
    page.setopt<CURLOPT_MAX_RECV_SPEED_LARGE>(16384);
    run(multi->add_handle(page));
    EXPECT_TRUE(body == bytes(1 << 10));
}

// ---- counts and words

TEST_F(AnAsyncMulti, CountsWhatItDoes) {
    const reserved_port nobody;
    const scripted_server silent([](connection& client) { client.hold(); });
    EXPECT_EQ(multi->stats().shards, 0u);
    auto held = multi->add_handle(quiet(silent.url()));
    auto refused = multi->add_handle(quiet("http://" + nobody.address() + "/"));
    EXPECT_EQ(multi->stats().pending, 2u);
    EXPECT_EQ(multi->stats().running, 2u);
    EXPECT_EQ(multi->stats().shards, 1u);
    EXPECT_THROW(run(std::move(refused)), transfer_error);
    std::string body;
    run(multi->add_handle(get("/hello", body)));
    EXPECT_TRUE(held.cancel());

    const multi_stats all = multi->stats();
    EXPECT_EQ(all.pending, 0u);
    EXPECT_EQ(all.running, 0u);
    EXPECT_EQ(all.completed, 1u);
    EXPECT_EQ(all.failed, 1u);
    EXPECT_EQ(all.cancelled, 1u);
    EXPECT_EQ(all.unobserved, 0u);
    EXPECT_EQ(all.rebuilds, 0u);
    EXPECT_GT(all.wakeups, 0u);
    EXPECT_GT(all.libcurl_total, 0ns);
    EXPECT_LE(all.libcurl_longest, all.libcurl_total);
    EXPECT_LE(all.continuations_longest, all.continuations_total);
    EXPECT_GT(all.continuations_longest, 0ns);
}

TEST_F(AnAsyncMulti, CountsTheSocketsItWatches) {
    std::string body;
    easy page = get("/hello", body);
    page.setopt<CURLOPT_FORBID_REUSE>(true);
    auto done = multi->add_handle(page);
    run_to([&] { return multi->stats().sockets == 1; });
    run(std::move(done));
    run(multi->post([] {})); // what a turn closes it counts at its end
    EXPECT_EQ(multi->stats().sockets, 0u);
}

TEST_F(AnAsyncMulti, TellsOfFailuresThatNobodyLooksAt) {
    const reserved_port nobody;
    std::vector<std::exception_ptr> told;
    multi.emplace(&loop,
                  async_multi_options{.on_unobserved_error = [&](std::exception_ptr failure) {
                      told.push_back(std::move(failure));
                  }});
    static_cast<void>(multi->add_handle(quiet("http://" + nobody.address() + "/")));
    run_to([&] { return !told.empty(); });
    EXPECT_THROW(std::rethrow_exception(told.at(0)), transfer_error);
    EXPECT_EQ(multi->stats().unobserved, 1u);
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    EXPECT_EQ(told.size(), 1u);
}

TEST_F(AnAsyncMulti, CallsNoCancellationAnUnobservedFailure) {
    static_cast<void>(multi->add_handle(quiet(url("/slow/1048576"))));
    close();
    EXPECT_EQ(multi->stats().unobserved, 0u);
}

TEST_F(AnAsyncMulti, SaysInWordsWhatItRunsOn) {
    EXPECT_THAT(multi->diagnostics(), HasSubstr("libcurl " + to_string(libcurl_version().found)));
    EXPECT_THAT(multi->diagnostics(), HasSubstr("libuv "));
    EXPECT_THAT(multi->diagnostics(), HasSubstr("heartbeat: 500 ms"));
    multi.emplace(&loop, async_multi_options{.heartbeat = 0ms});
    EXPECT_THAT(multi->diagnostics(), HasSubstr("heartbeat: off"));
}

TEST_F(AnAsyncMulti, SaysWhatHoldsUpTheLoop) {
    const temporary_directory directory;
    write_file(directory / "large", std::string(1 << 20, 'x'));
    easy all("file://" + (directory / "large").string());
    bool turned = false;
    std::size_t size = 0;
    all.setopt<CURLOPT_WRITEFUNCTION>([&](std::span<const char> data) {
        if (size == 0)
            multi->post([&] { turned = true; }).detach([](const std::exception_ptr&) {});
        size += data.size();
        EXPECT_FALSE(turned) << "after " << size << " bytes";
        return data.size();
    });
    const auto over = multi->add_handle(all);
    run_to([&] { return over.ready(); });
    EXPECT_EQ(size, 1u << 20);
    EXPECT_THAT(multi->diagnostics(), HasSubstr("stops the loop: file"));
    EXPECT_THAT(multi->diagnostics(), HasSubstr("longest so far"));
}

TEST_F(AnAsyncMulti, WorksWithoutAHeartbeat) {
    multi.emplace(&loop, async_multi_options{.heartbeat = 0ms});
    std::string body;
    run(multi->add_handle(get("/slow/1048576", body)));
    EXPECT_TRUE(body == bytes(1 << 20));
    EXPECT_EQ(multi->stats().heartbeats, 0u);
}

} // namespace
