// SPDX-License-Identifier: MIT
// sockets: epoll, and as little HTTP as it takes. What the kernel allows.
#include "client.hpp"
#include "target.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <curl/curlver.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace curlicue::bench {
namespace {

// As large as a curlicue transfer's, so that what differs is not how often the kernel is asked.
constexpr long usual_buffer = (LIBCURL_VERSION_NUM >= 0x080700 ? 512L : 112L) << 10;

class sockets_client {
public:
    sockets_client(const job& what, meter& measured);
    ~sockets_client();
    void run();

private:
    struct connection {
        int socket = -1;
        std::uint64_t head_left = 0; // of the request, to be sent
        std::uint64_t upload_left = 0;
        std::string head; // of the response, until it is complete
        std::uint64_t body_left = 0;
        bool in_body = false;
        bool waits_to_send = false;
    };

    void start(connection& it);
    void connect(connection& it);
    void send_some(connection& it);
    void receive(connection& it);
    bool take_head(connection& it, std::string_view& data);
    void ended(connection& it);
    void wait_to_send(connection& it, bool wait);

    const job& what_;
    meter& measured_;
    const target target_;
    const std::string request_;
    const int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    std::deque<connection> connections_;
    int running_ = 0;
    std::vector<char> buffer_;
};

std::string request(const job& what, const target& where) {
    std::string text = what.upload != 0 ? "PUT " : "GET ";
    text += where.path + " HTTP/1.1\r\nHost: " + where.host + "\r\nAccept: */*\r\n";
    if (what.upload != 0)
        text += "Content-Length: " + std::to_string(what.upload) + "\r\n";
    return text + "\r\n";
}

sockets_client::sockets_client(const job& what, meter& measured)
    : what_(what), measured_(measured), target_(what.url()), request_(request(what, target_)),
      connections_(static_cast<std::size_t>(what.concurrency)),
      buffer_(static_cast<std::size_t>(what.buffer != 0 ? what.buffer : usual_buffer)) {}

sockets_client::~sockets_client() {
    for (const auto& each : connections_)
        if (each.socket >= 0)
            ::close(each.socket);
    ::close(epoll_);
}

void sockets_client::run() {
    for (auto& each : connections_)
        if (measured_.start_another())
            start(each);
    std::array<epoll_event, 256> events{};
    while (running_ > 0) {
        const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
        for (int i = 0; i < count; ++i) {
            const auto& event = events[static_cast<std::size_t>(i)];
            auto& it = *static_cast<connection*>(event.data.ptr);
            if ((event.events & EPOLLOUT) != 0)
                send_some(it);
            if ((event.events & ~EPOLLOUT) != 0)
                receive(it);
        }
    }
}

void sockets_client::start(connection& it) {
    ++running_;
    it.head_left = request_.size();
    it.upload_left = what_.upload;
    it.in_body = false;
    it.head.clear();
    if (it.socket < 0)
        connect(it);
    else
        send_some(it);
}

void sockets_client::connect(connection& it) {
    it.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    meter::expect(it.socket >= 0, "socket");
    const int on = 1;
    ::setsockopt(it.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(target_.port);
    ::inet_pton(AF_INET, target_.address.c_str(), &address.sin_addr);
    const int result =
        ::connect(it.socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    meter::expect(result == 0 || errno == EINPROGRESS, "connect");
    it.waits_to_send = true;
    epoll_event event{.events = EPOLLIN | EPOLLOUT, .data = {.ptr = &it}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, it.socket, &event);
}

void sockets_client::send_some(connection& it) {
    while (it.head_left + it.upload_left != 0) {
        auto& left = it.head_left != 0 ? it.head_left : it.upload_left;
        const char* const data =
            it.head_left != 0 ? request_.data() + (request_.size() - it.head_left) : buffer_.data();
        const auto size = std::min<std::uint64_t>(left, buffer_.size());
        const auto sent = ::send(it.socket, data, size, MSG_NOSIGNAL);
        if (sent < 0) {
            meter::expect(errno == EAGAIN, "send");
            return wait_to_send(it, true);
        }
        left -= static_cast<std::uint64_t>(sent);
    }
    wait_to_send(it, false);
}

void sockets_client::wait_to_send(connection& it, bool wait) {
    if (it.waits_to_send == wait)
        return;
    it.waits_to_send = wait;
    epoll_event event{.events = EPOLLIN, .data = {.ptr = &it}};
    if (wait)
        event.events |= EPOLLOUT;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, it.socket, &event);
}

void sockets_client::receive(connection& it) {
    const auto size = ::recv(it.socket, buffer_.data(), buffer_.size(), 0);
    if (size < 0 && errno == EAGAIN)
        return;
    meter::expect(size > 0, "recv");
    std::string_view data(buffer_.data(), static_cast<std::size_t>(size));
    if (!it.in_body && !take_head(it, data))
        return;
    it.body_left -= std::min<std::uint64_t>(it.body_left, data.size());
    if (it.body_left == 0)
        ended(it);
}

// Takes the head of the response off the data, if it is all there now.
bool sockets_client::take_head(connection& it, std::string_view& data) {
    const auto before = it.head.size();
    it.head += data;
    const auto end = it.head.find("\r\n\r\n");
    if (end == it.head.npos)
        return false;
    it.in_body = true;
    data.remove_prefix(end + 4 - before);
    it.head.resize(end);
    meter::expect(it.head.starts_with("HTTP/1.1 200"), "the request");
    constexpr std::string_view name = "\r\nContent-Length: ";
    const auto length = it.head.find(name);
    meter::expect(length != it.head.npos, "finding Content-Length");
    std::from_chars(it.head.data() + length + name.size(), it.head.data() + end, it.body_left);
    return true;
}

void sockets_client::ended(connection& it) {
    --running_;
    measured_.finished();
    if (what_.fresh) {
        ::close(it.socket);
        it.socket = -1;
    }
    if (measured_.start_another())
        start(it);
}

} // namespace

void run(const job& what, meter& measured) { sockets_client(what, measured).run(); }

} // namespace curlicue::bench
