// SPDX-License-Identifier: MIT
// An executor of a user's own, made of what is public, with a clock that a test moves.
#include <curlicue/sleep.hpp>
#include <curlicue/task.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

using namespace curlicue;
using namespace std::chrono_literals;

namespace {

class fake_clock final : public executor {
public:
    ~fake_clock() override { retire(); }

    void post(unique_function<void()> callable) override { queue_.push_back(std::move(callable)); }
    bool runs_here() const noexcept override { return true; }

    clock::time_point now() const noexcept override { return now_; }
    void start_timer(timed_work& timer, clock::time_point deadline) override {
        timer.position = timers_.emplace(deadline, &timer);
        timer.armed = true;
    }
    void stop_timer(timed_work& timer) noexcept override {
        if (std::exchange(timer.armed, false))
            timers_.erase(timer.position);
    }

    /// Everything that is to happen meanwhile, each at its time.
    void advance(clock::duration time) {
        const auto end = now_ + time;
        run();
        while (!timers_.empty() && timers_.begin()->first <= end) {
            const auto [deadline, timer] = *timers_.begin();
            now_ = std::max(now_, deadline);
            stop_timer(*timer);
            timer->expired();
            run();
        }
        now_ = end;
    }

private:
    void run() {
        for (; !queue_.empty(); queue_.pop_front())
            queue_.front()();
    }

    std::deque<unique_function<void()>> queue_;
    timed_work::queue timers_;
    clock::time_point now_; // the beginning of time
};

/// What is tested: something that tries again, waiting twice as long each time.
task<int> with_patience(executor& where, unique_function<int()> attempt) {
    for (auto pause = 1s;; pause *= 2) {
        try {
            co_return attempt();
        } catch (const std::runtime_error&) {
        }
        co_await sleep_for(where, pause);
    }
}

class AFakeClock : public testing::Test {
protected:
    fake_clock clock;
};

TEST_F(AFakeClock, TellsWhenThingsHappenAndTakesNoTime) {
    std::vector<std::chrono::seconds> attempts;
    auto answer = co_spawn(clock, with_patience(clock, [&]() -> int {
                               attempts.push_back(std::chrono::duration_cast<std::chrono::seconds>(
                                   clock.now().time_since_epoch()));
                               if (attempts.size() < 5)
                                   throw std::runtime_error("not yet");
                               return 42;
                           }));
    clock.advance(14s);
    EXPECT_FALSE(answer.ready());
    clock.advance(1h);
    EXPECT_EQ(answer.get(), 42);
    EXPECT_EQ(attempts, (std::vector{0s, 1s, 3s, 7s, 15s}));
}

TEST_F(AFakeClock, IsWhatTimeoutsCountBy) {
    promise<int> never(clock);
    auto late = never.get_future().timeout(24h);
    clock.advance(24h - 1ms);
    EXPECT_FALSE(late.ready());
    clock.advance(1ms);
    EXPECT_THROW(late.get(), timed_out);
}

TEST_F(AFakeClock, IsWhatAChildsTimeoutCountsByAsWell) {
    promise<int> never(clock);
    clock.advance(100h);
    auto late = never.get_future().then([](int value) { return value; }).timeout(1h);
    clock.advance(59min);
    EXPECT_FALSE(late.ready());
    clock.advance(1min);
    EXPECT_THROW(late.get(), timed_out);
}

/// Another, which only posts.
class clockless final : public executor {
public:
    ~clockless() override { retire(); }
    void post(unique_function<void()> callable) override { queue_.push_back(std::move(callable)); }
    bool runs_here() const noexcept override { return home_ == std::this_thread::get_id(); }
    void run() {
        for (; !queue_.empty(); queue_.pop_front())
            queue_.front()();
    }

private:
    const std::thread::id home_ = std::this_thread::get_id();
    std::deque<unique_function<void()>> queue_;
};

bool has_no_timer(const std::function<void()>& call) {
    try {
        call();
    } catch (const usage_error& error) {
        return error.code() == errc::no_loop;
    }
    return false;
}

TEST(AnExecutorWithoutAClock, HasTheRealTimeAndNoTimer) {
    clockless where;
    const auto before = executor::clock::now();
    const auto now = where.now();
    EXPECT_LE(before, now);
    EXPECT_LE(now, executor::clock::now());
    EXPECT_TRUE(has_no_timer([&] { sleep_for(where, 1ms).detach(); }));
}

TEST(AnExecutorWithoutAClock, FailsASleepFromAnotherThread) {
    clockless where;
    future<void> slept;
    std::thread([&] { slept = sleep_for(where, 1ms); }).join();
    EXPECT_FALSE(slept.ready());
    where.run();
    ASSERT_TRUE(slept.ready());
    EXPECT_TRUE(has_no_timer([&] { slept.get(); }));
}

} // namespace
