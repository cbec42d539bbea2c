// SPDX-License-Identifier: MIT
#include <curlicue/detail/executor_link.hpp>
#include <curlicue/error.hpp>

#include <utility>

namespace curlicue {

executor::executor() : link_(detail::make_intrusive<detail::executor_link>(*this)) {}

executor::~executor() { retire(); }

void executor::cancel_pending() noexcept { link_->cancel_pending(); }

void executor::retire() noexcept {
    link_->cancel_pending();
    link_->retire();
}

namespace {

// Runs its item once, even when the executor throws it away unrun. Only while `post` itself throws
// it away does the caller keep the item: it holds a lock under which nothing may run.
class posted_work {
public:
    explicit posted_work(detail::work& item) noexcept : item_(&item) {}
    posted_work(posted_work&& other) noexcept : item_(std::exchange(other.item_, nullptr)) {}
    posted_work& operator=(posted_work&&) = delete;
    ~posted_work() {
        if (item_ != nullptr && !posting)
            item_->run();
    }
    void operator()() { std::exchange(item_, nullptr)->run(); }

    static thread_local bool posting;

private:
    detail::work* item_;
};

thread_local bool posted_work::posting = false;

} // namespace

bool executor::enqueue(detail::work& item) noexcept {
    posted_work::posting = true;
    bool accepted = true;
    try {
        post(posted_work(item));
    } catch (...) {
        accepted = false;
    }
    posted_work::posting = false;
    return accepted;
}

void executor::start_timer(detail::timed_work&, clock::time_point) {
    throw usage_error(errc::no_loop, "future::timeout");
}

void executor::stop_timer(detail::timed_work&) noexcept {}

void executor::unobserved(std::exception_ptr) noexcept {}

namespace detail {

void executor_link::enqueue(work& item) noexcept {
    {
        const std::lock_guard lock(mutex_);
        if (target_ != nullptr && target_->enqueue(item))
            return;
    }
    item.run();
}

bool executor_link::runs_here() const noexcept {
    const std::lock_guard lock(mutex_);
    return target_ != nullptr && target_->runs_here();
}

bool executor_link::gone() const noexcept {
    const std::lock_guard lock(mutex_);
    return target_ == nullptr;
}

bool executor_link::accepting() const noexcept {
    const std::lock_guard lock(mutex_);
    return accepting_;
}

void executor_link::start_timer(timed_work& timer, executor::clock::time_point deadline) {
    const std::lock_guard lock(mutex_);
    if (target_ != nullptr)
        target_->start_timer(timer, deadline);
}

void executor_link::stop_timer(timed_work& timer) noexcept {
    const std::lock_guard lock(mutex_);
    if (target_ != nullptr)
        target_->stop_timer(timer);
}

void executor_link::unobserved(std::exception_ptr failure) noexcept {
    const std::lock_guard lock(mutex_);
    if (target_ != nullptr)
        target_->unobserved(std::move(failure));
}

void executor_link::watch(pending_work& item) {
    const std::lock_guard lock(mutex_);
    if (!accepting_)
        throw usage_error(errc::closed, "executor");
    item.next = pending_;
    if (pending_ != nullptr)
        pending_->previous = &item;
    pending_ = &item;
}

void executor_link::forget(pending_work& item) noexcept {
    const std::lock_guard lock(mutex_);
    unlink(item);
}

void executor_link::unlink(pending_work& item) noexcept {
    if (item.previous != nullptr)
        item.previous->next = item.next;
    else if (pending_ == &item)
        pending_ = item.next;
    if (item.next != nullptr)
        item.next->previous = item.previous;
    item.previous = item.next = nullptr;
}

void executor_link::cancel_pending() noexcept {
    for (;;) {
        pending_work* item = nullptr;
        {
            const std::lock_guard lock(mutex_);
            accepting_ = false;
            item = pending_;
            if (item == nullptr)
                return;
            unlink(*item);
            if (!item->keep())
                continue;
        }
        item->executor_closed();
    }
}

void executor_link::retire() noexcept {
    const std::lock_guard lock(mutex_);
    target_ = nullptr;
}

} // namespace detail
} // namespace curlicue
