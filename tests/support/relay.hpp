// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace curlicue::test {

/// The way to a server that is far away, that thinks, or that goes without a word: hands on what
/// the clients and the server say, resets too, as late as it is told to. It does so in a thread of
/// its own; its destructor cuts all connections.
class relay {
public:
    struct road {
        std::chrono::milliseconds way{0};     ///< each way, half of a round trip
        std::chrono::milliseconds thought{0}; ///< more, before each answer
    };

    /// @param server its port of 127.0.0.1
    /// @throws std::system_error if it cannot listen
    relay(std::uint16_t server, road like);
    /// @param url of the server, with its port
    relay(std::string_view url, road like);
    relay(const relay&) = delete;
    relay& operator=(const relay&) = delete;
    ~relay();

    std::uint16_t port() const noexcept { return port_; }
    /// The same URL of that server, by this way.
    std::string url(std::string_view direct) const;

    /// From now on nothing gets through in either direction, and nobody is told: neither of what
    /// was on its way, nor of an end. Connections are taken, and nothing comes of them.
    void vanish();
    /// How many connections there have been.
    std::size_t accepted() const;
    /// How many of them neither side has ended.
    std::size_t open() const;

private:
    class connection;

    void run();
    void tell() const;

    const std::uint16_t server_;
    const road like_;
    int listener_ = -1;
    int waker_ = -1;
    std::uint16_t port_ = 0;
    mutable std::mutex mutex_;
    bool vanished_ = false;
    bool over_ = false;
    std::size_t accepted_ = 0;
    std::size_t open_ = 0;
    std::thread thread_;
};

} // namespace curlicue::test
