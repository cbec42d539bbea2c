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

/// The state of the future that `then` and its kin return: waits for its source, runs its step
/// with the source's outcome, and, if the step returned a future, waits for that one too.
///
/// `Step` is called as `step(target, result<T>&&)`, and gone before the state is ready. With
/// `Step::runs_when_cancelled`, `finally`'s, it runs whatever happens, and so to its end.
template <class T, class U, class Step>
class then_state final : public state<U>, private continuation, private work {
public:
    then_state(const intrusive_ptr<state<T>>& source, bool shared, Step step)
        : state<U>(source->link()), upstream_(source), shared_(shared), step_(std::move(step)) {}

    /// Begins to wait. From here on the source's list, later the queue, owns a reference.
    void start() noexcept {
        const auto source = upstream_;
        source->observe();
        if (shared_)
            source->add_sharer();
        wait_for(*source);
    }

    /// For steps: the outcome, unless a cancel was first.
    void conclude(result<U>&& outcome) noexcept {
        if (this->fix())
            this->store(std::move(outcome));
    }

    /// For steps: waits for `inner` and takes its outcome over.
    void follow(future<U>&& inner);

    Step& step() noexcept { return *step_; }

private:
    // waiting for the source, queued to run the step, running it, following the future that it
    // returned. The mutex guards it; who changes it owns what comes next.
    enum class stage : unsigned char { waiting, queued, running, following, over };

    ~then_state() override = default;

    void wait_for(state_base& upstream) noexcept {
        this->retain();
        upstream.attach(*this);
        // A cancel that came before the line above has found nothing to cancel.
        if (breaks_off() && !upstream.cancel_for(*this))
            source_ready();
    }
    bool breaks_off() const noexcept { return !Step::runs_when_cancelled && this->fixed(); }

    // The upstream is ready, or a cancel has taken this off its list.
    void source_ready() noexcept override {
        stage before{};
        stage now{};
        {
            const std::lock_guard lock(this->mutex());
            before = stage_;
            now = before == stage::following || breaks_off() ? stage::over : stage::queued;
            stage_ = now;
        }
        if (now == stage::queued) {
            enqueue(this->link(), *this);
            return;
        }
        if (before == stage::following)
            take_over();
        else
            skip();
        this->release();
    }

    void run() noexcept override {
        const auto queued = intrusive_ptr<then_state>::adopt(this);
        if (!change_stage(stage::queued, stage::running))
            return; // a cancel was first and has settled it
        try {
            auto outcome = this->fixed() ? result<T>(failure(errc::cancelled))
                                         : static_cast<state<T>&>(*upstream_).take_noexcept();
            drop_source();
            if (!breaks_off())
                (*step_)(*this, std::move(outcome));
        } catch (...) {
            conclude(failure(std::current_exception()));
        }
        step_.reset();
        const auto inner = upstream_;
        change_stage(stage::running, inner ? stage::following : stage::over);
        if (inner)
            wait_for(*inner);
        else
            this->settle();
    }

    intrusive_ptr<state_base> cancel_requested() noexcept override {
        intrusive_ptr<state_base> upstream;
        {
            const std::lock_guard lock(this->mutex());
            if (stage_ == stage::waiting ||
                (stage_ == stage::following && !Step::runs_when_cancelled))
                upstream = upstream_;
            else if (stage_ == stage::queued && !Step::runs_when_cancelled)
                stage_ = stage::over;
            else
                return nullptr; // who changed the stage settles
        }
        if (!upstream) {
            skip();
            return nullptr;
        }
        return upstream->give_up(*this);
    }

    void drop_source() noexcept {
        const auto source = std::exchange(upstream_, nullptr);
        if (shared_)
            source->drop_sharer();
    }

    // Cancelled before its turn came.
    void skip() noexcept {
        drop_source();
        step_.reset();
        this->settle();
    }

    // The outcome of the future that the step returned.
    void take_over() noexcept {
        const auto inner = std::exchange(upstream_, nullptr);
        if (this->fix())
            this->store(static_cast<state<U>&>(*inner).take_noexcept());
        this->settle();
    }

    bool change_stage(stage from, stage to) noexcept {
        const std::lock_guard lock(this->mutex());
        return stage_ == from && (stage_ = to, true);
    }

    intrusive_ptr<state_base> upstream_; // the source, later the future that the step returned
    stage stage_ = stage::waiting;
    const bool shared_;
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
