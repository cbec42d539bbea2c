// SPDX-License-Identifier: MIT
// The body of an exchange between libcurl, which brings it, and whoever reads it.
#include "exchange.hpp"
#include <curlicue/error.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace curlicue::detail {
namespace {

// What is left of a body that nobody reads is read away, if it is no more than this.
constexpr std::uint64_t most_to_throw_away = std::uint64_t{128} << 10;

} // namespace

// Who gathers a body has a limit of its own, and would never come to its end if it had to wait for
// others who do. One that holds nothing may always take a piece, so that each goes on.
bool exchange::has_room(std::size_t more) const noexcept {
    if (poured_)
        return true;
    if (gathering_)
        return more <= most_body - waiting_.size();
    return waiting_.empty() || (waiting_.size() < may_wait() && !network_->memory().full());
}

std::size_t exchange::may_wait() const noexcept {
    return std::min(high_water_, network_->share_of_memory());
}

std::size_t exchange::take_data(std::string_view data) {
    body_began_ = true;
    last_byte_ = now();
    if (refused_ != 0) // here it is again
        network_->memory().forget(std::exchange(refused_, 0));
    if (!published_)
        publish();
    if (dropped_) {
        received_ += data.size();
        if (received_ <= most_to_throw_away)
            return data.size();
        cancel_here();
        return CURL_WRITEFUNC_ERROR;
    }
    if (reading_ && !has_room(data.size()))
        serve(); // who wants more than there is room for
    if (!has_room(data.size())) {
        if (gathering_) {
            fail(refusal(errc::too_large, fetch_phase::body));
            return CURL_WRITEFUNC_ERROR;
        }
        paused_ = true;
        refused_ = data.size();
        network_->memory().hold(refused_);
        if (waiting_.size() < may_wait())
            network_->memory().wait(*this);
        return CURL_WRITEFUNC_PAUSE;
    }
    received_ += data.size();
    network_->count_bytes(data.size());
    if (poured_) {
        if (poured_->ready()) // by a cancel, which is on its way
            return CURL_WRITEFUNC_ERROR;
        sink_(data);
        return data.size();
    }
    if (waiting_.empty() && least_asked_ > 1)
        waiting_.reserve(least_asked_ + data.size());
    waiting_.append(data);
    network_->memory().hold(data.size());
    if (head.status >= 300 && beginning_.size() < most_of_error) {
        const std::lock_guard lock(beginning_mutex_);
        beginning_.append(data.substr(0, most_of_error - beginning_.size()));
    }
    if (reading_ && !gathering_)
        serve();
    return data.size();
}

std::size_t exchange::on_write(char* data, std::size_t size, std::size_t count, void* self) {
    auto& here = *static_cast<exchange*>(self);
    try {
        return here.take_data({data, size * count});
    } catch (...) {
        here.fail(std::current_exception());
        return CURL_WRITEFUNC_ERROR;
    }
}

std::string exchange::take(std::size_t most) {
    auto taken = waiting_.take(most);
    network_->memory().give_back(taken.size());
    return taken;
}

void exchange::forget_waiting() noexcept {
    const auto size = waiting_.size() + std::exchange(refused_, 0);
    waiting_.clear();
    network_->memory().give_back(size);
}

/// As much as is asked for, or as there may be.
bool exchange::has_enough() const noexcept {
    return !gathering_ && !waiting_.empty() && (waiting_.size() >= least_asked_ || !has_room(1));
}

/// Who waits for something of the body has it, if it is here.
void exchange::serve() noexcept {
    const bool over = stage_ == stage::over;
    if (over && poured_) {
        sink_ = nullptr;
        std::exchange(poured_, nullptr)
            ->keep_promise(failure_ ? result<void>(failure(failure_)) : result<void>());
    }
    if (!reading_ || (!over && !has_enough()))
        return;
    const auto asked = std::exchange(reading_, nullptr);
    if (gathering_ && waiting_.size() > most_body && !failure_)
        failure_ = refusal(errc::too_large, fetch_phase::body);
    if (over && failure_ && (gathering_ || waiting_.empty())) {
        forget_waiting();
        asked->keep_promise(failure(failure_));
        return;
    }
    try {
        asked->keep_promise(take(most_asked_));
    } catch (...) {
        asked->keep_promise(failure(std::current_exception()));
    }
}

