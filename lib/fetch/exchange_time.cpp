// SPDX-License-Identifier: MIT
// How long an exchange takes, and may.
#include "exchange.hpp"
#include "phase.hpp"
#include "transfer_info.hpp"

#include <algorithm>
#include <new>

namespace curlicue::detail {
namespace {

using namespace std::chrono_literals;

// What is left of a body that nobody reads is to come within this.
constexpr std::chrono::milliseconds soon(100);
// So often in the time to the first byte it is seen whether all of the request is sent.
constexpr int looks_for_the_end = 8;

executor::clock::time_point after(executor::clock::time_point begun,
                                  const time_limits::limit& limit) noexcept {
    return limit && limit->count() > 0 && begun != executor::clock::time_point::max()
               ? later(begun, *limit)
               : executor::clock::time_point::max();
}

} // namespace

hop_timings exchange::measured() const noexcept {
    if (!handle_)
        return {.queued = queued_};
    return {.queued = queued_,
            .resolved = time_of(*handle_, CURLINFO_NAMELOOKUP_TIME_T),
            .connected = time_of(*handle_, CURLINFO_CONNECT_TIME_T),
            .tls = time_of(*handle_, CURLINFO_APPCONNECT_TIME_T),
            .sent = time_of(*handle_, CURLINFO_PRETRANSFER_TIME_T),
            .first_byte = time_of(*handle_, CURLINFO_STARTTRANSFER_TIME_T),
            .done = transfer_ ? std::chrono::microseconds(0)
                              : time_of(*handle_, CURLINFO_TOTAL_TIME_T)};
}

void exchange::tell_times() noexcept {
    if (of && published_) {
        of->hops[place_] = at_end_;
    } else if (of) {
        try {
            of->hops.push_back(at_end_);
        } catch (const std::bad_alloc&) {
            // One hop less to tell of.
        }
    }
}

timings exchange::times() const {
    timings all{earlier_};
    all.hops.push_back(stage_ == stage::over ? at_end_ : at_head_);
    return all;
}

/// Whether some of the request's body is yet to go.
bool exchange::sends() const noexcept {
    if (upload_)
        return upload_->begun() && (upload_->has_data() || upload_->given() > uploaded_);
    const auto& content = body_access::content(what_.body);
    return content && content->parts() != nullptr && !published_ && sent_at_ != time::max() &&
           count_of(*handle_, CURLINFO_CONTENT_LENGTH_UPLOAD_T) !=
               static_cast<curl_off_t>(uploaded_);
}

exchange::time exchange::stalls_at() const noexcept {
    return of && ((somebody_reads() && !paused_) || sends()) ? after(last_byte_, of->limits.stall)
                                                             : time::max();
}

exchange::time exchange::first_byte_at() const noexcept {
    if (!of || published_ || sends() || (upload_ && !upload_->ended()))
        return time::max();
    return after(sent_at_, of->limits.first_byte);
}

// When the last of a body has gone nobody tells.
exchange::time exchange::end_of_sending_at() const noexcept {
    if (!of || !of->limits.first_byte || *of->limits.first_byte == 0ms || published_ || !sends() ||
        (upload_ && !upload_->ended()))
        return time::max();
    return later(looked_at_, std::max(*of->limits.first_byte / looks_for_the_end, 1ms));
}

// Until there is a head its client looks after this one.
exchange::time exchange::total_at() const noexcept {
    return of && published_ ? of->deadline : time::max();
}

exchange::time exchange::next_look() const noexcept {
    return dropped_ ? dropped_at_ + soon
                    : std::min({stalls_at(), first_byte_at(), end_of_sending_at(), total_at()});
}

// libcurl does not say when it has sent something.
void exchange::see_progress(time now) noexcept {
    if (!sends() || !libcurl_has_it())
        return;
    const auto sent = static_cast<std::uint64_t>(count_of(*handle_, CURLINFO_SIZE_UPLOAD_T));
    if (std::exchange(uploaded_, sent) != sent)
        last_byte_ = sent_at_ = now;
}

void exchange::look(time now) noexcept {
    if (dropped_)
        return cancel_here(); // what was to come at once has not
    looked_at_ = now;
    see_progress(now);
    if (total_at() <= now)
        time_out(time_limit::total);
    else if (first_byte_at() <= now)
        time_out(time_limit::first_byte);
    else if (stalls_at() <= now)
        time_out(time_limit::stall);
}

void exchange::time_out(time_limit which) noexcept {
    fail(fetch_failure(errc::timed_out, phase_now(CURLE_OPERATION_TIMEDOUT), attempts_of(of),
                       which));
}

} // namespace curlicue::detail
