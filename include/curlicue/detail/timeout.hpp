// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/clock.hpp>
#include <curlicue/detail/state.hpp>

#include <chrono>
#include <utility>

namespace curlicue::detail {

/// The state of `future::timeout`: passes its source on, or fails at the deadline and cancels it.
/// That of a source without an executor has none either, but for its timer.
template <class T>
class timeout_state final : public state<T>, private continuation, private timed_work {
public:
    timeout_state(const intrusive_ptr<state<T>>& source, std::chrono::milliseconds duration)
        : state<T>(source->link()), source_(source), clock_(with_timer(source->link())),
          deadline_(later(clock_->now(), duration)), arm_(*this), finish_(*this) {}

    /// @throws what the executor's timer throws; nothing has changed then
    void start() {
        const bool here = clock_->may_run_here();
        if (here && !source_->ready())
            clock_->start_timer(*this, deadline_);
        source_->observe();
        this->retain(); // for the source's list, later for `finish`
        source_->attach(*this);
        // Now that a source which is late can be cancelled.
        if (!here && !this->fixed()) {
            this->retain();
            clock_->enqueue(arm_);
        }
    }

private:
    // A step that touches the timer, and so runs on the executor's thread.
    template <void (timeout_state::*Step)() noexcept> class thread_step final : public work {
    public:
        explicit thread_step(timeout_state& owner) noexcept : owner_(owner) {}
        void run() noexcept override {
            (owner_.*Step)();
            owner_.release();
        }

    private:
        timeout_state& owner_;
    };

    ~timeout_state() override = default;

    void arm() noexcept {
        if (this->fixed() || source_->ready())
            return;
        try {
            clock_->start_timer(*this, deadline_);
        } catch (...) {
            if (!this->fix())
                return;
            this->store(failure(std::current_exception()));
            if (!source_->cancel_for(*this))
                source_ready();
        }
    }

    // The source is ready, or a cancel has taken this off its list.
    void source_ready() noexcept override {
        if (clock_->may_run_here()) {
            finish();
            this->release();
        } else {
            clock_->enqueue(finish_);
        }
    }
    void finish() noexcept {
        clock_->stop_timer(*this);
        if (this->fix())
            this->store(source_->take_noexcept());
        this->settle();
    }

    void expired() noexcept override {
        const auto kept = intrusive_ptr<timeout_state>::share(this);
        this->fix_as(errc::timed_out);
    }

    intrusive_ptr<state_base> cancel_requested() noexcept override {
        return source_->give_up(*this);
    }

    const intrusive_ptr<state<T>> source_;
    const intrusive_ptr<executor_link> clock_;
    const executor::clock::time_point deadline_;
    thread_step<&timeout_state::arm> arm_;
    thread_step<&timeout_state::finish> finish_;
};

} // namespace curlicue::detail
