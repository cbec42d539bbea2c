// SPDX-License-Identifier: MIT
#pragma once

#include "easy_core.hpp"
#include "engine_counters.hpp"
#include "socket_watch.hpp"
#include "spare_polls.hpp"
#include <curlicue/detail/executor_link.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <sys/types.h>

namespace curlicue::detail {

/// Which descriptors are watched, by their number: libcurl's own `socketp` is lost at times (in the
/// cleanup of 8.10, say), and its REMOVE may be missing, doubled or for a descriptor never named.
///
/// It also hears of each connection's socket being opened and closed, on easies that we own; those
/// watches stay for the life of the connection. So does the one of what wakes a multi handle up,
/// for the life of the multi handle. All others end at REMOVE, since libuv must not touch the
/// number of a descriptor that was closed: it may be the host's by now.
/// @threading loop-bound; what it hears on other threads it ignores
class socket_table final : public socket_observer {
public:
    class owner : public socket_watch::owner {
    public:
        /// A user's CLOSESOCKETFUNCTION threw, with no transfer left to fail for it.
        virtual void close_callback_failed(std::exception_ptr failure) noexcept = 0;

    protected:
        ~owner() = default;
    };

    /// @throws std::system_error in `uv_category()`, std::bad_alloc
    socket_table(uv_loop_t* loop, const executor& home, owner& told,
                 intrusive_ptr<ref_counted> keep);

    /// @param by, what as libcurl's socket callback has them
    /// @throws std::bad_alloc
    void announce(shard& of, CURL* by, curl_socket_t socket, int what);
    /// libcurl was told that it is ready, and did nothing that we would know of.
    void nothing_came_of_it(curl_socket_t socket) noexcept;
    /// How often libcurl has said anything of a socket. What it says of a transfer's comes after
    /// the transfer has started: the `CURL*` alone may be an earlier one's.
    std::uint64_t announced() const noexcept { return announced_; }
    /// Of whose transfer libcurl has named this one last; null if none. It may be over.
    CURL* user_of(curl_socket_t socket) noexcept;
    /// Shuts the sockets of a transfer down that is not over.
    /// @param since `announced` when it started
    void hang_up(CURL* by, std::uint64_t since) noexcept;
    /// After `idle_ready`; or else `resume` comes later.
    void stay_idle(curl_socket_t socket) noexcept;
    void suspend(curl_socket_t socket) noexcept;
    /// The connection of an easy that connects only is the user's, who may want to watch it by
    /// other means: libuv has one watch for a descriptor.
    void leave_to_user(const easy_core& core) noexcept;
    /// It is ready, and comes to be driven after those that were put off before.
    /// @returns false if there are too many of them already
    bool put_off(curl_socket_t socket) noexcept;
    bool any_put_off() const noexcept { return !put_off_.empty(); }
    struct watched {
        shard& of;
        curl_socket_t socket;
    };
    /// The first that was put off and is still watched; it is not put off any more.
    std::optional<watched> next_put_off() noexcept;
    /// Ends the watches of a shard whose multi handle is about to go.
    void forget(const shard& of) noexcept;
    /// Arms what was suspended while libcurl was on the stack.
    void resume() noexcept;
    /// Ends all watches, and begins no new ones.
    void close() noexcept;
    /// How many sockets are watched. Thread-safe.
    std::size_t size() const noexcept { return size_.value(); }

    void opened(curl_socket_t socket) noexcept override;
    void closing(curl_socket_t socket) noexcept override;
    void callback_failed(std::exception_ptr failure) noexcept override;

private:
    friend class invariants;
    struct entry {
        std::unique_ptr<socket_watch> watch;
        bool tells_of_close = false;
        bool wakes_libcurl = false;
        CURL* by = nullptr; // for whom libcurl wanted something of it last, or nothing more
        std::uint64_t announcement = 0;
        std::optional<ino_t> identity; // where it may still be open, though it is not watched
        bool put_off = false;
    };
    entry& at(curl_socket_t socket);
    void grow(std::size_t least);
    entry* find(curl_socket_t socket) noexcept;
    void leave(entry& known, CURL* by, curl_socket_t socket) noexcept;
    void begin(entry& known, shard& of, CURL* by, curl_socket_t socket);
    void end(entry& known) noexcept;
    bool may_stay(const entry& known, CURL* by, curl_socket_t socket) const noexcept;
    // Easies that were added here may open sockets elsewhere later, and when we are gone.
    bool here() const noexcept { return home_->runs_here() && !closed_; }

    uv_loop_t* const loop_;
    const bool every_close_is_told_;
    const intrusive_ptr<executor_link> home_;
    bool closed_ = false;
    std::uint64_t announced_ = 0;
    owner& owner_;
    intrusive_ptr<ref_counted> keep_;
    std::vector<entry> entries_;         // descriptors are small numbers
    std::vector<curl_socket_t> put_off_; // in their order
    std::optional<spare_polls> spares_;
    counter size_;
};

} // namespace curlicue::detail
