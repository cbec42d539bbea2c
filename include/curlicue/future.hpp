// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/await.hpp>
#include <curlicue/detail/future_base.hpp>
#include <curlicue/detail/promise_state.hpp>
#include <curlicue/detail/stop_step.hpp>
#include <curlicue/detail/when.hpp>
#include <curlicue/error.hpp>
#include <curlicue/executor.hpp>

#include <chrono>
#include <concepts>
#include <future>
#include <iterator>
#include <memory>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>
#include <version>
#if defined(__cpp_lib_jthread)
#include <stop_token>
#endif

namespace curlicue {

template <class T> class future;
template <class T> class shared_future;
template <class T> class promise;

/// A value to come, or a failure. Move-only, for one consumer; dropped, it lets its source run on.
///
/// What is attached to it (`then` and its kin, a coroutine that awaits it) runs on the loop's
/// thread, from the dispatcher's queue, with nothing of libcurl on the stack, and never inside the
/// call that attached it or made it ready. Once the executor is gone it runs at once. A callable
/// that is skipped, because the child was cancelled before its turn, goes where it was cancelled.
///
/// What it shares with `shared_future` stands in `detail::future_base`: `valid`, `ready`,
/// `cancelled`, `cancel`, `wait`, `wait_for`, `wait_until` and `==`.
///
/// A failure that nobody looks at, by `get`, `co_await` or anything attached, goes to the
/// executor's owner when the last handle does: `on_unobserved_error`. A cancellation is no failure.
///
/// All but `valid`, `ready`, `cancelled`, `cancel` and `==` throws usage_error{errc::no_state} if
/// the future is empty: moved from, consumed, or its value taken.
/// @threading any thread, one at a time for one object, but see `cancel`
template <class T> class [[nodiscard]] future : public detail::future_base<T> {
    using base = detail::future_base<T>;

public:
    future() = default;
    explicit future(detail::intrusive_ptr<detail::state<T>> state) noexcept
        : base(std::move(state)) {}
    future(future&&) noexcept = default;
    future& operator=(future&&) noexcept = default;
    future(const future&) = delete;
    future& operator=(const future&) = delete;
    ~future() = default;

    /// The value, waited for; the future is invalid afterwards, as the standard's.
    /// @throws what the producer failed with; `cancelled`; what `wait` throws, state unchanged
    T get() {
        this->wait();
        const auto state = std::exchange(this->state_, nullptr);
        state->observe();
        return state->take().value();
    }

    /// `callable(T&&)` on success; the child holds what it returns, and a future it returns is
    /// waited for. A failure, and what `callable` throws, is the child's failure. Cancelling the
    /// child reaches this one, and skips the callable.
    template <class F> auto then(F&& callable) && {
        return base::chain_then(leave(), false, std::forward<F>(callable));
    }
    /// `callable(result<T>&&)`, either way.
    template <class F> auto then_result(F&& callable) && {
        return base::chain_result(leave(), false, std::forward<F>(callable));
    }
    /// `callable(std::exception_ptr) -> T` (or `future<T>`) on failure; a value passes through.
    template <class F> future<T> catch_error(F&& callable) && {
        return base::chain_error(leave(), false, std::forward<F>(callable));
    }
    /// `callable()` either way, cancellation included; the outcome passes through, unless
    /// `callable` throws.
    template <class F> future<T> finally(F&& callable) && {
        return base::chain_finally(leave(), false, std::forward<F>(callable));
    }
    /// Lets it run on. A failure that is no cancellation is an unobserved one.
    void detach() && { static_cast<void>(leave()); }
    /// The same; `on_error(std::exception_ptr)` on such a failure. What it
    /// throws in its turn is an unobserved failure.
    template <class F> void detach(F&& on_error) && {
        static_cast<void>(base::template chain<void>(
            leave(), false, detail::report_step<std::decay_t<F>>{std::forward<F>(on_error)}));
    }

    /// For several consumers; each gets a copy.
    shared_future<T> share() && { return shared_future<T>(leave()); }

    /// Passes on what is ready before `timeout` (0 or less: at once) is over; otherwise cancels
    /// the source and fails with `timed_out`. Holds the loop as a transfer does.
    /// @throws usage_error{errc::no_loop} if the executor has no timer, this future unchanged;
    /// called on another thread than the executor's, the new future fails with it instead
    future<T> timeout(std::chrono::milliseconds timeout) && {
        if (this->ready() && !this->checked()->link())
            return std::move(*this); // there is nothing to wait for, and no executor to go on
        auto child = detail::make_intrusive<detail::timeout_state<T>>(this->checked(), timeout);
        child->start();
        this->state_ = nullptr;
        return future(std::move(child));
    }

#if defined(__cpp_lib_jthread)
    /// Is cancelled when `token` is asked to stop, or was already.
    future<T> with(std::stop_token token) && {
        using step = detail::stop_step<T>;
        auto child =
            detail::make_intrusive<detail::then_state<T, T, step>>(this->checked(), false, step());
        child->step().listen(std::move(token), *child); // once it has started, the step may be over
        child->start();
        this->state_ = nullptr;
        return future(std::move(child));
    }
#endif

    /// Awaited, a coroutine goes on where the executor runs; no allocation.
    auto operator co_await() && { return detail::future_awaiter<T>(leave(), false); }

    /// The standard's kind, fulfilled on the loop's thread: waiting for it there never ends, and
    /// nothing tells.
    std::future<T> to_std() && {
        std::promise<T> promise;
        auto theirs = promise.get_future();
        std::move(*this)
            .then_result([promise = std::move(promise)](result<T>&& outcome) mutable {
                try {
                    if constexpr (std::is_void_v<T>)
                        std::move(outcome).value(), promise.set_value();
                    else
                        promise.set_value(std::move(outcome).value());
                } catch (...) {
                    promise.set_exception(std::current_exception());
                }
            })
            .detach([](const std::exception_ptr&) noexcept {});
        return theirs;
    }

private:
    // The state, which this future gives up.
    detail::intrusive_ptr<detail::state<T>> leave() {
        this->checked();
        return std::exchange(this->state_, nullptr);
    }
};

/// A value to come for many consumers, each of which gets a copy. Its continuations are branches:
/// cancelling one detaches that branch, cancelling the last cancels the source. `cancel` on the
/// shared future itself cancels the source at once. Otherwise as `future`.
/// @threading as `future`; each thread may use a copy of its own
template <class T> class [[nodiscard]] shared_future : public detail::future_base<T> {
    using base = detail::future_base<T>;
    static_assert(std::is_void_v<T> || std::copy_constructible<T>,
                  "a shared_future hands out copies: its value must be copyable");

public:
    shared_future() = default;
    shared_future(future<T>&& source) : shared_future(std::move(source).share()) {}
    explicit shared_future(detail::intrusive_ptr<detail::state<T>> state) noexcept
        : base(std::move(state)) {
        join();
    }
    shared_future(const shared_future& other) noexcept : base(other.state_) { join(); }
    shared_future(shared_future&& other) noexcept : base(std::exchange(other.state_, nullptr)) {}
    shared_future& operator=(shared_future other) noexcept {
        std::swap(this->state_, other.state_);
        return *this;
    }
    ~shared_future() {
        if (this->state_)
            this->state_->drop_sharer();
    }

    /// A copy of the value, waited for; throws as `future::get`, and stays valid.
    T get() const {
        const auto& state = this->checked();
        state->wait();
        state->observe();
        return state->take().value();
    }

    /// As those of `future`.
    template <class F> auto then(F&& callable) const {
        return base::chain_then(this->checked(), true, std::forward<F>(callable));
    }
    template <class F> auto then_result(F&& callable) const {
        return base::chain_result(this->checked(), true, std::forward<F>(callable));
    }
    template <class F> future<T> catch_error(F&& callable) const {
        return base::chain_error(this->checked(), true, std::forward<F>(callable));
    }
    template <class F> future<T> finally(F&& callable) const {
        return base::chain_finally(this->checked(), true, std::forward<F>(callable));
    }
    auto operator co_await() const { return detail::future_awaiter<T>(this->checked(), true); }

private:
    void join() noexcept {
        if (this->state_)
            this->state_->add_copying_sharer();
    }
};

/// The producer's end of a future. Dropped before it was fulfilled, the future fails with
/// `errc::broken_promise`; the executor's close cancels it. Every call on one that was moved from
/// throws usage_error{errc::no_state}.
/// @threading thread-safe, but for moves and destruction
template <class T> class promise {
public:
    /// @throws usage_error{errc::closed}
    explicit promise(executor& where) : promise(detail::executor_link::of(where)) {}
    promise(promise&&) noexcept = default;
    promise& operator=(promise&& other) noexcept {
        promise(std::move(other)).swap(*this);
        return *this;
    }
    promise(const promise&) = delete;
    promise& operator=(const promise&) = delete;
    ~promise() {
        if (state_ && state_->retrieved)
            state_->keep_promise(failure(errc::broken_promise));
    }

    /// @throws usage_error{errc::already_retrieved} the second time
    future<T> get_future() {
        if (checked().retrieved.exchange(true))
            throw usage_error(errc::already_retrieved, "promise::get_future");
        return future<T>(state_);
    }

    /// Fulfils it. Continuations are queued, and run later.
    /// @returns whether this fixed the outcome; false if there was one, a cancellation say
    template <class V = T>
        requires(!std::is_void_v<T>)
    bool set_value(V&& value) { return checked().keep_promise(T(std::forward<V>(value))); }
    bool set_value() requires std::is_void_v<T> { return checked().keep_promise({}); }
    bool set_exception(std::exception_ptr exception) {
        return checked().keep_promise(failure(std::move(exception)));
    }
    bool set_error(std::error_code code) { return checked().keep_promise(failure(code)); }

    /// `callable()` is queued once the future is cancelled, at once if it is. Another call replaces
    /// it; an outcome destroys it.
    void on_cancel(unique_function<void()> callable) { checked().on_cancel(std::move(callable)); }

private:
    explicit promise(const detail::intrusive_ptr<detail::executor_link>& link)
        : state_(detail::make_intrusive<detail::promise_state<T>>(link)) {}

    detail::promise_state<T>& checked() const {
        if (!state_)
            throw usage_error(errc::no_state, "promise");
        return *state_;
    }
    void swap(promise& other) noexcept { std::swap(state_, other.state_); }

    detail::intrusive_ptr<detail::promise_state<T>> state_;
};

template <class T, class U, class Step>
void detail::then_state<T, U, Step>::follow(future<U>&& inner) {
    chained::follow(inner.checked());
}

/// A future that is ready, and belongs to no executor: what is attached to it runs at once, in the
/// call that attaches it.
/// @threading any thread
template <class T> future<std::decay_t<T>> make_ready_future(T&& value) {
    using Value = std::decay_t<T>;
    return future<Value>(
        detail::make_intrusive<detail::ready_state<Value>>(Value(std::forward<T>(value))));
}
inline future<void> make_ready_future() {
    return future<void>(detail::make_intrusive<detail::ready_state<void>>(result<void>()));
}
/// The same with a failure, which nobody hears of who does not look: there is no executor to report
/// it to.
template <class T> future<T> make_failed_future(std::exception_ptr exception) {
    return future<T>(detail::make_intrusive<detail::ready_state<T>>(failure(std::move(exception))));
}

} // namespace curlicue

#include <curlicue/combinators.hpp>
