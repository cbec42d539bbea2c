// SPDX-License-Identifier: MIT
// The sockets of CONNECT_ONLY transfers, for which their users wait.
#include "engine_scopes.hpp"
#include <curlicue/error.hpp>

namespace curlicue::detail {

future<void> engine::ready_now() {
    promise<void> over(dispatcher_);
    auto ready = over.get_future();
    over.set_value();
    return ready;
}

future<void> engine::wait_for_socket(transfer& item, ready_for what) {
    if (!item.lingers)
        throw usage_error(errc::attached, call_for(what));
    if (!item.socket) {
        curl_socket_t socket = CURL_SOCKET_BAD;
        curl_easy_getinfo(item.curl(), CURLINFO_ACTIVESOCKET, &socket);
        if (socket == CURL_SOCKET_BAD)
            return ready_now(); // the connection has gone, as recv will tell
        item.socket = std::make_unique<active_socket>(
            loop(), static_cast<active_socket::owner&>(*this), socket, handles_);
    }
    return item.socket->wait_for(what, executor_link::of(dispatcher_));
}

void engine::socket_event(active_socket& which, int events) noexcept {
    if (forked())
        return;
    const loop_entry entry(*this, loop_entry::turn_comes::after_poll);
    which.tell(events);
}

void engine::waits_for_socket(bool begins) noexcept {
    begins ? ++awaited_sockets_ : --awaited_sockets_;
    need_turn();
}

} // namespace curlicue::detail
