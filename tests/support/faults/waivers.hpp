// SPDX-License-Identifier: MIT
#pragma once

#include "support/faults/in_child.hpp"

namespace curlicue::test {

/// Where the libraries end the process when there is no memory: the library and, of a stripped one,
/// the exported function before the place. Never ours.
inline const places& upstream_dies_of_no_memory() {
    static const places all{
        // libuv 1.44: maybe_resize (core.c), when the table of watchers cannot grow.
        "libuv.so.1 uv_poll_start",
        "libuv.so.1 uv_async_init",
        "libuv.so.1 uv_signal_init",
        // libcurl 8.14: cf_h2_shutdown hands nghttp2 a session that could not be made.
        "libnghttp2.so.14 nghttp2_session_mem_recv2",
    };
    return all;
}

/// Likewise, when the system refuses a call that they cannot do without.
inline const places& upstream_dies_of_a_refused_call() {
    static const places all{
        // libuv 1.44: uv__io_poll, when epoll_ctl refuses a descriptor.
        "libuv.so.1 uv_run",
        // libuv 1.44: uv__io_check_fd, when epoll_ctl does not take back what it took to try.
        "libuv.so.1 uv_poll_init",
    };
    return all;
}

} // namespace curlicue::test
