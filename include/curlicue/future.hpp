// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/await.hpp>
#include <curlicue/detail/promise_state.hpp>
#include <curlicue/detail/stop_step.hpp>
#include <curlicue/detail/then.hpp>
#include <curlicue/detail/timeout.hpp>
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

namespace detail {

/// The deadline `timeout` from now; far, but never past the end of the clock.
inline executor::clock::time_point deadline_after(std::chrono::milliseconds timeout) noexcept {
    const auto now = executor::clock::now();
    const auto longest = std::chrono::duration_cast<std::chrono::milliseconds>(
        executor::clock::time_point::max() - now);
    return timeout >= longest ? executor::clock::time_point::max() : now + timeout;
}

/// What `future` and `shared_future` have in common.
template <class T> class future_base {
public:
    using value_type = T;

    /// Whether it has a state: not after a move or `get`.
    bool valid() const noexcept { return static_cast<bool>(state_); }
    /// Whether `get` returns or throws at once.
    bool ready() const noexcept { return state_ && state_->ready(); }
    /// Whether the outcome is a cancellation, from `cancel()` on.
    bool cancelled() const noexcept { return state_ && state_->cancelled(); }

    /// Cancels what makes the value. True: this call fixed the outcome. It is *ready* once the
    /// producer has let go: for a transfer, when libcurl runs none of its callbacks any more; on
    /// the loop's thread, outside libcurl, that is before this returns.
    /// @threading thread-safe; also once the loop is gone
    bool cancel() const noexcept {
        const auto kept = state_;
        return kept && kept->cancel();
    }

    /// Blocks until ready.
    /// @throws usage_error{errc::would_deadlock} on the loop's own thread, if not ready
    /// @throws usage_error{errc::no_state}
    void wait() const { checked()->wait(); }
    /// Blocks at the most that long; true if ready. Throws as `wait` does.
    template <class Rep, class Period>
    bool wait_for(const std::chrono::duration<Rep, Period>& duration) const {
        return checked()->wait_until(
            deadline_after(std::chrono::ceil<std::chrono::milliseconds>(duration)));
    }
    template <class Clock, class Duration>
    bool wait_until(const std::chrono::time_point<Clock, Duration>& time) const {
        return wait_for(time - Clock::now());
    }

    /// Whether both tell of the same outcome, whichever kinds they are.
    friend bool operator==(const future_base& left, const future_base& right) noexcept {
        return left.state_ == right.state_;
    }

    /// For combinators of this library.
    const intrusive_ptr<state<T>>& checked() const {
        if (!state_)
            throw usage_error(errc::no_state, "future");
        return state_;
    }

protected:
    future_base() = default;
    explicit future_base(intrusive_ptr<state<T>> state) noexcept : state_(std::move(state)) {}

    template <class U, class Step>
    static future<U> chain(const intrusive_ptr<state<T>>& source, bool shared, Step step) {
        auto child = make_intrusive<then_state<T, U, Step>>(source, shared, std::move(step));
        child->start();
        return future<U>(std::move(child));
    }
    template <class F>
    static auto chain_then(const intrusive_ptr<state<T>>& source, bool shared, F&& callable) {
        using Step = value_step<std::decay_t<F>>;
        if constexpr (std::is_void_v<T>)
            return chain<flattened_t<std::invoke_result_t<std::decay_t<F>&>>>(
                source, shared, Step{std::forward<F>(callable)});
        else
            return chain<flattened_t<std::invoke_result_t<std::decay_t<F>&, T&&>>>(
                source, shared, Step{std::forward<F>(callable)});
    }
    template <class F>
    static auto chain_result(const intrusive_ptr<state<T>>& source, bool shared, F&& callable) {
        using R = std::invoke_result_t<std::decay_t<F>&, result<T>&&>;
        return chain<flattened_t<R>>(source, shared,
                                     result_step<std::decay_t<F>>{std::forward<F>(callable)});
    }
    template <class F>
    static future<T> chain_error(const intrusive_ptr<state<T>>& source, bool shared, F&& callable) {
        return chain<T>(source, shared, error_step<std::decay_t<F>>{std::forward<F>(callable)});
    }
    template <class F>
    static future<T> chain_finally(const intrusive_ptr<state<T>>& source, bool shared,
                                   F&& callable) {
        return chain<T>(source, shared, final_step<std::decay_t<F>>{std::forward<F>(callable)});
    }

    intrusive_ptr<state<T>> state_;
};
} // namespace detail

