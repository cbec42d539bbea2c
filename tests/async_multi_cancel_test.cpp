// SPDX-License-Identifier: MIT
// Transfers that are called off, in every phase, and the ends of multis and easies in every order.
#include "support/async_fixture.hpp"
#include "support/files.hpp"
#include "support/scripted_server.hpp"
#include <curlicue/async_multi.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <curl/curl.h>
#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

/// How far a transfer is when it is called off, or its multi or easy goes.
enum class phase { added, connecting, waiting, in_body, paused, done };

constexpr std::array phases{phase::added,   phase::connecting, phase::waiting,
                            phase::in_body, phase::paused,     phase::done};

std::string name_of(const ::testing::TestParamInfo<phase>& tested) {
    constexpr std::array names{"Added", "Connecting", "Waiting", "InBody", "Paused", "Done"};
    return names.at(static_cast<std::size_t>(tested.param));
}

class TransferInFlight : public async_fixture, public ::testing::WithParamInterface<phase> {
protected:
    void SetUp() override {
        async_fixture::SetUp();
        page.emplace(server.url());
        page->setopt<CURLOPT_WRITEFUNCTION>([this](std::span<const char> data) {
            if (GetParam() == phase::paused && !std::exchange(paused, true))
                return std::size_t{CURL_WRITEFUNC_PAUSE};
            received += data.size();
            ++calls;
            return data.size();
        });
        outcome = multi->add_handle(*page);
        run_to([&] { return reached(); });
        calls = 0;
    }

    /// The server answers as far as the phase wants, and then holds its peace.
    void serve(connection& client) {
        if (client.read_request_head().empty())
            return;
        requested = true;
        if (GetParam() == phase::waiting)
            return client.hold();
        client.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
        client.write(GetParam() == phase::done ? "ab" : "a");
        client.hold();
    }

    bool reached() const {
        switch (GetParam()) {
        case phase::added:
            return true;
        case phase::connecting:
            return multi->stats().sockets == 1;
        case phase::waiting:
            return requested;
        case phase::in_body:
            return received == 1;
        case phase::paused:
            return paused;
        case phase::done:
            return outcome.ready();
        }
        return false;
    }

    bool over() const { return GetParam() == phase::done; }

    std::atomic<bool> requested{false};
    scripted_server server{[this](connection& client) { serve(client); }};
    std::optional<easy> page;
    future<easy> outcome;
    std::size_t received = 0;
    int calls = 0;
    bool paused = false;
};

INSTANTIATE_TEST_SUITE_P(When, TransferInFlight, ::testing::ValuesIn(phases), name_of);

TEST_P(TransferInFlight, LetsGoOfItsEasyWhenItIsCancelled) {
    EXPECT_EQ(outcome.cancel(), !over()) << "what is over is not cancelled any more";
    EXPECT_TRUE(outcome.ready()) << "and on the loop's thread at once";
    EXPECT_EQ(outcome.cancelled(), !over());
    EXPECT_FALSE(multi->contains(*page));
    EXPECT_FALSE(page->attached());
    EXPECT_EQ(multi->stats().pending, 0u);
    page->setopt<CURLOPT_URL>(url("/hello"));
    run(multi->add_handle(*page));
    if (!over()) {
        EXPECT_THROW(run(std::move(outcome)), cancelled);
    }
}

TEST_P(TransferInFlight, IsNotResolvedAgainOnceItIsCancelled) {
    int told = 0;
    auto child = std::move(outcome).then_result([&](result<easy>&&) { ++told; });
    child.cancel();
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    EXPECT_LE(told, over() ? 1 : 0) << "a cancelled child skips its callable";
    EXPECT_EQ(calls, 0) << "no callback of a transfer that is ready";
    const auto all = multi->stats();
    EXPECT_EQ(all.completed + all.cancelled, 1u);
    EXPECT_EQ(all.failed, 0u);
}

TEST_P(TransferInFlight, IsCancelledByTheCloseOfItsMulti) {
    close();
    EXPECT_TRUE(outcome.ready());
    EXPECT_EQ(outcome.cancelled(), !over());
    EXPECT_FALSE(page->attached());
    EXPECT_FALSE(page->closed());
    EXPECT_EQ(calls, 0);
    page.reset();
}

