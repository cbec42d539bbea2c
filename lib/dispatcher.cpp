// SPDX-License-Identifier: MIT
#include "dispatcher.hpp"

#include <curlicue/error.hpp>

#include <exception>
#include <utility>

namespace curlicue::detail {

class dispatcher::posted final : public work {
public:
    posted(dispatcher& home, unique_function<void()> callable) noexcept
        : home_(home), callable_(std::move(callable)) {}

    void run() noexcept override {
        const std::unique_ptr<posted> self(this);
        if (home_.refusing_.load(std::memory_order_acquire))
            return; // overtaken by the close
        try {
            callable_();
        } catch (...) {
            home_.unobserved(std::current_exception());
        }
    }

private:
    dispatcher& home_;
    unique_function<void()> callable_;
};

void dispatcher::open(uv_loop_t* loop, intrusive_ptr<ref_counted> keep) {
    int status = 0;
    auto async = make_uv<uv_async_t>(std::move(keep), this, status, [loop](uv_async_t* handle) {
        return uv_async_init(loop, handle, [](uv_async_t* self) { woken(self); });
    });
    check_uv(status, "uv_async_init");
    adopt_thread();
    const std::lock_guard lock(mutex_);
    async_ = std::move(async);
    closed_ = false; // where an attempt to bind has failed before
}

bool dispatcher::runs_here() const noexcept {
    return thread_.load(std::memory_order_acquire) == std::this_thread::get_id();
}

void dispatcher::post(unique_function<void()> callable) {
    if (executor_link::of(*this)->left_behind())
        throw usage_error(errc::forked, "executor::post");
    if (refusing_.load(std::memory_order_acquire))
        throw usage_error(errc::closed, "executor::post");
    auto item = std::make_unique<posted>(*this, std::move(callable));
    if (!enqueue(*item))
        throw usage_error(errc::closed, "executor::post");
    static_cast<void>(item.release()); // the queue's from here on
}

bool dispatcher::enqueue(work& item) noexcept {
    if (executor_link::of(*this)->left_behind()) // whose lock a thread of the parent's may have
        return false;
    if (runs_here()) {
        if (closed_) // changes on this thread only
            return false;
        local_.push(item);
        owner_.queued();
        return true;
    }
    // The send is under the lock, and so never meets a handle that is closing (libuv #2226).
    const std::lock_guard lock(mutex_);
    if (closed_)
        return false;
    const bool first = remote_.empty();
    remote_.push(item);
    any_remote_.store(true, std::memory_order_release);
    if (first && async_)
        uv_async_send(async_.get());
    return true;
}

void dispatcher::wake() noexcept {
    if (executor_link::of(*this)->left_behind())
        return;
    const std::lock_guard lock(mutex_);
    if (async_)
        uv_async_send(async_.get());
}

void dispatcher::hold_loop(bool on) noexcept {
    if (holds_loop_ == on || !async_)
        return;
    holds_loop_ = on;
    if (on)
        uv_ref(uv_closer::as_handle(async_.get()));
    else
        uv_unref(uv_closer::as_handle(async_.get()));
}

void dispatcher::run_later(work_queue& items) noexcept {
    local_.splice(items);
    owner_.queued();
}

void dispatcher::take_remote() noexcept {
    if (!any_remote_.load(std::memory_order_acquire))
        return;
    const std::lock_guard lock(mutex_);
    any_remote_.store(false, std::memory_order_relaxed);
    local_.splice(remote_);
}

std::size_t dispatcher::run(std::size_t limit) noexcept {
    std::size_t count = 0;
    while (count != limit) {
        auto* const item = local_.pop();
        if (item == nullptr)
            break;
        item->run();
        ++count;
    }
    return count;
}

bool dispatcher::close() noexcept {
    const std::lock_guard lock(mutex_);
    if (!local_.empty() || !remote_.empty())
        return false;
    closed_ = true;
    async_.reset();
    return true;
}

void dispatcher::start_timer(timed_work& timer, clock::time_point deadline) {
    owner_.start_timer(timer, deadline);
}

void dispatcher::stop_timer(timed_work& timer) noexcept { owner_.stop_timer(timer); }

void dispatcher::unobserved(std::exception_ptr failure) noexcept {
    owner_.unobserved(std::move(failure));
}

void dispatcher::woken(uv_async_t* async) noexcept { owner_of<dispatcher>(async).owner_.woken(); }

} // namespace curlicue::detail
