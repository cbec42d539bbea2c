// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/future.hpp>

#include <mutex>
#include <optional>
#include <utility>

namespace curlicue::detail {

/// The state of a future that asks again and again: `step()` gives a `future<std::optional<T>>`,
/// and what one of those has in it is the answer. A chain of futures would grow with each.
template <class T, class Step>
class repetition final : public state<T>, private continuation, private work {
public:
    repetition(intrusive_ptr<executor_link> link, Step step)
        : state<T>(std::move(link)), step_(std::move(step)) {}

    /// Asks for the first time, in the caller.
    void start() noexcept {
        this->retain();
        go_on();
    }

private:
    using asked = state<std::optional<T>>;

    ~repetition() override = default;

    // Holds a reference, which later is that of the source's list, or of the queue.
    void go_on() noexcept {
        const auto kept = intrusive_ptr<repetition>::adopt(this);
        while (!this->fixed()) {
            intrusive_ptr<asked> source;
            try {
                source = (*step_)().checked();
            } catch (...) {
                return conclude(failure(std::current_exception()));
            }
            source->observe();
            set_source(source);
            if (!source->ready() || !this->runs_here()) {
                this->retain();
                source->attach(*this);
                // A cancel that came before the line above has found nothing to cancel.
                if (this->fixed() && !source->cancel_for(*this))
                    source_ready();
                return;
            }
            if (take())
                return;
        }
        end();
    }
    void source_ready() noexcept override { enqueue(this->link(), *this); }
    void run() noexcept override {
        if (take())
            this->release();
        else
            go_on();
    }

    /// Whether that was the end.
    bool take() noexcept {
        const auto source = source_;
        set_source(nullptr);
        auto outcome = source->take_noexcept();
        if (this->fixed())
            return end(), true;
        if (!outcome.has_value())
            return conclude(outcome.why()), true;
        auto answer = std::move(outcome).value();
        if (!answer)
            return false;
        conclude(std::move(*answer));
        return true;
    }
    void conclude(result<T>&& outcome) noexcept {
        if (this->fix())
            this->store(std::move(outcome));
        end();
    }
    void end() noexcept {
        step_.reset();
        this->settle();
    }

    intrusive_ptr<state_base> cancel_requested() noexcept override {
        intrusive_ptr<asked> source;
        {
            const std::lock_guard lock(this->mutex());
            source = source_;
        }
        return source ? source->give_up(*this) : nullptr; // else who asks ends it
    }
    void set_source(intrusive_ptr<asked> source) noexcept {
        const std::lock_guard lock(this->mutex());
        std::swap(source_, source);
    }

    std::optional<Step> step_;
    intrusive_ptr<asked> source_;
};

/// @param link where it asks but for the first time; null: wherever that is
template <class T, class Step> future<T> repeat(intrusive_ptr<executor_link> link, Step step) {
    auto state = make_intrusive<repetition<T, Step>>(std::move(link), std::move(step));
    state->start();
    return future<T>(std::move(state));
}

/// For what there is nothing to say of at the end.
struct done {};

} // namespace curlicue::detail