future<std::string> exchange::read_some(std::size_t most) { return ask(false, most); }
future<std::string> exchange::next_block(std::size_t least) {
    return ask(false, everything, least);
}
future<std::string> exchange::gather() { return ask(true, everything); }

future<std::string> exchange::ask(bool for_all, std::size_t most, std::size_t least) {
    if (!link()->accepting())
        return rest_after_close();
    auto asked = make_intrusive<piece>(link());
    asked->on_cancel([kept = intrusive_ptr<exchange>::share(this)] { kept->cancel_here(); });
    const auto begin = [kept = intrusive_ptr<exchange>::share(this), asked, for_all, most,
                        least]() noexcept {
        kept->gathering_ = for_all;
        kept->most_asked_ = most;
        kept->least_asked_ = least;
        kept->reading_ = asked;
        if (for_all && kept->waiting_.size() > kept->most_body)
            kept->fail(kept->refusal(errc::too_large, fetch_phase::body));
        kept->serve();
        kept->resume();
    };
    try {
        on_loop(begin);
    } catch (const usage_error&) {
        return rest_after_close(); // which has come meanwhile
    }
    return future<std::string>(std::move(asked));
}

future<void> exchange::each_piece(unique_function<void(std::string_view)> sink) {
    if (!link()->accepting())
        return response_state::each_piece(std::move(sink)); // of what is here
    auto asked = make_intrusive<promise_state<void>>(link());
    asked->on_cancel([kept = intrusive_ptr<exchange>::share(this)] { kept->cancel_here(); });
    on_loop([kept = intrusive_ptr<exchange>::share(this), asked,
             sink = std::move(sink)]() mutable noexcept { kept->pour(asked, std::move(sink)); });
    return future<void>(std::move(asked));
}

void exchange::pour(const intrusive_ptr<promise_state<void>>& asked,
                    unique_function<void(std::string_view)>&& sink) noexcept {
    poured_ = asked;
    sink_ = std::move(sink);
    try {
        if (!waiting_.empty())
            sink_(waiting_.view());
    } catch (...) {
        if (stage_ == stage::over)
            failure_ = std::current_exception();
        else
            fail(std::current_exception());
    }
    forget_waiting();
    serve();
    resume();
}

// The loop brings nothing any more.
future<std::string> exchange::rest_after_close() {
    if (stage_ != stage::over)
        return make_failed_future<std::string>(std::make_exception_ptr(cancelled()));
    if (failure_)
        return make_failed_future<std::string>(failure_);
    return make_ready_future(waiting_.take(everything));
}

/// Goes on where somebody reads, or has made room.
void exchange::resume() noexcept {
    if (!libcurl_has_it())
        return;
    last_byte_ = now(); // nobody has read until now
    if (paused_ && (dropped_ || gathering_ || has_room(1))) {
        paused_ = false;
        waits_for_memory::unlink();
        unpause(easy::direction::receive);
    }
    if (stage_ == stage::running)
        network_->deadlines().changed(*this);
}

void exchange::drop() noexcept {
    try {
        on_loop([kept = intrusive_ptr<exchange>::share(this)]() noexcept { kept->read_away(); });
    } catch (...) {
        // The executor is closed, and has ended the transfer.
    }
}

// So that the connection lives, which over HTTP/2 and 3 it does anyway.
void exchange::read_away() noexcept {
    forget_waiting();
    if (stage_ != stage::running || std::exchange(dropped_, true))
        return;
    dropped_at_ = now();
    std::uint64_t length = 0;
    if (const auto told = head.headers.get("Content-Length"))
        std::from_chars(told->data(), told->data() + told->size(), length);
    if (head.version != http_version::http1 || length > received_ + most_to_throw_away)
        return cancel_here();
    received_ = 0;
    resume();
}

const header_list* exchange::trailers() const noexcept {
    return stage_ == stage::over && ended_well_ ? &parser_.trailers() : nullptr;
}

std::string exchange::peek(std::size_t most) const {
    const std::lock_guard lock(beginning_mutex_);
    return beginning_.substr(0, most);
}

bool exchange::over(std::exception_ptr& failure) const {
    const bool is = stage_ == stage::over;
    if (is)
        failure = failure_;
    return is;
}

} // namespace curlicue::detail
