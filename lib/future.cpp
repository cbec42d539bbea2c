// SPDX-License-Identifier: MIT
#include "throwing_category.hpp"
#include <curlicue/detail/state.hpp>

#include <condition_variable>
#include <new>

namespace curlicue {
namespace {

std::error_code code_of(const std::exception_ptr& exception) noexcept {
    try {
        std::rethrow_exception(exception);
    } catch (const usage_error& error) {
        return error.code();
    } catch (const std::system_error& error) {
        return error.code();
    } catch (const std::bad_alloc&) {
        return std::make_error_code(std::errc::not_enough_memory);
    } catch (...) {
        return errc::no_code;
    }
}

std::exception_ptr exception_of(const std::error_code& code) {
    if (const auto* own = dynamic_cast<const detail::throwing_category*>(&code.category()))
        return own->exception_of(code.value());
    return std::make_exception_ptr(std::system_error(code));
}

} // namespace

failure::failure(std::exception_ptr exception) noexcept
    : code_(exception ? code_of(exception)
                      : std::make_error_code(std::errc::state_not_recoverable)),
      exception_(std::move(exception)) {}

failure::failure(const failure&) noexcept = default;
failure::failure(failure&&) noexcept = default;
failure& failure::operator=(const failure&) noexcept = default;
failure& failure::operator=(failure&&) noexcept = default;
failure::~failure() = default;

[[gnu::noinline]] std::exception_ptr failure::exception() const noexcept {
    if (exception_)
        return exception_;
    try {
        return detail_ ? detail_->make_exception() : exception_of(code_);
    } catch (...) {
        return std::current_exception();
    }
}

std::string failure::message() const {
    try {
        std::rethrow_exception(exception());
    } catch (const std::exception& error) {
        return error.what();
    } catch (...) {
        return "an exception that says nothing: it is no std::exception";
    }
}

namespace detail {
namespace {

// A thread that blocks for a state.
class waiter final : public continuation {
public:
    waiter() noexcept : continuation(false) {}

