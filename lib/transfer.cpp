// SPDX-License-Identifier: MIT
#include "transfer.hpp"

#include "engine.hpp"
#include "refusal.hpp"
#include <curlicue/error.hpp>

#include <memory>
#include <string>
#include <utility>

namespace curlicue::detail {
namespace {

// A transfer_error, made when somebody asks for it.
class transfer_failure final : public failure::detail {
public:
    transfer_failure(CURLcode code, std::string_view error_buffer, easy handle)
        : code_(code), error_buffer_(error_buffer), handle_(std::move(handle)) {}

    std::exception_ptr make_exception() const override {
        return std::make_exception_ptr(transfer_error(code_, error_buffer_, handle_));
    }

private:
    const CURLcode code_;
    const std::string error_buffer_;
    const easy handle_;
};

} // namespace

transfer::transfer(engine& owner, easy handle)
    : state<easy>(executor_link::of(owner.executor())),
      owner_(intrusive_ptr<engine>::share(&owner)), handle_(std::move(handle)),
      submit_(*this, &engine::start_queued), leave_(*this, &engine::let_go),
      pause_(*this, &engine::apply_queued_pause) {}

void transfer::step::run() noexcept {
    const auto queued = intrusive_ptr<transfer>::adopt(&of_);
    (of_.owner().*what_)(of_);
}

void transfer::submit() noexcept {
    retain();
    owner_->queue(submit_);
}

void transfer::submit_later(work_queue& queue) noexcept {
    retain();
    queue.push(submit_);
}

void transfer::leave() noexcept {
    if (leaving_.exchange(true, std::memory_order_acq_rel) || owner_->forked())
        return;
    if (owner_->may_call_libcurl()) {
        owner_->let_go(*this);
    } else {
        retain();
        owner_->queue(leave_);
    }
}

intrusive_ptr<state_base> transfer::cancel_requested() noexcept {
    leave();
    return nullptr;
}

bool transfer::fix_outcome(result<easy>&& outcome) noexcept {
    if (!fix())
        return false;
    store(std::move(outcome));
    return true;
}

result<easy> transfer::outcome_of(CURLcode code) noexcept {
    auto& core = this->core();
    core.set_result(code);
    if (core.has_exception())
        return failure(core.take_exception());
    if (code == CURLE_OK)
        return handle_;
    const std::error_code error(code, easy_category());
    try {
        return failure(error,
                       std::make_shared<transfer_failure>(code, core.error_buffer(), handle_));
    } catch (const std::bad_alloc&) {
        return failure(error);
    }
}

void transfer::remove(easy_core&) {
    owner_->check_thread("easy::close");
    cancel();
    leave(); // one whose future is ready, but which lingers
}

void transfer::pause(easy_core&, int bitmask) {
    owner_->check_thread("easy::pause");
    pending_pause = bitmask;
    if (owner_->may_call_libcurl()) {
        require_ok(owner_->apply_pause(*this), "easy::pause");
    } else if (!std::exchange(pause_queued, true)) {
        retain();
        owner_->queue(pause_);
    }
}

void transfer::callback_failed(easy_core& core) noexcept {
    // libcurl is on the stack, and the callback had no way to tell it.
    if (fix_outcome(failure(core.take_exception())))
        leave();
}

void transfer::check_thread() const { owner_->check_thread("easy"); }

} // namespace curlicue::detail
