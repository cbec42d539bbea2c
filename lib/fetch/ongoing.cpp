// SPDX-License-Identifier: MIT
#include "ongoing.hpp"

#include <curlicue/error.hpp>

#include <utility>

namespace curlicue::detail {

void ongoing::enter(std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    if (refuses_)
        throw usage_error(errc::closed, "client::fetch");
    requests_.emplace(id, nullptr);
}

void ongoing::cancelled_by(std::uint64_t id, intrusive_ptr<state_base> what) {
    const std::lock_guard lock(mutex_);
    if (const auto found = requests_.find(id); found != requests_.end())
        found->second = std::move(what);
}

void ongoing::leave(std::uint64_t id) noexcept {
    std::unique_lock lock(mutex_);
    const auto gone = requests_.extract(id); // what it holds goes without the lock
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
    requests all;
    {
        const std::lock_guard lock(mutex_);
        all = requests_;
    }
    for (const auto& [id, one] : all)
        if (one)
            one->cancel();
}

future<void> ongoing::ended(const intrusive_ptr<executor_link>& link) {
    const std::lock_guard lock(mutex_);
    if (requests_.empty() && transfers_ == 0)
        return make_ready_future();
    waiting_.push_back(make_intrusive<promise>(link));
    return future<void>(waiting_.back());
}

void ongoing::tell_if_idle(std::unique_lock<std::mutex>& lock) noexcept {
    std::vector<intrusive_ptr<promise>> told;
    if (requests_.empty() && transfers_ == 0)
        told.swap(waiting_);
    lock.unlock();
    for (const auto& each : told)
        each->keep_promise({});
}

} // namespace curlicue::detail
