// SPDX-License-Identifier: MIT
// Transfers that wait for a descriptor, where the process has none.
#include "engine.hpp"

#include <algorithm>

namespace curlicue::detail {
namespace {

using namespace std::chrono_literals;

// The host may free some without a word.
constexpr auto shortest_wait = 10ms;
constexpr std::chrono::milliseconds longest_wait = 1s;
constexpr auto default_connect_limit = 300s; // CURLOPT_CONNECTTIMEOUT(3)

} // namespace

// Where nothing has been sent: it is started anew when another transfer has ended, whose connection
// it may use or whose descriptor is free, and now and then.
[[gnu::noinline]] bool engine::wait_for_descriptor(transfer& item) noexcept {
    long sent = 0; // before a redirect, say
    curl_easy_getinfo(item.curl(), CURLINFO_REQUEST_SIZE, &sent);
    if (!item.core().lacks_descriptors() || sent != 0 || item.has_outcome() ||
        item.core().has_exception() || phase_.load(std::memory_order_relaxed) >= phase::closing)
        return false;
    const bool alone = counters_.running.value() == 1;
    if (alone && sockets_->size() == 0 && counters_.shards.value() <= 1)
        return false; // nobody will leave any
    counters_.waits.add();
    curl_off_t spent = 0;
    curl_easy_getinfo(item.curl(), CURLINFO_TOTAL_TIME_T, &spent);
    begin_waiting(item, timeout::clock::now() - std::chrono::microseconds(spent));
    if (!remove_from_libcurl(item))
        return true; // it fails with all of its shard
    heartbeat_.follow(std::min(item.deadline, item.waits_until));
    if (alone) {
        close_idle_shards_now();
        item.submit();
    } else {
        item.submit_later(waiting_);
        if (!try_waiting_.armed)
            start_alarm(try_waiting_, next_try_ = shortest_wait);
    }
    return true;
}

// Its limits begin with the add, and libcurl knows none of them while it waits, nor how much is
// left of them afterwards.
void engine::begin_waiting(transfer& item, timeout::clock::time_point begun) noexcept {
    if (std::exchange(item.waited, true))
        return;
    const auto& core = item.core();
    item.deadline =
        core.time_limit() ? later(begun, *core.time_limit()) : timeout::clock::time_point::max();
    item.waits_until = later(begun, core.connect_limit().value_or(default_connect_limit));
}

void engine::start_waiting(int most) noexcept {
    for (; most != 0; --most)
        if (auto* const next = waiting_.pop())
            executor_link::of(dispatcher_)->enqueue(*next);
}

// One, and the next soon if there was a descriptor for it.
void engine::try_waiting() noexcept {
    const auto waits = counters_.waits.value();
    const bool again = std::exchange(waits_before_, waits) != waits;
    next_try_ = again ? std::min(2 * next_try_, longest_wait) : shortest_wait;
    if (waiting_.empty())
        return;
    start_waiting(1);
    start_alarm(try_waiting_, next_try_);
}

} // namespace curlicue::detail
