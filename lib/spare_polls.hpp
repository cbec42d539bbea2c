// SPDX-License-Identifier: MIT
#pragma once

#include "uv_owned.hpp"

#include <utility>
#include <vector>

#include <curl/curl.h>

namespace curlicue::detail {

/// Poll handles of connections that were closed, each for the next descriptor of its number: libuv
/// looks at a descriptor with three system calls when it inits a handle for it.
///
/// None of them lives until the loop polls again. Closing one makes the loop's epoll forget the
/// number, which the host may watch by then; but libuv tells epoll of a watch only when it polls.
/// @threading loop-bound
class spare_polls {
public:
    /// @throws std::system_error in `uv_category()`, std::bad_alloc
    spare_polls(uv_loop_t* loop, const intrusive_ptr<ref_counted>& keep);

    /// @param poll of `socket`, stopped
    void keep(curl_socket_t socket, uv_owned<uv_poll_t> poll) noexcept;
    /// The one of that number, or null.
    uv_owned<uv_poll_t> take(curl_socket_t socket) noexcept;
    void clear() noexcept { spares_.clear(); }

private:
    std::vector<std::pair<curl_socket_t, uv_owned<uv_poll_t>>> spares_;
    uv_owned<uv_prepare_t> before_poll_;
};

} // namespace curlicue::detail
