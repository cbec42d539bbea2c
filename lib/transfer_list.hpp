// SPDX-License-Identifier: MIT
#pragma once

#include "transfer.hpp"

#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

namespace curlicue::detail {

/// The transfers that an engine has accepted and not let go of, in the order they came; each is
/// kept alive by its place here.
/// @threading thread-safe
class transfer_list {
public:
    transfer_list() = default;
    transfer_list(const transfer_list&) = delete;
    transfer_list& operator=(const transfer_list&) = delete;
    ~transfer_list();

    /// False if the list is closed.
    bool enter(transfer& item);
    /// False if it was gone already.
    bool leave(transfer& item) noexcept;
    /// No new ones from now on.
    void close() noexcept;

    intrusive_ptr<transfer> find(CURL* handle) const noexcept;
    /// The next look_on begins with the first one.
    void rewind() noexcept;
    /// Goes on from where the last one has stopped. Calls `is_such(transfer&)`, with the lock held,
    /// for at the most `most` transfers, of which it takes those looked at.
    /// @returns the first for which it was true; null at the end, or if `most` is 0
    template <class F> intrusive_ptr<transfer> look_on(std::size_t& most, F is_such) noexcept {
        const std::lock_guard lock(mutex_);
        while (cursor_ != nullptr && most != 0) {
            auto& each = *std::exchange(cursor_, cursor_->next);
            --most;
            if (is_such(each))
                return intrusive_ptr<transfer>::share(&each);
        }
        return nullptr;
    }
    /// The first one, or the first that `home` has; null if there is none.
    intrusive_ptr<transfer> first(const shard* home = nullptr) const noexcept;
    /// The next one after `item`, which is listed, that `home` has; null if there is none.
    intrusive_ptr<transfer> next(const transfer& item, const shard* home) const noexcept;
    std::vector<intrusive_ptr<transfer>> all() const;
    /// Calls `look(const transfer&)` with the lock held.
    template <class F> void for_each(F look) const {
        const std::lock_guard lock(mutex_);
        for (const auto* each = first_; each != nullptr; each = each->next)
            look(*each);
    }
    std::size_t size() const noexcept;
    bool empty() const noexcept { return size() == 0; }

private:
    static intrusive_ptr<transfer> from(transfer* each, const shard* home) noexcept;

    std::size_t bucket_of(const CURL* handle) const noexcept;
    void grow();

    mutable small_mutex mutex_;
    bool closed_ = false;
    // By CURL*, each a list: a transfer costs no allocation beside itself.
    std::vector<transfer*> buckets_ = std::vector<transfer*>(64);
    unsigned shift_ = 64 - 6; // leaves the number of a bucket
    std::size_t size_ = 0;
    transfer* first_ = nullptr;
    transfer* last_ = nullptr;
    transfer* cursor_ = nullptr; // of look_on
};

} // namespace curlicue::detail
