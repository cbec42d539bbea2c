// SPDX-License-Identifier: MIT
#include "transfer_list.hpp"

namespace curlicue::detail {

transfer_list::~transfer_list() {
    while (first_ != nullptr)
        leave(*first_);
}

bool transfer_list::enter(transfer& item) {
    const std::lock_guard lock(mutex_);
    if (closed_)
        return false;
    by_handle_[item.curl()] = &item;
    item.previous = last_;
    (last_ != nullptr ? last_->next : first_) = &item;
    last_ = &item;
    item.listed = true;
    item.retain();
    return true;
}

bool transfer_list::leave(transfer& item) noexcept {
    {
        const std::lock_guard lock(mutex_);
        if (!std::exchange(item.listed, false))
            return false;
        by_handle_.erase(item.curl());
        (item.previous != nullptr ? item.previous->next : first_) = item.next;
        (item.next != nullptr ? item.next->previous : last_) = item.previous;
    }
    item.release();
    return true;
}

void transfer_list::close() noexcept {
    const std::lock_guard lock(mutex_);
    closed_ = true;
}

intrusive_ptr<transfer> transfer_list::find(CURL* handle) const noexcept {
    const std::lock_guard lock(mutex_);
    const auto found = by_handle_.find(handle);
    return intrusive_ptr<transfer>::share(found == by_handle_.end() ? nullptr : found->second);
}

intrusive_ptr<transfer> transfer_list::first(const shard* home) const noexcept {
    const std::lock_guard lock(mutex_);
    return from(first_, home);
}

intrusive_ptr<transfer> transfer_list::next(const transfer& item,
                                            const shard* home) const noexcept {
    const std::lock_guard lock(mutex_);
    return from(item.next, home);
}

intrusive_ptr<transfer> transfer_list::from(transfer* each, const shard* home) noexcept {
    while (each != nullptr && home != nullptr && each->home != home)
        each = each->next;
    return intrusive_ptr<transfer>::share(each);
}

std::vector<intrusive_ptr<transfer>> transfer_list::all() const {
    const std::lock_guard lock(mutex_);
    std::vector<intrusive_ptr<transfer>> list;
    list.reserve(by_handle_.size());
    for (auto* each = first_; each != nullptr; each = each->next)
        list.push_back(intrusive_ptr<transfer>::share(each));
    return list;
}

std::size_t transfer_list::size() const noexcept {
    const std::lock_guard lock(mutex_);
    return by_handle_.size();
}

} // namespace curlicue::detail
