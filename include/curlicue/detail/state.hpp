// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/executor_link.hpp>
#include <curlicue/detail/recycled.hpp>
#include <curlicue/result.hpp>

#include <atomic>
#include <chrono>
#include <concepts>
#include <mutex>
#include <optional>

namespace curlicue::detail {

/// Waits for a state to become ready. It lives until `source_ready` was called, or until `leave`
/// has taken it off.
class continuation : public list_node {
public:
    /// @param branch whether it counts as a consumer: cancelling the last one cancels the source
    explicit continuation(bool branch = true) noexcept : branch_(branch) {}

    /// Called once, with no lock held, on the thread that made the state ready; runs no code of
    /// the user's, but queues it.
    virtual void source_ready() noexcept = 0;
    bool is_branch() const noexcept { return branch_; }

protected:
    ~continuation() = default;

private:
    const bool branch_;
};

/// What a promise, its futures and their continuations share, but for the value.
///
/// An outcome is *fixed* once, by whoever comes first: the producer, a cancel, a timeout. It is
/// *settled*, and the state ready, when the producer has let go: then continuations are told.
/// @threading thread-safe
class CURLICUE_EXPORT state_base : public pending_work, public recycled {
public:
    enum class leaving { last_branch, detached, gone };

    bool ready() const noexcept {
        return (status_.load(std::memory_order_acquire) & ready_flag) != 0;
    }
    bool cancelled() const noexcept { return fixed_code() == errc::cancelled; }
    const intrusive_ptr<executor_link>& link() const noexcept { return link_; }
    /// Whether a continuation may run here and now: on the executor's thread, or without one.
    bool runs_here() const noexcept { return !link_ || link_->may_run_here(); }

    /// True: this call fixed the outcome. Never allocates.
    bool cancel() noexcept { return fix_as(errc::cancelled); }
    /// The same, for states that cancel others: one after the other, so that what is nested does
    /// not become a deep stack.
    void cancel_in_turn() noexcept;

    /// Tells `waiter` when the state is ready; at once if it is.
    void attach(continuation& waiter) noexcept;
    /// Takes `waiter` off, so that it hears nothing more. False if it was told, or is being told.
    bool detach(continuation& waiter) noexcept;
    /// For a cancelled consumer. `last_branch`: it stays attached and its source is to be
    /// cancelled; `detached`: others remain, it hears nothing more; `gone`: see `detach`.
    leaving leave(continuation& waiter) noexcept;
    /// `leave`, and cancels the source where it was the last one. True if `waiter` will be told.
    bool cancel_for(continuation& waiter) noexcept;
    /// `leave`, and tells `waiter` itself if others remain: it is told in any case. Returns this
    /// state where it is to be cancelled for it.
    intrusive_ptr<state_base> give_up(continuation& waiter) noexcept;

    /// Blocks. @throws usage_error{errc::would_deadlock} on the executor's thread; errc::forked
    void wait();
    bool wait_until(std::chrono::steady_clock::time_point deadline);
    /// `cancel`, and off the executor's thread blocks until the producer has let go.
    void cancel_and_wait() noexcept;

    /// Whether it is ready only once that executor has ended.
    virtual bool ends(const executor_link&) const noexcept { return false; }

    /// Somebody has looked at the outcome, or will: a failure is not `unobserved` any more.
    void observe() noexcept { observed_.store(true, std::memory_order_relaxed); }

    void add_sharer() noexcept { sharers_.fetch_add(1, std::memory_order_release); }
    void drop_sharer() noexcept { sharers_.fetch_sub(1, std::memory_order_release); }
    bool shared() const noexcept { return sharers_.load(std::memory_order_acquire) != 0; }

protected:
    explicit state_base(intrusive_ptr<executor_link> link) noexcept : link_(std::move(link)) {}
    ~state_base() override;

    /// From now on the executor's close cancels this, if it has one. False if it is closing
    /// already.
    bool end_with_executor() noexcept;
    /// A producer that no cancel reaches: of its consumers none is the last, each may leave.
    void goes_on_without_consumers() noexcept { ++branches_; }

    /// True: the caller alone decides. Without a code it now writes the outcome; either way it then
    /// sees to it that the state is settled.
    bool fix(errc code = {}) noexcept;
    /// `fix`, and asks the producer to let go.
    bool fix_as(errc code) noexcept;
    bool fixed() const noexcept { return status_.load(std::memory_order_acquire) != 0; }
    /// The code that is the whole outcome, or `errc::cancelled` for whatever is a cancellation;
    /// `errc{}` otherwise.
    errc fixed_code() const noexcept {
        return static_cast<errc>(status_.load(std::memory_order_acquire) >> code_shift);
    }
    /// A producer's failure that is a cancellation counts as one.
    void fixed_as_cancelled() noexcept {
        status_.fetch_or(coded(errc::cancelled), std::memory_order_release);
    }
    /// Makes it ready, once, and tells the continuations.
    void settle() noexcept;

