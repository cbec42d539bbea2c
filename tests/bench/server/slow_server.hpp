// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace curlicue::bench {

/// What nginx does not do, over HTTP/1.1:
///
/// GET /hold   answers when the request is `hold_time` old
/// GET /stall  sends the beginning of a body, and no more
/// PUT /sink   forgets a body of any size
class slow_server {
public:
    static constexpr std::chrono::seconds hold_time{5};

    slow_server();
    slow_server(const slow_server&) = delete;
    slow_server& operator=(const slow_server&) = delete;
    ~slow_server();

    std::string http() const;
    /// Serves until `descriptor` is readable or at its end.
    void run_until(int descriptor);

private:
    using clock = std::chrono::steady_clock;
    struct connection {
        std::uint64_t serial; // descriptors come again, these do not
        std::string head;
        std::uint64_t body_left = 0;
    };
    struct held {
        int socket;
        std::uint64_t serial;
        clock::time_point until;
    };

    void watch(int descriptor);
    void accept_all();
    void receive(int socket, connection& from);
    void requested(int socket, connection& from);
    void answer_held();
    int patience() const; // until an answer is due, in ms

    const int listener_;
    const int epoll_;
    std::map<int, connection> connections_;
    std::deque<held> held_;
    std::uint64_t next_serial_ = 0;
    std::vector<char> buffer_ = std::vector<char>(256 * 1024);
};

} // namespace curlicue::bench