TEST_P(TransferInFlight, IsClosedByAMultiThatWasToldTo) {
    static_cast<void>(outcome.cancel());
    multi.emplace(&loop, async_multi_options{.close_handles = true});
    const easy removed = quiet(url("/slow/1048576"));
    static_cast<void>(multi->add_handle(removed));
    multi->remove_handle(removed);
    auto again = multi->add_handle(*page);
    close();
    EXPECT_TRUE(again.cancelled());
    EXPECT_TRUE(page->closed());
    EXPECT_FALSE(removed.closed()) << "what was removed before is not the multi's any more";
}

TEST_P(TransferInFlight, IsRemovedByTheCloseOfItsEasy) {
    page->close();
    EXPECT_TRUE(outcome.ready());
    EXPECT_EQ(outcome.cancelled(), !over());
    EXPECT_EQ(multi->size(), 0u);
    EXPECT_TRUE(page->closed());
    close();
}

TEST_P(TransferInFlight, OutlivesItsEasyAndItsFuture) {
    page.reset();
    outcome = {};
    EXPECT_EQ(multi->size(), over() ? 0u : 1u) << "the multi holds a copy";
    close();
}

TEST_P(TransferInFlight, IsCancelledByTheEndOfItsMulti) {
    multi.reset();
    EXPECT_TRUE(outcome.ready()) << "on the loop's thread at once";
    EXPECT_EQ(outcome.cancelled(), !over());
    EXPECT_FALSE(page->attached());
    EXPECT_NE(uv_loop_alive(&loop), 0) << "handles are still to close";
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    EXPECT_EQ(calls, 0);
}

TEST_P(TransferInFlight, ReleasesItsCallbacksWithItsEasy) {
    auto observed = std::make_shared<int>();
    const std::weak_ptr<int> watching = observed;
    static_cast<void>(outcome.cancel());
    page->setopt<CURLOPT_HEADERFUNCTION>(
        [observed = std::move(observed)](std::string_view header) { return header.size(); });
    outcome = multi->add_handle(*page);
    page.reset();
    EXPECT_FALSE(watching.expired()) << "libcurl may still call it";
    close();
    outcome = {};
    EXPECT_TRUE(watching.expired());
}

// ---- by way of other futures

TEST_F(AnAsyncMulti, CancelsATransferByTheLastOfItsBranches) {
    const easy page = slow();
    const shared_future<easy> running = multi->add_handle(page).share();
    auto first = running.then([](easy&&) {});
    auto second = running.then([](easy&&) {});
    first.cancel();
    EXPECT_TRUE(multi->contains(page));
    second.cancel();
    EXPECT_FALSE(multi->contains(page));
    EXPECT_TRUE(running.cancelled());
}

TEST_F(AnAsyncMulti, CancelsTheLosersOfARace) {
    std::string body;
    const easy loser = slow();
    std::vector<future<easy>> runners;
    runners.push_back(multi->add_handle(loser));
    const easy winner = get("/hello", body);
    runners.push_back(multi->add_handle(winner));
    EXPECT_EQ(run(race(std::move(runners))), winner);
    EXPECT_FALSE(multi->contains(loser));
    EXPECT_EQ(multi->stats().cancelled, 1u);
}

TEST_F(AnAsyncMulti, LetsATransferRunOnWhoseFutureIsDropped) {
    std::string body;
    static_cast<void>(multi->add_handle(get("/bytes/1048576", body)));
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    EXPECT_TRUE(body == bytes(1 << 20));
}

TEST_F(AnAsyncMulti, CancelsFromAContinuationOfASibling) {
    std::string body;
    auto victim = multi->add_handle(slow());
    run(multi->add_handle(get("/hello", body)).then([&](easy&&) {
        EXPECT_TRUE(victim.cancel());
        EXPECT_TRUE(victim.ready());
    }));
    EXPECT_EQ(multi->size(), 0u);
}

TEST_F(AnAsyncMulti, ReleasesACallbackThatIsReplaced) {
    auto observed = std::make_shared<int>();
    const std::weak_ptr<int> watching = observed;
    easy page = quiet(url("/hello"));
    page.setopt<CURLOPT_WRITEFUNCTION>(
        [observed = std::move(observed)](std::span<const char> data) { return data.size(); });
    run(multi->add_handle(page));
    EXPECT_FALSE(watching.expired());
    std::string body;
    page.setopt<CURLOPT_WRITEDATA>(body);
    EXPECT_TRUE(watching.expired());
    run(multi->add_handle(page));
    EXPECT_EQ(body, "hello\n");
}

} // namespace