    void source_ready() noexcept override {
        // Under the lock: once it is free the waiting thread may be gone, and this object with it.
        const std::lock_guard lock(mutex_);
        told_ = true;
        changed_.notify_one();
    }
    void wait() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return told_; });
    }
    bool wait_until(std::chrono::steady_clock::time_point deadline) {
        std::unique_lock lock(mutex_);
        return changed_.wait_until(lock, deadline, [this] { return told_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool told_ = false;
};

} // namespace

state_base::~state_base() {
    if (watched_)
        link_->forget(*this);
}

bool state_base::end_with_executor() noexcept {
    watched_ = link_ && link_->watch(*this);
    return watched_;
}

void state_base::attach(continuation& waiter) noexcept {
    {
        const std::lock_guard lock(mutex_);
        if (!ready()) {
            waiting_.push_back(waiter);
            branches_ += waiter.is_branch() ? 1U : 0U;
            return;
        }
    }
    waiter.source_ready();
}

// Once this is ready `waiter` may be in a list of another state's, under another lock.
bool state_base::attached(continuation& waiter) const noexcept {
    return !ready() && waiter.linked();
}

void state_base::remove(continuation& waiter) noexcept {
    waiter.unlink();
    branches_ -= waiter.is_branch() ? 1U : 0U;
}

bool state_base::detach(continuation& waiter) noexcept {
    const std::lock_guard lock(mutex_);
    if (!attached(waiter))
        return false;
    remove(waiter);
    return true;
}

state_base::leaving state_base::leave(continuation& waiter) noexcept {
    const std::lock_guard lock(mutex_);
    if (!attached(waiter))
        return leaving::gone;
    if (branches_ == 1)
        return leaving::last_branch;
    remove(waiter);
    return leaving::detached;
}

namespace {

// What this thread has cancelled for a consumer, and is still to ask to let go: each may have
// inputs of its own, and combinators of combinators must not become a deep stack.
thread_local state_base** asking = nullptr;

} // namespace

bool state_base::cancel_for(continuation& waiter) noexcept {
    const auto how = leave(waiter);
    if (how == leaving::last_branch)
        cancel_in_turn();
    return how != leaving::detached;
}

void state_base::cancel_in_turn() noexcept {
    if (!fix(errc::cancelled))
        return;
    if (asking == nullptr)
        return let_go();
    retain();
    next_ = std::exchange(*asking, this);
}

intrusive_ptr<state_base> state_base::give_up(continuation& waiter) noexcept {
    const auto how = leave(waiter);
    if (how == leaving::detached)
        waiter.source_ready();
    return intrusive_ptr<state_base>::share(how == leaving::last_branch ? this : nullptr);
}

bool state_base::fix(errc code) noexcept {
    unsigned pending = 0;
    return status_.compare_exchange_strong(pending, fixed_flag | coded(code),
                                           std::memory_order_acq_rel);
}

bool state_base::fix_as(errc code) noexcept {
    if (!fix(code))
        return false;
    let_go();
    return true;
}

void state_base::let_go() noexcept {
    state_base* waiting = nullptr;
    auto* const outer = std::exchange(asking, &waiting);
    let_go_of(*this);
    while (waiting != nullptr) {
        const auto each = intrusive_ptr<state_base>::adopt(waiting);
        waiting = std::exchange(each->next_, nullptr);
        let_go_of(*each);
    }
    asking = outer;
}

// A loop, not a recursion: chains of futures may be long.
void state_base::let_go_of(state_base& first) noexcept {
    for (auto next = first.cancel_requested(); next;)
        next = next->fix(errc::cancelled) ? next->cancel_requested() : nullptr;
}

namespace {

// What this thread is about to tell. What a continuation settles in its turn waits for its place in
// the list: a long chain of futures must not become a deep stack.
thread_local intrusive_list<continuation>* telling = nullptr;

void tell(intrusive_list<continuation>& told) noexcept {
    while (auto* const each = told.pop_front())
        each->source_ready();
}

} // namespace

void state_base::settle() noexcept {
    intrusive_list<continuation> told;
    {
        const std::lock_guard lock(mutex_);
        if (ready())
            return;
        status_.fetch_or(ready_flag, std::memory_order_release);
        told.splice(waiting_);
    }
    if (told.empty())
        return;
    if (telling != nullptr) {
        telling->splice(told);
        return;
    }
    telling = &told;
    tell(told);
    telling = nullptr;
}

// What has no executor is made by threads as well: those that a child process does not have.
bool state_base::left_behind() const noexcept {
    return link_ ? link_->left_behind() : process_.elsewhere();
}

void state_base::check_wait() const {
    if (left_behind())
        throw usage_error(errc::forked, "future::wait");
    // Whose timers may be all that is to make it ready, where there is no executor.
    if (link_ ? link_->runs_here() : is_timer_thread())
        throw usage_error(errc::would_deadlock, "future::wait");
    // Without an executor this may be a continuation that one further down the stack has told, and
    // what is waited for still in its list.
    if (telling != nullptr)
        tell(*telling);
}

void state_base::wait() {
    if (ready())
        return;
    check_wait();
    waiter here;
    attach(here);
    here.wait();
}

bool state_base::wait_until(std::chrono::steady_clock::time_point deadline) {
    if (ready())
        return true;
    check_wait();
    waiter here;
    attach(here);
    if (here.wait_until(deadline))
        return true;
    if (detach(here))
        return false;
    here.wait(); // being told right now
    return true;
}

void state_base::cancel_and_wait() noexcept {
    cancel();
    if (ready() || left_behind() || runs_here())
        return;
    waiter here;
    attach(here);
    here.wait();
}

[[gnu::noinline]] void state_base::last_reference_gone() noexcept {
    if (link_ && ready() && !observed_.load(std::memory_order_relaxed))
        if (auto why = unseen())
            link_->unobserved(why->exception());
    // A loop again: of many states each may be the last owner of the next.
    struct ending {
        state_base* first;
        bool deleting;
    };
    static thread_local ending doomed{};
    next_ = std::exchange(doomed.first, this);
    if (std::exchange(doomed.deleting, true))
        return;
    while (doomed.first != nullptr)
        delete std::exchange(doomed.first, doomed.first->next_);
    doomed.deleting = false;
}

} // namespace detail
} // namespace curlicue
