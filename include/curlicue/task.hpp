// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/future.hpp>

#include <coroutine>
#include <exception>
#include <utility>

namespace curlicue {

template <class T = void> class task;

namespace detail {

/// The promise of a `task`, but for its value. Its frame belongs to the `task`, later to who awaits
/// it or to the state of the spawned one.
class task_promise : public task_promise_base, public recycled {
public:
    std::suspend_always initial_suspend() const noexcept { return {}; }

    // At its end a task goes on in the task that awaits it, or tells its context.
    struct final_awaiter {
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> finished) noexcept {
            auto& promise = finished.promise();
            if (promise.awaited_by)
                hand_over(finished, promise.awaited_by);
            else
                promise.context->finished(); // destroys the frame, and this with it
        }
        void await_resume() const noexcept {}
    };
    final_awaiter final_suspend() const noexcept { return {}; }

    std::coroutine_handle<> awaited_by;
};

template <class T> class task_value : public task_promise {
public:
    template <class V = T> void return_value(V&& value) {
        outcome_.emplace(T(std::forward<V>(value)));
    }
    void unhandled_exception() noexcept { outcome_.emplace(failure(std::current_exception())); }
    result<T> take() { return std::move(*outcome_); }

private:
    std::optional<result<T>> outcome_;
};

template <> class task_value<void> : public task_promise {
public:
    void return_void() noexcept { outcome_.emplace(); }
    void unhandled_exception() noexcept { outcome_.emplace(failure(std::current_exception())); }
    result<void> take() { return std::move(*outcome_); }

private:
    std::optional<result<void>> outcome_;
};

/// The state of the future of a spawned task. Lives, and keeps the body, until the body has ended.
template <class T> class task_state final : public state<T>, private task_context, private work {
public:
    task_state(const intrusive_ptr<executor_link>& link, task<T> body)
        : state<T>(link), task_context(static_cast<state_base&>(*this)), body_(std::move(body)) {
        if (!body_.coroutine_)
            throw usage_error(errc::no_state, "co_spawn");
        if (!this->end_with_executor())
            throw usage_error(errc::closed, "co_spawn");
    }

    void start() noexcept {
        this->retain(); // until the body has finished
        this->link()->enter(*this);
        enqueue(this->link(), *this);
    }
    /// In the caller, which is where the executor runs.
    void start_here() noexcept {
        this->retain();
        this->link()->enter(*this);
        run();
    }

private:
    ~task_state() override = default;

    void run() noexcept override {
        if (begin())
            body_.start(*this);
        else
            end(); // a cancel was first and has settled it
    }
    bool begin() noexcept {
        const std::lock_guard lock(this->mutex());
        return started_ = !this->fixed();
    }
    bool has_begun() noexcept {
        const std::lock_guard lock(this->mutex());
        return started_;
    }
    void finished() noexcept override {
        try {
            finish(body_.take());
        } catch (...) {
            finish(failure(std::current_exception()));
        }
    }
    void finish(result<T>&& outcome) noexcept {
        body_ = {};
        if (this->fix())
            this->store(std::move(outcome));
        this->settle();
        end();
    }
    void end() noexcept {
        this->link()->leave(*this);
        this->release();
    }

    intrusive_ptr<state_base> cancel_requested() noexcept override {
        if (has_begun())
            return task_context::cancel(); // settled when the body has ended
        body_ = {};
        this->settle();
        return nullptr;
    }

    task<T> body_;
    bool started_ = false;
};

} // namespace detail

