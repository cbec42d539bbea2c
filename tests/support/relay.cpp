// SPDX-License-Identifier: MIT
#include "support/relay.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <list>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace curlicue::test {
namespace {

using clock = std::chrono::steady_clock;

// What may be on its way in one direction; whoever says more has to wait.
constexpr std::size_t window = 1 << 20;

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

int tcp_socket(int flags = 0) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return socket;
}

int connected_to(std::uint16_t port) {
    const int socket = tcp_socket();
    const auto address = loopback(port);
    ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    return socket;
}

/// Where the port of "scheme://host:port/path" is.
std::pair<std::size_t, std::size_t> port_in(std::string_view url) {
    const auto begin = url.find(':', url.find("://") + 3) + 1;
    return {begin, std::min(url.find_first_not_of("0123456789", begin), url.size()) - begin};
}

std::uint16_t port_of(std::string_view url) {
    const auto [begin, size] = port_in(url);
    return static_cast<std::uint16_t>(std::stoi(std::string(url.substr(begin, size))));
}

// What one end has said and the other has not heard yet.
class direction {
public:
    direction(int from, int to, clock::duration way) noexcept : from_(from), to_(to), way_(way) {}

    bool hears() const noexcept { return !ended_ && size_ < window; }
    bool over() const noexcept { return ended_ && pieces_.empty(); }
    std::optional<clock::time_point> due() const {
        return pieces_.empty() ? std::nullopt : std::optional(pieces_.front().due);
    }
    void hear(clock::duration thought = {}) {
        std::array<char, 16384> chunk{};
        const auto size = ::recv(from_, chunk.data(), chunk.size(), MSG_DONTWAIT);
        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        ended_ = size <= 0;
        const auto what = size > 0 ? piece::text : size < 0 || reset_ ? piece::reset : piece::end;
        const auto heard = static_cast<std::size_t>(std::max<ssize_t>(size, 0));
        pieces_.push_back({clock::now() + way_ + thought, what, {chunk.data(), heard}});
        size_ += heard;
    }
    /// The end that speaks takes nothing any more: what it has said is followed by a reset.
    void hear_of_reset() {
        if (!std::exchange(reset_, true) && ended_)
            pieces_.push_back({clock::now() + way_, piece::reset, {}});
    }
    enum class said { well, to_nobody, reset };
    said say(clock::time_point now) {
        for (; waits(now); pieces_.pop_front()) {
            auto& [due, what, text] = pieces_.front();
            if (what == piece::reset) {
                const linger none{.l_onoff = 1, .l_linger = 0};
                ::setsockopt(to_, SOL_SOCKET, SO_LINGER, &none, sizeof none);
                return said::reset;
            }
            if (what == piece::end) {
                ::shutdown(to_, SHUT_WR);
                continue;
            }
            const auto size = ::send(to_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (size < 0)
                return errno == EAGAIN || errno == EINTR ? said::well : to_nobody();
            size_ -= static_cast<std::size_t>(size);
            text.erase(0, static_cast<std::size_t>(size));
            if (!text.empty())
                break;
        }
        return said::well;
    }
    bool waits(clock::time_point now) const { return due() && *due() <= now; }
    void forget() {
        pieces_.clear();
        size_ = 0;
    }

private:
    struct piece {
        clock::time_point due;
        enum { text, end, reset } what;
        std::string said;
    };
    said to_nobody() {
        forget();
        ended_ = true;
        return said::to_nobody;
    }
    const int from_, to_;
    const clock::duration way_;
    std::deque<piece> pieces_;
    std::size_t size_ = 0;
    bool ended_ = false;
    bool reset_ = false;
};

} // namespace

class relay::connection {
public:
    connection(int client, std::uint16_t server, const road& like)
        : client_(client), server_(connected_to(server)), like_(like),
          there_(client_, server_, like.way), back_(server_, client_, like.way) {}
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    ~connection() {
        ::close(client_);
        ::close(server_);
    }

