// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/intrusive_list.hpp>

#include <atomic>
#include <cstddef>

namespace curlicue::detail {

/// Somebody who was told to wait for memory.
class waits_for_memory : public list_node {
public:
    virtual void memory_is_free() noexcept = 0;

protected:
    ~waits_for_memory() = default;
};

/// The bytes that all bodies of a client hold together.
/// @threading loop-bound
class memory_budget {
public:
    explicit memory_budget(std::size_t most) noexcept : most_(most) {}

    /// Whether no more may be held; who holds nothing may always.
    bool full() const noexcept { return most_ != 0 && held_ >= most_; }
    void hold(std::size_t bytes) noexcept { held_ += bytes; }
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
