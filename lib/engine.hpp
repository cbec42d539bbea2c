// SPDX-License-Identifier: MIT
#pragma once

#include "active_socket.hpp"
#include "dispatcher.hpp"
#include "engine_counters.hpp"
#include "heartbeat.hpp"
#include "known_faults.hpp"
#include "look_ups.hpp"
#include "multi_handle.hpp"
#include "placement.hpp"
#include "process.hpp"
#include "shard.hpp"
#include "socket_table.hpp"
#include "timeout.hpp"
#include "transfer_list.hpp"
#include <curlicue/async_multi_options.hpp>
#include <curlicue/future.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include <uv.h>

namespace curlicue::detail {

/// What an `async_multi` is made of, and what outlives it: the transfers, the multi handles that
/// drive them, and everything on the loop. Its transfers keep it, and so do its open uv handles:
/// the close callback of the last one is the end of its close.
///
/// The rule that everything here follows: libcurl is called with nothing of libcurl on the stack;
/// when it has returned, `libcurl_returned` reads all of its messages, on every path; promises are
/// kept only then, and continuations run in `turn`, from the dispatcher's queue.
/// @threading loop-bound, where nothing else is said
class engine final : public ref_counted,
                     private active_socket::owner,
                     private socket_table::owner,
                     private timeout::owner,
                     private heartbeat::owner,
                     private dispatcher::owner {
public:
    explicit engine(async_multi_options options);

    /// @throws std::system_error in `uv_category()`
    void bind(uv_loop_t* loop);
    /// Null while unbound. Thread-safe.
    uv_loop_t* loop() const noexcept { return loop_.load(std::memory_order_acquire); }
    /// Thread-safe.
    dispatcher& executor() noexcept { return dispatcher_; }

    /// Whether this process is a child of the one that it was made in: nothing may be touched, for
    /// the sockets and what runs on them are the parent's. Thread-safe.
    bool forked() const noexcept { return process_.elsewhere(); }
    /// All of these also @throws usage_error{errc::forked}
    /// @throws usage_error{errc::wrong_thread}
    void check_thread(std::string_view what) const;
    /// @throws usage_error{errc::closed}, from the first close or drain on; while it drains not in
    ///     a task of ours
    void check_open(std::string_view what) const;
    /// @throws usage_error{errc::closed}, from the first close on
    void check_not_closing(std::string_view what) const;

    /// Thread-safe. @throws as `async_multi::add_handle`
    /// @param accepted it belongs to what was begun while this was open: a drain waits for it
    future<easy> add(const easy& handle, bool accepted = false);
    /// The transfer of an easy that is added here and not leaving, or null.
    intrusive_ptr<transfer> find(const easy& handle) const noexcept;
    const transfer_list& transfers() const noexcept { return transfers_; }
    /// @throws multi_error
    void set(CURLMoption option, curl_off_t value);
    /// What waits in connections and what is known of addresses goes; what runs goes on. Outside
    /// libcurl.
    void network_changed() noexcept;

    // What transfers ask for.
    /// Whether libcurl may be called here and now. Thread-safe.
    bool may_call_libcurl() const noexcept;
    /// Queues a step for the moment when it may. Thread-safe.
    void queue(work& item) noexcept;
    void start_queued(transfer& item) noexcept;
    /// Takes it from libcurl, wherever it is, and settles it.
    void let_go(transfer& item) noexcept;
    /// Tells libcurl of its `pending_pause`.
    CURLcode apply_pause(transfer& item) noexcept;
    /// @throws as `easy::readable`
    future<void> wait_for_socket(transfer& item, ready_for what);
    /// The user calls libcurl with the handle of a transfer, and has done so; `home` is where
    /// libcurl has that.
    void enter_libcurl() noexcept { ++depth_; }
    void leave_libcurl(shard* home) noexcept;

    // What shards ask for.
    void kicked(shard& by) noexcept;
    void watch(shard& of, CURL* by, curl_socket_t socket, int what) noexcept;
    void may_go_on(shard& of, CURL* by) noexcept;
    timeout& timers() noexcept override { return *timeout_; }

    void hold_loop(hold keep) noexcept;
    hold asked_hold() const noexcept { return options_.keep_loop; }
    const async_multi_options& options() const noexcept { return options_; }
    /// @throws as `async_multi::run_until`
    void run_until(state_base& awaited);
    /// Refuses what that would, whatever it waits for.
    void check_runnable() const;
    /// This thread alone runs the loop, to its end.
    void belong_to_this_thread() noexcept;

    /// All thread-safe.
    /// `close` for destructors: in a child that has forked it does nothing.
    void begin_close() noexcept;
    future<void> close();
    future<void> drain(std::chrono::milliseconds patience);
    bool closed() const noexcept { return phase_.load(std::memory_order_acquire) != phase::open; }
    multi_stats stats() const;

private:
    friend class invariants;
    enum class phase : unsigned char { open, draining, closing, cleaned, closed };
    class loop_entry;
    class open_handles;
    class completion;
    class loop_stop;
    class unobserved_report;
    // A deadline of the engine's own.
    class alarm final : public timed_work {
    public:
        using action = void (engine::*)() noexcept;
        alarm(engine& owner, action what) noexcept : owner_(owner), what_(what) {}
        void expired() noexcept override { (owner_.*what_)(); }

    private:
        engine& owner_;
        const action what_;
    };
    // A step of the end, queued from another thread or inside libcurl.
    class step final : public work {
    public:
        using action = void (engine::*)() noexcept;
        step(engine& owner, action what) noexcept : owner_(owner), what_(what) {}
        void run() noexcept override;

    private:
        engine& owner_;
        const action what_;
    };

    ~engine() override;

    // engine.cpp: transfers and libcurl.
    class libcurl_time;
    template <class Call> auto call_libcurl(Call call) noexcept;
    template <class Call> auto inside_libcurl(Call call) noexcept;
    void libcurl_returned(shard& of, CURLMcode code) noexcept;
    void do_what_waited(shard& of, CURLMcode code) noexcept;
    void read_messages(shard& of) noexcept;
    void run_deferred() noexcept;
    void drive(shard& of, curl_socket_t socket, int mask) noexcept;
    CURLMcode start(transfer& item);
    void check_blocking(const easy_core& core) const;
    bool greets_later(transfer& item, const origin& server, shard& home) noexcept;
    void greet_next(shard& of) noexcept;
    void prepare(easy_core& core, origin& server);
    void bind_here(std::string_view call);
    void check_process(std::string_view what) const;

    // engine_end.cpp: how transfers end.
    static failure multi_failure(CURLMcode code) noexcept;
    void finish(transfer& item, CURLcode code) noexcept;
    void fail_shard(shard& of, CURLMcode code) noexcept;
    void hang_up(const transfer& item) noexcept;
    bool remove_from_libcurl(transfer& item) noexcept;
    void has_left_libcurl(transfer& item) noexcept;
    bool conclude(transfer& item) noexcept;
    void count_outcome(transfer& item) noexcept;

    // engine_waiting.cpp: for descriptors.
    bool wait_for_descriptor(transfer& item) noexcept;
    void begin_waiting(transfer& item, timeout::clock::time_point begun) noexcept;
    void start_waiting(int most) noexcept;
    void try_waiting() noexcept;

    // engine_active_socket.cpp: for sockets that are their users'.
    future<void> ready_now();
    void socket_event(active_socket& which, int events) noexcept override;
    void waits_for_socket(bool begins) noexcept override;

    // engine_looking_up.cpp: for names.
    bool waits_for_name(transfer& item, origin& server);
    void begin_look_up(transfer& item) noexcept;
    void may_have_address(CURL* by) noexcept;
    void look_up_ends(transfer& item, CURLcode code) noexcept;
    void give_look_up_up(transfer& item) noexcept;
    void look_up_over(transfer& item) noexcept;
    void next_look_up() noexcept;
    bool is_refused(transfer& item);

    // engine_shards.cpp
    void close_idle_shards_now() noexcept;
    shard& shard_for(origin& server);
    shard& open_shard(std::size_t number);
    void close_shard(shard& of) noexcept;
    static bool surplus(const shard& of) noexcept;
    void close_idle_shards() noexcept;
    void look_for_idle_shards() noexcept;
    bool drive_kicked() noexcept;
    void return_kicks(std::size_t first) noexcept;
    void postpone_kicks() noexcept;

    // engine_loop.cpp: what the loop brings, and what keeps it.
    void need_turn() noexcept;
    void turn_after_poll() noexcept { turn_due_ = true; }
    void turn() noexcept;
    bool run_round() noexcept;
    bool run_steps() noexcept;
    void end_turn() noexcept;
    void update_hold() noexcept;
    bool busy() const noexcept;
    std::uint64_t time_spent() const noexcept {
        return counters_.libcurl.total.value() + counters_.continuations.total.value();
    }
    void begin_turn() noexcept;
    void greets() noexcept override;
    void next_round() noexcept;
    bool has_had_its_time() const noexcept override {
        return time_spent() - spent_before_ > time_allowed_;
    }
    void is_late(transfer& item) noexcept override;
    void call(shard& of, bool all) noexcept override;
    void beat_helped() noexcept override { counters_.heartbeats.add(); }
    void start_upkeep() noexcept;
    void upkeep() noexcept;
    void drive_all(shard& of) noexcept;
    void start_alarm(alarm& one, std::chrono::milliseconds wait) noexcept;
    bool socket_ready(socket_watch& by, int mask) noexcept override;
    void drive_in_order(shard& of, curl_socket_t socket) noexcept;
    bool may_rest(const shard& of, curl_socket_t driven) noexcept;
    bool begins_with_tls(CURL* transfer) const noexcept override;
    bool is_ours(CURL* handle) const noexcept override {
        return transfers_.find(handle) != nullptr;
    }
    void cannot_watch(shard& of) noexcept override { of.poison(CURLM_OUT_OF_MEMORY); }
    void idle_ready(shard& of, curl_socket_t socket, CURL* by) noexcept override;
    void spin_tamed() noexcept override { counters_.spins.add(); }
    curl_off_t carried(const shard& of) const noexcept override;
    void close_callback_failed(std::exception_ptr failure) noexcept override;
    void timer_fired() noexcept override;
    void woken() noexcept override;
    void queued() noexcept override { need_turn(); }
    void start_timer(timed_work& timer, dispatcher::clock::time_point deadline) override;
    void stop_timer(timed_work& timer) noexcept override;
    void task_rests() noexcept override;
    void unobserved(std::exception_ptr failure) noexcept override;
    void report_unobserved(std::exception_ptr failure) noexcept;

    // engine_run.cpp: which thread runs the loop.
    void adopt_thread() noexcept {
        if (dispatcher_.adopt_thread())
            hand_over();
    }
    void hand_over() noexcept;
    void open_watch_over_poll(uv_loop_t* loop, const intrusive_ptr<open_handles>& handles);
    bool runs_elsewhere() const noexcept;

    // engine_close.cpp
    bool takes_its_tasks_work() const noexcept;
    bool drained() const noexcept;
    bool enter_phase(phase next) noexcept;
    bool leave_open(phase next) noexcept;
    void do_or_queue(step& what) noexcept;
    void drain_here() noexcept;
    void patience_over() noexcept;
    void close_here() noexcept;
    bool finish_close() noexcept;
    void handles_closed() noexcept;

    async_multi_options options_;
    const process_mark process_;
    remembered_options settings_;
    std::atomic<uv_loop_t*> loop_{nullptr};
    std::atomic<phase> phase_{phase::open};
    std::mutex binding_;
    dispatcher dispatcher_;
    intrusive_ptr<completion> completion_;
    intrusive_ptr<open_handles> handles_;
    std::optional<timeout> timeout_;
    // When, if some connections of then may still wait that libcurl has not heard of it for.
    std::optional<std::chrono::steady_clock::time_point> network_changed_;
    uv_owned<uv_prepare_t> prepare_; // these two are around each poll of the loop
    uv_owned<uv_check_t> check_;
    std::atomic<bool> in_loop_{false};      // it polls, or calls us: for sure
    std::atomic<std::thread::id> runner_{}; // of a run_until, or of a loop_thread
    intrusive_ptr<socket_table> sockets_;
    placement placement_;
    look_ups look_ups_;
    std::vector<std::unique_ptr<shard>> shards_;
    std::vector<shard*> kicked_; // to be driven in the next round
    std::vector<shard*> driven_; // while they are
    bool multiplexes_ = !has(fault::stalls_streams);
    const bool reads_while_paused_ = has(fault::reads_while_paused);
    const bool asks_for_too_little_ = has(fault::asks_for_too_little);
    const bool ends_no_shutdown_ = has(fault::ends_no_shutdown);
    const bool stops_after_cancels_ = has(fault::stops_after_cancels);
    transfer_list transfers_;
    work_queue deferred_; // asked for inside libcurl
    work_queue waiting_;  // for descriptors, that others may leave
    step close_;
    step drain_;
    heartbeat heartbeat_;
    alarm upkeep_;
    alarm resting_;
    alarm patience_;
    alarm try_waiting_;
    std::chrono::milliseconds next_try_{};
    std::uint64_t waits_before_ = 0; // at the last try
    std::atomic<std::chrono::milliseconds> drain_patience_{};

    int depth_ = 0;       // calls of libcurl on the stack
    bool timing_ = false; // somebody measures already
    int entries_ = 0;     // callbacks of the loop on the stack
    int runs_ = 0;        // run_until on the stack
    bool turning_ = false;
    bool turn_due_ = false; // when the loop has polled
    bool any_suspended_ = false;
    bool unwinding_ = false;
    std::size_t steps_left_ = 0;
    std::uint64_t steps_time_ = 0;
    std::uint64_t spent_before_ = 0; // this turn, by time_spent()
    std::uint64_t time_allowed_ = 0; // from there on, nanoseconds
    bool turn_over_ = true;          // what comes is another
    bool greeting_ = false;          // in this round
    unsigned round_ = 2;             // of the loop: its polls
    unsigned driven_in_ = 0;         // the last in which a socket was ready and driven,
    unsigned put_off_in_ = 0;        // and in which one was put off
    std::atomic<std::size_t> pending_{0};
    std::size_t awaited_sockets_ = 0;
    std::atomic<std::uint64_t> unobserved_{0};
    hold hold_;
    engine_counters counters_;
};

/// Adds its life to the time in libcurl: of several on the stack, the outermost's.
class engine::libcurl_time {
public:
    explicit libcurl_time(engine& of) noexcept
        : engine_(std::exchange(of.timing_, true) ? nullptr : &of) {
        if (engine_ != nullptr)
            begun_ = timeout::clock::now();
    }
    libcurl_time(const libcurl_time&) = delete;
    libcurl_time& operator=(const libcurl_time&) = delete;
    ~libcurl_time() {
        if (engine_ == nullptr)
            return;
        engine_->timing_ = false;
        engine_->counters_.libcurl.add_since(begun_);
    }

private:
    engine* const engine_;
    timeout::clock::time_point begun_;
};

template <class Call> auto engine::call_libcurl(Call call) noexcept {
    const libcurl_time timed(*this);
    return inside_libcurl(call);
}

template <class Call> auto engine::inside_libcurl(Call call) noexcept {
    ++depth_;
    const auto answer = call();
    --depth_;
    return answer;
}

} // namespace curlicue::detail
