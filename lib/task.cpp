// SPDX-License-Identifier: MIT
#include <curlicue/detail/await.hpp>

namespace curlicue::detail {

void task_context::suspended(state_base& source, interruptible& await) noexcept {
    const std::lock_guard lock(mutex_);
    source_ = intrusive_ptr<state_base>::share(&source);
    await_ = &await;
}

void task_context::resumed() noexcept {
    const std::lock_guard lock(mutex_);
    source_ = nullptr;
    await_ = nullptr;
}

intrusive_ptr<state_base> task_context::cancel() noexcept {
    {
        const std::lock_guard lock(mutex_);
        cancel_pending_ = true;
    }
    return deliver_cancel();
}

intrusive_ptr<state_base> task_context::deliver_cancel() noexcept {
    intrusive_ptr<state_base> source;
    interruptible* await = nullptr;
    {
        const std::lock_guard lock(mutex_);
        if (!cancel_pending_ || !source_)
            return nullptr;
        source = source_;
        await = await_;
    }
    // Outside the lock the await may be over and its object gone: its address is only looked up in
    // the source's list, and used where it was found there.
    const auto how = source->leave(*await);
    if (how == state_base::leaving::gone)
        return nullptr; // its source was quicker; the next await is broken off
    {
        const std::lock_guard lock(mutex_);
        cancel_pending_ = false;
    }
    if (how == state_base::leaving::last_branch)
        return source;
    await->interrupt();
    return nullptr;
}

} // namespace curlicue::detail
