// SPDX-License-Identifier: MIT
#include "example_client.hpp"

namespace curlicue::bench {

struct example_client::watch {
    uv_poll_t poll;
    curl_socket_t socket;
    example_client* client;
};

example_client::example_client(const job& what, meter& measured) : curl_client(what, measured) {
    uv_loop_init(&loop_);
    uv_timer_init(&loop_, &timer_);
    timer_.data = this;
    curl_multi_setopt(multi(), CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi(), CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi(), CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi(), CURLMOPT_TIMERDATA, this);
}

example_client::~example_client() {
    curl_multi_setopt(multi(), CURLMOPT_SOCKETFUNCTION, nullptr);
    curl_multi_setopt(multi(), CURLMOPT_TIMERFUNCTION, nullptr);
    uv_close(reinterpret_cast<uv_handle_t*>(&timer_), nullptr);
    uv_run(&loop_, UV_RUN_DEFAULT);
    uv_loop_close(&loop_);
}

void example_client::run() {
    start_all();
    run_loop();
}

int example_client::on_socket(CURL*, curl_socket_t socket, int what, void* client, void* known) {
    auto& self = *static_cast<example_client*>(client);
    auto* entry = static_cast<watch*>(known);
    if (what == CURL_POLL_REMOVE) {
        if (entry != nullptr) {
            uv_poll_stop(&entry->poll);
            uv_close(reinterpret_cast<uv_handle_t*>(&entry->poll),
                     [](uv_handle_t* handle) { delete static_cast<watch*>(handle->data); });
            curl_multi_assign(self.multi(), socket, nullptr);
        }
        return 0;
    }
    if (entry == nullptr) {
        entry = new watch{{}, socket, &self};
        uv_poll_init_socket(&self.loop_, &entry->poll, socket);
        entry->poll.data = entry;
        curl_multi_assign(self.multi(), socket, entry);
    }
    uv_poll_start(&entry->poll,
                  ((what & CURL_POLL_IN) != 0 ? UV_READABLE : 0) |
                      ((what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0),
                  readable_or_writable);
    return 0;
}

int example_client::on_timer(CURLM*, long timeout_ms, void* client) {
    auto& timer = static_cast<example_client*>(client)->timer_;
    if (timeout_ms < 0)
        uv_timer_stop(&timer);
    else // not at once: libcurl must not be called from its own callback
        uv_timer_start(&timer, timed_out,
                       timeout_ms == 0 ? 1 : static_cast<std::uint64_t>(timeout_ms), 0);
    return 0;
}

void example_client::readable_or_writable(uv_poll_t* poll, int status, int events) {
    const auto& entry = *static_cast<watch*>(poll->data);
    int mask = status < 0 ? CURL_CSELECT_ERR : 0;
    if ((events & UV_READABLE) != 0)
        mask |= CURL_CSELECT_IN;
    if ((events & UV_WRITABLE) != 0)
        mask |= CURL_CSELECT_OUT;
    entry.client->act(entry.socket, mask);
}

void example_client::timed_out(uv_timer_t* timer) {
    static_cast<example_client*>(timer->data)->act(CURL_SOCKET_TIMEOUT, 0);
}

void example_client::act(curl_socket_t socket, int events) {
    int unfinished = 0;
    curl_multi_socket_action(multi(), socket, events, &unfinished);
    collect();
}

} // namespace curlicue::bench
