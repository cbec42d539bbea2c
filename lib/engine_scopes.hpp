// SPDX-License-Identifier: MIT
#pragma once

#include "engine.hpp"
#include "engine_invariants.hpp"
#include <curlicue/loop_scope.hpp>

namespace curlicue::detail {

/// Around everything that the loop calls: the host's hooks, the current loop, and at the end of the
/// outermost the turn, unless that comes later.
class engine::loop_entry {
public:
    enum class turn_comes { now, after_poll };

    explicit loop_entry(engine& of, turn_comes when = turn_comes::now)
        : engine_(intrusive_ptr<engine>::share(&of)), turn_comes_(when),
          token_(of.options_.hooks.enter != nullptr ? of.options_.hooks.enter(of.options_.hooks.arg)
                                                    : nullptr),
          current_(of.loop()), was_in_loop_(of.in_loop_.load(std::memory_order_relaxed)) {
        of.in_loop_.store(true, std::memory_order_relaxed);
        of.adopt_thread();
        of.counters_.wakeups.add();
        ++of.entries_;
        if (std::exchange(of.turn_over_, false))
            of.begin_turn();
    }
    loop_entry(const loop_entry&) = delete;
    loop_entry& operator=(const loop_entry&) = delete;
    ~loop_entry() {
        if (turn_comes_ == turn_comes::after_poll)
            engine_->turn_after_poll();
        else if (engine_->entries_ == 1 && engine_->depth_ == 0)
            engine_->turn();
        --engine_->entries_;
        // Once it is closed, no check handle tells of the poll's end.
        engine_->in_loop_.store(was_in_loop_ && engine_->check_, std::memory_order_release);
        invariants::check(*engine_, turn_comes_ == turn_comes::now);
        if (const auto& hooks = engine_->options_.hooks; hooks.leave != nullptr)
            hooks.leave(hooks.arg, token_);
    }

private:
    const intrusive_ptr<engine> engine_;
    const turn_comes turn_comes_;
    void* const token_;
    const loop_scope current_;
    const bool was_in_loop_;
};

/// Kept by every uv handle of an engine: its end is the last close callback.
class engine::open_handles final : public ref_counted {
public:
    explicit open_handles(engine& of) noexcept : engine_(intrusive_ptr<engine>::share(&of)) {}

private:
    void last_reference_gone() noexcept override {
        if (engine_->loop() != nullptr) // else libuv refused one of them, and we were never bound
            engine_->handles_closed();
        delete this;
    }

    const intrusive_ptr<engine> engine_;
};

/// The state of what `close` returns. Its outcome is fixed from the start, so that no cancel
/// changes it; ready it is at the end.
class engine::completion final : public state<void> {
public:
    explicit completion(const intrusive_ptr<executor_link>& link) noexcept : state<void>(link) {
        goes_on_without_consumers();
        fix();
        store({});
    }
    bool ends(const executor_link& executor) const noexcept override {
        return link().get() == &executor;
    }
    using state<void>::settle;
};

} // namespace curlicue::detail
