// SPDX-License-Identifier: MIT
#pragma once

#include "transfer.hpp"

#include <cstddef>
#include <mutex>
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
    /// The first one for which `is_such(const transfer&)`, called with the lock held; or null.
    template <class F> intrusive_ptr<transfer> find_if(F is_such) const noexcept {
        const std::lock_guard lock(mutex_);
        auto* each = first_;
        while (each != nullptr && !is_such(*each))
            each = each->next;
        return intrusive_ptr<transfer>::share(each);
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
};

} // namespace curlicue::detail
