// SPDX-License-Identifier: MIT
#pragma once

#include "easy_core.hpp"
#include "uv_owned.hpp"
#include <curlicue/detail/executor_link.hpp>
#include <curlicue/future.hpp>

#include <curl/curl.h>
#include <uv.h>

namespace curlicue::detail {

/// The connection of a CONNECT_ONLY transfer that is over (CURLINFO_ACTIVESOCKET), whose user waits
/// until there is something to read or room to write: each wait is for once.
///
/// It is watched under a descriptor of our own, a dup(2): libuv has one watch for a descriptor,
/// which the user may have, and libcurl may close its own without a word.
/// @threading loop-bound
class active_socket {
public:
    class owner {
    public:
        /// Call `tell` where and when it suits.
        virtual void socket_event(active_socket& which, int events) noexcept = 0;
        /// One more waits for a socket, or one less: the loop is held for them.
        virtual void waits_for_socket(bool begins) noexcept = 0;

    protected:
        ~owner() = default;
    };

    /// @throws std::system_error if there is no descriptor to be had, or libuv refuses
    active_socket(uv_loop_t* loop, owner& told, curl_socket_t socket,
                  intrusive_ptr<ref_counted> keep);
    active_socket(const active_socket&) = delete;
    active_socket& operator=(const active_socket&) = delete;
    /// Who still waits is cancelled.
    ~active_socket();

    /// @throws usage_error{errc::closed}
    future<void> wait_for(ready_for what, const intrusive_ptr<executor_link>& home);
    /// @param events of libuv's
    void tell(int events) noexcept;

private:
    class wait_state;
    struct descriptor {
        explicit descriptor(curl_socket_t socket);
        descriptor(const descriptor&) = delete;
        descriptor& operator=(const descriptor&) = delete;
        ~descriptor();
        const int number;
    };
    // In one of the lists below.
    struct place final : list_node {
        explicit place(wait_state& whose) noexcept : owner(whose) {}
        wait_state& owner;
    };

    static void polled(uv_poll_t* poll, int status, int events) noexcept;
    intrusive_list<place>& waiting_for(ready_for what) noexcept {
        return what == ready_for::reading ? readers_ : writers_;
    }
    int wanted() const noexcept;
    int arm() noexcept;

    owner& owner_;
    const descriptor descriptor_; // closed after the poll
    uv_owned<uv_poll_t> poll_;
    int armed_ = 0; // what libuv watches for
    intrusive_list<place> readers_;
    intrusive_list<place> writers_;
};

} // namespace curlicue::detail
