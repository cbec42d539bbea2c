// SPDX-License-Identifier: MIT
// Fetches that are cancelled, dropped, read and closed by several threads wherever they are: in the
// queue, in a redirect, before a retry, in a body that waits, in an upload. What goes wrong here is
// seen by the sanitizers, by the count of each future's outcomes, or by what is left open.
#include "support/crowd.hpp"
#include "support/nginx.hpp"
#include "support/odd_server.hpp"
#include "support/server_process.hpp"
#include "support/temporary_directory.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/error.hpp>
#include <curlicue/fetch.hpp>
#include <curlicue/sleep.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

#include <gtest/gtest.h>
#include <uv.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

/// A loop on a thread of its own, a multi on it, and clients that come and go.
class fetches {
public:
    explicit fetches(unsigned seed) : loop_dice_(seed) {
        if (uv_loop_init(&loop_) != 0)
            throw std::runtime_error("uv_loop_init");
        std::promise<void> bound;
        thread_ = std::thread([this, &bound] {
            multi_ = std::make_unique<async_multi>(&loop_);
            multi_->ref();
            bound.set_value();
            uv_run(&loop_, UV_RUN_DEFAULT);
        });
        bound.get_future().get();
        for (auto& each : clients_)
            each = make_client(loop_dice_);
    }
    fetches(const fetches&) = delete;
    fetches& operator=(const fetches&) = delete;

    /// Closes everything; sees that nothing is left on the loop, and that every future came out
    /// once.
    ~fetches() {
        held_.clear();
        EXPECT_NO_THROW(multi_->close().get());
        thread_.join();
        clients_ = {};
        entries_.clear();
        multi_.reset();
        const int closed = uv_loop_close(&loop_);
        EXPECT_EQ(closed, 0) << uv_strerror(closed);
        EXPECT_TRUE(std::ranges::all_of(outcomes_, [](auto& each) { return each == 1; }));
    }

