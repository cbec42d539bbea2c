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
    for (auto* const queue : {&ours_, &others_})
        for (auto& [deadline, item] : *queue)
            item->armed = false;
}

void timeout::start(timed_work& item, clock::time_point deadline, whose is) {
    stop(item, is);
    auto& queue = queue_of(is);
    auto spare =
        spares_.empty() ? timed_work::queue::node_type() : spares_.extract(spares_.begin());
    if (spare.empty()) {
        item.position = queue.emplace(deadline, &item);
    } else {
        spare.key() = deadline;
        spare.mapped() = &item;
        item.position = queue.insert(std::move(spare));
    }
    item.armed = true;
}

void timeout::stop(timed_work& item, whose is) noexcept {
    if (item.armed)
        take_off(item, queue_of(is));
}

void timeout::take_off(timed_work& item, timed_work::queue& from) noexcept {
    spares_.insert(spares_.end(), from.extract(item.position));
    item.armed = false;
}

std::optional<timeout::clock::time_point> timeout::earliest() const noexcept {
    if (ours_.empty() && others_.empty())
        return std::nullopt;
    if (ours_.empty() || others_.empty())
        return (ours_.empty() ? others_ : ours_).begin()->first;
    return std::min(ours_.begin()->first, others_.begin()->first);
}

void timeout::run_expired(std::size_t limit) noexcept {
    // What expires may start others that are due at once: those wait for the next time.
    const auto now = clock::now();
    for (auto* const queue : {&ours_, &others_})
        for (; limit != 0 && !queue->empty() && queue->begin()->first <= now; --limit) {
            if (owner_.has_had_its_time())
                return;
            timed_work& item = *queue->begin()->second;
            take_off(item, *queue);
            item.expired();
        }
}

void timeout::arm() noexcept {
    const auto deadline = earliest();
    if (armed_for_ == deadline)
        return;
    armed_for_ = deadline;
    if (!deadline) {
        uv_timer_stop(timer_.get());
        return;
    }
    // Rounded up, so as not to come early and wait again; and never 0: libuv before 1.48 runs a
    // timer of 0 ms that a timer callback starts before it polls again (uv__run_timers).
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - clock::now());
    // libuv counts from its idea of now, which is as old as this turn of the loop.
    uv_update_time(timer_->loop);
    uv_timer_start(timer_.get(), &timeout::fired,
                   static_cast<std::uint64_t>(std::max<std::int64_t>(left.count(), 1)), 0);
}

void timeout::fired(uv_timer_t* timer) noexcept {
    auto& self = owner_of<timeout>(timer);
    self.armed_for_.reset();
    self.owner_.timer_fired();
}

} // namespace curlicue::detail
