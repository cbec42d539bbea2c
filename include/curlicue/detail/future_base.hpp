// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/clock.hpp>
#include <curlicue/detail/then.hpp>
#include <curlicue/detail/timeout.hpp>
#include <curlicue/error.hpp>

#include <chrono>
#include <concepts>
#include <exception>
#include <functional>
#include <type_traits>
#include <utility>

namespace curlicue::detail {

/// What `future` and `shared_future` have in common.
template <class T> class future_base {
    static_assert(!std::is_reference_v<T> && !std::is_array_v<T>,
                  "a future holds a value: use a copy, a pointer or a std::reference_wrapper");

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
    /// the loop's thread, outside libcurl, that is before this returns. Never allocates.
    /// @returns false, and does nothing, if there is an outcome already, or no state
    /// @threading thread-safe, also once the loop is gone; but this object must not be moved from,
    /// assigned to or `get` from meanwhile: give another thread a `shared_future` of its own
    bool cancel() const noexcept {
        const auto kept = state_;
        return kept && kept->cancel();
    }

    /// Blocks until ready.
    /// @throws usage_error{errc::would_deadlock} on the loop's own thread, if not ready
    /// @throws usage_error{errc::no_state}
    /// @threading any but the loop's
    void wait() const { checked()->wait(); }
    /// Blocks at the most that long, or until then; throws as `wait` does.
    /// @returns whether it is ready
    template <class Rep, class Period>
    bool wait_for(const std::chrono::duration<Rep, Period>& duration) const {
        return checked()->wait_until(deadline_after(duration));
    }
    template <class Clock, class Duration>
    bool wait_until(const std::chrono::time_point<Clock, Duration>& time) const {
        return checked()->wait_until(deadline_at(time));
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
        using Callable = std::decay_t<F>;
        using Step = value_step<Callable>;
        if constexpr (std::is_void_v<T>) {
            static_assert(std::invocable<Callable&>, "then: a future<void> passes nothing on");
            return chain<flattened_t<std::invoke_result_t<Callable&>>>(
                source, shared, Step{std::forward<F>(callable)});
        } else {
            static_assert(std::invocable<Callable&, T&&>, "then: the callable is called with T&&");
            return chain<flattened_t<std::invoke_result_t<Callable&, T&&>>>(
                source, shared, Step{std::forward<F>(callable)});
        }
    }
    template <class F>
    static auto chain_result(const intrusive_ptr<state<T>>& source, bool shared, F&& callable) {
        using Callable = std::decay_t<F>;
        static_assert(std::invocable<Callable&, result<T>&&>,
                      "then_result: the callable is called with result<T>&&");
        return chain<flattened_t<std::invoke_result_t<Callable&, result<T>&&>>>(
            source, shared, result_step<Callable>{std::forward<F>(callable)});
    }
    template <class F>
    static future<T> chain_error(const intrusive_ptr<state<T>>& source, bool shared, F&& callable) {
        using Callable = std::decay_t<F>;
        static_assert(std::invocable<Callable&, std::exception_ptr>,
                      "catch_error: the callable is called with a std::exception_ptr");
        using R = flattened_t<std::invoke_result_t<Callable&, std::exception_ptr>>;
        static_assert(
            std::is_void_v<T> || std::convertible_to<R, T>,
            "catch_error: the callable returns what stands in for the value, T or future<T>");
        return chain<T>(source, shared, error_step<Callable>{std::forward<F>(callable)});
    }
    template <class F>
    static future<T> chain_finally(const intrusive_ptr<state<T>>& source, bool shared,
                                   F&& callable) {
        using Callable = std::decay_t<F>;
        static_assert(std::invocable<Callable&>, "finally: the callable is called with nothing");
        return chain<T>(source, shared, final_step<Callable>{std::forward<F>(callable)});
    }

    intrusive_ptr<state<T>> state_;
};

} // namespace curlicue::detail
