// SPDX-License-Identifier: MIT
#include "fuzz/connections.hpp"

#include "easy_core.hpp"
#include "open_sockets.hpp"

#include <utility>

#include <curl/curl.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace curlicue::fuzz {
namespace {

constexpr int masks[] = {CURL_POLL_IN, CURL_POLL_OUT, CURL_POLL_INOUT, CURL_POLL_NONE};

void connect_pair(int& fd, int& peer) {
    int ends[2];
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    fd = ends[0];
    peer = ends[1];
}

// A datagram to a port where nobody listens: an error that is there once.
void refuse_datagram(int fd) {
    sockaddr_in nobody{};
    nobody.sin_family = AF_INET;
    nobody.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    nobody.sin_port = htons(1);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&nobody), sizeof nobody) == 0)
        static_cast<void>(::send(fd, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL));
}

} // namespace

connections::~connections() {
    for (auto& each : slots_)
        end(each);
}

void connections::act(test::fake_multi& multi, bytes& input) {
    auto& one = input.one_of(slots_);
    switch (input.below(7)) {
    case 0:
        return open(one, multi, input);
    case 1:
    case 2:
        return announce(one, multi, input.one_of(masks));
    case 3:
        return remove(one, multi);
    case 4:
        return close(one, multi, input);
    case 5: // closed and opened again, and nothing was said of it
        if (one.is == kind::plain && one.owner == &multi) {
            replace(one);
            announce(one, multi, input.one_of(masks));
        }
        return;
    default: // never opened
        multi.announce(-static_cast<curl_socket_t>(1 + input.below(8)), input.one_of(masks));
        multi.announce(1 << 30, CURL_POLL_REMOVE);
    }
}

void connections::open(slot& one, test::fake_multi& multi, bytes& input) {
    if (one.is != kind::none)
        return;
    switch (input.below(4)) {
    case 0:
        return open_waker(one, input.flip());
    case 1:
        one.is = kind::plain;
        return connect_pair(one.fd, one.peer);
    default:
        return open_told(one, multi);
    }
}

// As libcurl opens it for one of the transfers.
void connections::open_told(slot& one, test::fake_multi& multi) {
    for (CURL* const each : multi.easies) {
        const auto core = detail::easy_core::find(each);
        if (!core || !core->observer())
            continue;
        curl_sockaddr address{};
        address.family = AF_INET;
        address.socktype = SOCK_DGRAM | SOCK_NONBLOCK;
        one.is = kind::told;
        one.fd = detail::open_socket(core.get(), CURLSOCKTYPE_IPCXN, &address);
        one.owner = &multi;
        require(one.fd >= 0);
        return;
    }
}

void connections::open_waker(slot& one, bool broken) {
    one.is = kind::waker;
    if (!broken) {
        one.fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    } else { // an error that stays
        int ends[2];
        require(::pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
        ::close(ends[0]);
        one.fd = ends[1];
    }
    require(one.fd >= 0);
}

void connections::announce(slot& one, test::fake_multi& multi, int what) {
    if (one.is == kind::none)
        return;
    if (one.owner != nullptr && one.owner != &multi) {
        if (one.is != kind::plain)
            return;   // it lives as long as its multi handle, or until it tells
        replace(one); // the other has closed its own without a word
    }
    one.owner = &multi;
    one.wanted = true;
    one.read = one.read || (what & CURL_POLL_IN) != 0;
    multi.announce(one.fd, what);
}

// Also one that is not wanted, that another has, or that is not open.
void connections::remove(slot& one, test::fake_multi& multi) {
    multi.announce(one.is != kind::none ? one.fd : 999, CURL_POLL_REMOVE);
    if (one.owner != &multi)
        return;
    one.wanted = false;
    if (one.is == kind::plain)
        one.owner = nullptr;
}

void connections::replace(slot& one) {
    int fd = -1, peer = -1;
    connect_pair(fd, peer);
    require(::dup2(fd, one.fd) == one.fd);
    ::close(fd);
    ::close(std::exchange(one.peer, peer));
}

void connections::close(slot& one, test::fake_multi& multi, bytes& input) {
    if (one.is == kind::none || one.is == kind::waker)
        return;
    if (one.owner != nullptr && one.owner != &multi)
        return;
    if (one.is == kind::plain) {
        const bool late = input.flip(); // its REMOVE comes when it is closed
        if (!late && one.wanted)
            remove(one, multi);
        ::close(one.fd);
        if (one.wanted)
            multi.announce(one.fd, CURL_POLL_REMOVE);
        ::close(one.peer);
        one = {};
        return;
    }
    if (input.flip() && one.wanted)
        remove(one, multi);
    // What was never connected, 7.88 closes without a word (cf-socket.c, cf_socket_close).
    const bool silently = !one.wanted && !one.read &&
                          curl_version_info(CURLVERSION_NOW)->version_num < 0x080200 &&
                          input.flip();
    if (silently) {
        ::close(one.fd);
        one = {};
    } else {
        end(one);
    }
}

void connections::end(slot& one) {
    if (one.is == kind::told)
        detail::close_socket(nullptr, one.fd);
    else if (one.is != kind::none)
        ::close(one.fd);
    if (one.peer >= 0)
        ::close(one.peer);
    one = {};
}

void connections::cleaned_up(const test::fake_multi& multi) {
    for (auto& each : slots_)
        if (each.owner == &multi)
            end(each);
}

void connections::disturb(bytes& input) const {
    const auto& one = input.one_of(slots_);
    const auto how = input.below(4);
    char ignored[64];
    switch (one.is) {
    case kind::none:
        break;
    case kind::plain:
        if (how == 0)
            ::shutdown(one.peer, SHUT_RDWR);
        else if (how == 1)
            static_cast<void>(::read(one.fd, ignored, sizeof ignored));
        else
            static_cast<void>(::send(one.peer, "x", 1, MSG_NOSIGNAL));
        break;
    case kind::told:
        refuse_datagram(one.fd);
        break;
    case kind::waker:
        ::eventfd_write(one.fd, 1);
        break;
    }
}

} // namespace curlicue::fuzz
