// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/state.hpp>

#include <atomic>
#include <mutex>
#include <utility>

namespace curlicue::detail {

/// The state of a `promise`.
template <class T> class promise_state final : public state<T>, private work {
public:
    /// @throws usage_error{errc::closed}
    explicit promise_state(const intrusive_ptr<executor_link>& link) : state<T>(link) {
        if (!this->end_with_executor())
            throw usage_error(errc::closed, "promise");
    }

    /// As `fulfil`; the handler is not needed any more, and may well own the promise.
    bool keep_promise(result<T>&& outcome) noexcept {
        if (!this->fulfil(std::move(outcome)))
            return false;
        take_handler();
        return true;
    }

    void on_cancel(unique_function<void()> callable) noexcept {
        {
            const std::lock_guard lock(this->mutex());
            std::swap(handler_, callable); // the old one goes without the lock
        }
        if (!this->fixed())
            return;
        if (this->cancelled())
            queue_handler();
        else
            take_handler();
    }

    std::atomic<bool> retrieved{false};

private:
    ~promise_state() override = default;

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
    unique_function<void()> take_handler() noexcept {
        const std::lock_guard lock(this->mutex());
        queued_ = false;
        return std::move(handler_);
    }
    void run() noexcept override {
        try {
            if (auto handler = take_handler())
                handler();
        } catch (...) {
            this->link()->unobserved(std::current_exception());
        }
        this->release();
    }

    unique_function<void()> handler_;
    bool queued_ = false;
};

} // namespace curlicue::detail
