// SPDX-License-Identifier: MIT
#include <curlicue/detail/await.hpp>

#include <utility>

namespace curlicue::detail {
namespace {

// One `resume` on a thread's stack.
struct turn {
    const task_context* const task;
    std::coroutine_handle<> running;
    std::coroutine_handle<> next;
};

thread_local turn* current_turn = nullptr;

} // namespace

const task_context* running_task() noexcept {
    return current_turn != nullptr ? current_turn->task : nullptr;
}

void resume(std::coroutine_handle<> coroutine, const task_context* task) noexcept {
    turn here{task, nullptr, coroutine};
    auto* const outer = std::exchange(current_turn, &here);
    while (here.next) {
        here.running = std::exchange(here.next, nullptr);
        here.running.resume();
    }
    current_turn = outer;
}

void hand_over(std::coroutine_handle<> suspended, std::coroutine_handle<> next) noexcept {
    // One that was resumed by other means, or is of another kind, does not return to the loop
    // above.
    if (current_turn != nullptr && current_turn->running == suspended)
        current_turn->next = next;
    else
        resume(next, running_task());
}

void task_context::suspended(interruptible& await) noexcept {
    const std::lock_guard lock(mutex_);
    await_ = &await;
}

void task_context::resumed(bool broken_off) noexcept {
    const std::lock_guard lock(mutex_);
    await_ = nullptr;
    if (broken_off)
        cancel_pending_.store(false, std::memory_order_relaxed);
}

bool task_context::waits_for_end_of(const executor_link& executor) const noexcept {
    const std::lock_guard lock(mutex_);
    return await_ != nullptr && await_->source().ends(executor);
}

intrusive_ptr<state_base> task_context::cancel() noexcept {
    {
        const std::lock_guard lock(mutex_);
        cancel_pending_.store(true, std::memory_order_relaxed);
    }
    return break_off();
}

intrusive_ptr<state_base> task_context::break_off() noexcept {
    interruptible* await = nullptr;
    {
        const std::lock_guard lock(mutex_);
        if (!cancel_pending_.load(std::memory_order_relaxed) || await_ == nullptr)
            return nullptr;
        await = await_;
        auto& source = await->source();
        switch (source.leave(*await)) {
        case state_base::leaving::last_branch:
            return intrusive_ptr<state_base>::share(&source);
        case state_base::leaving::detached:
            break;
        case state_base::leaving::gone:
            return nullptr; // not attached yet, or its source was quicker
        }
    }
    // Nobody else can resume it now. Without the lock, because without an executor it goes on here.
    await->interrupt();
    return nullptr;
}

} // namespace curlicue::detail
