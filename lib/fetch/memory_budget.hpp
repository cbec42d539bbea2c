// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/intrusive_list.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>

#include <curl/curl.h>

namespace curlicue::detail {

/// Somebody who was told to wait for memory.
class waits_for_memory : public list_node {
public:
    virtual void memory_is_free() noexcept = 0;

protected:
    ~waits_for_memory() = default;
};

/// The bytes of all bodies of a client that wait, with us or with libcurl.
/// @threading loop-bound
class memory_budget {
public:
    explicit memory_budget(std::size_t most) noexcept : most_(most) {}

    bool limited() const noexcept { return most_ != 0; }
    /// Whether no more may be held; who holds nothing may always.
    bool full() const noexcept { return limited() && held_ >= most_; }
    /// Where it is limited: how much one of so many bodies may hold and still take a piece, so that
    /// the first leave the others some.
    std::size_t share(std::size_t bodies) const noexcept {
        const auto each = most_ / std::max(bodies, std::size_t{1});
        return each - std::min(each, std::size_t{CURL_MAX_WRITE_SIZE});
    }
    void hold(std::size_t bytes) noexcept { held_ += bytes; }
    /// They are held in another way, at once.
    void forget(std::size_t bytes) noexcept { held_ -= bytes; }
    void give_back(std::size_t bytes) noexcept {
        held_ -= bytes;
        while (!full() && !waiting_.empty())
            waiting_.pop_front()->memory_is_free();
    }
    /// Told once there is room; in the order in which they came.
    void wait(waits_for_memory& who) noexcept {
        if (!who.linked())
            waiting_.push_back(who);
    }

private:
    const std::size_t most_;
    std::atomic<std::size_t> held_{0};
    intrusive_list<waits_for_memory> waiting_;
};

} // namespace curlicue::detail
