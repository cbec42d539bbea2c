// SPDX-License-Identifier: MIT
#include "support/scripted_server.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace curlicue::test {
namespace {

/// What has arrived, at least a byte and at most `limit`; empty if the peer has gone.
std::string receive(int socket, std::size_t limit = 16384) {
    std::array<char, 16384> chunk{};
    const ssize_t size = ::recv(socket, chunk.data(), std::min(limit, chunk.size()), 0);
    return {chunk.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

int connected_to(std::uint16_t port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    return socket;
}

} // namespace

std::string connection::read_request_head() {
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == buffer_.npos) {
        const std::string more = receive(socket_);
        if (more.empty())
            return {};
        buffer_ += more;
    }
    return read(end + 4);
}

std::string connection::read(std::size_t size) {
    while (buffer_.size() < size) {
        const std::string more = receive(socket_);
        if (more.empty())
            break;
        buffer_ += more;
    }
    std::string rest = size < buffer_.size() ? buffer_.substr(size) : std::string();
    buffer_.resize(buffer_.size() - rest.size());
    return std::exchange(buffer_, std::move(rest));
}

bool connection::write(std::string_view text) {
    while (!text.empty()) {
        const ssize_t size = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
        if (size < 0)
            return false;
        text.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
}

void connection::half_close() { ::shutdown(socket_, SHUT_WR); }

void connection::reset() {
    const linger none{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

void connection::hold() {
    pollfd gone{.fd = socket_, .events = POLLRDHUP, .revents = 0};
    ::poll(&gone, 1, -1);
}

std::size_t connection::relay(std::uint16_t port, std::size_t limit) {
    const int peer = connected_to(port);
    connection server(peer);
    std::size_t said = 0;
    while (said < limit) {
        std::array<pollfd, 2> ready{{{.fd = socket_, .events = POLLIN, .revents = 0},
                                     {.fd = peer, .events = POLLIN, .revents = 0}}};
        ::poll(ready.data(), ready.size(), -1);
        const bool from_server = ready[1].revents != 0;
        const std::string heard = from_server ? receive(peer, limit - said) : receive(socket_);
        if (heard.empty() || !(from_server ? *this : server).write(heard))
            break;
        said += from_server ? heard.size() : 0;
    }
    ::close(peer);
    return said;
}

scripted_server::scripted_server(script script)
    : scripted_server(std::move(script), ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listen(address);
    socklen_t length = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    way_.emplace(ntohs(address.sin_port));
}

scripted_server::scripted_server(script script, const std::filesystem::path& unix_socket)
    : scripted_server(std::move(script), ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    unix_socket.native().copy(address.sun_path, sizeof address.sun_path - 1);
    listen(address);
}

scripted_server::scripted_server(script script, int listener)
    : script_(std::move(script)), listener_(listener) {}

template <class Address> void scripted_server::listen(const Address& address) {
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_, SOMAXCONN) != 0)
        throw std::system_error(errno, std::generic_category(), "scripted_server");
    acceptor_ = std::thread([this] { accept_connections(); });
}

scripted_server::~scripted_server() {
    ::shutdown(listener_, SHUT_RDWR); // ends accept(), which close() would not
    if (acceptor_.joinable())         // not where listen() has thrown
        acceptor_.join();
    ::close(listener_);
    std::unique_lock lock(mutex_);
    for (const int socket : live_)
        ::shutdown(socket, SHUT_RDWR);
    ended_.wait(lock, [this] { return live_.empty(); });
}

void scripted_server::accept_connections() {
    int socket = 0;
    while ((socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0) {
        const std::lock_guard lock(mutex_);
        live_.insert(socket);
        ++accepted_;
        // Detached, so that a thousand short scripts do not keep a thousand stacks until the end.
        std::thread([this, socket] { serve(socket); }).detach();
    }
}

void scripted_server::serve(int socket) {
    connection client(socket);
    script_(client);
    const std::lock_guard lock(mutex_);
    ::close(socket);
    live_.erase(socket);
    ended_.notify_all();
}

std::string scripted_server::url(std::string_view path) const {
    return "http://127.0.0.1:" + std::to_string(way_->port()) + std::string(path);
}

std::size_t scripted_server::accepted() const {
    const std::lock_guard lock(mutex_);
    return accepted_;
}

std::size_t scripted_server::open() const {
    const std::lock_guard lock(mutex_);
    return live_.size();
}

} // namespace curlicue::test
