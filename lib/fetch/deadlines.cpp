// SPDX-License-Identifier: MIT
#include "deadlines.hpp"

#include <algorithm>

namespace curlicue::detail {

void deadlines::expired() noexcept {
    set_to_ = time::max();
    const auto now = link_->now();
    intrusive_list<has_deadline> looked_at; // who looks may add and remove
    while (auto* const each = all_.pop_front()) {
        looked_at.push_back(*each);
        if (each->next_look() <= now)
            each->look(now);
    }
    all_.splice(looked_at);
    auto first = time::max();
    all_.for_each([&](const has_deadline& each) { first = std::min(first, each.next_look()); });
    // Who is late already could do nothing about it yet.
    wait_until(first == time::max() ? first : std::max(first, now + std::chrono::milliseconds(1)));
}

void deadlines::wait_until(time when) noexcept {
    if (when >= set_to_)
        return;
    stop();
    try {
        link_->start_timer(*this, when);
        set_to_ = when;
    } catch (...) {
        // No memory, or the executor is gone: what waits ends with that.
    }
}

void deadlines::stop() noexcept {
    if (set_to_ != time::max())
        link_->stop_timer(*this);
    set_to_ = time::max();
}

} // namespace curlicue::detail
