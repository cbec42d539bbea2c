// SPDX-License-Identifier: MIT
// Many random steps on many transfers from several threads. What goes wrong here is seen by the
// sanitizers, by the count of each future's outcomes, or by what is left open.
#include "support/crowd.hpp"
#include "support/nginx.hpp"
#include "support/server_process.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/error.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <uv.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

/// A loop on a thread of its own, with several multis on it that come and go.
class playground {
public:
    explicit playground(unsigned seed) : callback_dice_(seed) {
        if (uv_loop_init(&loop_) != 0)
            throw std::runtime_error("uv_loop_init");
        std::promise<void> bound;
        thread_ = std::thread([this, &bound] {
            control_ = std::make_unique<async_multi>(&loop_);
            control_->ref();
            for (auto& each : multis_)
                each = std::make_shared<async_multi>(&loop_);
            bound.set_value();
            uv_run(&loop_, UV_RUN_DEFAULT);
        });
        bound.get_future().get();
    }
    playground(const playground&) = delete;
    playground& operator=(const playground&) = delete;

    /// Closes everything; sees that nothing is left on the loop, and that every future of every
    /// transfer came out once.
    ~playground() {
        ending_ = true;
        control_->post([] {}).get(); // all replacements have been made
        for (auto& each : multis_)
            EXPECT_NO_THROW(each->close().get());
        multis_ = {};
        EXPECT_NO_THROW(control_->close().get());
        thread_.join();
        control_.reset();
        entries_.clear();
        const int closed = uv_loop_close(&loop_);
        EXPECT_EQ(closed, 0) << uv_strerror(closed);
        EXPECT_TRUE(std::ranges::all_of(outcomes_, [](auto& each) { return each == 1; }));
    }

