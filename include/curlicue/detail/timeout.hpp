// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/state.hpp>

#include <utility>

namespace curlicue::detail {

/// The state of `future::timeout`: passes its source on, or fails at the deadline and cancels it.
template <class T>
class timeout_state final : public state<T>, private continuation, private timed_work {
public:
    timeout_state(const intrusive_ptr<state<T>>& source, executor::clock::time_point deadline)
        : state<T>(source->link()), source_(source), deadline_(deadline), arm_(*this),
          finish_(*this) {}

    void start() {
        source_->observe();
        if (!source_->ready())
            arm();
        this->retain();
        source_->attach(*this);
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

    void arm() {
        if (this->runs_here()) {
            this->link()->start_timer(*this, deadline_);
        } else {
            this->retain();
            enqueue(this->link(), arm_);
        }
    }
    void armed_at_home() noexcept {
        if (this->ready() || source_->ready())
            return;
        try {
            this->link()->start_timer(*this, deadline_);
        } catch (...) {
            if (this->fix()) {
                this->store(failure(std::current_exception()));
                source_->cancel_for(*this);
            }
        }
    }

    void source_ready() noexcept override {
        if (this->runs_here()) {
            finish();
            this->release();
        } else {
            enqueue(this->link(), finish_);
        }
    }
    void finish() noexcept {
        if (this->link())
            this->link()->stop_timer(*this);
        if (this->fix())
            this->store(source_->take_noexcept());
        this->settle();
    }

    void expired() noexcept override {
        const auto kept = intrusive_ptr<timeout_state>::share(this);
        this->fix_as(errc::timed_out);
    }

    intrusive_ptr<state_base> cancel_requested() noexcept override {
        switch (source_->leave(*this)) {
        case state_base::leaving::last_branch:
            return source_;
        case state_base::leaving::detached:
            source_ready();
            break;
        case state_base::leaving::gone:
            break; // source_ready is on its way
        }
        return nullptr;
    }

    const intrusive_ptr<state<T>> source_;
    const executor::clock::time_point deadline_;
    thread_step<&timeout_state::armed_at_home> arm_;
    thread_step<&timeout_state::finish> finish_;
};

} // namespace curlicue::detail
