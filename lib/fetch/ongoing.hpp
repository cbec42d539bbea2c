// SPDX-License-Identifier: MIT
#pragma once

#include "../recycling_allocator.hpp"
#include <curlicue/detail/promise_state.hpp>
#include <curlicue/future.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace curlicue::detail {

/// What of a client is not over, and who waits for its end: requests that have no head yet, and
/// transfers.
/// @threading thread-safe
class ongoing {
public:
    /// A request begins. @throws usage_error{errc::closed} after `refuse`
    void enter(std::uint64_t id);
    /// What is to be cancelled for it, if it is not over already.
    void cancelled_by(std::uint64_t id, intrusive_ptr<state_base> what);
    void leave(std::uint64_t id) noexcept;

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
    using entry = std::pair<const std::uint64_t, intrusive_ptr<state_base>>;
    using requests =
        std::unordered_map<std::uint64_t, intrusive_ptr<state_base>, std::hash<std::uint64_t>,
                           std::equal_to<>, recycling_allocator<entry>>;

    void tell_if_idle(std::unique_lock<std::mutex>& lock) noexcept;

    mutable std::mutex mutex_;
    bool refuses_ = false;
    std::size_t transfers_ = 0;
    requests requests_;
    std::vector<intrusive_ptr<promise>> waiting_;
};

} // namespace curlicue::detail
