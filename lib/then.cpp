// SPDX-License-Identifier: MIT
#include <curlicue/detail/then.hpp>

#include <mutex>

namespace curlicue::detail {

void chained::start() noexcept {
    const auto source = upstream_;
    source->observe();
    if (shared_)
        source->add_sharer();
    wait_for(*source);
}

void chained::wait_for(state_base& upstream) noexcept {
    self_.retain();
    upstream.attach(*this);
    // A cancel that came before the line above has found nothing to cancel.
    if (breaks_off() && !upstream.cancel_for(*this))
        source_ready();
}

// The upstream is ready, or a cancel has taken this off its list.
void chained::source_ready() noexcept {
    stage before{};
    stage now{};
    {
        const std::lock_guard lock(self_.mutex());
        before = stage_;
        now = before == stage::following || breaks_off() ? stage::over : stage::queued;
        stage_ = now;
    }
    if (now == stage::queued) {
        enqueue(self_.link(), *this);
        return;
    }
    const auto kept = intrusive_ptr<state_base>::adopt(&self_);
    if (before != stage::following)
        return skip();
    const auto inner = std::exchange(upstream_, nullptr);
    take_over(*inner);
    self_.settle();
}

void chained::run() noexcept {
    const auto queued = intrusive_ptr<state_base>::adopt(&self_);
    if (!change_stage(stage::queued, stage::running))
        return; // a cancel was first and has settled it
    run_step();
    const auto inner = upstream_;
    change_stage(stage::running, inner ? stage::following : stage::over);
    if (inner)
        wait_for(*inner);
    else
        self_.settle();
}

void chained::follow(const intrusive_ptr<state_base>& inner) noexcept {
    inner->observe();
    upstream_ = inner;
    // One with an executor of its own does not end with ours.
    if (!always_ && inner->link() != self_.link())
        self_.end_with_executor();
}

intrusive_ptr<state_base> chained::cancel_chain() noexcept {
    intrusive_ptr<state_base> upstream;
    {
        const std::lock_guard lock(self_.mutex());
        if (stage_ == stage::waiting || (stage_ == stage::following && !always_))
            upstream = upstream_;
        else if (stage_ == stage::queued && !always_)
            stage_ = stage::over;
        else
            return nullptr; // who changed the stage settles
    }
    if (!upstream) {
        skip();
        return nullptr;
    }
    return upstream->give_up(*this);
}

void chained::drop_source() noexcept {
    const auto source = std::exchange(upstream_, nullptr);
    if (shared_)
        source->drop_sharer();
}

// Cancelled before its turn came.
void chained::skip() noexcept {
    drop_source();
    drop_step();
    self_.settle();
}

bool chained::change_stage(stage from, stage to) noexcept {
    const std::lock_guard lock(self_.mutex());
    return stage_ == from && (stage_ = to, true);
}

} // namespace curlicue::detail
