// SPDX-License-Identifier: MIT
#pragma once

#include "fuzz/bytes.hpp"
#include "fuzz/connections.hpp"
#include "support/fake_curl/fake_curl.hpp"
#include <curlicue/async_multi.hpp>

#include <deque>
#include <map>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <uv.h>

namespace curlicue::fuzz {

/// A program that uses an async_multi, and the libcurl under it: both do what the input says, for
/// as long as there is some.
class session {
public:
    explicit session(bytes input);
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    /// Ends everything, and requires that nothing is left and each future came to one end.
    ~session();

    void run();

private:
    struct started {
        shared_future<easy> over;
        std::shared_ptr<int> heard; ///< how often its end was told
    };

    // What the program does, from wherever it comes to it.
    void act() noexcept;
    void act_on_transfers();
    void act_on_handles();
    void act_on_multi();
    void act_elsewhere();
    void start(const easy& handle);
    void start_many();
    void chain();
    void combine();
    void make_easy();
    void open_multi();
    void end_multi();
    void listen(future<void> closed);
    static task<> fetch(session& self, easy handle);

    // What libcurl does inside a call.
    void script(test::fake_multi& multi) noexcept;
    void play(test::fake_multi& multi);
    void complete_one(test::fake_multi& multi);
    void throw_in_callback(test::fake_multi& multi);
    void refuse_next();
    void set_timer(test::fake_multi& multi, long timeout_ms);

    // The loop.
    void turn(uv_run_mode mode);
    void check_timer();
    void let_all_finish();

    async_multi& multi() { return *multi_; }
    easy& some_easy() { return easies_[input_.below(easies_.size())]; }
    started* some_transfer() {
        return started_.empty() ? nullptr : &started_[input_.below(started_.size())];
    }

    const std::thread::id home_ = std::this_thread::get_id();
    bytes input_;
    uv_loop_t loop_{};
    uv_timer_t guard_{};
    test::fake_curl curl_;
    std::map<const test::fake_multi*, long> timers_; ///< what libcurl asked for last
    connections connections_;
    std::vector<easy> easies_;
    std::vector<CURL*> lent_;
    std::deque<started> started_;
    std::vector<promise<int>> promises_;
    std::vector<future<int>> promised_;
    std::vector<std::pair<future<void>, std::shared_ptr<int>>> closes_;
    std::unique_ptr<async_multi> multi_;
    int nested_ = 0;
    int many_ = 0;
    int multis_ = 0;
    bool beats_ = false;
};

} // namespace curlicue::fuzz