/// A value to come, or a failure. Move-only, for one consumer; dropped, it lets its source run on.
///
/// What is attached to it (`then` and its kin, a coroutine that awaits it) runs on the loop's
/// thread, from the dispatcher's queue, with nothing of libcurl on the stack, and never inside the
/// call that attached it or made it ready. Once the executor is gone it runs at once.
/// @threading one thread at a time for one object; `cancel` on any
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
    /// waited for. A failure, and what `callable` throws, is the child's failure.
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
    /// `callable()` either way, cancellation included; the outcome passes through.
    template <class F> future<T> finally(F&& callable) && {
        return base::chain_finally(leave(), false, std::forward<F>(callable));
    }
    /// Lets it run on; `on_error(std::exception_ptr)` on a failure that is no cancellation.
    template <class F> void detach(F&& on_error) && {
        static_cast<void>(base::template chain<void>(
            leave(), false, detail::report_step<std::decay_t<F>>{std::forward<F>(on_error)}));
    }

    /// For several consumers; each gets a copy.
    shared_future<T> share() && { return shared_future<T>(leave()); }

    /// Passes on what is ready before `timeout` (0 or less: at once) is over; otherwise cancels
    /// the source and fails with `timed_out`. Holds the loop as a transfer does.
    /// @throws usage_error{errc::no_loop} if the executor has no timer
    future<T> timeout(std::chrono::milliseconds timeout) && {
        auto child = detail::make_intrusive<detail::timeout_state<T>>(
            this->checked(), detail::deadline_after(timeout));
        child->start();
        this->state_ = nullptr;
        return future(std::move(child));
    }

#if defined(__cpp_lib_jthread)
    /// Is cancelled when `token` is asked to stop.
    future<T> with(std::stop_token token) && {
        using step = detail::stop_step<T>;
        auto child =
            detail::make_intrusive<detail::then_state<T, T, step>>(this->checked(), false, step());
        child->start();
        child->step().listen(std::move(token), *child);
        this->state_ = nullptr;
        return future(std::move(child));
    }
#endif

    /// Awaited, a coroutine goes on where the executor runs; no allocation.
    auto operator co_await() && { return detail::future_awaiter<T>(leave(), false); }

    /// The standard's kind, fulfilled on the loop's thread.
    std::future<T> to_std() && {
        std::promise<T> promise;
        auto theirs = promise.get_future();
        std::move(*this)
            .then_result([promise = std::move(promise)](result<T>&& outcome) mutable {
                if (!outcome)
                    promise.set_exception(outcome.exception());
                else if constexpr (std::is_void_v<T>)
                    promise.set_value();
                else
                    promise.set_value(std::move(outcome).value());
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
/// cancelling one detaches that branch, cancelling the last cancels the source.
/// @threading as `future`; copies of it may be used on several threads
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

    /// A copy of the value, waited for; throws as `future::get`.
    T get() const {
        this->wait();
        this->state_->observe();
        return this->state_->take().value();
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
/// `errc::broken_promise`; the executor's close cancels it.
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
        if (state_)
            state_->fulfil(failure(errc::broken_promise));
    }

    /// @throws usage_error{errc::already_retrieved} the second time
    future<T> get_future() {
        if (std::exchange(checked().retrieved, true))
            throw usage_error(errc::already_retrieved, "promise::get_future");
        return future<T>(state_);
    }

    /// Each is true if it fixed the outcome, false if there was one (a cancellation, say).
    bool set_value(T value) requires(!std::is_void_v<T>) {
        return checked().fulfil(std::move(value));
    }
    bool set_value() requires std::is_void_v<T> { return checked().fulfil({}); }
    bool set_exception(std::exception_ptr exception) {
        return checked().fulfil(failure(std::move(exception)));
    }
    bool set_error(std::error_code code) { return checked().fulfil(failure(code)); }

    /// `callable()` is queued once the future is cancelled; at once if it is.
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
    const auto upstream = inner.checked();
    upstream->observe();
    {
        const std::lock_guard lock(this->mutex());
        upstream_ = upstream;
        stage_ = stage::following;
    }
    this->retain();
    upstream->attach(*this);
    // A cancel that came while the step ran, or before the line above, has found nothing to cancel.
    if (this->fixed() && !upstream->cancel_for(*this))
        left();
}

} // namespace curlicue

#include <curlicue/detail/combine.hpp>
