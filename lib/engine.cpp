// SPDX-License-Identifier: MIT
#include "engine.hpp"

#include "engine_invariants.hpp"
#include "engine_scopes.hpp"
#include "global.hpp"
#include "scheme.hpp"
#include <curlicue/error.hpp>

#include <exception>
#include <new>
#include <utility>

namespace curlicue::detail {
namespace {

// When libcurl has forgotten to end it.
timeout::clock::time_point deadline_for(const easy_core& core) noexcept {
    constexpr std::chrono::seconds grace(1);
    return core.time_limit() ? later(deadline_after(*core.time_limit()), grace)
                             : timeout::clock::time_point::max();
}

} // namespace

engine::engine(async_multi_options options)
    : options_((global_init(), std::move(options))), dispatcher_(*this),
      completion_(make_intrusive<completion>(executor_link::of(dispatcher_))),
      placement_(options_.sharding), look_ups_(options_.look_ups),
      close_(*this, &engine::close_here), drain_(*this, &engine::drain_here),
      heartbeat_(*this, transfers_, shards_, options_.heartbeat), upkeep_(*this, &engine::upkeep),
      resting_(*this, &engine::close_idle_shards), patience_(*this, &engine::patience_over),
      try_waiting_(*this, &engine::try_waiting), hold_(options_.keep_loop) {}

engine::~engine() { invariants::check_end(*this); }

void engine::check_process(std::string_view what) const {
    if (forked())
        throw usage_error(errc::forked, what);
}

void engine::check_thread(std::string_view what) const {
    check_process(what);
    if (loop() != nullptr && !dispatcher_.runs_here())
        throw usage_error(errc::wrong_thread, what);
}

void engine::check_open(std::string_view what) const {
    check_process(what);
    if (closed() && !takes_its_tasks_work())
        throw usage_error(errc::closed, what);
}

void engine::check_not_closing(std::string_view what) const {
    check_process(what);
    if (phase_.load(std::memory_order_acquire) >= phase::closing)
        throw usage_error(errc::closed, what);
}

bool engine::may_call_libcurl() const noexcept {
    return loop() != nullptr && dispatcher_.runs_here() && depth_ == 0;
}

void engine::queue(work& item) noexcept {
    if (dispatcher_.runs_here() && depth_ != 0)
        deferred_.push(item);
    else
        executor_link::of(dispatcher_)->enqueue(item);
}

[[gnu::flatten]] future<easy> engine::add(const easy& handle, bool accepted) {
    constexpr auto call = "async_multi::add_handle";
    if (accepted)
        check_not_closing(call);
    else
        check_open(call);
    const auto& core = easy_access::core_of(handle);
    if (!core || core->closed())
        throw usage_error(errc::closed, "an easy");
    bind_here(call);
    auto item = make_intrusive<transfer>(*this, handle);
    if (!core->claim(*item))
        throw usage_error(errc::already_added, call);
    if (options_.deadlines)
        item->deadline = deadline_for(*core);
    bool entered = false;
    const auto undo = [&] {
        if (entered && !transfers_.leave(*item))
            return; // removed within the call, it has been let go of
        pending_.fetch_sub(1, std::memory_order_relaxed);
        core->release_claim();
        dispatcher_.wake(); // it may have been what a drain waits for
    };
    CURLMcode code = CURLM_OK;
    pending_.fetch_add(1, std::memory_order_relaxed);
    try {
        if (options_.refuse_blocking)
            check_blocking(*core);
        entered = transfers_.enter(*item);
        if (!entered)
            throw usage_error(errc::closed, call);
        if (may_call_libcurl()) {
            code = start(*item);
        } else {
            core->hand_to(dispatcher_.thread());
            item->submit();
        }
    } catch (...) {
        undo();
        throw;
    }
    if (code != CURLM_OK) {
        undo();
        throw multi_error(code, call);
    }
    return future<easy>(std::move(item));
}

[[gnu::noinline]] void engine::check_blocking(const easy_core& core) const {
    if (may_block(core))
        throw usage_error(errc::would_block, "async_multi::add_handle");
}

void engine::bind_here(std::string_view call) {
    auto* const current = loop_scope::current();
    if (loop() == nullptr) {
        if (current == nullptr)
            throw usage_error(errc::no_loop, call);
        bind(current);
    } else if (current != nullptr && current != loop() && dispatcher_.runs_here()) {
        throw usage_error(errc::wrong_loop, call);
    }
}

CURLMcode engine::start(transfer& item) {
    auto& core = item.core();
    core.hand_to(dispatcher_.thread());
    auto& server = placement_.origin_of(core, multiplexes_);
    const bool looks_up = server.named && look_ups_.needed(core, server, uv_now(loop()));
    if (looks_up && waits_for_name(item, server))
        return CURLM_OK;
    auto& home = shard_for(server);
    if (server.secure && greets_later(item, server, home))
        return CURLM_OK;
    core.enter_thread();
    if (core.owned())
        prepare(core, server);
    placement_.started(server, home.number, core.handle());
    item.server = &server;
    item.home = &home;
    item.socket_news = sockets_->announced();
    ++home.running;
    home.waiting += asks_for_too_little_ && server.may_wait ? 1 : 0;
    counters_.running.add();
    if (looks_up)
        begin_look_up(item);
    home.make_room();
    const auto code = call_libcurl([&] { return home.multi()->add(core.handle()); });
    if (code != CURLM_OK) {
        has_left_libcurl(item);
    } else {
        heartbeat_.follow(item.deadline);
        start_upkeep();
        if (item.pending_pause)
            apply_pause(item);
    }
    if (!home.kicked()) // else it is driven in the turn, and messages are read then
        read_messages(home);
    do_what_waited(home, CURLM_OK);
    need_turn();
    return code;
}

// To an address nearby libcurl connects at once, and for all transfers that it was given in one
// call: as many TLS handshakes would begin in it.
[[gnu::noinline]] bool engine::greets_later(transfer& item, const origin& server,
                                            shard& home) noexcept {
    if (home.sockets > home.running ||
        (server.on_connection == origin::streams::many && home.running != 0))
        return false; // there is a connection, most likely
    if (!std::exchange(home.greets, true))
        return false;
    item.submit_later(home.greeting_later);
    home.kick();
    need_turn();
    return true;
}

[[gnu::noinline]] void engine::greet_next(shard& of) noexcept {
    work_queue next;
    next.push(*of.greeting_later.pop());
    dispatcher_.run_later(next);
    greeting_ = true;
    time_allowed_ = 0; // one, until the loop has polled
    if (!of.greeting_later.empty())
        of.kick(); // that one may have been cancelled
}

void engine::prepare(easy_core& core, origin& server) {
    core.observe_sockets(sockets_.get());
    core.fit_buffer(counters_.running.value());
    if (options_.ca_cache && !core.set_by_hand())
        core.prefer_ca_bundle();
    if (placement_.spreads())
        core.lend_caches(placement_.caches_of(server));
    if (network_changed_)
        core.pass_by_what_is_older(*network_changed_);
}

void engine::start_queued(transfer& item) noexcept {
    // Cancelled while it was queued, it is gone from the list already.
    if (item.leaving() || !item.listed) {
        start_waiting(1);
        return next_look_up();
    }
    bool started = false;
    try {
        if (!is_refused(item)) {
            const auto code = start(item);
            started = code == CURLM_OK;
            if (!started)
                item.fix_outcome(multi_failure(code));
        }
    } catch (...) {
        item.fix_outcome(failure(std::current_exception()));
    }
    if (!started)
        conclude(item);
    next_look_up();
}

intrusive_ptr<transfer> engine::find(const easy& handle) const noexcept {
    auto item = transfers_.find(handle.native_handle());
    return item && !item->leaving() ? item : nullptr;
}

void engine::drive(shard& of, curl_socket_t socket, int mask) noexcept {
    int running = 0;
    of.driven = true;
    const libcurl_time timed(*this); // its messages are read in the same: a clock costs as much
    const auto code =
        inside_libcurl([&] { return of.multi()->socket_action(socket, mask, running); });
    if (of.waiting != 0 && may_rest(of, socket))
        of.kick_all();
    libcurl_returned(of, code);
}

void engine::drive_all(shard& of) noexcept {
    int running = 0;
    const auto code = call_libcurl([&] { return of.multi()->socket_all(running); });
    libcurl_returned(of, code);
}

void engine::libcurl_returned(shard& of, CURLMcode code) noexcept {
    read_messages(of);
    do_what_waited(of, code);
}

// For libcurl to return: what callbacks have found out, and what they asked for.
void engine::do_what_waited(shard& of, CURLMcode code) noexcept {
    if (const auto poison = of.take_poison(); code == CURLM_OK)
        code = poison;
    if (code != CURLM_OK)
        fail_shard(of, code);
    run_deferred();
    if (std::exchange(any_suspended_, false))
        sockets_->resume();
}

void engine::run_deferred() noexcept {
    // Each step may call libcurl and so come here again: a loop, not a recursion.
    if (std::exchange(unwinding_, true))
        return;
    while (auto* const item = deferred_.pop())
        item->run();
    unwinding_ = false;
}

void engine::read_messages(shard& of) noexcept {
    // Not bounded by the number of running transfers: libcurl's own example loses its last
    // completion so (multi-uv.c). A message dies when its handle is removed, so each is a copy.
    const auto next = [&] {
        return of.multi() != nullptr ? of.multi()->info_read() : std::nullopt;
    };
    while (const auto message = next())
        if (const auto item = transfers_.find(message->handle);
            item && item->home == &of && !item->lingers)
            finish(*item, message->result);
}

[[gnu::noinline]] CURLcode engine::apply_pause(transfer& item) noexcept {
    if (item.home == nullptr)
        return CURLE_OK; // when it starts
    const auto kept = intrusive_ptr<transfer>::share(&item);
    auto& home = *item.home;
    const int bitmask = *std::exchange(item.pending_pause, std::nullopt);
    auto code = call_libcurl([&] { return home.multi()->pause(item.curl(), bitmask); });
    if (code != CURLE_OK && code != CURLE_BAD_FUNCTION_ARGUMENT) {
        // A callback has refused what was held back for it. libcurl tells this to us alone, and
        // would go on with the transfer.
        hang_up(item);
        finish(item, code);
        code = CURLE_OK;
    }
    // Data that waited may need no socket to wake us (seen with HTTP/2).
    home.kick();
    libcurl_returned(home, CURLM_OK);
    need_turn();
    return code;
}

// Where libcurl has asked for another socket of such a transfer, or for none any more, it may have
// to be called to go on: it would start FTP's transfer once the data connection is there, and
// LDAP's bind once TLS is, but asks for nothing to do so.
[[gnu::noinline]] void engine::may_go_on(shard& of, CURL* by) noexcept {
    if (of.looking_up != 0)
        may_have_address(by);
    if (of.waiting != 0 && is_ours(by) && asks_for_too_little(by))
        of.kick_all();
}

// Where the answer to FTP's first command is there at once, as on a kept connection, libcurl rests
// before it opens the data connection, without a socket or a time (multi.c, MSTATE_DO: "sit down,
// relax and wait a little while").
[[gnu::noinline]] bool engine::may_rest(const shard& of, curl_socket_t driven) noexcept {
    const auto rests = [](CURL* one) { return speaks(one, "ftp") && !has_begun(one); };
    if (driven != CURL_SOCKET_TIMEOUT) {
        auto* const by = sockets_->user_of(driven);
        return is_ours(by) && rests(by);
    }
    bool any = false;
    transfers_.for_each([&](const transfer& item) {
        any = any || (item.home == &of && !item.lingers && rests(item.curl()));
    });
    return any;
}

void engine::leave_libcurl(shard* home) noexcept {
    if (--depth_ != 0)
        return;
    if (home != nullptr)
        libcurl_returned(*home, CURLM_OK);
    else
        run_deferred();
    need_turn();
}

void engine::watch(shard& of, CURL* by, curl_socket_t socket, int what) noexcept {
    try {
        sockets_->announce(of, by, socket, what);
    } catch (const std::bad_alloc&) {
        of.poison(CURLM_OUT_OF_MEMORY);
    }
}

multi_stats engine::stats() const {
    const auto time = [](const counter& nanoseconds) {
        return std::chrono::nanoseconds(nanoseconds.value());
    };
    multi_stats all;
    all.pending = pending_.load(std::memory_order_relaxed);
    all.running = counters_.running.value();
    all.sockets = counters_.sockets.value();
    all.shards = counters_.shards.value();
    all.completed = counters_.completed.value();
    all.failed = counters_.failed.value();
    all.cancelled = counters_.cancelled.value();
    all.unobserved = unobserved_.load(std::memory_order_relaxed);
    all.wakeups = counters_.wakeups.value();
    all.heartbeats = counters_.heartbeats.value();
    all.waits = counters_.waits.value();
    all.spins = counters_.spins.value();
    all.deadlines = counters_.deadlines.value();
    all.upkeeps = counters_.upkeeps.value();
    all.rebuilds = counters_.rebuilds.value();
    all.libcurl_total = time(counters_.libcurl.total);
    all.libcurl_longest = time(counters_.libcurl.longest);
    all.continuations_total = time(counters_.continuations.total);
    all.continuations_longest = time(counters_.continuations.longest);
    return all;
}

} // namespace curlicue::detail
