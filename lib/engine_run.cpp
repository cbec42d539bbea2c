// SPDX-License-Identifier: MIT
// Which thread runs an engine's loop, and running it.
#include "engine_scopes.hpp"
#include <curlicue/error.hpp>

#include <thread>
#include <utility>

namespace curlicue::detail {

// Between the two the loop polls, and nobody else may run it. The second comes when the loop has
// called for each ready socket: one turn for all of them.
void engine::open_watch_over_poll(uv_loop_t* loop, const intrusive_ptr<open_handles>& handles) {
    int status = 0;
    prepare_ = make_uv<uv_prepare_t>(handles, this, status, [loop](uv_prepare_t* prepare) {
        return uv_prepare_init(loop, prepare);
    });
    check_uv(status, "uv_prepare_init");
    check_ = make_uv<uv_check_t>(handles, this, status,
                                 [loop](uv_check_t* check) { return uv_check_init(loop, check); });
    check_uv(status, "uv_check_init");
    uv_prepare_start(prepare_.get(), [](uv_prepare_t* prepare) {
        auto& self = owner_of<engine>(prepare);
        self.adopt_thread();
        self.in_loop_.store(true, std::memory_order_relaxed);
        self.next_round();
    });
    uv_check_start(check_.get(), [](uv_check_t* check) {
        auto& self = owner_of<engine>(check);
        // A callback may run the loop until our handles are closed.
        const auto kept = intrusive_ptr<engine>::share(&self);
        if (std::exchange(self.turn_due_, false)) {
            const loop_entry entry(self);
        }
        self.in_loop_.store(false, std::memory_order_release);
    });
    uv_unref(uv_closer::as_handle(prepare_.get()));
    uv_unref(uv_closer::as_handle(check_.get()));
}

// The loop has moved to this thread, and what runs on it with the loop.
[[gnu::noinline]] void engine::hand_over() noexcept {
    const auto here = dispatcher_.thread();
    transfers_.for_each([here](const transfer& item) { item.core().hand_to(here); });
}

void engine::belong_to_this_thread() noexcept {
    runner_.store(std::this_thread::get_id(), std::memory_order_release);
}

// Whether another thread runs the loop, as far as can be told: libuv has no word about it. It does
// while `run_until` or a `loop_thread` is there, and while it polls or calls us; not told is who is
// in a callback of the host's that has nothing to do with a poll.
bool engine::runs_elsewhere() const noexcept {
    const auto runner = runner_.load(std::memory_order_acquire);
    if (runner != std::thread::id())
        return runner != std::this_thread::get_id();
    return !dispatcher_.runs_here() && in_loop_.load(std::memory_order_acquire);
}

// Ends `uv_run` when a state is ready.
class engine::loop_stop final : public continuation, public work {
public:
    explicit loop_stop(engine& of) noexcept : continuation(false), engine_(of) {}

    bool done() const noexcept { return done_; }

    void source_ready() noexcept override {
        executor_link::of(engine_.dispatcher_)->enqueue(*this);
    }
    void run() noexcept override {
        done_ = true;
        uv_stop(engine_.loop());
    }

private:
    engine& engine_;
    bool done_ = false;
};

void engine::check_runnable() const {
    constexpr auto call = "async_multi::run_until";
    check_process(call);
    if (loop() == nullptr)
        throw usage_error(errc::no_loop, call);
    if (phase_.load(std::memory_order_acquire) == phase::closed)
        throw usage_error(errc::closed, call);
    if (runs_elsewhere())
        throw usage_error(errc::wrong_thread, call);
    if (dispatcher_.runs_here() && (entries_ != 0 || depth_ != 0))
        throw usage_error(errc::inside_callback, call);
}

void engine::run_until(state_base& awaited) {
    constexpr auto call = "async_multi::run_until";
    check_process(call);
    if (awaited.ready())
        return;
    check_runnable();
    std::thread::id nobody;
    if (!runner_.compare_exchange_strong(nobody, std::this_thread::get_id(),
                                         std::memory_order_acq_rel) &&
        nobody != std::this_thread::get_id()) // of two threads that came here the other was first
        throw usage_error(errc::wrong_thread, call);
    const auto kept = intrusive_ptr<engine>::share(this);
    const auto state = intrusive_ptr<state_base>::share(&awaited);
    loop_stop stop(*this);
    ++runs_;
    // This thread is to be the loop's, and what others have queued is a reason to run it.
    adopt_thread();
    dispatcher_.take_remote();
    update_hold();
    awaited.attach(stop);
    bool alive = true;
    do {
        alive = uv_run(loop(), UV_RUN_DEFAULT) != 0;
        // Told on another thread, its step is still to come here.
    } while (!stop.done() && !awaited.detach(stop));
    --runs_;
    if (phase_.load(std::memory_order_acquire) != phase::closed)
        update_hold();
    if (nobody == std::thread::id())
        runner_.store({}, std::memory_order_release); // from here on the loop may be another's
    if (!stop.done())
        throw usage_error(alive ? errc::stopped : errc::would_deadlock, call);
}

} // namespace curlicue::detail
