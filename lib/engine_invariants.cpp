// SPDX-License-Identifier: MIT
// Compiled with the option `invariants` alone.
#include "engine_invariants.hpp"

#include "engine.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include <fcntl.h>

namespace curlicue::detail {
namespace {

void hold_that(bool truth, const char* invariant) noexcept {
    if (truth)
        return;
    std::fprintf(stderr, "curlicue: broken invariant: %s\n", invariant);
    std::abort();
}

template <class Handle> bool is_active(const uv_owned<Handle>& handle) noexcept {
    return handle && uv_is_active(uv_closer::as_handle(handle.get())) != 0;
}

} // namespace

void invariants::check(const engine& of, bool turned) noexcept {
    // In a loop that somebody runs inside a callback, the outer one has not come to its end. What
    // is another process's stays as it was there.
    if (of.forked() || of.entries_ != 0 || of.depth_ != 0 || of.turning_)
        return;
    // In a crowd only now and then, for it takes as long as there is to look at.
    static std::atomic<std::size_t> turns{0};
    const auto much =
        of.transfers_.size() + of.shards_.size() + (of.sockets_ ? of.sockets_->entries_.size() : 0);
    if (turns.fetch_add(1, std::memory_order_relaxed) % (1 + much / 128) != 0)
        return;
    check_transfers(of);
    check_shards(of);
    check_watches(of);
    if (turned && of.timeout_) {
        check_timer(of);
        check_hold(of);
    }
}

// A transfer is queued (libcurl does not have it yet), active, or lingers, and then alone it is
// over: all others that are over are not in the list.
void invariants::check_transfers(const engine& of) noexcept {
    std::size_t pending = 0;
    const auto look = [&](const transfer& item) {
        hold_that(item.listed, "a transfer in the list knows that it is listed");
        hold_that(item.lingers == item.ready(), "a listed future is ready only if it lingers");
        hold_that(!item.lingers || item.home != nullptr, "what lingers is libcurl's");
        hold_that((item.home != nullptr) == (item.server != nullptr),
                  "what has a shard has a server");
        hold_that(item.home == nullptr || item.home->multi() != nullptr,
                  "the shard of a transfer is open");
        hold_that(item.home == nullptr || item.server->running_in(item.home->number) != 0,
                  "a server counts the transfers that run there");
        pending += item.lingers ? 0 : 1;
    };
    // One that another thread adds is counted before it is listed.
    for (int patience = 0; patience != 10'000; ++patience) {
        pending = 0;
        of.transfers_.for_each(look);
        if (of.pending_.load() == pending)
            return;
        std::this_thread::yield();
    }
    hold_that(of.pending_.load() >= pending, "every listed transfer is counted as pending");
    hold_that(false, "every pending transfer is listed");
}

void invariants::check_shards(const engine& of) noexcept {
    std::size_t open = 0, running = 0;
    std::array<std::size_t, 64> transfers{}; // of so many shards, counted in one go
    for (const auto& each : of.shards_) {
        const auto first = each->number - each->number % transfers.size();
        if (each->number == first) {
            transfers = {};
            of.transfers_.for_each([&](const transfer& item) {
                if (item.home != nullptr && item.home->number - first < transfers.size())
                    ++transfers[item.home->number - first];
            });
        }
        const auto here = transfers[each->number - first];
        hold_that(each->running == here, "a shard counts the transfers that it has");
        hold_that(of.placement_.running_in(each->number) == here,
                  "the placement counts the transfers of a shard");
        hold_that(each->multi() != nullptr || (here == 0 && !each->armed && !each->kicked()),
                  "a closed shard has nothing to do");
        hold_that(!(each->due_ && each->armed), "a shard is due now or later, not both");
        hold_that(each->poison_ == CURLM_OK, "a poisoned shard has failed");
        const bool listed = std::ranges::count(of.kicked_, each.get()) == 1;
        hold_that(each->listed == listed, "a shard is listed once among those that were kicked");
        hold_that(!each->kicked() || listed, "a shard that was kicked is listed");
        open += each->multi() != nullptr;
        running += here;
    }
    hold_that(of.counters_.shards.value() == open, "open shards are counted");
    hold_that(of.counters_.running.value() == running, "what libcurl has is counted");
    hold_that(of.driven_.empty() && of.deferred_.empty(), "a callback leaves no step behind");
}

void invariants::check_watches(const engine& of) noexcept {
    if (!of.sockets_)
        return;
    const auto& table = *of.sockets_;
    hold_that(!table.closed_ || table.entries_.empty(), "nothing is watched after the close");
    std::size_t sockets = 0;
    for (std::size_t number = 0; number != table.entries_.size(); ++number) {
        const auto& entry = table.entries_[number];
        if (!entry.watch)
            continue;
        const auto& watch = *entry.watch;
        sockets += !entry.wakes_libcurl;
        hold_that(static_cast<std::size_t>(watch.socket_) == number, "one watch a descriptor");
        hold_that(watch.shard_.multi() != nullptr, "the shard of a watch is open");
        hold_that(is_active(watch.poll_) == (watch.armed_ != 0), "libuv watches what is armed");
        hold_that(!watch.suspended_, "no watch stays suspended outside libcurl");
        if (watch.armed_ == 0) {
            hold_that(watch.wanted_ == 0 || watch.armed, "what libcurl wants is watched, or will");
            continue;
        }
        const bool set_aside = watch.armed_ == UV_READABLE && watch.wanted_ != 0 && watch.armed;
        hold_that(watch.armed_ == watch.wanted_ || set_aside ||
                      (watch.wanted_ == 0 && watch.armed_ == UV_READABLE &&
                       (entry.tells_of_close || entry.wakes_libcurl)),
                  "armed is what libcurl wants, or what is idle and tells of its close");
        // Of others libcurl's word is all there is.
        hold_that(!entry.tells_of_close || ::fcntl(watch.socket_, F_GETFD) != -1,
                  "no closed descriptor is watched");
    }
    hold_that(table.size_.value() == sockets, "watched sockets are counted");
}

void invariants::check_timer(const engine& of) noexcept {
    const auto& timers = *of.timeout_;
    const auto deadline = timers.earliest();
    hold_that(timers.armed_for_ == deadline, "the timer is for the earliest deadline");
    hold_that(is_active(timers.timer_) == deadline.has_value(), "it is armed if there is one");
    // A millisecond is what libuv's clock counts in.
    hold_that(!deadline || *deadline < timeout::clock::now() + std::chrono::milliseconds(1) ||
                  uv_timer_get_due_in(timers.timer_.get()) != 0,
              "no timer is for now but a deadline");
    hold_that(!of.sockets_->closed_ || timers.ours_.empty(), "no deadline of ours after the close");
}

void invariants::check_hold(const engine& of) noexcept {
    const bool closing = of.phase_.load() >= engine::phase::closing;
    const bool while_busy = of.hold_ == hold::while_busy || of.runs_ != 0;
    const bool held = of.dispatcher_.holds_loop_;
    hold_that(!held || closing || of.hold_ == hold::always || (while_busy && of.busy()),
              "the loop is held for a reason");
    // Another thread may have given a reason that the loop's thread has not heard of.
    bool active = false;
    of.transfers_.for_each(
        [&](const transfer& item) { active = active || (item.home != nullptr && !item.lingers); });
    const bool reason =
        of.sockets_->closed_ || of.hold_ == hold::always ||
        (while_busy && (active || of.timeout_->holds_loop() || of.dispatcher_.busy()));
    hold_that(held || !reason, "the loop is held while there is a reason");
    hold_that(uv_has_ref(uv_closer::as_handle(of.dispatcher_.async_.get())) == int{held},
              "what holds the loop is the dispatcher's handle");
}

void invariants::check_end(const engine& of) noexcept {
    hold_that(of.depth_ == 0 && of.entries_ == 0, "an engine does not end inside a callback");
    hold_that(of.transfers_.empty(), "an engine does not end before its transfers");
    hold_that(of.pending_.load() == 0, "nothing is pending at the end");
    hold_that(of.counters_.running.value() == 0, "libcurl has nothing at the end");
    if (of.loop() == nullptr)
        return;
    hold_that(of.phase_.load() == engine::phase::closed, "an engine ends closed");
    hold_that(!of.handles_ && !of.timeout_ && !of.prepare_ && !of.check_ && of.shards_.empty(),
              "all is closed at the end");
}

} // namespace curlicue::detail
