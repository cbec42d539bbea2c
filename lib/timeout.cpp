// SPDX-License-Identifier: MIT
#include "timeout.hpp"

#include <algorithm>
#include <chrono>

namespace curlicue::detail {

timeout::timeout(uv_loop_t* loop, owner& told, intrusive_ptr<ref_counted> keep) : owner_(told) {
    int status = 0;
    timer_ = make_uv<uv_timer_t>(std::move(keep), this, status,
                                 [loop](uv_timer_t* timer) { return uv_timer_init(loop, timer); });
    check_uv(status, "uv_timer_init");
    uv_unref(uv_closer::as_handle(timer_.get()));
}

timeout::~timeout() {
    for (auto& [deadline, item] : queue_)
        item->armed = false;
}

void timeout::start(timed_work& item, clock::time_point deadline) {
    stop(item);
    if (spare_) {
        spare_.key() = deadline;
        spare_.mapped() = &item;
        item.position = queue_.insert(std::move(spare_));
    } else {
        item.position = queue_.emplace(deadline, &item);
    }
    item.armed = true;
}

void timeout::stop(timed_work& item) noexcept {
    if (!item.armed)
        return;
    spare_ = queue_.extract(item.position);
    item.armed = false;
}

bool timeout::run_expired(std::size_t limit) noexcept {
    // What expires may start others that are due at once: those wait for the next time.
    const auto now = clock::now();
    bool any = false;
    for (; limit != 0 && !queue_.empty() && queue_.begin()->first <= now; --limit) {
        timed_work& item = *queue_.begin()->second;
        stop(item);
        item.expired();
        any = true;
    }
    return any;
}

void timeout::arm() noexcept {
    if (queue_.empty()) {
        if (armed_for_)
            uv_timer_stop(timer_.get());
        armed_for_.reset();
        return;
    }
    const auto deadline = queue_.begin()->first;
    if (armed_for_ == deadline)
        return;
    // Rounded up, so as not to come early and wait again; and never 0: libuv before 1.48 runs a
    // timer of 0 ms that a timer callback starts before it polls again (uv__run_timers).
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now());
    // libuv counts from its idea of now, which is as old as this turn of the loop.
    uv_update_time(timer_->loop);
    uv_timer_start(timer_.get(), &timeout::fired,
                   static_cast<std::uint64_t>(std::max<std::int64_t>(left.count(), 1)), 0);
    armed_for_ = deadline;
}

void timeout::fired(uv_timer_t* timer) noexcept {
    auto& self = *static_cast<timeout*>(timer->data);
    self.armed_for_.reset();
    self.owner_.timer_fired();
}

} // namespace curlicue::detail
