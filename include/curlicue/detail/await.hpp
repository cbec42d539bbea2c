// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/state.hpp>

#include <atomic>
#include <concepts>
#include <coroutine>
#include <utility>

namespace curlicue::detail {

class task_context;

/// Resumes `coroutine`, and then what it hands over to. For whoever resumes a coroutine that may
/// await tasks.
/// @param task that it is part of, or null
CURLICUE_EXPORT void resume(std::coroutine_handle<> coroutine, const task_context* task) noexcept;
/// The task that runs on this thread, or null.
CURLICUE_EXPORT const task_context* running_task() noexcept;
/// From the `await_suspend` of `suspended`: `next` is resumed when it has returned. So neither
/// nested tasks nor loops over them become a deep stack, whether or not the compiler makes tail
/// calls.
CURLICUE_EXPORT void hand_over(std::coroutine_handle<> suspended,
                               std::coroutine_handle<> next) noexcept;

/// An await that can be broken off: it goes on with `cancelled`, without its source.
class interruptible : public continuation {
public:
    /// What it waits for.
    virtual state_base& source() const noexcept = 0;
    virtual void interrupt() noexcept = 0;

protected:
    ~interruptible() = default;
};

/// Where a spawned task is suspended, so that a cancel finds it. Tasks that await one another share
/// the context of the outermost.
/// @threading thread-safe
class CURLICUE_EXPORT task_context : public list_node {
public:
    explicit task_context(state_base& owner) noexcept : owner_(owner), where_(owner.link()) {}
    task_context(const task_context&) = delete;
    task_context& operator=(const task_context&) = delete;

    /// The state of the spawned task: it keeps this alive.
    state_base& owner() const noexcept { return owner_; }

    /// The executor that it runs on: its own, until another one resumes it, and once that is gone.
    const intrusive_ptr<executor_link>& where() const noexcept {
        return where_->gone() ? owner_.link() : where_;
    }
    /// On the thread that is about to resume it.
    void runs_on(const intrusive_ptr<executor_link>& executor) noexcept {
        if (executor && executor != where_)
            where_ = executor;
    }

    /// An await begins, and is over. In between it is alive as long as this is locked.
    void suspended(interruptible& await) noexcept;
    /// @param broken_off whether the task is about to see `cancelled`
    void resumed(bool broken_off) noexcept;

    /// Whether it is suspended, and goes on only once that has ended.
    bool waits_for_end_of(const executor_link& executor) const noexcept;

    /// Breaks the current await off, else the next one. Returns the state that is to be cancelled
    /// for it, if any.
    intrusive_ptr<state_base> cancel() noexcept;
    /// For an await that is attached to its source: what is left to do of an earlier `cancel`.
    intrusive_ptr<state_base> deliver_cancel() noexcept {
        // Attaching has met, under the source's lock, whoever set this and found nothing attached.
        return cancel_pending_.load(std::memory_order_relaxed) ? break_off() : nullptr;
    }

    /// The outermost coroutine is at its end.
    virtual void finished() noexcept = 0;

protected:
    ~task_context() = default;

private:
    intrusive_ptr<state_base> break_off() noexcept;

    state_base& owner_;
    intrusive_ptr<executor_link> where_;
    mutable small_mutex mutex_;
    std::atomic<bool> cancel_pending_{false};
    interruptible* await_ = nullptr;
};

/// Base of the promises of coroutines that have a context.
struct task_promise_base {
    task_context* context = nullptr;
};

/// `co_await` on a future. It lives in the coroutine's frame, which must not be destroyed while
/// the coroutine waits. `shared`: it takes a copy, and counts as a branch.
template <class T> class future_awaiter final : private interruptible, private work {
public:
    future_awaiter(intrusive_ptr<state<T>> source, bool shared) noexcept
        : source_(std::move(source)), shared_(shared) {
        source_->observe();
        if (shared_)
            source_->add_sharer();
    }
    future_awaiter(const future_awaiter&) = delete;
    future_awaiter& operator=(const future_awaiter&) = delete;
    ~future_awaiter() {
        if (shared_)
            source_->drop_sharer();
    }

    bool await_ready() const noexcept { return source_->ready() && source_->runs_here(); }

    template <class Promise> void await_suspend(std::coroutine_handle<Promise> coroutine) noexcept {
        coroutine_ = coroutine;
        if constexpr (std::derived_from<Promise, task_promise_base>)
            context_ = coroutine.promise().context;
        if (context_ != nullptr)
            suspend_in(*context_);
        else
            source_->attach(*this);
    }

    T await_resume() {
        if (context_ != nullptr)
            context_->resumed(interrupted_ || source_->cancelled());
        if (interrupted_)
            throw cancelled();
        return source_->take().value();
    }

private:
    void suspend_in(task_context& context) noexcept {
        // Once attached, the coroutine may go on elsewhere, and this object with it.
        const auto owner = intrusive_ptr<state_base>::share(&context.owner());
        const bool idle = source_->ends(*owner->link());
        context.suspended(*this);
        source_->attach(*this);
        if (idle)
            owner->link()->has_idle_task();
        if (const auto source = context.deliver_cancel())
            source->cancel();
    }

    // What has no executor leaves a task where it runs.
    void source_ready() noexcept override {
        if (source_->link() || context_ == nullptr)
            return enqueue(source_->link(), *this);
        const auto where = context_->where(); // the task may be over before this returns
        enqueue(where, *this);
    }
    void run() noexcept override {
        if (context_ != nullptr)
            context_->runs_on(source_->link());
        resume(coroutine_, context_);
    }
    state_base& source() const noexcept override { return *source_; }
    void interrupt() noexcept override {
        interrupted_ = true;
        source_ready();
    }

    const intrusive_ptr<state<T>> source_;
    const bool shared_;
    bool interrupted_ = false;
    task_context* context_ = nullptr;
    std::coroutine_handle<> coroutine_;
};

} // namespace curlicue::detail
