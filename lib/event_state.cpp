// SPDX-License-Identifier: MIT
#include "event_state.hpp"

#include <curlicue/error.hpp>

#include <exception>
#include <utility>

namespace curlicue::detail {

// Not before the constructors are through: a close on another thread may cancel it from here on.
void event_state::start(const char* what) {
    if (!end_with_executor())
        throw usage_error(errc::closed, what);
    if (!runs_here())
        queue();
    else if (!fixed()) // by the end of its executor, which runs nowhere from then on
        begin_here();
}

void event_state::begin_here() {
    begin();
    begun_ = true;
    retain();
}

void event_state::end(result<void>&& outcome) noexcept {
    if (!fulfil(std::move(outcome)))
        settle(); // a cancel was first
    if (std::exchange(begun_, false))
        release();
}

void event_state::let_go() noexcept {
    const bool begun = std::exchange(begun_, false);
    if (begun)
        stop();
    settle();
    if (begun)
        release();
}

void event_state::queue() noexcept {
    if (queued_.exchange(true, std::memory_order_acq_rel))
        return;
    retain();
    enqueue(link(), *this);
}

// Not queued any more before it looks: who comes too late for that queues it again.
void event_state::run() noexcept {
    queued_.exchange(false, std::memory_order_acq_rel);
    if (fixed()) {
        let_go();
    } else {
        try {
            begin_here();
        } catch (...) {
            fulfil(failure(std::current_exception()));
        }
    }
    release();
}

// The caller holds a reference.
intrusive_ptr<state_base> event_state::cancel_requested() noexcept {
    if (runs_here())
        let_go();
    else
        queue();
    return nullptr;
}

} // namespace curlicue::detail
