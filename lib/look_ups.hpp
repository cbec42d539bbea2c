// SPDX-License-Identifier: MIT
#pragma once

#include "placement.hpp"
#include <curlicue/executor.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>

namespace curlicue::detail {

class easy_core;

/// The look-ups of names that an engine has libcurl do: one for each server at a time, of all no
/// more than so many. Each is a thread of libcurl's, below 8.20 one that nobody limits; whoever
/// asks for what is being looked up waits for that answer, which is in the cache of its server.
/// @threading loop-bound
class look_ups {
public:
    /// Milliseconds, of the loop's clock.
    using time = std::uint64_t;

    /// @param most of them at a time
    /// @throws std::invalid_argument if that is 0, or more than the process may ever have
    /// descriptors
    explicit look_ups(std::size_t most);
    void limit(std::size_t most) noexcept { most_ = most; }

    /// Whether a transfer of this easy to a server is one, as far as we can tell.
    bool needed(const easy_core& handle, const origin& server, time now) const noexcept;
    /// Whether it has to wait for another.
    bool must_wait(const origin& server) const noexcept {
        return server.being_looked_up || running_ >= most_;
    }
    /// Queues the step of such a one.
    /// @throws std::bad_alloc
    void wait(origin& server);

    void begun(origin& server) noexcept;
    /// Without an answer: another begins.
    void ended(origin& server) noexcept;
    /// The address is in the cache.
    void found(origin& server, time now) noexcept;

    /// A server that may be looked up now, and was not allowed to before; or null.
    intrusive_ptr<origin> next() noexcept;

private:
    const bool asks_threads_; // which the engine is to have few of
    std::size_t most_;
    std::size_t running_ = 0;
    std::deque<intrusive_ptr<origin>> waiting_; // for their turn
};

} // namespace curlicue::detail
