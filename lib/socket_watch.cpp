// SPDX-License-Identifier: MIT
#include "socket_watch.hpp"

#include <algorithm>
#include <utility>

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#ifdef __linux__
#include <linux/sockios.h>
#endif

namespace curlicue::detail {
namespace {

using namespace std::chrono_literals;
constexpr auto longest_backoff = 100ms;

// So many events in so short a time, of which nothing came, and then some of which libcurl read
// nothing: no transfer makes those.
constexpr unsigned most_in_vain = 1000;
constexpr std::uint64_t vain_time = 1000; // milliseconds
constexpr unsigned proofs = 8;
constexpr auto spin_backoff = 10ms;

/// -1 if the descriptor does not tell.
int bytes_to_read(curl_socket_t descriptor) noexcept {
    int count = -1;
    return ::ioctl(descriptor, FIONREAD, &count) == 0 ? count : -1;
}

/// Likewise.
int bytes_to_send([[maybe_unused]] curl_socket_t descriptor) noexcept {
#ifdef SIOCOUTQ
    int count = -1;
    return ::ioctl(descriptor, SIOCOUTQ, &count) == 0 ? count : -1;
#else
    return -1;
#endif
}

/// FIONREAD tells of its next datagram alone.
bool has_datagrams(curl_socket_t descriptor) noexcept {
    int type = 0;
    socklen_t size = sizeof type;
    return ::getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM;
}

bool is_readable(curl_socket_t descriptor) noexcept {
    pollfd asked{.fd = descriptor, .events = POLLIN, .revents = 0};
    return ::poll(&asked, 1, 0) != 0;
}

constexpr int uv_events(int what) noexcept {
    return ((what & CURL_POLL_IN) != 0 ? UV_READABLE : 0) |
           ((what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0);
}

// On POSIX the one is the other (uv_poll_init_socket, unix/poll.c), which Julia's libuv lacks.
int init_poll(uv_loop_t* loop, uv_poll_t* poll, curl_socket_t socket) noexcept {
#ifdef _WIN32
    return uv_poll_init_socket(loop, poll, socket);
#else
    return uv_poll_init(loop, poll, socket);
#endif
}

constexpr int select_bits(int events) noexcept {
    return ((events & UV_READABLE) != 0 ? CURL_CSELECT_IN : 0) |
           ((events & UV_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0);
}

} // namespace

socket_watch::socket_watch(uv_loop_t* loop, owner& told, shard& of, curl_socket_t socket,
                           intrusive_ptr<ref_counted> keep, uv_owned<uv_poll_t> spare)
    : loop_(loop), owner_(told), shard_(of), socket_(socket), keep_(std::move(keep)),
      poll_(std::move(spare)) {
    if (poll_)
        poll_->owner = this;
}

socket_watch::~socket_watch() { owner_.timers().stop(*this); }

void socket_watch::want(int what, bool same_descriptor) noexcept {
    wanted_ = uv_events(what);
    connected_ = connected_ || (wanted_ & UV_READABLE) != 0;
    if (suspended_)
        return;
    if (wanted_ == 0)
        disarm();
    else if (wanted_ != armed_ || !same_descriptor)
        arm(wanted_);
}

bool socket_watch::keep_idle(CURL* by) noexcept {
    if (!poll_)
        return false;
    wanted_ = 0;
    idle_since_ = by;
    // A connection that waits in the pool is always writable; after an error it is not watched.
    if (!suspended_ && armed_ != UV_READABLE)
        arm(UV_READABLE);
    return true;
}

void socket_watch::stay_idle() noexcept {
    if (wanted_ == 0 && !suspended_ && poll_ && !is_readable(socket_))
        arm(UV_READABLE);
}

uv_owned<uv_poll_t> socket_watch::release() noexcept {
    disarm();
    return std::move(poll_);
}

bool socket_watch::suspicious() const noexcept { return in_vain_ >= most_in_vain; }

void socket_watch::count_in_vain() noexcept {
    const auto now = uv_now(loop_);
    if (in_vain_ == 0 || now - in_vain_since_ > vain_time) {
        in_vain_ = 0;
        in_vain_since_ = now;
    }
    ++in_vain_;
}

[[gnu::noinline]] void socket_watch::nothing_came_of_it() noexcept {
    if (!suspicious())
        return count_in_vain();
    const auto before = std::exchange(before_, std::nullopt);
    if (!before || bytes_to_read(socket_) < before->unread ||
        bytes_to_send(socket_) != before->unsent || owner_.carried(shard_) != before->carried ||
        has_datagrams(socket_)) {
        in_vain_ = 0;
    } else if (in_vain_ < most_in_vain + proofs) {
        ++in_vain_;
    } else if (armed_ != 0) {
        set_aside(before->events);
    }
}

// A server's answer is heard at once all the same.
void socket_watch::set_aside(int events) noexcept {
    owner_.spin_tamed();
    if (const auto rest = wanted_ & ~events; rest == UV_READABLE)
        arm(rest);
    else
        disarm();
    retry_later(spin_backoff);
}

void socket_watch::suspect(int events) noexcept {
    if (before_) // of the last event something came
        in_vain_ = 0;
    else
        before_ = {events, bytes_to_read(socket_), bytes_to_send(socket_), owner_.carried(shard_)};
}

[[gnu::noinline]] void socket_watch::greet() noexcept {
    --greetings_;
    owner_.greets();
}

void socket_watch::suspend() noexcept {
    suspended_ = true;
    disarm();
}

void socket_watch::resume() noexcept {
    if (!std::exchange(suspended_, false))
        return;
    if (wanted_ != 0)
        arm_anew(wanted_);
    else if (poll_)
        arm_anew(UV_READABLE);
}

void socket_watch::polled(uv_poll_t* poll, int status, int events) noexcept {
    owner_of<socket_watch>(poll).ready(status, events);
}

void socket_watch::ready(int status, int events) noexcept {
    if (wanted_ == 0)
        return idle_ready(status);
    if (suspicious())
        suspect(events);
    // On an error libuv has stopped the poll and says UV_EBADF whatever it was (uv__poll_io).
    // libcurl finds out itself: told CURL_CSELECT_ERR, it would drop what is still to be read.
    if (status < 0) {
        armed_ = 0;
        retry_later(longest_backoff);
    } else if (!suspicious()) {
        backoff_ = 0ms;
    }
    if (!owner_.socket_ready(*this, select_bits(events))) {
        suspend(); // libcurl is on the stack, in a loop that one of its callbacks runs
    }
    // No line here: libcurl may have closed the socket, and this object with it.
}

// Either libcurl has read what came while the loop called for another socket, or the server has
// closed an idle connection, which libcurl finds out when it wants to use it; or the transfer is
// paused, or one for which libcurl asks for too little.
[[gnu::noinline]] void socket_watch::idle_ready(int status) noexcept {
    if (status >= 0 && !is_readable(socket_))
        return;
    disarm();
    if (owner_.is_ours(idle_since_))
        owner_.idle_ready(shard_, socket_, idle_since_); // No line after this: see `ready`
    else if (status < 0)
        take_error();
}

void socket_watch::expired() noexcept {
    if (wanted_ == 0 || suspended_)
        return;
    arm_anew(wanted_);
    if (armed_ == 0)
        owner_.socket_ready(*this, 0); // retry_later() has started the timer again
}

[[gnu::noinline]] void socket_watch::arm(int events) noexcept {
    int status = 0;
    if (!poll_) {
        try {
            poll_ = make_uv<uv_poll_t>(keep_, this, status, [this](uv_poll_t* poll) {
                return init_poll(loop_, poll, socket_);
            });
        } catch (const std::bad_alloc&) {
            status = UV_ENOMEM;
        }
        if (poll_)
            uv_unref(uv_closer::as_handle(poll_.get()));
    }
    if (status == 0)
        status = uv_poll_start(poll_.get(), events, &socket_watch::polled);
    armed_ = status == 0 ? events : 0;
    if (status != 0)
        retry_later(longest_backoff);
}

// After a while in which libcurl may have closed the descriptor without a word: libuv finds that
// out of a new handle (uv_poll_init), and for an old one it ends the process (uv__io_poll,
// epoll_ctl).
void socket_watch::arm_anew(int events) noexcept {
    poll_.reset();
    arm(events);
}

void socket_watch::disarm() noexcept {
    if (poll_ && armed_ != 0)
        uv_poll_stop(poll_.get());
    armed_ = 0;
}

// libcurl 7.88 takes an idle connection for alive whose first read fails (Curl_connalive in
// cf-socket.c sees only a FIN), and a transfer that meets more than five such ones fails
// (Curl_retry_request). Once the error of a reset is taken, what is left looks like a FIN. A
// transfer that is paused must hear of the reset: a FIN may be the end of its body.
void socket_watch::take_error() const noexcept {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, reinterpret_cast<char*>(&error), &size);
}

[[gnu::noinline]] void socket_watch::retry_later(std::chrono::milliseconds at_the_most) noexcept {
    backoff_ = std::clamp(2 * backoff_, std::chrono::milliseconds(1ms), at_the_most);
    try {
        owner_.timers().start(*this, timeout::clock::now() + backoff_);
    } catch (const std::bad_alloc&) {
        owner_.cannot_watch(shard_);
    }
}

} // namespace curlicue::detail
