// SPDX-License-Identifier: MIT
#pragma once

#include "uv_owned.hpp"
#include <curlicue/detail/executor_link.hpp>

#include <optional>

namespace curlicue::detail {

/// All deadlines of an engine, on one `uv_timer_t` that is armed for the earliest. It does not keep
/// the loop alive.
/// @threading loop-bound
class timeout {
public:
    using clock = executor::clock;

    class owner {
    public:
        /// The timer has fired: call `run_expired` where and when it suits.
        virtual void timer_fired() noexcept = 0;

    protected:
        ~owner() = default;
    };

    timeout(uv_loop_t* loop, owner& told, intrusive_ptr<ref_counted> keep);
    timeout(const timeout&) = delete;
    timeout& operator=(const timeout&) = delete;
    ~timeout();

    /// Each start replaces the one before. Allocates only when more than ever are started.
    void start(timed_work& item, clock::time_point deadline);
    void stop(timed_work& item) noexcept;
    std::size_t size() const noexcept { return queue_.size(); }

    /// Calls what is due now, at the most `limit` of them; true if any was.
    bool run_expired(std::size_t limit) noexcept;
    /// Sets the uv timer to what has been started and stopped meanwhile.
    void arm() noexcept;

private:
    static void fired(uv_timer_t* timer) noexcept;

    timed_work::queue queue_;
    timed_work::queue::node_type spare_;
    std::optional<clock::time_point> armed_for_;
    uv_owned<uv_timer_t> timer_;
    owner& owner_;
};

} // namespace curlicue::detail
