// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/promise_state.hpp>
#include <curlicue/fetch.hpp>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace curlicue::detail {

/// Who may begin, and who waits: no more than so many to an origin, and in all. Fair between
/// origins, one after the other; inside one by priority, and then first come, first served.
/// @threading thread-safe
class request_queue final : public std::enable_shared_from_this<request_queue> {
public:
    /// Given back at its end.
    using slot = std::shared_ptr<const void>;

    request_queue(request_limits limits, intrusive_ptr<executor_link> link)
        : limits_(limits), link_(std::move(link)) {}

    /// None if too many wait.
    std::optional<future<slot>> acquire(const std::string& origin, int priority);
    std::size_t waiting() const;
    std::map<std::string, std::size_t> waiting_by_origin() const;

private:
    using promise = promise_state<slot>;
    struct held;
    /// The highest priority first, and then who came first.
    struct place {
        int priority;
        std::uint64_t number;
        friend std::strong_ordering operator<=>(const place& one, const place& other) noexcept {
            const auto first = other.priority <=> one.priority;
            return std::is_neq(first) ? first : one.number <=> other.number;
        }
    };
    /// Who waits, and the slot that is theirs once it is their turn: then no memory is needed.
    struct waiter {
        intrusive_ptr<promise> told;
        std::shared_ptr<held> given;
    };
    struct origin_queue {
        std::size_t running = 0;
        std::map<place, waiter> waiting;
    };

    bool has_room(const origin_queue& of) const noexcept;
    slot take(origin_queue& of, std::shared_ptr<held> given) noexcept;
    void give_back(const std::string& origin) noexcept;
    void left(const std::string& origin, const place& where) noexcept;
    void forget_if_idle(const std::string& origin) noexcept;
    void let_in() noexcept;
    waiter next_of(origin_queue& of) noexcept;

    const request_limits limits_;
    const intrusive_ptr<executor_link> link_;
    mutable std::mutex mutex_;
    std::size_t running_ = 0, waiting_ = 0;
    std::uint64_t came_ = 0; // and waited
    bool letting_in_ = false;
    std::unordered_map<std::string, origin_queue> origins_;
    std::list<std::string> turns_; // of the origins at which somebody waits
};

} // namespace curlicue::detail