/// A coroutine that starts when it is awaited or spawned, and may `co_await` futures and tasks.
/// Awaiting another task costs no trip through the executor. Dropped before that, it never runs.
/// @threading one thread at a time
template <class T> class [[nodiscard]] task {
public:
    using value_type = T;

    struct promise_type : detail::task_value<T> {
        task get_return_object() noexcept {
            return task(std::coroutine_handle<promise_type>::from_promise(*this));
        }
    };

    task() = default;
    task(task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
    task& operator=(task&& other) noexcept {
        task taken(std::move(other));
        std::swap(coroutine_, taken.coroutine_);
        return *this;
    }
    task(const task&) = delete;
    task& operator=(const task&) = delete;
    ~task() {
        if (coroutine_)
            coroutine_.destroy();
    }

    /// Starts it, and gives its value or throws its failure; the task is empty afterwards.
    /// @throws usage_error{errc::no_state} for an empty one
    auto operator co_await() && {
        if (!coroutine_)
            throw usage_error(errc::no_state, "task");
        return awaiter{std::move(*this)};
    }

private:
    friend class detail::task_state<T>;

    struct awaiter {
        task awaited;

        bool await_ready() const noexcept { return false; }
        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
            const auto next = awaited.coroutine_;
            next.promise().awaited_by = awaiting;
            if constexpr (std::derived_from<Promise, detail::task_promise_base>)
                next.promise().context = awaiting.promise().context;
            detail::hand_over(awaiting, next);
        }
        T await_resume() { return awaited.take().value(); }
    };

    void start(detail::task_context& context) noexcept {
        coroutine_.promise().context = &context;
        detail::resume(coroutine_, &context);
    }
    result<T> take() { return coroutine_.promise().take(); }

    explicit task(std::coroutine_handle<promise_type> coroutine) noexcept : coroutine_(coroutine) {}

    std::coroutine_handle<promise_type> coroutine_;
};

/// Starts `body` on `where`, from its queue, and tells its outcome. Cancelling the future, and the
/// executor's close, break off the await that the task is suspended in, or else the next one that
/// suspends it, once: there it sees `cancelled`. The future is ready when the task has ended. A
/// task that was not started yet is destroyed by the cancel.
/// @throws usage_error{errc::closed}; usage_error{errc::no_state} for an empty task
/// @threading thread-safe
template <class T> future<T> co_spawn(executor& where, task<T> body) {
    auto state = detail::make_intrusive<detail::task_state<T>>(detail::executor_link::of(where),
                                                               std::move(body));
    state->start();
    return future<T>(std::move(state));
}

namespace detail {
template <class F> inline constexpr bool makes_task = false;
template <class T> inline constexpr bool makes_task<task<T>> = true;

// Keeps the callable, and so the captures of a lambda, as long as its coroutine.
template <class F, class Task = std::invoke_result_t<F&>> Task kept_task(F callable) {
    co_return co_await callable();
}
} // namespace detail

/// `co_spawn` of the task that `callable()` returns; `callable` lives as long as it.
template <class F>
    requires detail::makes_task<std::invoke_result_t<F&>>
auto co_spawn(executor& where, F callable) {
    return co_spawn(where, detail::kept_task(std::move(callable)));
}

namespace detail {
class resumption final : private work {
public:
    explicit resumption(intrusive_ptr<executor_link> link) noexcept : link_(std::move(link)) {}
    resumption(const resumption&) = delete;
    resumption& operator=(const resumption&) = delete;
    ~resumption() = default;

    bool await_ready() const noexcept { return false; }
    template <class Promise> void await_suspend(std::coroutine_handle<Promise> coroutine) noexcept {
        coroutine_ = coroutine;
        if constexpr (std::derived_from<Promise, task_promise_base>)
            context_ = coroutine.promise().context;
        const auto link = link_; // the coroutine may go on elsewhere at once
        link->enqueue(*this);
    }
    void await_resume() const noexcept {}

private:
    void run() noexcept override {
        if (context_ != nullptr)
            context_->runs_on(link_);
        resume(coroutine_, context_);
    }

    const intrusive_ptr<executor_link> link_;
    task_context* context_ = nullptr;
    std::coroutine_handle<> coroutine_;
};
} // namespace detail

/// `co_await resume_on(executor)`: the coroutine goes on there, behind what is queued already.
/// @throws usage_error{errc::closed}
inline auto resume_on(executor& where) {
    const auto& link = detail::executor_link::of(where);
    if (!link->accepting())
        throw usage_error(errc::closed, "resume_on");
    return detail::resumption(link);
}

} // namespace curlicue
