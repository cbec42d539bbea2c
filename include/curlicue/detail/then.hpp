// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/state.hpp>

#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace curlicue {

template <class T> class future;

namespace detail {

template <class R> struct flattened {
    static_assert(!std::is_reference_v<R>, "a future holds a value: return a copy, a pointer or a "
                                           "std::reference_wrapper from a continuation");
    using type = R;
    static constexpr bool follows = false;
};
template <class T> struct flattened<future<T>> {
    using type = T;
    static constexpr bool follows = true;
};
/// What a continuation that returns `R` makes a future of: `R`, or `T` for a `future<T>`.
template <class R> using flattened_t = typename flattened<R>::type;

/// Fulfils `target` with what `callable` returns, or follows the future it returns.
template <class U, class Target, class F, class... Args>
void resolve_with(Target& target, F&& callable, Args&&... args) {
    using R = std::invoke_result_t<F, Args...>;
    if constexpr (flattened<R>::follows) {
        target.follow(std::invoke(std::forward<F>(callable), std::forward<Args>(args)...));
    } else if constexpr (std::is_void_v<U>) {
        std::invoke(std::forward<F>(callable), std::forward<Args>(args)...);
        target.conclude(result<void>());
    } else {
        target.conclude(
            result<U>(std::invoke(std::forward<F>(callable), std::forward<Args>(args)...)));
    }
}

/// What the state of `then` and its kin does, whatever its types: waits for its source, has the
/// step run on the executor, and, if the step returned a future, waits for that one too.
class CURLICUE_EXPORT chained : private continuation, private work {
public:
    /// Begins to wait. From here on the source's list, later the queue, owns a reference.
    void start() noexcept;

protected:
    /// @param self the state that this is a part of
    /// @param always whether the step runs even if that is cancelled: then it runs to its end
    chained(state_base& self, intrusive_ptr<state_base> source, bool shared, bool always) noexcept
        : self_(self), upstream_(std::move(source)), shared_(shared), always_(always) {}
    ~chained() = default;

    /// For steps: waits for `inner`, once they have returned, and takes its outcome over.
    void follow(const intrusive_ptr<state_base>& inner) noexcept;
    bool breaks_off() const noexcept { return !always_ && self_.fixed(); }
    state_base& source() const noexcept { return *upstream_; }
    void drop_source() noexcept;
    intrusive_ptr<state_base> cancel_chain() noexcept;

private:
    // waiting for the source, queued to run the step, running it, following the future that it
    // returned. The mutex guards it; who changes it owns what comes next.
    enum class stage : unsigned char { waiting, queued, running, following, over };

    /// Drops the source, and runs the step with its outcome; then the step is gone.
    virtual void run_step() noexcept = 0;
    virtual void drop_step() noexcept = 0;
    /// The outcome of the future that the step returned.
    virtual void take_over(state_base& inner) noexcept = 0;

    void source_ready() noexcept override;
    void run() noexcept override;
    void wait_for(state_base& upstream) noexcept;
    void skip() noexcept;
    bool change_stage(stage from, stage to) noexcept;

    state_base& self_;
    intrusive_ptr<state_base> upstream_; // the source, later the future that the step returned
    stage stage_ = stage::waiting;
    const bool shared_;
    const bool always_;
};

/// The state of the future that `then` and its kin return.
///
/// `Step` is called as `step(target, result<T>&&)`, and gone before the state is ready. With
/// `Step::runs_when_cancelled`, `finally`'s, it runs whatever happens, and so to its end.
template <class T, class U, class Step> class then_state final : public state<U>, public chained {
public:
    then_state(const intrusive_ptr<state<T>>& source, bool shared, Step step)
        : state<U>(source->link()), chained(*this, source, shared, Step::runs_when_cancelled),
          step_(std::move(step)) {}

    /// For steps: the outcome, unless a cancel was first.
    void conclude(result<U>&& outcome) noexcept {
        if (this->fix())
            this->store(std::move(outcome));
    }

    /// For steps: waits for `inner` and takes its outcome over.
    void follow(future<U>&& inner);

    Step& step() noexcept { return *step_; }

private:
    ~then_state() override = default;

    void run_step() noexcept override {
        try {
            auto outcome = this->fixed() ? result<T>(failure(errc::cancelled))
                                         : static_cast<state<T>&>(source()).take_noexcept();
            drop_source();
            if (!breaks_off())
                (*step_)(*this, std::move(outcome));
        } catch (...) {
            conclude(failure(std::current_exception()));
        }
        step_.reset();
    }
    void drop_step() noexcept override { step_.reset(); }
    void take_over(state_base& inner) noexcept override {
        if (this->fix())
            this->store(static_cast<state<U>&>(inner).take_noexcept());
    }
    intrusive_ptr<state_base> cancel_requested() noexcept override { return cancel_chain(); }

    std::optional<Step> step_;
};

/// `then`: the value.
template <class F> struct value_step {
    F callable;
    static constexpr bool runs_when_cancelled = false;

    template <class Target, class T> void operator()(Target& target, result<T>&& outcome) {
        using U = typename Target::value_type;
        if (!outcome)
            target.conclude(outcome.why());
        else if constexpr (std::is_void_v<T>)
            resolve_with<U>(target, callable);
        else
            resolve_with<U>(target, callable, std::move(outcome).value());
    }
};

/// `then_result`: both.
template <class F> struct result_step {
    F callable;
    static constexpr bool runs_when_cancelled = false;

    template <class Target, class T> void operator()(Target& target, result<T>&& outcome) {
        resolve_with<typename Target::value_type>(target, callable, std::move(outcome));
    }
};

/// `catch_error`: the failure.
template <class F> struct error_step {
    F callable;
    static constexpr bool runs_when_cancelled = false;

    template <class Target, class T> void operator()(Target& target, result<T>&& outcome) {
        if (outcome)
            target.conclude(std::move(outcome));
        else
            resolve_with<T>(target, callable, outcome.exception());
    }
};

/// `finally`: neither, but whatever happens.
template <class F> struct final_step {
    F callable;
    static constexpr bool runs_when_cancelled = true;

    template <class Target, class T> void operator()(Target& target, result<T>&& outcome) {
        std::invoke(callable);
        target.conclude(std::move(outcome));
    }
};

/// `detach`: a failure that is no cancellation.
template <class F> struct report_step {
    F callable;
    static constexpr bool runs_when_cancelled = false;

    template <class Target, class T> void operator()(Target& target, result<T>&& outcome) {
        if (!outcome && !outcome.why().cancelled())
            std::invoke(callable, outcome.exception());
        target.conclude(result<void>());
    }
};

} // namespace detail
} // namespace curlicue
