// SPDX-License-Identifier: MIT
// How transfers end: one by one, or all of a shard.
#include "engine.hpp"
#include "scheme.hpp"
#include <curlicue/error.hpp>

#include <exception>
#include <new>
#include <utility>

namespace curlicue::detail {

// What pending futures fail with when libcurl gives a multi handle up.
failure engine::multi_failure(CURLMcode code) noexcept {
    try {
        return std::make_exception_ptr(multi_error(code, "a transfer's multi handle"));
    } catch (const std::bad_alloc&) {
        return std::error_code(code, multi_category());
    }
}

void engine::finish(transfer& item, CURLcode code) noexcept {
    ++item.home->effects;
    if (code == CURLE_COULDNT_CONNECT && wait_for_descriptor(item))
        return;
    item.fix_outcome(code);
    if (item.looks_up)
        look_up_ends(item, code);
    const auto& core = item.core();
    placement::learn(*item.server, item.curl());
    if (says_goodbye(item.curl()))
        item.home->idle.remember(item.curl());
    if (code == CURLE_OK && core.owned() && core.is_set(CURLOPT_CONNECT_ONLY) && !item.leaving()) {
        // Removed, it would lose the connection that send and recv are to use.
        count_outcome(item);
        item.lingers = true;
        sockets_->leave_to_user(core);
        item.settle();
        return;
    }
    if (remove_from_libcurl(item))
        conclude(item);
}

// Of a transfer in the middle libcurl takes leave as of one that is over: 7.88 ends half a mail
// with the dot that makes it a whole one, and all versions wait for the answer (smtp_done,
// imap_done, ssh_done), the loop with them. On a connection that is shut down it finds nobody to
// talk to.
[[gnu::noinline]] void engine::hang_up(const transfer& item) noexcept {
    if (item.lingers)
        return;
    if (says_goodbye(item.curl()))
        sockets_->hang_up(item.curl(), item.socket_news);
    else if (stops_after_cancels_)
        item.core().give_connection_up();
}

bool engine::remove_from_libcurl(transfer& item) noexcept {
    item.socket.reset(); // libcurl is about to close it
    auto& home = *item.home;
    const auto code = call_libcurl([&] { return home.multi()->remove(item.curl()); });
    if (code != CURLM_OK) {
        home.poison(code); // what makes libcurl let go of it is the cleanup of its multi handle
        return false;
    }
    has_left_libcurl(item);
    return true;
}

void engine::has_left_libcurl(transfer& item) noexcept {
    if (item.looks_up)
        give_look_up_up(item);
    auto& home = *std::exchange(item.home, nullptr);
    auto& server = *std::exchange(item.server, nullptr);
    placement_.ended(server, home.number, item.curl());
    home.waiting -= asks_for_too_little_ && server.may_wait ? 1 : 0;
    counters_.running.set(counters_.running.value() - 1);
    --home.running;
    if (surplus(home))
        look_for_idle_shards();
}

// The caller holds a reference.
bool engine::conclude(transfer& item) noexcept {
    if (!transfers_.leave(item))
        return false;
    if (!item.lingers)
        count_outcome(item);
    auto& core = item.core();
    // While the claim is ours, so that nobody else has added it meanwhile.
    if (options_.close_handles && phase_.load(std::memory_order_relaxed) >= phase::closing)
        core.mark_closed();
    core.release_claim();
    item.settle();
    // One for the descriptor that it leaves, and where that was of use one to see if there are
    // more.
    if (!waiting_.empty())
        start_waiting(item.has_value() ? 2 : 1);
    return true;
}

void engine::count_outcome(transfer& item) noexcept {
    pending_.fetch_sub(1, std::memory_order_relaxed);
    if (item.cancelled())
        counters_.cancelled.add();
    else if (item.has_value())
        counters_.completed.add();
    else
        counters_.failed.add();
}

void engine::let_go(transfer& item) noexcept {
    const auto kept = intrusive_ptr<transfer>::share(&item);
    auto* const home = item.home;
    if (home == nullptr) {
        if (conclude(item)) // not when the end of the engine was first: this may be any thread then
            need_turn();
        return;
    }
    hang_up(item);
    if (remove_from_libcurl(item))
        conclude(item);
    libcurl_returned(*home, CURLM_OK);
    need_turn();
}

[[gnu::noinline]] void engine::fail_shard(shard& of, CURLMcode code) noexcept {
    // The state of its transfers is uncertain, and after a refusal libcurl may not be driven again
    // (curl_multi_socket_action(3)): what is finished has been read, the rest fails.
    counters_.rebuilds.add();
    const bool closing = phase_.load(std::memory_order_relaxed) >= phase::closing;
    for (auto item = transfers_.first(&of); item; item = transfers_.next(*item, &of)) {
        item->fix_outcome(closing ? failure(errc::cancelled) : multi_failure(code));
        item->socket.reset();
        hang_up(*item);
        call_libcurl([&] { return of.multi()->remove(item->curl()); });
    }
    close_shard(of);
    // Now libcurl has let go of those too whose removal it refused. One without an outcome is new:
    // whoever heard of an end has added it.
    for (auto item = transfers_.first(&of); item && item->has_outcome();
         item = transfers_.first(&of)) {
        has_left_libcurl(*item);
        conclude(*item);
    }
    // The next transfer opens it again, with its options.
}

} // namespace curlicue::detail
