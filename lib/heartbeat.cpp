// SPDX-License-Identifier: MIT
#include "heartbeat.hpp"

#include "placement.hpp"
#include "scheme.hpp"

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

#include <curl/curl.h>

namespace curlicue::detail {
namespace {

// So many transfers are looked at in one turn of the loop: a tenth of a millisecond.
constexpr std::size_t at_once = 256;
// How late the end of a transfer's time may be noticed, where ends follow one another closely.
constexpr std::chrono::milliseconds coarse(100);

// So many turns at the most the calls of a round wait for a loop that has more to do than it can:
// by a clock, where libcurl waits for servers in each (mails, FTP), they would soon be one long
// wait.
constexpr unsigned patience = 200;
// And so long the next look waits for them.
constexpr std::chrono::seconds longest_round(2);

/// libcurl asks for neither a socket nor a time, and goes on only when all transfers are called for
/// (7.88):
/// - Where the answer to the first command on a kept FTP connection is there at once, it waits
///   before it opens the data connection (multi.c, MSTATE_DO: "sit down, relax and wait a little
///   while").
/// - Where a second address refuses the connection, until half of the time to connect is over.
bool may_be_forgotten(CURL* handle) noexcept { return speaks(handle, "ftp") || !has_begun(handle); }

/// Another number whenever a byte has come or gone.
curl_off_t bytes_of(CURL* handle) noexcept {
    curl_off_t down = 0, up = 0;
    long heads = 0, requests = 0;
    curl_easy_getinfo(handle, CURLINFO_SIZE_DOWNLOAD_T, &down);
    curl_easy_getinfo(handle, CURLINFO_SIZE_UPLOAD_T, &up);
    curl_easy_getinfo(handle, CURLINFO_HEADER_SIZE, &heads);
    curl_easy_getinfo(handle, CURLINFO_REQUEST_SIZE, &requests);
    return down + up + heads + requests;
}

/// With the 1st, 2nd, 4th, 8th look in a row at which a transfer had not moved, and then with each
/// 8th: its wake-up may be lost (8.5.0, and with HTTP/2 and 3 others now and then), or it waits for
/// a slow server, and a call costs as much as any. Where HTTP has a socket for each transfer, of
/// which the kernel tells, and no TLS on it, no such loss has been seen.
bool may_be_stuck(const transfer& item) noexcept {
    const auto& server = *item.server;
    const bool alone = server.on_connection == origin::streams::one && server.plain_http;
    return item.still % 8 == 0 || (!alone && std::has_single_bit(item.still));
}

} // namespace

[[gnu::noinline]] void heartbeat::arm() noexcept {
    running_ = true;
    if (stopped_ || under_way()) // then at its end
        return;
    if (interval_ > std::chrono::milliseconds::zero() && next_beat_ == clock::time_point::max())
        next_beat_ = deadline_after(interval_);
    const auto due = std::min(next_beat_, std::max(earliest_, next_look_));
    if (due == clock::time_point::max() || (armed && position->first <= due))
        return;
    try {
        owner_.timers().start(*this, due);
    } catch (const std::bad_alloc&) {
        // The next transfer tries again; until then only libcurl's own wake-ups are left.
    }
}

void heartbeat::expired() noexcept {
    now_ = clock::now();
    beats_ = next_beat_ <= now_;
    running_ = false;
    next_shard_ = 0;
    earliest_ = clock::time_point::max();
    for (const auto& each : shards_)
        each->moved = each->wants_all = false;
    transfers_.rewind();
    stage_ = stage::looking;
}

void heartbeat::step(bool behind) noexcept {
    if (stage_ == stage::looking)
        return look();
    if (behind && put_off_ != patience) {
        ++put_off_;
        if (clock::now() - now_ >= longest_round)
            end_round();
        return;
    }
    put_off_ = 0;
    while (stage_ == stage::beating && next_shard_ != shards_.size())
        if (beat(*shards_[next_shard_++]))
            return;
    end_round();
}

void heartbeat::look() noexcept {
    std::size_t left = at_once;
    while (const auto late =
               transfers_.look_on(left, [this](transfer& item) { return look_at(item); }))
        owner_.is_late(*late);
    if (left == 0)
        return;
    stage_ = stage::beating;
    if (!beats_)
        end_round();
}

// Whether its time is over.
bool heartbeat::look_at(transfer& item) noexcept {
    if (item.has_outcome())
        return false;
    const auto end =
        item.home != nullptr ? item.deadline : std::min(item.deadline, item.waits_until);
    if (end < now_)
        return true;
    earliest_ = std::min(earliest_, end);
    running_ = true;
    if (!beats_ || item.home == nullptr)
        return false;
    auto& home = *item.home;
    const auto so_far = bytes_of(item.curl());
    const bool moved = std::exchange(item.bytes, so_far) != so_far;
    item.still = moved ? 0 : item.still + 1;
    home.moved |= moved;
    // Where nothing moves, libcurl calls no progress callback, which may want to end the transfer
    // or to go on.
    home.wants_all |= may_be_forgotten(item.curl()) ||
                      (!moved && (may_be_stuck(item) || item.core().may_report()));
    return false;
}

// Whether libcurl was called.
bool heartbeat::beat(shard& of) noexcept {
    const bool idle = !std::exchange(of.driven, false);
    if (std::exchange(of.beaten, false) && idle && of.moved)
        owner_.beat_helped();
    if (of.running == 0 || !(idle || of.wants_all))
        return false;
    const auto before = of.moves();
    const bool kicked = of.kicked();
    owner_.call(of, of.wants_all);
    of.driven = false;
    if (before != of.moves() || (!kicked && of.kicked()))
        owner_.beat_helped();
    else
        of.beaten = true;
    return true;
}

void heartbeat::end_round() noexcept {
    stage_ = stage::none;
    if (beats_)
        next_beat_ = clock::time_point::max(); // the next begins now
    next_look_ = deadline_after(coarse);
    if (running_)
        arm();
}

void heartbeat::stop() noexcept {
    stopped_ = true;
    stage_ = stage::none;
    owner_.timers().stop(*this);
}

} // namespace curlicue::detail