    void step(dice& roll) {
        switch (roll.below(16)) {
        case 0:
            return cancel(roll);
        case 1:
            return on_loop(roll,
                           [](async_multi& multi, easy& handle) { multi.remove_handle(handle); });
        case 2:
            return on_loop(roll, [](async_multi&, easy& handle) { handle.pause(CURLPAUSE_ALL); });
        case 3:
        case 4:
            return on_loop(roll, [](async_multi&, easy& handle) { handle.unpause(); });
        case 5:
            return on_loop(roll, [](async_multi&, easy& handle) { handle.close(); });
        case 6:
            if (roll.one_in(16))
                return close(roll).get();
            return static_cast<void>(any_multi(roll)->stats());
        case 7:
            return forget(roll);
        case 8:
        case 9:
            return std::this_thread::sleep_for(std::chrono::microseconds(roll.below(16'000)));
        default:
            return add(roll);
        }
    }

    std::size_t added() const noexcept { return outcomes_.size(); }
    std::size_t succeeded() const noexcept { return succeeded_; }

private:
    struct entry {
        easy handle;
        shared_future<easy> over;
        std::weak_ptr<async_multi> home;
    };

    std::shared_ptr<async_multi> any_multi(dice& roll) {
        const std::lock_guard lock(mutex_);
        return multis_[roll.below(multis_.size())];
    }
    std::shared_ptr<entry> any_entry(dice& roll) {
        const std::lock_guard lock(mutex_);
        return entries_.empty() ? nullptr : entries_[roll.below(entries_.size())];
    }

    /// What is not open any more, or not added, is so because of another thread.
    template <class Call> static void tolerating(Call call) {
        try {
            call();
        } catch (const usage_error&) {
        } catch (const std::system_error&) { // a pause that libcurl refuses
        }
    }

    easy transfer(dice& roll) {
        easy handle;
        switch (roll.below(16)) {
        case 0:
            handle.setopt<CURLOPT_URL>("http://" + nobody_.address() + "/"); // refused
            break;
        case 1:
            handle.setopt<CURLOPT_URL>(server_.http("/slow/16777216"));
            break;
        case 2:
            handle.setopt<CURLOPT_URL>(server_.https("/hello"));
            handle.setopt<CURLOPT_CAINFO>(server_.ca_file().string());
            break;
        case 3:
            handle.setopt<CURLOPT_URL>("http://localhost:1/"); // a lookup, and two addresses
            break;
        case 4:
            handle.setopt<CURLOPT_URL>(server_.http("/upload/stress"));
            handle.setopt<CURLOPT_UPLOAD>(true);
            handle.setopt<CURLOPT_READFUNCTION>([left = 20](std::span<char> buffer) mutable {
                std::ranges::fill(buffer, 'x');
                return left-- > 0 ? buffer.size() : 0;
            });
            break;
        default:
            handle.setopt<CURLOPT_URL>(server_.http(roll.one_in(2) ? "/bytes/1048576" : "/hello"));
        }
        handle.setopt<CURLOPT_WRITEFUNCTION>([this](easy& self, std::span<const char> data) {
            if (callback_dice_.one_in(64)) // inside libcurl
                cancel(callback_dice_);
            if (callback_dice_.one_in(1024))
                close(callback_dice_).detach([](std::exception_ptr) { ADD_FAILURE(); });
            if (callback_dice_.one_in(256))
                self.close();
            if (callback_dice_.one_in(256))
                throw std::runtime_error("a callback");
            return callback_dice_.one_in(64) ? std::size_t{CURL_WRITEFUNC_PAUSE} : data.size();
        });
        return handle;
    }

    void add(dice& roll) {
        tolerating([&] {
            const auto multi = any_multi(roll);
            const auto handle = transfer(roll);
            auto over = multi->add_handle(handle).share();
            std::atomic<int>* outcome = nullptr;
            {
                const std::lock_guard lock(mutex_);
                outcome = &outcomes_.emplace_back();
                entries_.push_back(std::make_shared<entry>(entry{handle, over, multi}));
                if (entries_.size() > 200)
                    entries_.pop_front();
            }
            over.then_result([this, outcome](result<easy>&& how) {
                    ++*outcome;
                    succeeded_ += how.has_value() ? 1 : 0;
                })
                .detach([](std::exception_ptr) {});
        });
    }

    void cancel(dice& roll) {
        if (const auto entry = any_entry(roll))
            entry->over.cancel();
    }

    template <class Call> void on_loop(dice& roll, Call call) {
        const auto entry = any_entry(roll);
        const auto home = entry ? entry->home.lock() : nullptr;
        if (home)
            tolerating([&] {
                home->post([entry, home, call] { tolerating([&] { call(*home, entry->handle); }); })
                    .detach([](std::exception_ptr) {});
            });
    }

    /// One goes, by a close or by its end, and another takes its place.
    future<void> close(dice& roll) {
        const auto place = roll.below(multis_.size());
        const bool at_once = roll.one_in(2);
        std::shared_ptr<async_multi> old;
        {
            const std::lock_guard lock(mutex_);
            old = multis_[place];
        }
        if (at_once)
            static_cast<void>(old->close());
        return control_->post([this, place] {
            if (ending_)
                return;
            async_multi_options options;
            options.close_handles = place % 2 == 0;
            options.heartbeat = 5ms;
            auto next = std::make_shared<async_multi>(&loop_, std::move(options));
            const std::lock_guard lock(mutex_);
            std::swap(multis_[place], next);
        });
    }

    void forget(dice& roll) {
        std::shared_ptr<entry> gone;
        const std::lock_guard lock(mutex_);
        if (entries_.empty())
            return;
        gone = std::exchange(entries_[roll.below(entries_.size())], entries_.back());
        entries_.pop_back();
    }

    const nginx& server_ = nginx::shared();
    const reserved_port nobody_;
    uv_loop_t loop_{};
    std::thread thread_;
    dice callback_dice_; // the loop's thread's
    std::unique_ptr<async_multi> control_;
    std::atomic<std::size_t> succeeded_{0};
    std::atomic<bool> ending_{false};

    std::mutex mutex_; // guards what follows
    std::array<std::shared_ptr<async_multi>, 6> multis_;
    std::deque<std::shared_ptr<entry>> entries_;
    std::deque<std::atomic<int>> outcomes_;
};

TEST(ACrowdOfThreads, LeavesNothingBehindWhateverItDoes) {
    expect_nothing_left_by_a_crowd<playground>("transfers");
}

} // namespace
