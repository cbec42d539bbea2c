// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/export.hpp>
#include <curlicue/task.hpp>

#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

namespace curlicue {

/// Tasks that end together: what the body of a `with_task_group` spawns on it. There is one as long
/// as the body or a task of it runs.
/// @threading thread-safe
class CURLICUE_EXPORT task_group {
public:
    task_group(const task_group&) = delete;
    task_group& operator=(const task_group&) = delete;

    /// Starts `body` on the group's executor, from its queue. What it gives is dropped. Once the
    /// group is cancelled or has failed, `body` never runs.
    /// @throws usage_error{errc::closed}; usage_error{errc::no_state} for an empty task
    template <class T> void spawn(task<T> body) {
        run(detail::make_intrusive<detail::task_state<T>>(link_, std::move(body)), kind::task);
    }
    /// The task that `callable()` returns; `callable` lives as long as it.
    template <class F>
        requires detail::makes_task<std::invoke_result_t<F&>>
    void spawn(F callable) { spawn(detail::kept_task(std::move(callable))); }

protected:
    enum class kind : unsigned char { body, task };

    explicit task_group(detail::intrusive_ptr<detail::executor_link> link) noexcept;
    ~task_group();

    /// False if it is too late, and the task goes unrun.
    template <class T> bool run(detail::intrusive_ptr<detail::task_state<T>> body, kind what) {
        if (!enter(body, &error_of<T>, what))
            return false;
        body->start();
        return true;
    }
    /// All that runs, and what is yet to come.
    void cancel_all() noexcept;
    /// The failure that has ended it, if one has.
    const std::optional<failure>& why() const noexcept { return why_; }

private:
    class member;
    struct place final : detail::list_node {
        explicit place(member& whose) noexcept : owner(whose) {}
        member& owner;
    };
    using error_getter = std::optional<failure> (*)(const detail::state_base&) noexcept;

    template <class T>
    static std::optional<failure> error_of(const detail::state_base& ended) noexcept {
        return static_cast<const detail::state<T>&>(ended).error();
    }

    bool enter(const detail::intrusive_ptr<detail::state_base>& body, error_getter error,
               kind what);
    detail::intrusive_ptr<detail::state_base> next_to_cancel() noexcept;
    bool fails_with(const member& ended, std::optional<failure>&& why) noexcept;
    void leave(member& ended) noexcept;
    /// The body and every task have ended.
    virtual void all_ended() noexcept = 0;

    const detail::intrusive_ptr<detail::executor_link> link_;
    detail::small_mutex mutex_; // guards what follows
    bool cancelled_ = false;
    std::size_t running_ = 0;
    std::optional<failure> why_;            // once nothing runs, without it
    detail::intrusive_list<place> members_; // but for those that it has cancelled
};

namespace detail {

// The callable is not its own: that and its captures are there to the end of the group.
template <class F, class Task = std::invoke_result_t<F&, task_group&>>
Task grouped_task(F& callable, task_group& group) {
    co_return co_await callable(group);
}

/// The state of `with_task_group`, and its group. Lives until all has ended.
template <class R, class F> class group_state final : public state<R>, private task_group {
public:
    group_state(const intrusive_ptr<executor_link>& link, F callable)
        : state<R>(link), task_group(link), callable_(std::move(callable)) {
        if (!this->end_with_executor())
            throw usage_error(errc::closed, "with_task_group");
    }

    void start() {
        task_group& group = *this;
        body_ = make_intrusive<task_state<R>>(this->link(), grouped_task(*callable_, group));
        auto all = intrusive_ptr<group_state>::share(this);
        if (!run(body_, kind::body))
            all_ended();
        static_cast<void>(all.detach()); // that of `all_ended`, when that comes
    }

private:
    ~group_state() override = default;

    void all_ended() noexcept override {
        if (this->fix())
            this->store(why() ? result<R>(*why()) : body_->take_noexcept());
        body_ = nullptr;
        callable_.reset();
        this->settle();
        this->release();
    }

    intrusive_ptr<state_base> cancel_requested() noexcept override {
        cancel_all();
        return nullptr; // settled when all has ended
    }

    std::optional<F> callable_;
    intrusive_ptr<task_state<R>> body_;
};

} // namespace detail

/// Runs `body(task_group&) -> task<R>` on `where`, from its queue, and what that spawns on the
/// group. The future holds what `body` gives, and is ready when `body` and all its tasks have
/// ended, whichever way: what the caller of this awaits it with, and the captures of `body`, are
/// there as long as any of them. (What `body` declares itself is gone when it returns.)
///
/// The first failure cancels the rest, and is the future's; a task that ends as cancelled is none,
/// unless it is `body`. Cancelling the future cancels all.
/// @throws usage_error{errc::closed}
/// @threading thread-safe
template <class F>
    requires detail::makes_task<std::invoke_result_t<F&, task_group&>>
auto with_task_group(executor& where, F body) {
    using R = typename std::invoke_result_t<F&, task_group&>::value_type;
    auto state = detail::make_intrusive<detail::group_state<R, F>>(detail::executor_link::of(where),
                                                                   std::move(body));
    state->start();
    return future<R>(std::move(state));
}

} // namespace curlicue
