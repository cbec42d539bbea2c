// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <vector>

#include <curl/curl.h>
#include <sys/types.h>

namespace curlicue::detail {

/// What tells a socket from a later one of the same number; none for what is no socket.
std::optional<ino_t> identity_of(curl_socket_t descriptor) noexcept;

/// The connections that transfers of one multi handle have left, and on whose end libcurl would say
/// goodbye.
class goodbyes {
    struct connection {
        curl_socket_t socket;
        ino_t identity; // it may have been closed since, and the number be the host's
        int aside;      // the connection, while nobody is there
    };

public:
    /// @param finished that libcurl still has; only its connection is looked at, if it was kept
    void remember(CURL* finished) noexcept;

    /// While the multi handle is cleaned up: libcurl finds nobody to talk to. Which of the
    /// connections are in the pool of the multi handle is not to be told, as a raw handle may have
    /// a share; those that are still open afterwards were not, and are as they were.
    class silence {
    public:
        explicit silence(goodbyes& of) noexcept;
        silence(const silence&) = delete;
        silence& operator=(const silence&) = delete;
        ~silence();

    private:
        std::vector<connection>& idle_;
        int nobody_ = -1; // a socket whose other end is closed
    };

private:
    std::vector<connection> idle_;
};

} // namespace curlicue::detail