    void step(dice& roll) {
        switch (roll.below(16)) {
        case 0:
            return cancel(roll);
        case 1:
        case 2:
        case 3:
        case 4:
            return read_held(roll);
        case 5:
            if (roll.one_in(32))
                return replace_client(roll);
            return static_cast<void>(any_client(roll).stats());
        case 6:
        case 7:
            return std::this_thread::sleep_for(std::chrono::microseconds(roll.below(16'000)));
        default:
            return add(roll);
        }
    }

    std::size_t added() const noexcept { return outcomes_.size(); }
    std::size_t succeeded() const noexcept { return succeeded_; }

private:
    client make_client(dice& roll) {
        client_options options;
        options.tls.ca_file = server_.ca_file().string();
        options.high_water = roll.one_in(2) ? 1u << 16 : 1u << 20;
        if (roll.one_in(2))
            options.memory = 1u << 18;
        if (roll.one_in(2))
            options.at_once = {.per_origin = 2 + roll.below(4), .total = 8, .queue = 200};
        options.retries = {.attempts = 3, .first = 1ms, .most = 3ms};
        return client(*multi_, std::move(options));
    }
    client any_client(dice& roll) {
        const std::lock_guard lock(mutex_);
        return *clients_[roll.below(clients_.size())];
    }
    void replace_client(dice& roll) {
        client next = make_client(roll);
        std::optional<client> old;
        {
            const std::lock_guard lock(mutex_);
            old = std::exchange(clients_[roll.below(clients_.size())], std::move(next));
        }
        if (roll.one_in(2))
            old->close().detach([](std::exception_ptr) {});
    }

    request_body stream(dice& roll) {
        return request_body::stream([this, left = roll.below(8),
                                     late = roll.one_in(2)]() mutable -> future<std::string> {
            if (left-- == 0)
                return make_ready_future(std::string());
            if (!late)
                return make_ready_future(std::string(20'000, 'x'));
            return sleep_for(multi_->executor(), 1ms).then([] { return std::string(1'000, 'y'); });
        });
    }
    /// What a writer writes, or leaves unwritten.
    request_body piped(dice& roll) {
        auto [body, writer] = request_body::pipe();
        for (std::size_t i = roll.below(4); i != 0; --i)
            count(writer.write(std::string(100'000, 'z')));
        if (!roll.one_in(4))
            writer.end();
        return std::move(body);
    }
    request any_request(dice& roll) {
        request what;
        switch (roll.below(16)) {
        case 0:
            what.url = "http://" + nobody_.address() + "/"; // refused
            break;
        case 1:
            what.url = server_.http("/slow/16777216");
            break;
        case 2:
            what.url = server_.https("/hello");
            break;
        case 3:
            what.url = server_.http(roll.one_in(8) ? "/redirect/loop" : "/redirect");
            break;
        case 4:
            what = {.url = server_.http("/post/"), .body = stream(roll)};
            break;
        case 5:
            what = {.url = server_.http("/upload/fetch"), .method = "PUT", .body = piped(roll)};
            break;
        case 6:
            what.url = server_.http("/status/503"); // and again
            break;
        case 7:
            what = {.url = odd_.url("/silence"), .limits = {.first_byte = 20ms}};
            break;
        case 8:
            what.url = odd_.url(roll.one_in(2) ? "/partial" : "/chunked/cut");
            break;
        case 9:
            what = {.url = odd_.url("/307"), .body = "once more"};
            break;
        case 10:
            what.url = server_.http("/gzip/1048576");
            break;
        default:
            what.url = server_.http(roll.one_in(2) ? "/bytes/1048576" : "/hello");
        }
        what.priority = static_cast<int>(roll.below(3));
        if (roll.one_in(16))
            what.limits.total = std::chrono::milliseconds(roll.below(20) + 1);
        if (roll.one_in(16))
            what.limits.queue = 1ms;
        return what;
    }

    /// That it is ready, or has failed, once. Anybody may cancel it.
    template <class T, class Then> void count(future<T> over, Then then) {
        auto& outcome = *[this] {
            const std::lock_guard lock(mutex_);
            return &outcomes_.emplace_back();
        }();
        auto used =
            std::move(over)
                .then([then = std::move(then)](T&& value) mutable { then(std::move(value)); })
                .share();
        used.then_result([this, &outcome](result<void>&& how) {
                ++outcome;
                succeeded_ += how.has_value() ? 1 : 0;
            })
            .detach([](std::exception_ptr) {});
        const std::lock_guard lock(mutex_);
        entries_.push_back(std::move(used));
        if (entries_.size() > 200)
            entries_.pop_front();
    }
    template <class T> void count(future<T> over) {
        if constexpr (std::is_void_v<T>)
            count(std::move(over).then([] { return 0; }));
        else
            count(std::move(over), [](const T&) {});
    }

    template <class Call> static void tolerating(Call call) {
        try {
            call();
        } catch (const usage_error&) { // what another thread has closed
        }
    }

    void add(dice& roll) {
        tolerating([&] {
            auto head = any_client(roll).fetch(any_request(roll));
            if (!roll.one_in(8)) // else nobody waits for it
                count(std::move(head), [this](response one) { use(std::move(one)); });
        });
    }

    /// On the loop's thread.
    void use(response one) {
        auto& roll = loop_dice_;
        tolerating([&] {
            switch (roll.below(8)) {
            case 0:
                return; // dropped
            case 1:
                return count(one.discard());
            case 2:
                return count(one.to_file(directory_ / std::to_string(roll.below(8))));
            case 3:
                return count(one.body().line());
            case 4: {
                auto text = one.text();
                if (roll.one_in(2))
                    text.cancel();
                return count(std::move(text));
            }
            default:
                return hold(one.body());
            }
        });
    }

    void read_held(dice& roll) {
        auto taken = take_held(roll);
        if (!taken || roll.one_in(4))
            return; // dropped
        for (std::size_t i = roll.below(4); i != 0; --i)
            tolerating([&] { // a read that is pending
                count(taken->read(1 + roll.below(200'000)));
                std::this_thread::sleep_for(std::chrono::microseconds(roll.below(1'000)));
            });
        hold(*std::move(taken));
    }
    std::optional<body_stream> take_held(dice& roll) {
        const std::lock_guard lock(mutex_);
        if (held_.empty())
            return std::nullopt;
        std::swap(held_[roll.below(held_.size())], held_.back());
        std::optional<body_stream> taken(std::move(held_.back()));
        held_.pop_back();
        return taken;
    }
    void hold(body_stream body) {
        const std::lock_guard lock(mutex_);
        held_.push_back(std::move(body));
        if (held_.size() <= 40)
            return;
        std::swap(held_.front(), body); // which is dropped once the lock is
        held_.pop_front();
    }

    void cancel(dice& roll) {
        std::optional<shared_future<void>> one;
        {
            const std::lock_guard lock(mutex_);
            if (entries_.empty())
                return;
            one = entries_[roll.below(entries_.size())];
        }
        one->cancel();
    }

    const nginx& server_ = nginx::shared();
    scripted_server odd_ = make_odd_server();
    const reserved_port nobody_;
    const temporary_directory directory_;
    uv_loop_t loop_{};
    std::thread thread_;
    dice loop_dice_; // the loop's thread's
    std::unique_ptr<async_multi> multi_;
    std::atomic<std::size_t> succeeded_{0};

    std::mutex mutex_; // guards what follows
    std::array<std::optional<client>, 4> clients_;
    std::deque<shared_future<void>> entries_;
    std::deque<body_stream> held_;
    std::deque<std::atomic<int>> outcomes_;
};

TEST(ACrowdOfThreads, LeavesNothingOfItsFetchesBehind) {
    expect_nothing_left_by_a_crowd<fetches>("futures");
}

} // namespace
