// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <vector>

#include <curl/curl.h>
#include <sys/types.h>

namespace curlicue::detail {

/// Whether libcurl, when it lets go of this transfer in the middle or of its idle connection, talks
/// to the server and waits for its answer, for minutes where none comes: the final dot of a mail,
/// QUIT, LOGOUT, the close of a file in SFTP.
bool says_goodbye(CURL* handle) noexcept;

/// What tells a socket from a later one of the same number; none for what is no socket.
std::optional<ino_t> identity_of(curl_socket_t descriptor) noexcept;

/// The connections in the pool of a multi handle on whose end libcurl would say goodbye.
class goodbyes {
public:
    /// @param finished that libcurl still has; only its connection is looked at, if it was kept
    void remember(CURL* finished) noexcept;
    /// Shuts them down, so that libcurl finds nobody to talk to: before the multi handle goes.
    void cut_short() noexcept;

private:
    struct connection {
        curl_socket_t socket;
        ino_t identity; // it may have been closed since, and the number be the host's
    };
    std::vector<connection> idle_;
};

} // namespace curlicue::detail
