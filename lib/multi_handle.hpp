// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <curl/curl.h>

namespace curlicue::detail {

/// What libcurl tells the owner of a multi handle. libcurl is on the stack meanwhile. The CURL* may
/// be libcurl's own (DoH, shutdown, admin handles): compare it, never ask it anything.
class multi_events {
public:
    /// @param what CURL_POLL_…
    /// @param socketp what `assign` gave this socket; libcurl loses it at times
    /// @returns 0, or -1 to break every transfer of the multi
    virtual int on_socket(CURL* easy, curl_socket_t socket, int what, void* socketp) noexcept = 0;
    /// @param timeout_ms -1: stop the timer; 0: call `socket_action` soon, not from here
    /// @returns 0, or -1 to break every transfer of the multi
    virtual int on_timer(long timeout_ms) noexcept = 0;
    /// @param notification CURLMNOTIFY_…: a hint, which may be late, doubled or missing
    virtual void on_notify(unsigned notification, CURL* easy) noexcept = 0;

protected:
    ~multi_events() = default;
};

/// A copy of libcurl's CURLMsg, which itself dies when its handle is removed.
struct finished_transfer {
    CURL* handle;
    CURLcode result;
};

/// A CURLM*: the only room that calls curl_multi_*(). Knows whether libcurl is on the stack, and
/// sets CURLMOPT_QUICK_EXIT, without which libcurl >= 8.20 waits in the cleanup for name lookups.
/// All calls tell libcurl's own code; on a cleaned up handle that is CURLM_BAD_HANDLE.
/// @threading one thread at a time, but for `wakeup`
class multi_handle {
public:
    /// @param events told nothing until it listens; outlives this
    /// @throws std::bad_alloc, std::system_error if libcurl cannot be initialised
    explicit multi_handle(multi_events& events);
    multi_handle(const multi_handle&) = delete;
    multi_handle& operator=(const multi_handle&) = delete;
    ~multi_handle();

    /// Null from the moment `cleanup` begins.
    CURLM* get() const noexcept { return multi_; }
    /// Whether libcurl is on the stack, in a call made here.
    bool inside() const noexcept { return depth_ > 0; }
    /// Around calls of libcurl's with an easy of it that are made elsewhere.
    void enter() noexcept { ++depth_; }
    void leave() noexcept { --depth_; }

    CURLMcode add(CURL* easy) noexcept;
    CURLMcode remove(CURL* easy) noexcept;
    CURLMcode perform(int& running) noexcept;
    /// @param mask CURL_CSELECT_… bits; CURL_CSELECT_ERR alone would lose complete responses
    CURLMcode socket_action(curl_socket_t socket, int mask, int& running) noexcept;
    CURLMcode socket_all(int& running) noexcept;
    /// The next finished transfer; its handle stays added. Not from inside a callback.
    std::optional<finished_transfer> info_read() noexcept;

    CURLMcode fdset(fd_set& read, fd_set& write, fd_set& except, int& highest) noexcept;
    /// Sleeps until a descriptor is ready, `wakeup`, libcurl's timeout or `timeout_ms`.
    CURLMcode poll(std::span<curl_waitfd> extra, int timeout_ms, int& ready) noexcept;
    /// @threading thread-safe, against everything but `cleanup`
    CURLMcode wakeup() noexcept;
    /// @param timeout_ms -1: libcurl waits for no time
    CURLMcode timeout(long& timeout_ms) noexcept;

    /// A number, as `long` or `curl_off_t`, whichever the option's own number says.
    CURLMcode setopt(CURLMoption option, curl_off_t value) noexcept;
    CURLMcode assign(curl_socket_t socket, void* socketp) noexcept;

    CURLMcode listen_sockets(bool on) noexcept;
    CURLMcode listen_timer(bool on) noexcept;
    /// @returns CURLM_UNKNOWN_OPTION below libcurl 8.17
    CURLMcode listen_notify(bool on) noexcept;
    /// Whether this libcurl has notifications (>= 8.17); without, do not call these two.
    static bool can_notify() noexcept;
    CURLMcode notify_enable(unsigned notification) noexcept;
    CURLMcode notify_disable(unsigned notification) noexcept;

    /// curl_easy_pause, the one easy call that runs the callbacks of a multi.
    CURLcode pause(CURL* easy, int bitmask) noexcept;

    /// Idempotent. libcurl calls back during it, and may name sockets never seen before.
    CURLMcode cleanup() noexcept;

private:
    class scope;

    CURLM* multi_;
    multi_events* events_;
    int depth_ = 0;
};

/// The numbers that a user gave a multi, to give them to another one too.
class remembered_options {
public:
    /// Room for one more: `remember` does not throw then.
    /// @throws std::bad_alloc
    void make_room() { values_.reserve(values_.size() + 1); }
    void remember(CURLMoption option, curl_off_t value);
    /// Whether there is an option that `is_such(option)`, with a number that is not 0.
    template <class Predicate> bool any(Predicate is_such) const {
        return std::any_of(values_.begin(), values_.end(), [&](const auto& each) {
            return each.second != 0 && is_such(each.first);
        });
    }

    auto begin() const noexcept { return values_.begin(); }
    auto end() const noexcept { return values_.end(); }

private:
    std::vector<std::pair<CURLMoption, curl_off_t>> values_;
};

} // namespace curlicue::detail
