// SPDX-License-Identifier: MIT
#include "transfer_list.hpp"

#include <cstdint>
#include <utility>

namespace curlicue::detail {

transfer_list::~transfer_list() {
    while (first_ != nullptr)
        leave(*first_);
}

std::size_t transfer_list::bucket_of(const CURL* handle) const noexcept {
    // The upper bits of a product depend on all of the address (Knuth, The Art of Computer
    // Programming 6.4).
    constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;
    return static_cast<std::size_t>(reinterpret_cast<std::uintptr_t>(handle) * golden >> shift_);
}

void transfer_list::grow() {
    buckets_.assign(2 * buckets_.size(), nullptr);
    --shift_;
    for (auto* each = first_; each != nullptr; each = each->next)
        each->next_in_bucket = std::exchange(buckets_[bucket_of(each->curl())], each);
}

bool transfer_list::enter(transfer& item) {
    const std::lock_guard lock(mutex_);
    if (closed_)
        return false;
    if (size_ == buckets_.size())
        grow();
    item.next_in_bucket = std::exchange(buckets_[bucket_of(item.curl())], &item);
    item.previous = last_;
    (last_ != nullptr ? last_->next : first_) = &item;
    last_ = &item;
    ++size_;
    item.listed = true;
    item.retain();
    return true;
}

bool transfer_list::leave(transfer& item) noexcept {
    {
        const std::lock_guard lock(mutex_);
        if (!std::exchange(item.listed, false))
            return false;
        auto** place = &buckets_[bucket_of(item.curl())];
        while (*place != &item)
            place = &(*place)->next_in_bucket;
        *place = item.next_in_bucket;
        (item.previous != nullptr ? item.previous->next : first_) = item.next;
        (item.next != nullptr ? item.next->previous : last_) = item.previous;
        if (cursor_ == &item)
            cursor_ = item.next;
        --size_;
    }
    item.release();
    return true;
}

void transfer_list::rewind() noexcept {
    const std::lock_guard lock(mutex_);
    cursor_ = first_;
}

void transfer_list::close() noexcept {
    const std::lock_guard lock(mutex_);
    closed_ = true;
}

intrusive_ptr<transfer> transfer_list::find(CURL* handle) const noexcept {
    const std::lock_guard lock(mutex_);
    auto* each = buckets_[bucket_of(handle)];
    while (each != nullptr && each->curl() != handle)
        each = each->next_in_bucket;
    return intrusive_ptr<transfer>::share(each);
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
    list.reserve(size_);
    for (auto* each = first_; each != nullptr; each = each->next)
        list.push_back(intrusive_ptr<transfer>::share(each));
    return list;
}

std::size_t transfer_list::size() const noexcept {
    const std::lock_guard lock(mutex_);
    return size_;
}

} // namespace curlicue::detail
