// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include <curl/curl.h>
#include <uv.h>

namespace curlicue::bench {

/// What to compare with: a client on the design of the libuv example that comes with libcurl. Each
/// announced socket gets a uv_poll_t that is closed when libcurl is done with it, a timer of 0 ms
/// is one of 1 ms, and finished transfers are looked for after every call.
class example_client {
public:
    explicit example_client(const std::string& url);
    example_client(const example_client&) = delete;
    example_client& operator=(const example_client&) = delete;
    ~example_client();

    /// Fetches the URL so many times, one after the other.
    /// @throws std::runtime_error if a transfer fails
    void fetch(int times);

private:
    struct watch; // a socket's

    static int on_socket(CURL* easy, curl_socket_t socket, int what, void* client, void* known);
    static int on_timer(CURLM* multi, long timeout_ms, void* client);
    static void readable_or_writable(uv_poll_t* poll, int status, int events);
    static void timed_out(uv_timer_t* timer);
    static std::size_t discard(const char*, std::size_t, std::size_t size, void*) { return size; }

    void act(curl_socket_t socket, int events);

    uv_loop_t loop_;
    uv_timer_t timer_;
    CURLM* const multi_ = curl_multi_init();
    CURL* const easy_ = curl_easy_init();
    int left_ = 0;
    CURLcode failure_ = CURLE_OK;
};

} // namespace curlicue::bench
