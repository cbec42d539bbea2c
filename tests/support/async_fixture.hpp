// SPDX-License-Identifier: MIT
#pragma once

#include "support/failure.hpp"
#include "support/multi_fixture.hpp"
#include "support/uv_fixture.hpp"
#include <curlicue/async_multi.hpp>

#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace curlicue::test {

/// A transfer whose body nobody wants to see: libcurl would write it to the standard output.
inline easy quiet(std::string_view url) {
    easy handle(url);
    handle.setopt<CURLOPT_WRITEFUNCTION>([](std::span<const char> data) { return data.size(); });
    return handle;
}

/// Transfers from nginx on a loop of the test's own, which must be empty when the multi is gone.
class async_fixture : public uv_fixture {
protected:
    void SetUp() override {
        uv_fixture::SetUp();
        multi.emplace(&loop);
    }
    void TearDown() override {
        multi.reset();
        uv_fixture::TearDown();
    }

    static std::string url(std::string_view path) { return nginx::shared().http(path); }

    static easy get(std::string_view path, std::string& body) {
        easy handle(url(path));
        handle.setopt<CURLOPT_WRITEDATA>(body);
        return handle;
    }

    /// A transfer that is not over soon.
    static easy slow() { return quiet(url("/slow/16777216")); }

    template <class T> T run(future<T> awaited) { return multi->run_until(std::move(awaited)); }

    /// Runs the loop, turn by turn, until `reached()`.
    void run_to(const std::function<bool()>& reached) {
        const patience patience;
        while (!reached()) {
            patience.check();
            if (uv_run(&loop, UV_RUN_ONCE) == 0 && !reached())
                throw std::logic_error("the loop has nothing to wait for");
        }
    }

    /// Closes the multi and sees that this leaves nothing on the loop.
    void close() {
        multi->run_until(multi->close());
        EXPECT_EQ(uv_loop_alive(&loop), 0);
    }

    std::optional<async_multi> multi;
};

/// One class for the files of all its topics: googletest wants one for each name.
class AnAsyncMulti : public async_fixture {};

/// A host's own timer, which keeps the loop alive and comes round every millisecond.
class host_timer {
public:
    explicit host_timer(
        uv_loop_t& loop, std::function<void()> tick = [] {})
        : tick_(std::move(tick)) {
        uv_timer_init(&loop, &timer_);
        timer_.data = this;
        uv_timer_start(
            &timer_, [](uv_timer_t* timer) { static_cast<host_timer*>(timer->data)->tick(); }, 1,
            1);
    }
    host_timer(const host_timer&) = delete;
    host_timer& operator=(const host_timer&) = delete;
    /// Runs the loop for the close callback.
    ~host_timer() {
        stop();
        while (!closed_)
            uv_run(timer_.loop, UV_RUN_NOWAIT);
    }

    void stop() {
        if (uv_is_closing(handle()) == 0)
            uv_close(handle(), [](uv_handle_t* handle) {
                static_cast<host_timer*>(handle->data)->closed_ = true;
            });
    }
    int ticks() const noexcept { return ticks_; }
    /// Whether it is to run before the loop polls next.
    bool due() const noexcept { return uv_timer_get_due_in(&timer_) == 0; }

private:
    uv_handle_t* handle() noexcept { return reinterpret_cast<uv_handle_t*>(&timer_); }
    void tick() {
        ++ticks_;
        tick_();
    }

    uv_timer_t timer_{};
    std::function<void()> tick_;
    int ticks_ = 0;
    bool closed_ = false;
};

} // namespace curlicue::test
