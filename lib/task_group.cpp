// SPDX-License-Identifier: MIT
#include <curlicue/task_group.hpp>

#include <memory>
#include <mutex>

namespace curlicue {

/// Hears of the end of a task, and ends with it.
class task_group::member final : public detail::continuation {
public:
    member(task_group& group, detail::intrusive_ptr<detail::state_base> body, error_getter error,
           kind what_) noexcept
        : what(what_), group_(group), body_(std::move(body)), error_(error), place_(*this) {}

    const detail::intrusive_ptr<detail::state_base>& body() const noexcept { return body_; }
    task_group::place& in_list() noexcept { return place_; }

    void source_ready() noexcept override {
        const std::unique_ptr<member> self(this);
        auto& group = group_;
        if (group.fails_with(*this, error_(*body_)))
            group.cancel_all();
        group.leave(*this);
    }

    const kind what;

private:
    task_group& group_;
    const detail::intrusive_ptr<detail::state_base> body_;
    const error_getter error_;
    task_group::place place_;
};

task_group::task_group(detail::intrusive_ptr<detail::executor_link> link) noexcept
    : link_(std::move(link)) {}
task_group::~task_group() = default;

bool task_group::enter(const detail::intrusive_ptr<detail::state_base>& body, error_getter error,
                       kind what) {
    auto one = std::make_unique<member>(*this, body, error, what);
    {
        const std::lock_guard lock(mutex_);
        if (cancelled_)
            return false;
        members_.push_back(one->in_list());
        ++running_;
    }
    body->observe();
    body->attach(*one.release()); // its own from here on
    return true;
}

void task_group::cancel_all() noexcept {
    while (const auto each = next_to_cancel())
        each->cancel_in_turn();
}

detail::intrusive_ptr<detail::state_base> task_group::next_to_cancel() noexcept {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    auto* const first = members_.pop_front();
    return first != nullptr ? first->owner.body() : nullptr;
}

// Whether it is the first to fail, and the rest is to be cancelled.
bool task_group::fails_with(const member& ended, std::optional<failure>&& why) noexcept {
    const std::lock_guard lock(mutex_);
    if (cancelled_ || !why || (why->cancelled() && ended.what == kind::task))
        return false;
    if (!why->cancelled())
        why_ = std::move(why);
    return cancelled_ = true;
}

void task_group::leave(member& ended) noexcept {
    bool last = false;
    {
        const std::lock_guard lock(mutex_);
        ended.in_list().unlink();
        last = --running_ == 0;
    }
    if (last)
        all_ended();
}

} // namespace curlicue
