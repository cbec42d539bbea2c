// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/intrusive_list.hpp>
#include <curlicue/detail/promise_state.hpp>
#include <curlicue/future.hpp>

#include <cstddef>
#include <mutex>
#include <vector>

namespace curlicue::detail {

/// What of a client is not over, and who waits for its end: requests that have no head yet, and
/// transfers.
/// @threading thread-safe
class ongoing {
public:
    /// A request that has no head yet.
    class request final : public list_node {
        friend class ongoing;
        intrusive_ptr<state_base> head_; // what is to be cancelled for it
    };

    /// It begins. @throws usage_error{errc::closed} after `refuse`
    void enter(request& one);
    /// What is to be cancelled for it, if it is not over already.
    void cancelled_by(request& one, const intrusive_ptr<state_base>& what) noexcept;
    void leave(request& one) noexcept;

    void transfer_begins() noexcept;
    void transfer_ends() noexcept;
    std::size_t transfers() const noexcept;

    /// No more requests.
    void refuse() noexcept;
    void cancel_requests() noexcept;
    /// Ready once nothing is going on.
    future<void> ended(const intrusive_ptr<executor_link>& link);

private:
    using promise = promise_state<void>;

    bool idle() const noexcept {
        return requests_.empty() && to_cancel_.empty() && transfers_ == 0;
    }
    void tell_if_idle(std::unique_lock<std::mutex>& lock) noexcept;

    mutable std::mutex mutex_;
    bool refuses_ = false;
    std::size_t transfers_ = 0;
    intrusive_list<request> requests_;
    intrusive_list<request> to_cancel_; // those of them whose turn is yet to come
    std::vector<intrusive_ptr<promise>> waiting_;
};

} // namespace curlicue::detail
