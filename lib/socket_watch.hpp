// SPDX-License-Identifier: MIT
#pragma once

#include "timeout.hpp"
#include "uv_owned.hpp"
#include <curlicue/detail/recycled.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

#include <curl/curl.h>

namespace curlicue::detail {

class shard;

/// One descriptor of libcurl's under one `uv_poll_t`. Where we are told of its close it lives as
/// long as the descriptor: between two transfers it stays armed, so that the next one on the same
/// connection costs no system call.
///
/// If libuv refuses the descriptor (closed already, watched by the host, out of memory), libcurl is
/// asked to look for itself, at growing intervals: slower, but nothing hangs.
/// @threading loop-bound
class socket_watch final : public recycled, private timed_work {
public:
    class owner {
    public:
        /// @param by perhaps gone afterwards
        /// @param mask CURL_CSELECT_… bits; 0: let libcurl find out
        /// @returns false if libcurl is on the stack and cannot be told now: `resume` later
        virtual bool socket_ready(socket_watch& by, int mask) noexcept = 0;
        virtual timeout& timers() noexcept = 0;
        /// libcurl wants nothing of the socket of `by`, and now there is something to be read.
        virtual void idle_ready(shard& of, curl_socket_t socket, CURL* by) noexcept = 0;
        virtual void spin_tamed() noexcept = 0;
        /// How many bytes of bodies the transfers of a shard have sent and received.
        virtual curl_off_t carried(const shard& of) const noexcept = 0;
        /// Whether it is the handle of a transfer, and not one of libcurl's own.
        virtual bool is_ours(CURL* handle) const noexcept = 0;
        /// Whether the connections of a transfer begin with a TLS handshake.
        virtual bool begins_with_tls(CURL* transfer) const noexcept = 0;
        /// What libcurl is told next is perhaps a step of one.
        virtual void greets() noexcept = 0;
        /// Out of memory: what happens to a socket of this shard will not be heard.
        virtual void cannot_watch(shard& of) noexcept = 0;

    protected:
        ~owner() = default;
    };

    /// @param spare of an earlier descriptor of this number, or null
    socket_watch(uv_loop_t* loop, owner& told, shard& of, curl_socket_t socket,
                 intrusive_ptr<ref_counted> keep, uv_owned<uv_poll_t> spare);
    socket_watch(const socket_watch&) = delete;
    socket_watch& operator=(const socket_watch&) = delete;
    ~socket_watch();

    shard& of() const noexcept { return shard_; }
    curl_socket_t socket() const noexcept { return socket_; }
    /// A TLS handshake is to come.
    void will_greet() noexcept { greetings_ = most_greetings; }
    /// libcurl is about to be told that it is ready.
    void may_greet() noexcept {
        if (greetings_ != 0)
            greet();
    }

    /// What libcurl wants to hear of: CURL_POLL_IN, OUT, INOUT or NONE.
    /// @param same_descriptor we would know if it had been closed and opened since
    void want(int what, bool same_descriptor) noexcept;
    /// Whether libcurl ever wanted to read from it.
    bool connected() const noexcept { return connected_; }
    /// libcurl wants nothing of a descriptor that stays open. False if it is not watched.
    /// @param by whose transfer is over, or paused
    bool keep_idle(CURL* by) noexcept;
    /// Watches no more, since the descriptor is being closed; what is left may serve the next of
    /// its number. Null if it was not watched.
    uv_owned<uv_poll_t> release() noexcept;
    /// The same, after `idle_ready`: unless what was to be read still is.
    void stay_idle() noexcept;
    /// libcurl was told that it is ready, and did nothing that we would know of: it may have read.
    /// A descriptor that stays ready and of which libcurl reads nothing (8.20.0 leaves one so), and
    /// to which it writes nothing (SMB's), is looked at every 10 ms only, or it would have the
    /// processor for itself. Not so datagrams: a transfer of those makes no other sign.
    void nothing_came_of_it() noexcept;
    /// After `socket_ready` returned false.
    void suspend() noexcept;
    void resume() noexcept;
    bool suspended() const noexcept { return suspended_; }

private:
    friend class invariants;
    static void polled(uv_poll_t* poll, int status, int events) noexcept;
    void ready(int status, int events) noexcept;
    void idle_ready(int status) noexcept;
    void expired() noexcept override;
    void arm(int events) noexcept;
    void arm_anew(int events) noexcept;
    void disarm() noexcept;
    void take_error() const noexcept;
    void retry_later(std::chrono::milliseconds at_the_most) noexcept;
    bool suspicious() const noexcept;
    void suspect(int events) noexcept;
    void count_in_vain() noexcept;
    void set_aside(int events) noexcept;
    void greet() noexcept;

    // So many events are a connect, a CONNECT, and a handshake of TLS 1.2, at the most.
    static constexpr unsigned char most_greetings = 5;

    uv_loop_t* const loop_;
    owner& owner_;
    shard& shard_;
    const curl_socket_t socket_;
    int wanted_ = 0;             // UV_READABLE | UV_WRITABLE, what libcurl wants
    int armed_ = 0;              // the same, what libuv watches for
    CURL* idle_since_ = nullptr; // whose transfer had the connection last; perhaps gone
    bool connected_ = false;
    bool suspended_ = false;
    unsigned char greetings_ = 0; // that may be left
    std::chrono::milliseconds backoff_{0};
    // Of the spin guard: how often in a row nothing came of it, since when by the loop's clock, and
    // once that is suspicious, what there was before an event.
    struct traffic {
        int events;
        int unread, unsent; // bytes in the socket's buffers
        curl_off_t carried;
    };
    unsigned in_vain_ = 0;
    std::uint64_t in_vain_since_ = 0;
    std::optional<traffic> before_;
    intrusive_ptr<ref_counted> keep_;
    uv_owned<uv_poll_t> poll_;
};

} // namespace curlicue::detail
