// SPDX-License-Identifier: MIT
#pragma once

#include "curl_client.hpp"

#include <uv.h>

namespace curlicue::bench {

/// A client on the design of the libuv example that comes with libcurl. Each announced socket gets
/// a uv_poll_t that is closed when libcurl is done with it, a timer of 0 ms is one of 1 ms, and
/// finished transfers are looked for after every call.
class example_client : protected curl_client {
public:
    example_client(const job& what, meter& measured);
    ~example_client();

    void run();

protected:
    /// Until nothing is left to wait for.
    void run_loop() { uv_run(&loop_, UV_RUN_DEFAULT); }
    uv_loop_t* loop() noexcept { return &loop_; }

private:
    struct watch; // a socket's

    static int on_socket(CURL* easy, curl_socket_t socket, int what, void* client, void* known);
    static int on_timer(CURLM* multi, long timeout_ms, void* client);
    static void readable_or_writable(uv_poll_t* poll, int status, int events);
    static void timed_out(uv_timer_t* timer);

    void act(curl_socket_t socket, int events);

    uv_loop_t loop_;
    uv_timer_t timer_;
};

} // namespace curlicue::bench
