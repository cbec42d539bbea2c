// SPDX-License-Identifier: MIT
// What the loop brings to an engine, what keeps the loop, and the turn.
#include "engine_scopes.hpp"
#include "known_faults.hpp"
#include "scheme.hpp"
#include <curlicue/error.hpp>

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

namespace curlicue::detail {
namespace {

// So many of our steps run in a callback of the loop at the most, and a turn of the loop has three
// that run any: our timer's, our wake-up's, and that after the last ready socket. What is left
// comes with the next turn: I/O and the host have theirs too.
constexpr std::size_t max_steps = 256;
// libcurl asks to be called at once again and again (8.6 to 8.14 without end, while transfers are
// paused); continuations add transfers, which ask as well.
constexpr int max_rounds = 8;
// One call may be long: 64 downloads over one QUIC connection take 0.4 s (OpenSSL 3.5). Once a turn
// has lasted this long, what is left comes with the next one.
constexpr std::chrono::milliseconds turn_time(10);
// Where connections begin with TLS, all turns from one poll of the loop to the next have less: a
// step of one handshake, some of which last a millisecond, is as much as the host is to wait for.
constexpr std::chrono::milliseconds greeting_time(1);
constexpr std::uint64_t nanoseconds_of(std::chrono::nanoseconds time) noexcept {
    return static_cast<std::uint64_t>(time.count());
}
constexpr std::size_t steps_at_once = 32; // of steps, between two looks at the time
constexpr unsigned oldest_uv = 0x012c00;  // 1.44.0

} // namespace

[[gnu::noinline]] void engine::bind(uv_loop_t* loop) {
    if (uv_version() < oldest_uv)
        throw usage_error(errc::too_old, "async_multi (libuv 1.44)");
    const std::lock_guard lock(binding_);
    if (this->loop() != nullptr || closed())
        return; // somebody else was first
    auto handles = make_intrusive<open_handles>(*this);
    try {
        dispatcher_.open(loop, handles);
        timeout_.emplace(loop, static_cast<timeout::owner&>(*this), handles);
        open_watch_over_poll(loop, handles);
        sockets_ = make_intrusive<socket_table>(loop, dispatcher_,
                                                static_cast<socket_table::owner&>(*this), handles);
    } catch (...) {
        prepare_.reset();
        check_.reset();
        timeout_.reset();
        dispatcher_.close();
        throw;
    }
    handles_ = std::move(handles);
    loop_.store(loop, std::memory_order_release);
    update_hold();
}

[[gnu::flatten]] bool engine::socket_ready(socket_watch& by, int mask) noexcept {
    if (depth_ != 0 || forked()) {
        any_suspended_ = true;
        return false;
    }
    const loop_entry entry(*this, loop_entry::turn_comes::after_poll);
    auto& of = by.of();
    const auto socket = by.socket();
    if (of.multi() == nullptr)
        return true;
    if (sockets_->any_put_off() || has_had_its_time()) {
        drive_in_order(of, socket);
        return true;
    }
    const auto effects = of.effects;
    driven_in_ = round_;
    by.may_greet();
    drive(of, socket, reads_while_paused_ ? 0 : mask);
    if (effects == of.effects && options_.spin_guard)
        sockets_->nothing_came_of_it(socket);
    return true;
}

// While a bind is under way libcurl asks for no socket, and in FTP not always for that of the
// control connection: what goes on with the transfer is a call for all.
void engine::idle_ready(shard& of, curl_socket_t socket, CURL* by) noexcept {
    if (!asks_for_too_little_ || !asks_for_too_little(by))
        return;
    if (depth_ != 0 || forked()) {
        any_suspended_ = true;
        return sockets_->suspend(socket);
    }
    const loop_entry entry(*this, loop_entry::turn_comes::after_poll);
    if (of.multi() == nullptr)
        return;
    drive_all(of);
    sockets_->stay_idle(socket);
}

curl_off_t engine::carried(const shard& of) const noexcept {
    curl_off_t sum = 0;
    transfers_.for_each([&](const transfer& item) {
        curl_off_t sent = 0, received = 0;
        if (item.home == &of) {
            curl_easy_getinfo(item.curl(), CURLINFO_SIZE_UPLOAD_T, &sent);
            curl_easy_getinfo(item.curl(), CURLINFO_SIZE_DOWNLOAD_T, &received);
        }
        sum += sent + received;
    });
    return sum;
}

// The loop calls for all sockets that are ready before anybody else has a turn. Those that it comes
// to when the time is over are first the next time; it calls again for what stays ready.
[[gnu::noinline]] void engine::drive_in_order(shard& of, curl_socket_t socket) noexcept {
    if (!sockets_->put_off(socket))
        drive(of, socket, 0);
    while (!has_had_its_time() || driven_in_ != round_) {
        const auto next = sockets_->next_put_off();
        if (!next)
            return;
        driven_in_ = round_;
        if (next->of.multi() != nullptr)
            drive(next->of, next->socket, 0); // it may be ready no more
    }
    put_off_in_ = round_;
}

void engine::timer_fired() noexcept {
    const loop_entry entry(*this); // its turn runs what has expired
}

void engine::woken() noexcept {
    steps_left_ = max_steps;
    const loop_entry entry(*this);
    if (heartbeat_.under_way() && depth_ == 0 && !forked())
        heartbeat_.step(round_ - put_off_in_ < 2);
}

void engine::need_turn() noexcept {
    // Inside the loop's callbacks a turn is coming.
    if (entries_ != 0 || loop() == nullptr)
        return;
    update_hold();
    // What is started outside the loop's callbacks is seen by an embedded loop only when its
    // backend descriptor becomes readable, and the timer may not be armed for it yet.
    dispatcher_.wake();
}

void engine::turn() noexcept {
    if (forked() || std::exchange(turning_, true))
        return;
    if (const auto now = uv_now(loop()); now != steps_time_) {
        steps_time_ = now;
        steps_left_ = max_steps;
    }
    const auto steps_before = steps_left_;
    // What expires later comes with the next turn.
    if (timeout_)
        timeout_->run_expired(max_steps);
    int round = 0;
    while (round != max_rounds && run_round()) {
        ++round;
        if (has_had_its_time())
            break;
    }
    if (round == max_rounds && steps_left_ == steps_before)
        postpone_kicks();
    turning_ = false;
    turn_over_ = true;
    end_turn();
}

// By the clocks that libcurl's calls and our steps are measured with anyway.
void engine::begin_turn() noexcept {
    if (greeting_)
        return;
    spent_before_ = time_spent();
    time_allowed_ = nanoseconds_of(turn_time);
}

void engine::greets() noexcept {
    if (std::exchange(turn_over_, false))
        begin_turn();
    greeting_ = true;
    time_allowed_ = std::min(time_allowed_, nanoseconds_of(greeting_time));
}

void engine::next_round() noexcept {
    ++round_;
    greeting_ = false;
}

bool engine::begins_with_tls(CURL* transfer) const noexcept {
    const auto item = transfers_.find(transfer);
    return item && item->server != nullptr && item->server->secure;
}

// What continuations add is driven in the same round, together with what was kicked before.
bool engine::run_round() noexcept {
    const bool ran = run_steps();
    return drive_kicked() || ran;
}

bool engine::run_steps() noexcept {
    dispatcher_.take_remote();
    if (!dispatcher_.busy() || steps_left_ == 0)
        return false;
    do {
        const auto begun = timeout::clock::now();
        timing_ = true; // what they call of libcurl is their time
        steps_left_ -= dispatcher_.run(std::min(steps_left_, steps_at_once));
        timing_ = false;
        counters_.continuations.add_since(begun);
    } while (dispatcher_.busy() && steps_left_ != 0 && !has_had_its_time());
    return true;
}

void engine::end_turn() noexcept {
    const auto now = phase_.load(std::memory_order_acquire);
    if (now == phase::closed)
        return;
    if (now == phase::draining && drained())
        patience_over();
    if (phase_.load(std::memory_order_acquire) == phase::cleaned && finish_close())
        return;
    counters_.sockets.set(sockets_->size());
    timeout_->arm();
    update_hold();
    // A loop that a continuation has run has taken the wake-up for what other threads have queued.
    if (!kicked_.empty() || dispatcher_.busy() || dispatcher_.any_remote() ||
        heartbeat_.under_way())
        dispatcher_.wake();
}

bool engine::busy() const noexcept {
    return !kicked_.empty() || (timeout_ && timeout_->holds_loop()) || dispatcher_.busy() ||
           pending_.load(std::memory_order_relaxed) != 0 || awaited_sockets_ != 0 ||
           phase_.load(std::memory_order_relaxed) == phase::draining; // which comes to an end
}

void engine::update_hold() noexcept {
    const bool closing = phase_.load(std::memory_order_relaxed) >= phase::closing;
    const bool while_busy = hold_ == hold::while_busy || runs_ != 0;
    dispatcher_.hold_loop(closing || hold_ == hold::always || (while_busy && busy()));
}

void engine::hold_loop(hold keep) noexcept {
    hold_ = keep;
    if (loop() != nullptr)
        update_hold();
}

// Not once it closes: a close in the middle of a beat has stopped them.
[[gnu::noinline]] void engine::start_alarm(alarm& one, std::chrono::milliseconds wait) noexcept {
    if (one.armed || !timeout_ || phase_.load(std::memory_order_relaxed) >= phase::closing)
        return;
    try {
        timeout_->start(one, deadline_after(wait));
    } catch (const std::bad_alloc&) {
        // The next transfer tries again; until then only libcurl's own wake-ups are left.
    }
}

void engine::call(shard& of, bool all) noexcept {
    if (all)
        drive_all(of);
    else
        drive(of, CURL_SOCKET_TIMEOUT, 0);
}

void engine::is_late(transfer& item) noexcept {
    counters_.deadlines.add();
    item.fix_outcome(CURLE_OPERATION_TIMEDOUT);
    item.leave();
}

void engine::start_upkeep() noexcept {
    if (options_.upkeep && ends_no_shutdown_)
        start_alarm(upkeep_, std::chrono::seconds(1));
}

void engine::upkeep() noexcept {
    counters_.upkeeps.add();
    // NOLINTNEXTLINE(modernize-loop-convert): a callback's transfer may open another
    for (std::size_t i = 0; i != shards_.size(); ++i)
        if (shards_[i]->multi() != nullptr)
            drive_all(*shards_[i]);
    if (sockets_->size() != 0)
        start_upkeep();
}

void engine::start_timer(timed_work& timer, dispatcher::clock::time_point deadline) {
    if (!timeout_)
        return;
    timeout_->start(timer, deadline, timeout::whose::others);
    need_turn();
}

void engine::stop_timer(timed_work& timer) noexcept {
    if (!timeout_ || !timer.armed)
        return;
    timeout_->stop(timer, timeout::whose::others);
    need_turn();
}

void engine::unobserved(std::exception_ptr failure) noexcept {
    report_unobserved(std::move(failure));
}

void engine::close_callback_failed(std::exception_ptr failure) noexcept {
    report_unobserved(std::move(failure));
}

// Not a post: a close refuses those, and it is the last chance of some failures to be told.
class engine::unobserved_report final : public work {
public:
    unobserved_report(engine& of, std::exception_ptr&& failure) noexcept
        : engine_(intrusive_ptr<engine>::share(&of)) {
        failure_.swap(failure);
    }

    void run() noexcept override {
        const std::unique_ptr<unobserved_report> self(this);
        try {
            engine_->options_.on_unobserved_error(std::move(failure_));
        } catch (...) {
            // It may not throw, and there is nobody left to tell.
        }
    }

private:
    const intrusive_ptr<engine> engine_;
    std::exception_ptr failure_;
};

void engine::report_unobserved(std::exception_ptr failure) noexcept {
    unobserved_.fetch_add(1, std::memory_order_relaxed);
    if (!options_.on_unobserved_error)
        return;
    try {
        auto report = std::make_unique<unobserved_report>(*this, std::move(failure));
        if (dispatcher_.enqueue(*report))
            static_cast<void>(report.release()); // the queue's from here on
    } catch (const std::bad_alloc&) {
        // It is counted.
    }
}

} // namespace curlicue::detail
