// SPDX-License-Identifier: MIT
// Transfers whose server's name is to be looked up, and those that wait for it.
#include "engine.hpp"

#include <algorithm>
#include <utility>

namespace curlicue::detail {
namespace {

bool cannot_be_resolved(CURLcode code) noexcept {
    return code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY;
}

bool has_address(CURL* handle) noexcept {
    curl_off_t looked_up = 0, connected = 0;
    curl_easy_getinfo(handle, CURLINFO_NAMELOOKUP_TIME_T, &looked_up);
    curl_easy_getinfo(handle, CURLINFO_PRETRANSFER_TIME_T, &connected); // over one that was kept
    return looked_up != 0 || connected != 0;
}

} // namespace

// Its limits begin with its add, as if it had been the first to ask.
[[gnu::noinline]] bool engine::waits_for_name(transfer& item, origin& server) {
    if (!look_ups_.must_wait(server))
        return false;
    look_ups_.wait(server);
    item.asked = true;
    begin_waiting(item, timeout::clock::now());
    item.submit_later(server.asking);
    heartbeat_.follow(std::min(item.deadline, item.waits_until));
    need_turn();
    return true;
}

[[gnu::noinline]] void engine::begin_look_up(transfer& item) noexcept {
    look_ups_.begun(*item.server);
    item.looks_up = true;
    ++item.home->looking_up;
}

// libcurl asks for another socket of it, that of its connection perhaps.
[[gnu::noinline]] void engine::may_have_address(CURL* by) noexcept {
    const auto item = transfers_.find(by);
    if (!item || !item->looks_up || !has_address(by))
        return;
    look_ups_.found(*item->server, uv_now(loop()));
    look_up_over(*item);
}

// The transfer is over. That there is no such name is an answer for all who wait.
[[gnu::noinline]] void engine::look_up_ends(transfer& item, CURLcode code) noexcept {
    auto& server = *item.server;
    if (cannot_be_resolved(code)) {
        look_ups_.ended(server);
        server.refusal = code;
    } else if (code == CURLE_OK || has_address(item.curl())) {
        look_ups_.found(server, uv_now(loop()));
    } else {
        look_ups_.ended(server);
    }
    look_up_over(item);
}

// Libcurl has let go of it before there was an answer: who waits asks again.
[[gnu::noinline]] void engine::give_look_up_up(transfer& item) noexcept {
    look_ups_.ended(*item.server);
    look_up_over(item);
}

void engine::look_up_over(transfer& item) noexcept {
    item.looks_up = false;
    --item.home->looking_up;
    if (!item.server->asking.empty())
        dispatcher_.run_later(item.server->asking);
    next_look_up();
}

// Whoever waits for it starts, and the first of them looks it up. Each that has started comes here
// again, while there is room for more.
void engine::next_look_up() noexcept {
    while (const auto server = look_ups_.next())
        if (!server->asking.empty())
            return dispatcher_.run_later(server->asking);
}

// What the one said that it has waited for.
bool engine::is_refused(transfer& item) {
    if (!std::exchange(item.asked, false))
        return false;
    const auto& server = placement_.origin_of(item.core(), multiplexes_);
    if (server.refusal == CURLE_OK)
        return false;
    item.fix_outcome(server.refusal);
    return true;
}

} // namespace curlicue::detail
