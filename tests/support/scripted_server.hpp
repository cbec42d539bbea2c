// SPDX-License-Identifier: MIT
#pragma once

#include "support/road.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>

namespace curlicue::test {

/// What a script sees of one client. The connection ends when the script returns.
class connection {
public:
    explicit connection(int socket) noexcept : socket_(socket) {}

    /// Up to the empty line and with it; empty if the client has gone.
    std::string read_request_head();
    /// So many bytes of the request's body, or fewer if the client goes.
    std::string read(std::size_t size);
    /// False if the client has gone.
    bool write(std::string_view text);
    /// Sends a FIN, and may still read.
    void half_close();
    /// Makes the end of the connection an RST.
    void reset();
    /// Does nothing until the client or the server goes.
    void hold();
    /// Hands on what the client and the server at 127.0.0.1:`port` say, until one of them goes or
    /// that server has said `limit` bytes. @returns how many it has said
    std::size_t relay(std::uint16_t port, std::size_t limit);

private:
    int socket_;
    std::string buffer_; // read and not yet asked for
};

/// A server that does what real ones refuse to do: it runs a script for every connection, each in
/// a thread of its own. Its destructor cuts all connections and waits for their scripts.
class scripted_server {
public:
    using script = std::function<void(connection&)>;

    explicit scripted_server(script script);
    /// Listens on a unix socket, for CURLOPT_UNIX_SOCKET_PATH.
    scripted_server(script script, const std::filesystem::path& unix_socket);
    scripted_server(const scripted_server&) = delete;
    scripted_server& operator=(const scripted_server&) = delete;
    ~scripted_server();

    std::string url(std::string_view path = "/") const;
    /// How many connections there have been.
    std::size_t accepted() const;
    /// How many of them its side has not closed.
    std::size_t open() const;

private:
    scripted_server(script script, int listener);
    template <class Address> void listen(const Address& address);
    void accept_connections();
    void serve(int socket);

    script script_;
    int listener_;
    mutable std::mutex mutex_;
    std::condition_variable ended_;
    std::set<int> live_; // a socket is closed with the mutex held, so that these are always open
    std::size_t accepted_ = 0;
    std::thread acceptor_;
    std::optional<road_to> way_; // none to a unix socket
};

} // namespace curlicue::test
