// SPDX-License-Identifier: MIT
// The way of a request through libcurl, from its start to the end of its transfer.
#include "client_core.hpp"
#include "exchange_head.hpp"
#include "phase.hpp"
#include "transfer_info.hpp"
#include <curlicue/error.hpp>

#include <utility>

namespace curlicue::detail {

void exchange::cancelling::run() noexcept {
    const auto kept = intrusive_ptr<exchange>::adopt(&whose_);
    queued = false;
    whose_.cancel_here();
}

exchange::exchange(std::shared_ptr<network> on, request what)
    : network_(std::move(on)), what_(std::move(what)) {
    of = what_.call;
    most_body = what_.most_body.value_or(network_->options().most_body);
    high_water_ = what_.high_water.value_or(network_->options().high_water);
    if (of)
        queued_ = std::exchange(of->queued, std::chrono::microseconds(0));
}

exchange::~exchange() = default;

future<response> exchange::start() {
    head_state_ = make_intrusive<head_state>(*this);
    future<response> head(head_state_);
    if (network_->on().may_call_libcurl()) {
        begin();
    } else {
        retain(); // for the queue
        link()->enqueue(*this);
    }
    return head;
}

void exchange::run() noexcept {
    const auto kept = intrusive_ptr<exchange>::adopt(this);
    if (stage_ == stage::queued)
        begin();
    else
        end();
}

void exchange::begin() noexcept {
    if (cancelled_ || head_state_->cancelled()) {
        stage_ = stage::over;
        return settle();
    }
    try {
        handle_ = set_up();
        add_to_engine();
    } catch (...) {
        failure_ = std::current_exception();
    }
    if (!transfer_) {
        stage_ = stage::over;
        return settle();
    }
    stage_ = stage::running;
    last_byte_ = now();
    network_->started(*this);
    network_->deadlines().add(*this);
    transfer_->observe();
    retain(); // for its list, later for the queue
    transfer_->attach(*this);
}

void exchange::add_to_engine() {
    try {
        transfer_ = network_->on().add(*handle_, true).checked();
    } catch (const usage_error& refusal) {
        // Closed meanwhile, which cancels what was accepted; unless it is what `tweak` has closed.
        if (refusal.code() != errc::closed || handle_->closed())
            throw;
    }
}

// Its easy is libcurl's no more. Who has cancelled it may be on the stack.
void exchange::source_ready() noexcept { link()->enqueue(*this); }

void exchange::end() noexcept {
    const auto outcome = std::exchange(transfer_, nullptr)->take_noexcept();
    network_->deadlines().remove(*this);
    waits_for_memory::unlink();
    network_->memory().give_back(std::exchange(refused_, 0));
    try {
        at_end_ = measured();
        ended_well_ = outcome.has_value() && !failure_;
        if (!ended_well_ && !failure_)
            failure_ = failure_of(outcome);
        if (ended_well_ && !published_)
            publish();
    } catch (...) {
        ended_well_ = false;
        failure_ = std::current_exception();
    }
    stage_ = stage::over; // from here on others may look
    settle();
    network_->ended(*this);
}

/// Everybody hears of the end.
void exchange::settle() noexcept {
    const auto kept = intrusive_ptr<exchange>::share(this);
    if (!failure_ && !ended_well_)
        failure_ = failure(errc::cancelled).exception();
    if (of && !published_)
        of->phase = handle_ ? phase_now(CURLE_ABORTED_BY_CALLBACK) : fetch_phase::connect;
    if (upload_)
        upload_->stop(failure_);
    tell_times();
    if (handle_ && plain_ && ended_well_)
        network_->give_back(*std::move(handle_));
    handle_.reset();
    if (handed_out_ && of && of->client)
        of->client->end(*of, failure_);
    if (!published_)
        head_state_->tell(failure(failure_));
    head_state_ = nullptr;
    serve();
    let_go_of_kept();
}

void exchange::cancel() noexcept {
    if (link()->may_run_here()) {
        cancel_here();
    } else if (!cancelling_.queued.exchange(true)) {
        retain();
        link()->enqueue(cancelling_);
    }
}

void exchange::cancel_here() noexcept {
    cancelled_ = true;
    if (transfer_)
        transfer_->cancel();
}

void exchange::fail(std::exception_ptr why) noexcept {
    if (failure_ || stage_ == stage::over)
        return;
    failure_ = std::move(why);
    forget_waiting();
    cancel_here();
}

fetch_phase exchange::phase_now(CURLcode failure) const noexcept {
    if (published_)
        return fetch_phase::body;
    if (handle_->closed())
        return fetch_phase::connect;
    const auto phase = phase_of(*handle_, failure, body_began_);
    return phase == fetch_phase::headers && sends() ? fetch_phase::send : phase;
}

std::exception_ptr exchange::refusal(std::error_code code, fetch_phase phase) const noexcept {
    return fetch_failure(code, phase, attempts_of(of));
}

std::exception_ptr exchange::failure_of(const result<easy>& outcome) {
    const auto code = outcome.error();
    if (address_refused_ && !address_allowed_)
        return refusal(errc::address_refused, fetch_phase::connect);
    if (!is_easy_error(code)) { // a cancellation, or what a callback has thrown
        if (code == errc::cancelled)
            forget_waiting();
        return outcome.exception();
    }
    const auto phase = phase_now(static_cast<CURLcode>(code.value()));
    const bool connecting =
        phase == fetch_phase::resolve || phase == fetch_phase::connect || phase == fetch_phase::tls;
    if (code == CURLE_OPERATION_TIMEDOUT && connecting && of && of->limits.connect)
        return fetch_failure(errc::timed_out, phase, of->attempts, time_limit::connect);
    if (code == head_too_long && phase == fetch_phase::headers)
        return too_long_a_head();
    const auto cause = system_cause_of(static_cast<CURLcode>(code.value()),
                                       static_cast<int>(number_of(*handle_, CURLINFO_OS_ERRNO)));
    return fetch_failure(code, phase, attempts_of(of), std::nullopt, outcome.message(), cause);
}

void exchange::unpause(easy::direction which) noexcept {
    try {
        handle_->unpause(which);
    } catch (...) { // libcurl has no memory for what it has kept
        fail(std::current_exception());
    }
}

void exchange::upload_has_more() noexcept {
    if (libcurl_has_it())
        unpause(easy::direction::send);
}

void exchange::upload_moves() noexcept {
    last_byte_ = sent_at_ = now();
    network_->deadlines().changed(*this);
}

} // namespace curlicue::detail