    void ask(std::vector<pollfd>& all, bool vanished, clock::time_point now) const {
        const auto end = [now](int socket, const direction& heard, const direction& said) {
            const int events = (heard.hears() ? POLLIN : 0) | (said.waits(now) ? POLLOUT : 0);
            // One that nobody asks for would tell of its end again and again.
            return pollfd{events != 0 ? socket : -1, static_cast<short>(events), 0};
        };
        all.push_back(vanished ? pollfd{client_, POLLIN, 0} : end(client_, there_, back_));
        all.push_back(vanished ? pollfd{-1, 0, 0} : end(server_, back_, there_));
    }
    std::optional<clock::time_point> due() const {
        const auto first = there_.due();
        const auto second = back_.due();
        return first && second ? std::min(*first, *second) : first ? first : second;
    }
    /// False once it is over.
    bool go_on(const pollfd& client, const pollfd& server, bool vanished) {
        if (vanished)
            return swallow(client);
        if (client.revents != 0 && there_.hears()) {
            asked_ = true;
            there_.hear();
        }
        if (server.revents != 0 && back_.hears()) {
            const auto now = clock::now();
            if (std::exchange(asked_, false)) // what follows an answer's beginning comes with it
                thinks_until_ = now + like_.thought;
            back_.hear(std::max(thinks_until_ - now, clock::duration::zero()));
        }
        const auto now = clock::now();
        return say(there_, back_, now) && say(back_, there_, now) &&
               !(there_.over() && back_.over());
    }

private:
    /// False if that was a reset.
    static bool say(direction& one, direction& other, clock::time_point now) {
        const auto how = one.say(now);
        if (how == direction::said::to_nobody)
            other.hear_of_reset();
        return how != direction::said::reset;
    }
    /// The server has gone: what the client says is lost, and its end alone is seen.
    bool swallow(const pollfd& client) {
        there_.forget();
        back_.forget();
        std::array<char, 16384> chunk{};
        return client.revents == 0 || ::recv(client_, chunk.data(), chunk.size(), MSG_DONTWAIT) > 0;
    }

    const int client_, server_;
    const road like_;
    direction there_, back_;
    bool asked_ = false;
    clock::time_point thinks_until_{};
};

relay::relay(std::uint16_t server, road like)
    : server_(server), like_(like), listener_(tcp_socket(SOCK_NONBLOCK)),
      waker_(::eventfd(0, EFD_CLOEXEC)) {
    auto address = loopback(0);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, any, size) != 0 || ::listen(listener_, SOMAXCONN) != 0 ||
        ::getsockname(listener_, any, &size) != 0)
        throw std::system_error(errno, std::generic_category(), "relay");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
}

relay::relay(std::string_view url, road like) : relay(port_of(url), like) {}

relay::~relay() {
    {
        const std::lock_guard lock(mutex_);
        over_ = true;
    }
    tell();
    thread_.join();
    ::close(listener_);
    ::close(waker_);
}

std::string relay::url(std::string_view direct) const {
    const auto [begin, size] = port_in(direct);
    return std::string(direct).replace(begin, size, std::to_string(port_));
}

void relay::vanish() {
    {
        const std::lock_guard lock(mutex_);
        vanished_ = true;
    }
    tell();
}

void relay::tell() const { ::eventfd_write(waker_, 1); }

std::size_t relay::accepted() const {
    const std::lock_guard lock(mutex_);
    return accepted_;
}

std::size_t relay::open() const {
    const std::lock_guard lock(mutex_);
    return open_;
}

void relay::run() {
    std::list<connection> connections;
    std::vector<pollfd> ready;
    for (bool vanished = false;;) {
        const auto now = clock::now();
        ready.assign({{waker_, POLLIN, 0}, {listener_, POLLIN, 0}});
        int wait = -1;
        for (const auto& each : connections) {
            each.ask(ready, vanished, now);
            if (const auto due = each.due(); due && *due > now) {
                const auto left = std::chrono::ceil<std::chrono::milliseconds>(*due - now).count();
                wait = wait < 0 ? static_cast<int>(left) : std::min(wait, static_cast<int>(left));
            }
        }
        ::poll(ready.data(), ready.size(), wait);
        {
            const std::lock_guard lock(mutex_);
            if (over_)
                return;
            vanished = vanished_;
        }
        if (eventfd_t told = 0; ready[0].revents != 0)
            ::eventfd_read(waker_, &told);
        auto end = ready.begin() + 2;
        for (auto each = connections.begin(); each != connections.end(); end += 2)
            each =
                each->go_on(end[0], end[1], vanished) ? std::next(each) : connections.erase(each);
        int client = -1;
        std::size_t taken = 0;
        while (ready[1].revents != 0 &&
               (client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0) {
            connections.emplace_back(client, server_, like_);
            ++taken;
        }
        const std::lock_guard lock(mutex_);
        accepted_ += taken;
        open_ = connections.size();
    }
}

} // namespace curlicue::test
