// SPDX-License-Identifier: MIT
#include "slow_server.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace curlicue::bench {
namespace {

int checked(int result, const char* what) {
    if (result < 0)
        throw std::system_error(errno, std::generic_category(), what);
    return result;
}

sockaddr* generic(sockaddr_in& address) { return reinterpret_cast<sockaddr*>(&address); }

// Whoever has hung up is noticed when the socket is next read.
void send_text(int socket, std::string_view text) {
    static_cast<void>(::send(socket, text.data(), text.size(), MSG_NOSIGNAL));
}

} // namespace

slow_server::slow_server()
    : listener_(
          checked(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket")),
      epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    checked(::bind(listener_, generic(address), sizeof address), "bind");
    checked(::listen(listener_, 16384), "listen");
    watch(listener_);
}

slow_server::~slow_server() {
    for (const auto& [socket, each] : connections_)
        ::close(socket);
    ::close(listener_);
    ::close(epoll_);
}

std::string slow_server::http() const {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    checked(::getsockname(listener_, generic(address), &length), "getsockname");
    return "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

void slow_server::watch(int descriptor) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = descriptor}};
    checked(::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event), "epoll_ctl");
}

void slow_server::run_until(int descriptor) {
    watch(descriptor);
    std::array<epoll_event, 256> events{};
    while (true) {
        const int count =
            ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), patience());
        for (int i = 0; i < count; ++i) {
            const int socket = events[static_cast<std::size_t>(i)].data.fd;
            if (socket == descriptor)
                return;
            if (socket == listener_)
                accept_all();
            else if (const auto found = connections_.find(socket); found != connections_.end())
                receive(socket, found->second);
        }
        answer_held();
    }
}

int slow_server::patience() const {
    if (held_.empty())
        return -1;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(held_.front().until - clock::now());
    return static_cast<int>(std::max<std::int64_t>(0, left.count()));
}

void slow_server::accept_all() {
    const int on = 1;
    // Our close then takes the client's port out of TIME_WAIT. Some ten thousand of those, and what
    // connect() does most of all is to look for a free one, for whoever comes next.
    const linger reset{.l_onoff = 1, .l_linger = 0};
    int socket = -1;
    while ((socket = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        connections_.emplace(socket, connection{next_serial_++, {}});
        watch(socket);
    }
}

void slow_server::receive(int socket, connection& from) {
    const auto size = ::recv(socket, buffer_.data(), buffer_.size(), 0);
    if (size < 0 && errno == EAGAIN)
        return;
    if (size <= 0) {
        ::close(socket);
        connections_.erase(socket);
        return;
    }
    auto body = static_cast<std::uint64_t>(size);
    if (from.body_left == 0) {
        from.head.append(buffer_.data(), static_cast<std::size_t>(size));
        const auto end = from.head.find("\r\n\r\n");
        if (end == from.head.npos)
            return;
        body = from.head.size() - (end + 4);
        from.head.resize(end + 2);
        requested(socket, from);
        from.head.clear();
        if (from.body_left == 0)
            return;
    }
    from.body_left -= std::min(body, from.body_left);
    if (from.body_left == 0)
        send_text(socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

void slow_server::requested(int socket, connection& from) {
    const std::string_view head = from.head;
    constexpr std::string_view length = "\r\nContent-Length: ";
    if (head.starts_with("GET /hold ")) {
        held_.push_back({socket, from.serial, clock::now() + hold_time});
    } else if (head.starts_with("GET /stall ")) {
        send_text(socket, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
                          "the beginning of what will not come");
    } else if (const auto at = head.find(length);
               head.starts_with("PUT /sink ") && at != head.npos) {
        from.body_left = std::stoull(std::string(head.substr(at + length.size())));
        if (head.find("\r\nExpect: ") != head.npos)
            send_text(socket, "HTTP/1.1 100 Continue\r\n\r\n");
    } else {
        send_text(socket, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    }
}

void slow_server::answer_held() {
    const auto now = clock::now();
    for (; !held_.empty() && held_.front().until <= now; held_.pop_front()) {
        const auto found = connections_.find(held_.front().socket);
        if (found != connections_.end() && found->second.serial == held_.front().serial)
            send_text(found->first, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
}

} // namespace curlicue::bench
