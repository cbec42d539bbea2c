// SPDX-License-Identifier: MIT
#include <curlicue/detail/await.hpp>
#include <curlicue/detail/executor_link.hpp>
#include <curlicue/error.hpp>

#include <utility>

namespace curlicue {

namespace detail {
namespace {

// While an executor posts for a link, whose lock is held: takes what it throws away, for nothing
// may run then.
thread_local work_queue* thrown_away = nullptr;

// Runs its item once, even when the executor throws it away unrun.
class posted_work {
public:
    explicit posted_work(work& item) noexcept : item_(&item) {}
    posted_work(posted_work&& other) noexcept : item_(std::exchange(other.item_, nullptr)) {}
    posted_work& operator=(posted_work&&) = delete;
    ~posted_work() {
        if (item_ == nullptr)
            return;
        if (thrown_away != nullptr)
            thrown_away->push(*item_);
        else
            item_->run();
    }
    void operator()() { std::exchange(item_, nullptr)->run(); }

private:
    work* item_;
};

} // namespace
} // namespace detail

executor::executor() : link_(detail::make_intrusive<detail::executor_link>(*this)) {}

executor::~executor() {
    // The derived class is gone: nothing can be queued any more.
    link_->retire();
    link_->cancel_pending();
}

void executor::cancel_pending() noexcept { link_->cancel_pending(); }

void executor::retire() noexcept {
    link_->cancel_pending();
    link_->retire();
}

void executor::enqueue(detail::work& item, detail::work_queue& refused) noexcept {
    auto* const outer = std::exchange(detail::thrown_away, &refused);
    try {
        post(detail::posted_work(item));
    } catch (...) { // the callable was thrown away, and so taken care of
    }
    detail::thrown_away = outer;
}

executor::clock::time_point executor::now() const noexcept { return clock::now(); }

void executor::start_timer(timed_work&, clock::time_point) {
    throw usage_error(errc::no_loop, "executor::start_timer");
}

void executor::stop_timer(timed_work&) noexcept {}

void executor::task_rests() noexcept {}

// NOLINTNEXTLINE(performance-unnecessary-value-param): those that override it keep it.
void executor::unobserved(std::exception_ptr) noexcept {}

namespace detail {

// Nothing of the parent's runs in a child: what is queued there is lost with its memory.
void executor_link::enqueue(work& item) noexcept {
    if (left_behind())
        return;
    work_queue refused;
    {
        const std::lock_guard lock(mutex_);
        if (target_ != nullptr)
            target_->enqueue(item, refused);
        else
            refused.push(item);
    }
    while (auto* const each = refused.pop())
        each->run();
}

bool executor_link::runs_here() const noexcept {
    if (left_behind())
        return false;
    const std::lock_guard lock(mutex_);
    return target_ != nullptr && target_->runs_here();
}

bool executor_link::may_run_here() const noexcept {
    if (left_behind())
        return false;
    const std::lock_guard lock(mutex_);
    return target_ == nullptr || target_->runs_here();
}

bool executor_link::gone() const noexcept {
    const std::lock_guard lock(mutex_);
    return target_ == nullptr;
}

bool executor_link::accepting() const noexcept {
    if (left_behind())
        return false;
    const std::lock_guard lock(mutex_);
    return accepting_;
}

executor::clock::time_point executor_link::now() const noexcept {
    if (!left_behind()) {
        const std::lock_guard lock(mutex_);
        if (target_ != nullptr)
            return target_->now();
    }
    return executor::clock::now();
}

void executor_link::start_timer(timed_work& timer, executor::clock::time_point deadline) {
    if (left_behind())
        throw usage_error(errc::forked, "executor::start_timer");
    const std::lock_guard lock(mutex_);
    if (target_ != nullptr)
        target_->start_timer(timer, deadline);
}

void executor_link::stop_timer(timed_work& timer) noexcept {
    if (left_behind())
        return;
    const std::lock_guard lock(mutex_);
    if (target_ != nullptr)
        target_->stop_timer(timer);
}

void executor_link::unobserved(std::exception_ptr failure) noexcept {
    if (left_behind())
        return;
    const std::lock_guard lock(mutex_);
    if (target_ != nullptr)
        target_->unobserved(std::move(failure));
}

bool executor_link::watch(pending_work& item) noexcept {
    if (left_behind())
        return false;
    const std::lock_guard lock(mutex_);
    if (accepting_)
        pending_.push_back(item);
    return accepting_;
}

void executor_link::forget(pending_work& item) noexcept {
    if (left_behind())
        return;
    const std::lock_guard lock(mutex_);
    item.unlink();
}

void executor_link::enter(task_context& task) noexcept {
    if (left_behind())
        return;
    const std::lock_guard lock(mutex_);
    tasks_.push_back(task);
}

void executor_link::leave(task_context& task) noexcept {
    if (left_behind())
        return;
    const std::lock_guard lock(mutex_);
    task.unlink();
    if (target_ != nullptr)
        target_->task_rests();
}

void executor_link::has_idle_task() noexcept {
    if (left_behind())
        return;
    const std::lock_guard lock(mutex_);
    if (target_ != nullptr)
        target_->task_rests();
}

bool executor_link::any_task_at_work() const noexcept {
    const std::lock_guard lock(mutex_);
    return tasks_.any_of(
        [this](const task_context& each) { return !each.waits_for_end_of(*this); });
}

void executor_link::cancel_pending() noexcept {
    if (left_behind())
        return;
    for (;;) {
        intrusive_ptr<pending_work> item;
        {
            const std::lock_guard lock(mutex_);
            accepting_ = false;
            auto* const first = pending_.pop_front();
            if (first == nullptr)
                return;
            if (!first->try_retain())
                continue; // its last owner is just leaving
            item = intrusive_ptr<pending_work>::adopt(first);
        }
        item->executor_closed();
    }
}

void executor_link::retire() noexcept {
    if (left_behind())
        return;
    const std::lock_guard lock(mutex_);
    target_ = nullptr;
}

} // namespace detail
} // namespace curlicue
