// SPDX-License-Identifier: MIT
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
        return std::make_error_code(std::errc::state_not_recoverable);
    }
}

std::exception_ptr exception_of(const std::error_code& code) {
    if (code.category() != curlicue_category())
        return std::make_exception_ptr(std::system_error(code));
    switch (const auto own = static_cast<errc>(code.value())) {
    case errc::cancelled:
        return std::make_exception_ptr(cancelled());
    case errc::timed_out:
        return std::make_exception_ptr(timed_out());
    case errc::broken_promise:
        return std::make_exception_ptr(future_error(own));
    default:
        return std::make_exception_ptr(usage_error(own));
    }
}

} // namespace

failure::failure(std::exception_ptr exception) noexcept
    : code_(code_of(exception)), exception_(std::move(exception)) {}

std::exception_ptr failure::exception() const noexcept {
    if (exception_)
        return exception_;
    try {
        return detail_ ? detail_->make_exception() : exception_of(code_);
    } catch (...) {
        return std::current_exception();
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

void state_base::attach(continuation& waiter) noexcept {
    {
        const std::lock_guard lock(mutex_);
        if (!ready()) {
            auto** end = &first_;
            while (*end != nullptr)
                end = &(*end)->next_;
            *end = &waiter;
            return;
        }
    }
    waiter.source_ready();
}

bool state_base::unlink(continuation& waiter) noexcept {
    for (auto** link = &first_; *link != nullptr; link = &(*link)->next_)
        if (*link == &waiter) {
            *link = waiter.next_;
            waiter.next_ = nullptr;
            return true;
        }
    return false;
}

bool state_base::detach(continuation& waiter) noexcept {
    const std::lock_guard lock(mutex_);
    return unlink(waiter);
}

state_base::leaving state_base::leave(continuation& waiter) noexcept {
    const std::lock_guard lock(mutex_);
    bool found = false;
    bool others = false;
    for (const auto* each = first_; each != nullptr; each = each->next_) {
        found = found || each == &waiter;
        others = others || (each != &waiter && each->branch_);
    }
    if (!found)
        return leaving::gone;
    if (!others)
        return leaving::last_branch;
    unlink(waiter);
    return leaving::detached;
}

bool state_base::cancel_for(continuation& waiter) noexcept {
    const auto how = leave(waiter);
    if (how == leaving::last_branch)
        cancel();
    return how != leaving::detached;
}

bool state_base::fix() noexcept {
    const std::lock_guard lock(mutex_);
    if (phase_.load(std::memory_order_relaxed) != phase::pending)
        return false;
    phase_.store(phase::fixed, std::memory_order_release);
    return true;
}

bool state_base::fix_as(errc code) noexcept {
    const auto fix_one = [](state_base& each, errc why) noexcept {
        const std::lock_guard lock(each.mutex_);
        if (each.phase_.load(std::memory_order_relaxed) != phase::pending)
            return false;
        each.phase_.store(phase::fixed, std::memory_order_release);
        each.code_.store(why, std::memory_order_release);
        return true;
    };
    if (!fix_one(*this, code))
        return false;
    // A loop, not a recursion: chains of futures may be long.
    for (auto next = cancel_requested(); next;)
        next = fix_one(*next, errc::cancelled) ? next->cancel_requested() : nullptr;
    return true;
}

void state_base::settle() noexcept {
    continuation* told = nullptr;
    {
        const std::lock_guard lock(mutex_);
        if (ready())
            return;
        phase_.store(phase::ready, std::memory_order_release);
        told = std::exchange(first_, nullptr);
    }
    // What a continuation settles in its turn waits for its place in this loop: a long chain of
    // futures must not become a deep stack.
    struct list {
        continuation* first = nullptr;
        continuation** end = &first;
        void append(continuation* more) noexcept {
            for (*end = more; *end != nullptr;)
                end = &(*end)->next_;
        }
    };
    static thread_local list* running = nullptr;
    if (running != nullptr) {
        running->append(told);
        return;
    }
    list todo;
    running = &todo;
    todo.append(told);
    while (todo.first != nullptr) {
        auto* const each = todo.first;
        todo.first = std::exchange(each->next_, nullptr);
        if (todo.first == nullptr)
            todo.end = &todo.first;
        each->source_ready();
    }
    running = nullptr;
}

void state_base::check_wait() const {
    if (link_ && link_->runs_here())
        throw usage_error(errc::would_deadlock, "future::wait");
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

void state_base::last_reference_gone() noexcept {
    if (link_ && ready() && !observed_.load(std::memory_order_relaxed))
        if (auto why = unseen())
            link_->unobserved(why->exception());
    delete this;
}

} // namespace detail
} // namespace curlicue
