// SPDX-License-Identifier: MIT
// A host beside transfers at full speed: how many of them end before it has its turn is counted.
#include "support/async_fixture.hpp"
#include "support/files.hpp"
#include "support/temporary_directory.hpp"
#include <curlicue/async_multi.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

// An entry from the loop runs 256 steps at the most, and a turn of the loop has three entries that
// run any: those of our timer, of our wake-up, and after the last of the ready sockets. (libuv
// calls for a wake-up a second time in one turn only where 1024 descriptors were ready at once.)
constexpr int most_in_a_turn = 3 * 256;

/// A host with a timer that is due every millisecond, and handles that see each turn of the loop.
class host {
public:
    explicit host(uv_loop_t& loop) : timer_(loop, [this] { timer_due_ = false; }) {
        prepare_.data = check_.data = this;
        uv_prepare_init(&loop, &prepare_);
        uv_prepare_start(&prepare_,
                         [](uv_prepare_t* self) { static_cast<host*>(self->data)->before_poll(); });
        uv_check_init(&loop, &check_);
        uv_check_start(&check_,
                       [](uv_check_t* self) { static_cast<host*>(self->data)->after_poll(); });
        uv_unref(reinterpret_cast<uv_handle_t*>(&prepare_));
        uv_unref(reinterpret_cast<uv_handle_t*>(&check_));
    }
    host(const host&) = delete;
    host& operator=(const host&) = delete;
    /// The loop runs for the close callbacks when the timer goes.
    ~host() {
        uv_close(reinterpret_cast<uv_handle_t*>(&prepare_), nullptr);
        uv_close(reinterpret_cast<uv_handle_t*>(&check_), nullptr);
    }

    void transfer_over() { ++over_; }

    std::chrono::milliseconds pause{0}; ///< that its own work takes in each turn
    int turns = 0;
    int most_over = 0;  ///< transfers, from one turn to the next
    int timer_late = 0; ///< in so many turns the timer was due and did not run
    int timer_ran() const noexcept { return timer_.ticks(); }

private:
    void before_poll() {
        ++turns;
        most_over = std::max(most_over, std::exchange(over_, 0));
        timer_late += std::exchange(timer_due_, false) ? 1 : 0;
        std::this_thread::sleep_for(pause);
    }
    void after_poll() { timer_due_ = timer_.due(); }

    int over_ = 0;
    bool timer_due_ = false;
    uv_prepare_t prepare_{};
    uv_check_t check_{};
    host_timer timer_;
};

class AHostOfManyTransfers : public async_fixture {
protected:
    /// `count` transfers at a time, each followed by the next, `length` times.
    void run_chains(int count, int length, const std::string& where) {
        std::vector<future<void>> chains;
        for (int i = 0; i != count; ++i)
            chains.push_back(co_spawn(multi->executor(), chain(quiet(where), length)));
        run(gather(std::move(chains)));
    }

    task<> chain(easy handle, int length) {
        for (int i = 0; i != length; ++i) {
            co_await multi->perform(handle);
            seen->transfer_over();
        }
    }

    void SetUp() override {
        async_fixture::SetUp();
        seen.emplace(loop);
    }
    void TearDown() override {
        seen.reset();
        async_fixture::TearDown();
    }

    void expect_turns() const {
        EXPECT_LE(seen->most_over, most_in_a_turn);
        EXPECT_GT(seen->timer_ran(), 1);
        EXPECT_EQ(seen->timer_late, 0);
    }

    std::optional<host> seen;
};

TEST_F(AHostOfManyTransfers, HasItsTurnBetweenThoseFromAServer) {
    run_chains(256, 20, url("/hello"));
    expect_turns();
}

// All are answered while the host does something else: in one turn libcurl finds them over.
TEST_F(AHostOfManyTransfers, HasItsTurnBetweenThoseThatAreOverTogether) {
    seen->pause = 10ms;
    run_chains(900, 6, url("/hello"));
    expect_turns();
}

// libcurl copies a file in the call that starts it, so the next one could always follow at once.
TEST_F(AHostOfManyTransfers, HasItsTurnBetweenThoseThatAreOverAtOnce) {
    const temporary_directory directory;
    write_file(directory / "hello", "hello\n");
    run_chains(256, 50, "file://" + (directory / "hello").string());
    expect_turns();
}

// Each begins with 2 ms, so that there is time for one. (Once a second address may be tried,
// libcurl 7.88 calls for all at once.)
TEST_F(AHostOfManyTransfers, HasItsTurnBetweenNewTlsConnections) {
    if (!std::string_view(curl_version_info(CURLVERSION_NOW)->ssl_version).starts_with("OpenSSL"))
        GTEST_SKIP() << "this libcurl asks nobody about its SSL_CTX";
    std::vector<future<easy>> all;
    for (int i = 0; i != 64; ++i) {
        easy page = quiet(nginx::shared().https("/hello"));
        page.setopt<CURLOPT_CAINFO>(nginx::shared().ca_file().string())
            .setopt<CURLOPT_HTTP_VERSION>(CURL_HTTP_VERSION_1_1)
            .setopt<CURLOPT_HAPPY_EYEBALLS_TIMEOUT_MS>(60'000)
            .setopt<CURLOPT_SSL_CTX_FUNCTION>([this](auto&&...) {
                seen->transfer_over();
                std::this_thread::sleep_for(2ms);
                return CURLE_OK;
            });
        all.push_back(multi->add_handle(page));
    }
    run(gather(std::move(all)));
    EXPECT_LE(seen->most_over, 2);
}

} // namespace
