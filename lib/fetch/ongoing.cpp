// SPDX-License-Identifier: MIT
#include "ongoing.hpp"

#include <curlicue/error.hpp>

#include <utility>

namespace curlicue::detail {

void ongoing::enter(request& one) {
    const std::lock_guard lock(mutex_);
    if (refuses_)
        throw usage_error(errc::closed, "client::fetch");
    requests_.push_back(one);
}

void ongoing::cancelled_by(request& one, const intrusive_ptr<state_base>& what) noexcept {
    const std::lock_guard lock(mutex_);
    if (one.linked())
        one.head_ = what;
}

void ongoing::leave(request& one) noexcept {
    std::unique_lock lock(mutex_);
    one.unlink();
    const auto head = std::exchange(one.head_, nullptr); // which goes without the lock
    tell_if_idle(lock);
}

void ongoing::transfer_begins() noexcept {
    const std::lock_guard lock(mutex_);
    ++transfers_;
}

void ongoing::transfer_ends() noexcept {
    std::unique_lock lock(mutex_);
    --transfers_;
    tell_if_idle(lock);
}

std::size_t ongoing::transfers() const noexcept {
    const std::lock_guard lock(mutex_);
    return transfers_;
}

void ongoing::refuse() noexcept {
    const std::lock_guard lock(mutex_);
    refuses_ = true;
}

void ongoing::cancel_requests() noexcept {
    std::unique_lock lock(mutex_);
    to_cancel_.splice(requests_);
    while (auto* const next = to_cancel_.pop_front()) {
        requests_.push_back(*next);
        auto head = next->head_;
        lock.unlock();
        if (head)
            head->cancel();
        head = nullptr;
        lock.lock();
    }
}

future<void> ongoing::ended(const intrusive_ptr<executor_link>& link) {
    const std::lock_guard lock(mutex_);
    if (idle())
        return make_ready_future();
    waiting_.push_back(make_intrusive<promise>(link));
    return future<void>(waiting_.back());
}

void ongoing::tell_if_idle(std::unique_lock<std::mutex>& lock) noexcept {
    std::vector<intrusive_ptr<promise>> told;
    if (idle())
        told.swap(waiting_);
    lock.unlock();
    for (const auto& each : told)
        each->keep_promise({});
}

} // namespace curlicue::detail
