// SPDX-License-Identifier: MIT
#pragma once

#include "uv_owned.hpp"
#include <curlicue/detail/clock.hpp>
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
        /// Whether this turn of the loop has been long enough: what else is due comes with the
        /// next.
        virtual bool has_had_its_time() const noexcept = 0;

    protected:
        ~owner() = default;
    };

    timeout(uv_loop_t* loop, owner& told, intrusive_ptr<ref_counted> keep);
    timeout(const timeout&) = delete;
    timeout& operator=(const timeout&) = delete;
    ~timeout();

    /// What is started for somebody else holds the loop until it is over; our own does not.
    enum class whose : bool { ours, others };
    /// Each start replaces the one before. Allocates only when more than ever are started.
    void start(timed_work& item, clock::time_point deadline, whose is = whose::ours);
    /// @param is as it was started
    void stop(timed_work& item, whose is = whose::ours) noexcept;
    bool holds_loop() const noexcept { return !others_.empty(); }

    /// Calls what is due now, at the most `limit` of them.
    void run_expired(std::size_t limit) noexcept;
    /// Sets the uv timer to what has been started and stopped meanwhile.
    void arm() noexcept;

private:
    friend class invariants;
    static void fired(uv_timer_t* timer) noexcept;
    timed_work::queue& queue_of(whose is) noexcept { return is == whose::ours ? ours_ : others_; }
    void take_off(timed_work& item, timed_work::queue& from) noexcept;
    std::optional<clock::time_point> earliest() const noexcept;

    timed_work::queue ours_;
    timed_work::queue others_;
    timed_work::queue spares_; // its nodes are used again
    std::optional<clock::time_point> armed_for_;
    uv_owned<uv_timer_t> timer_;
    owner& owner_;
};

} // namespace curlicue::detail