    small_mutex& mutex() const noexcept { return mutex_; }

private:
    friend class chained; // which is a part of some

    // The status: 0 while pending, then two flags and the code above them. In one word, because
    // whoever sees it fixed must see as what.
    static constexpr unsigned fixed_flag = 1;
    static constexpr unsigned ready_flag = 2;
    static constexpr unsigned code_shift = 2;
    static unsigned coded(errc code) noexcept { return static_cast<unsigned>(code) << code_shift; }

    /// The outcome is fixed as cancelled or timed out: let go, now or soon, and settle. Returns the
    /// state that is to be cancelled for it, if any.
    virtual intrusive_ptr<state_base> cancel_requested() noexcept {
        settle();
        return nullptr;
    }
    /// The failure to report when nobody has looked at it.
    virtual std::optional<failure> unseen() const noexcept = 0;

    void executor_closed() noexcept final { cancel(); }
    void last_reference_gone() noexcept final;
    bool attached(continuation& waiter) const noexcept;
    void remove(continuation& waiter) noexcept;
    bool left_behind() const noexcept;
    void check_wait() const;
    void let_go() noexcept;
    static void let_go_of(state_base& first) noexcept;

    mutable small_mutex mutex_;
    std::atomic<unsigned> status_{0};
    std::atomic<unsigned> sharers_{0};
    std::atomic<bool> observed_{false};
    bool watched_ = false;
    unsigned branches_ = 0;
    const process_mark process_;
    intrusive_list<continuation> waiting_;
    state_base* next_ = nullptr; // of those that are to let go, or to be deleted
    const intrusive_ptr<executor_link> link_;
};

/// The state of a `future<T>`.
template <class T> class state : public state_base {
public:
    using value_type = T;

    /// True: this call fixed the outcome, and the state is ready. A failed move of the value
    /// becomes the outcome.
    bool fulfil(result<T>&& outcome) noexcept {
        if (!fix())
            return false;
        store(std::move(outcome));
        settle();
        return true;
    }

    /// The outcome of a ready state: moved out, or copied while a shared future may want it too.
    result<T> take() {
        if (auto why = error())
            return *std::move(why);
        if (shared())
            return copy_.load(std::memory_order_relaxed)(*outcome_);
        return std::move(*outcome_);
    }
    /// For shared futures: from now on, and only then, `T` need be copyable. (The trait that could
    /// tell says yes for a vector of move-only things.)
    void add_copying_sharer() noexcept {
        copy_.store([](const result<T>& outcome) { return outcome; }, std::memory_order_relaxed);
        add_sharer();
    }
    /// As `take`; what copying or moving the value throws is the outcome.
    result<T> take_noexcept() noexcept {
        try {
            return take();
        } catch (...) {
            return failure(std::current_exception());
        }
    }

    /// Why a ready state has no value, if it has none.
    std::optional<failure> error() const noexcept {
        if (const auto code = fixed_code(); code != errc{} && !outcome_)
            return failure(code);
        return outcome_->has_value() ? std::nullopt : std::optional(outcome_->why());
    }
    /// Whether it has one, once the outcome is fixed and stored.
    bool has_value() const noexcept { return outcome_ && outcome_->has_value(); }

protected:
    using state_base::state_base;

    /// The outcome, by a copy that throws nothing.
    template <std::same_as<T> Value> void store_value(const Value& value) noexcept {
        outcome_.emplace(value);
    }

    // Or else each continuation in a program has it three times.
    [[gnu::noinline]] void store(result<T>&& outcome) noexcept {
        try {
            outcome_.emplace(std::move(outcome));
        } catch (...) {
            outcome_.emplace(failure(std::current_exception()));
        }
        if (!outcome_->has_value() && outcome_->why().cancelled())
            fixed_as_cancelled();
    }

private:
    std::optional<failure> unseen() const noexcept override {
        return cancelled() ? std::nullopt : error();
    }

    std::optional<result<T>> outcome_;
    std::atomic<result<T> (*)(const result<T>&)> copy_{nullptr};
};

/// A state that is ready from the start and has no executor.
template <class T> class ready_state final : public state<T> {
public:
    explicit ready_state(result<T> outcome) : state<T>(nullptr) {
        this->fulfil(std::move(outcome));
    }
};

} // namespace curlicue::detail
