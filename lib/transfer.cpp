// SPDX-License-Identifier: MIT
#include "transfer.hpp"

#include "curl_error.hpp"
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
    transfer_failure(CURLcode code, const easy_core& core, easy handle)
        : code_(code), os_error_(core.os_error()), error_buffer_(core.error_buffer()),
          handle_(std::move(handle)) {}

    std::exception_ptr make_exception() const override {
        return std::make_exception_ptr(transfer_error(code_, error_buffer_, handle_, os_error_));
    }

private:
    const CURLcode code_;
    const int os_error_;
    const std::string error_buffer_;
    const easy handle_;
};

} // namespace

transfer::transfer(engine& owner, easy handle)
    : state<easy>(executor_link::of(owner.executor())),
      owner_(intrusive_ptr<engine>::share(&owner)), handle_(std::move(handle)) {}

template <transfer_step Step> void queued_step<Step>::run() noexcept {
    const auto item = intrusive_ptr<transfer>::adopt(static_cast<transfer*>(this));
    if constexpr (Step == transfer_step::start)
        item->owner().start_queued(*item);
    else
        item->attend();
}

template <transfer_step Step> work& transfer::retained() noexcept {
    retain();
    return static_cast<queued_step<Step>&>(*this);
}

void transfer::submit() noexcept { owner_->queue(retained<transfer_step::start>()); }

void transfer::submit_later(work_queue& queue) noexcept {
    queue.push(retained<transfer_step::start>());
}

void transfer::attend_later() noexcept {
    if (!attending_.exchange(true, std::memory_order_acq_rel))
        owner_->queue(retained<transfer_step::attend>());
}

// Not queued any more before it looks: who comes too late for that queues it again.
void transfer::attend() noexcept {
    attending_.exchange(false, std::memory_order_acq_rel);
    if (leaving())
        owner_->let_go(*this);
    else if (pending_pause)
        owner_->apply_pause(*this); // a refusal is libcurl's answer to a transfer that is over
}

void transfer::leave() noexcept {
    if (leaving_.exchange(true, std::memory_order_acq_rel) || owner_->forked())
        return;
    if (owner_->may_call_libcurl())
        owner_->let_go(*this);
    else
        attend_later();
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

void transfer::fix_outcome(CURLcode code) noexcept {
    auto& core = this->core();
    core.set_result(code);
    if (code != CURLE_OK || core.has_exception())
        fix_outcome(failure_of(code));
    else if (fix())
        store_value(handle_);
}

[[gnu::noinline]] failure transfer::failure_of(CURLcode code) noexcept {
    auto& core = this->core();
    if (core.has_exception())
        return core.take_exception();
    const auto error = transfer_code(code, core.os_error());
    try {
        return {error, std::make_shared<transfer_failure>(code, core, handle_)};
    } catch (const std::bad_alloc&) {
        return error;
    }
}

void transfer::remove(easy_core&) {
    cancel();
    leave(); // one whose future is ready, but which lingers
}

void transfer::pause(easy_core&, int bitmask) {
    pending_pause = bitmask;
    if (owner_->may_call_libcurl())
        require_ok(owner_->apply_pause(*this), "easy::pause");
    else
        attend_later();
}

void transfer::callback_failed(easy_core& core) noexcept {
    // libcurl is on the stack, and the callback had no way to tell it.
    if (fix_outcome(failure(core.take_exception())))
        leave();
}

future<void> transfer::wait_for_socket(ready_for what) {
    return owner_->wait_for_socket(*this, what);
}

void transfer::enter_libcurl() noexcept { owner_->enter_libcurl(); }

void transfer::leave_libcurl() noexcept {
    const auto kept = intrusive_ptr<transfer>::share(this);
    owner_->leave_libcurl(home);
}

} // namespace curlicue::detail
