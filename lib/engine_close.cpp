// SPDX-License-Identifier: MIT
// The end of an engine: no new work; transfers let go; multi handles cleaned up while nothing is
// watched; continuations run to the last; uv handles closed; the completion settled.
#include "engine_scopes.hpp"
#include <curlicue/detail/await.hpp>

#include <new>
#include <utility>

namespace curlicue::detail {

void engine::step::run() noexcept {
    const auto queued = intrusive_ptr<engine>::adopt(&owner_);
    (owner_.*what_)();
}

bool engine::enter_phase(phase next) noexcept {
    if (next == phase::closing)
        transfers_.close();
    auto now = phase_.load(std::memory_order_acquire);
    while (now < next)
        if (phase_.compare_exchange_weak(now, next, std::memory_order_acq_rel))
            return true;
    return false;
}

bool engine::leave_open(phase next) noexcept {
    // Not while somebody binds: what is bound after this would never be closed.
    const std::lock_guard lock(binding_);
    return enter_phase(next);
}

// While it drains, tasks that run here finish what they do.
[[gnu::noinline]] bool engine::takes_its_tasks_work() const noexcept {
    const auto* const task = running_task();
    return phase_.load(std::memory_order_acquire) == phase::draining && task != nullptr &&
           task->owner().link() == executor_link::of(dispatcher_);
}

// What is queued may be the rest of what has ended. The tasks first: one on another thread may add
// a transfer and end.
bool engine::drained() const noexcept {
    return !dispatcher_.busy() && !executor_link::of(dispatcher_)->any_task_at_work() &&
           pending_.load(std::memory_order_relaxed) == 0;
}

void engine::task_rests() noexcept {
    if (phase_.load(std::memory_order_acquire) == phase::draining)
        dispatcher_.wake();
}

void engine::do_or_queue(step& what) noexcept {
    if (may_call_libcurl()) {
        retain();
        what.run();
    } else {
        retain();
        queue(what);
    }
}

void engine::begin_close() noexcept {
    if (forked() || !leave_open(phase::closing))
        return;
    if (loop() != nullptr)
        do_or_queue(close_);
    else
        handles_closed();
}

future<void> engine::close() {
    check_process("async_multi::close");
    begin_close();
    return future<void>(completion_);
}

future<void> engine::drain(std::chrono::milliseconds patience) {
    check_process("async_multi::drain");
    drain_patience_.store(patience, std::memory_order_relaxed);
    if (leave_open(phase::draining)) {
        if (loop() != nullptr)
            do_or_queue(drain_);
        else
            return close();
    }
    return future<void>(completion_);
}

void engine::drain_here() noexcept {
    if (phase_.load(std::memory_order_acquire) != phase::draining)
        return;
    try {
        timeout_->start(patience_, deadline_after(drain_patience_.load()));
    } catch (const std::bad_alloc&) {
        patience_over();
    }
    need_turn();
}

void engine::patience_over() noexcept {
    if (enter_phase(phase::closing))
        close_here();
}

void engine::close_here() noexcept {
    // The host has closed every handle on its loop, ours too, and perhaps the loop itself (gevent's
    // hub and luv's state do when they end): nothing of libuv's may be touched, nor does it call.
    if (uv_is_closing(uv_closer::as_handle(check_.get())) != 0)
        return;
    const auto kept = intrusive_ptr<engine>::share(this);
    for (const auto& each : shards_)
        read_messages(*each); // what is finished keeps its result
    dispatcher_.refuse_posts();
    dispatcher_.cancel_pending();
    while (const auto item = transfers_.first()) {
        item->cancel();
        let_go(*item);
    }
    dispatcher_.run_later(waiting_); // they find that they are gone
    // From here on what libcurl announces is not watched: in the cleanup some versions name sockets
    // that they close at once (8.10 to 8.20).
    sockets_->close();
    counters_.sockets.set(0);
    for (const auto& each : shards_)
        close_shard(*each);
    run_deferred();
    heartbeat_.stop();
    timeout_->stop(upkeep_);
    timeout_->stop(resting_);
    timeout_->stop(patience_);
    timeout_->stop(try_waiting_);
    enter_phase(phase::cleaned);
    need_turn();
}

bool engine::finish_close() noexcept {
    if (!dispatcher_.close()) {
        dispatcher_.wake();
        return false;
    }
    kicked_.clear(); // by what libcurl asked for in its cleanup
    shards_.clear();
    placement_.start_over();
    timeout_.reset();
    prepare_.reset();
    check_.reset();
    handles_ = nullptr;
    return true;
}

void engine::handles_closed() noexcept {
    const auto end = [this] {
        enter_phase(phase::closed);
        dispatcher_.retire();
        completion_->settle();
    };
    if (loop() == nullptr) {
        end();
    } else {
        const loop_entry entry(*this);
        end();
    }
}

} // namespace curlicue::detail
