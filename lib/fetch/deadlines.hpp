// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/executor_link.hpp>
#include <curlicue/detail/intrusive_list.hpp>

#include <chrono>

namespace curlicue::detail {

/// Somebody who has a time limit, or several.
class has_deadline : public list_node {
public:
    using time = std::chrono::steady_clock::time_point;
    /// The next time at which to look at it; `time::max()`: never.
    virtual time next_look() const noexcept = 0;
    /// That time has come.
    virtual void look(time now) noexcept = 0;

protected:
    ~has_deadline() = default;
};

/// The time limits of many, on one timer: it is set to the first, and all are looked at then. A
/// limit that moves away, as that of a body does with each piece, costs nothing.
/// @threading loop-bound
class deadlines final : private timed_work {
public:
    explicit deadlines(intrusive_ptr<executor_link> link) noexcept : link_(std::move(link)) {}
    ~deadlines() { stop(); }

    void add(has_deadline& one) noexcept {
        all_.push_back(one);
        changed(one);
    }
    void remove(has_deadline& one) noexcept {
        one.unlink();
        if (all_.empty())
            stop();
    }
    /// It may have an earlier one now.
    void changed(const has_deadline& one) noexcept { wait_until(one.next_look()); }

private:
    using time = has_deadline::time;

    void expired() noexcept override;
    void wait_until(time when) noexcept;
    void stop() noexcept;

    const intrusive_ptr<executor_link> link_;
    intrusive_list<has_deadline> all_;
    time set_to_ = time::max();
};

} // namespace curlicue::detail
