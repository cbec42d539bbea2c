// SPDX-License-Identifier: MIT
#pragma once

#include "easy_core.hpp"
#include "process.hpp"

#include <mutex>
#include <vector>

#include <curl/curl.h>

namespace curlicue::detail {

/// Who is told when a socket closes. The close callback belongs to the connection, not to the easy
/// that opened it: libcurl calls it when that easy has other callables or is gone, with shared
/// connections after the multi too, and an FTP data socket with the pointer of the easy that made
/// the control connection. Therefore nothing hangs on the pointer that libcurl gives back; what a
/// socket needs is kept here, by descriptor, as long as it is open.
/// @threading thread-safe
class open_sockets {
public:
    struct owner {
        intrusive_ptr<socket_observer> observer;
        intrusive_ptr<callable<int(curl_socket_t)>> close;
        CURL* handle = nullptr;          // to find the core again, if it still lives
        const easy_core* core = nullptr; // compared only
        const attachment* by = nullptr;  // compared only
    };

    static open_sockets& instance();

    /// A descriptor that is there already was closed behind our back: its owner is let go.
    void opened(curl_socket_t socket, owner by);
    owner closing(curl_socket_t socket) noexcept;

private:
    fork_mutex mutex_;
    std::vector<owner> by_descriptor_; // descriptors are small and dense
};

/// OPENSOCKETFUNCTION and CLOSESOCKETFUNCTION of every owned easy that wants to know.
curl_socket_t open_socket(void* clientp, curlsocktype purpose, curl_sockaddr* address) noexcept;
int close_socket(void*, curl_socket_t socket) noexcept;

} // namespace curlicue::detail
