// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/state.hpp>

namespace curlicue::detail {

/// The state of a `promise`: the executor's close cancels it.
template <class T> class promise_state final : public state<T>, private pending_work, private work {
public:
    explicit promise_state(const intrusive_ptr<executor_link>& link) : state<T>(link) {
        link->watch(*this);
    }

    void on_cancel(unique_function<void()> callable) {
        {
            const std::lock_guard lock(this->mutex());
            handler_ = std::move(callable);
            if (!this->cancelled())
                return;
        }
        queue_handler();
    }

    bool retrieved = false;

private:
    ~promise_state() override { this->link()->forget(*this); }

    void executor_closed() noexcept override {
        this->cancel();
        this->release();
    }
    bool keep() noexcept override { return this->try_retain(); }

    intrusive_ptr<state_base> cancel_requested() noexcept override {
        this->settle();
        queue_handler();
        return nullptr;
    }

    void queue_handler() noexcept {
        {
            const std::lock_guard lock(this->mutex());
            if (!handler_ || std::exchange(queued_, true))
                return;
        }
        this->retain();
        enqueue(this->link(), *this);
    }
    void run() noexcept override {
        try {
            std::exchange(handler_, nullptr)();
        } catch (...) {
            this->link()->unobserved(std::current_exception());
        }
        this->release();
    }

    unique_function<void()> handler_;
    bool queued_ = false;
};

} // namespace curlicue::detail
