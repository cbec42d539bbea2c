// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/state.hpp>

#include <atomic>

namespace curlicue::detail {

/// The state of a future of something that happens on its executor's thread: a time that comes, a
/// socket that is ready. What tells of it is asked there to begin and to stop, whichever thread
/// makes the future or cancels it.
class event_state : public state<void>, private work {
public:
    /// Begins, on the executor's thread at once.
    /// @param what which call was refused
    /// @throws usage_error{errc::closed}; what `begin` throws there; elsewhere that is the outcome
    void start(const char* what);

protected:
    using state<void>::state;
    ~event_state() override = default;

    /// It has happened, or never will: on the executor's thread, and once after `begin`.
    void end(result<void>&& outcome) noexcept;

private:
    // All on the executor's thread. From `begin` on `end` is to be called, unless `stop` is.
    virtual void begin() = 0;
    virtual void stop() noexcept = 0;

    void begin_here();
    void let_go() noexcept;
    void queue() noexcept;
    void run() noexcept override;
    intrusive_ptr<state_base> cancel_requested() noexcept override;

    std::atomic<bool> queued_{false};
    bool begun_ = false; // and so holds a reference
};

} // namespace curlicue::detail
