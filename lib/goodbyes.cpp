// SPDX-License-Identifier: MIT
#include "goodbyes.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <string_view>

#include <sys/socket.h>
#include <sys/stat.h>

namespace curlicue::detail {
namespace {

// Not LDAP, which waits for nothing, and whose library writes to what is shut down so that SIGPIPE
// comes of it (liblber). HTTP's connections may carry other transfers.
constexpr std::array<const char*, 10> talkative{"ftp",   "ftps", "imap", "imaps", "pop3",
                                                "pop3s", "scp",  "sftp", "smtp",  "smtps"};

} // namespace

bool says_goodbye(CURL* handle) noexcept {
    const char* scheme = nullptr; // none before there is a connection
    if (curl_easy_getinfo(handle, CURLINFO_SCHEME, &scheme) != CURLE_OK || scheme == nullptr ||
        *scheme == 'h' || *scheme == 'H')
        return false;
    return std::any_of(talkative.begin(), talkative.end(), [scheme](const char* each) {
        return curl_strequal(scheme, each) != 0; // upper case below 8.9
    });
}

std::optional<ino_t> identity_of(curl_socket_t descriptor) noexcept {
    struct stat status {};
    if (::fstat(descriptor, &status) != 0 || !S_ISSOCK(status.st_mode))
        return std::nullopt;
    return status.st_ino;
}

void goodbyes::remember(CURL* finished) noexcept {
    curl_socket_t socket = CURL_SOCKET_BAD;
    curl_easy_getinfo(finished, CURLINFO_ACTIVESOCKET, &socket);
    const auto identity = identity_of(socket);
    if (!identity)
        return;
    const auto known = std::find_if(idle_.begin(), idle_.end(),
                                    [socket](const auto& each) { return each.socket == socket; });
    try {
        if (known != idle_.end())
            known->identity = *identity;
        else
            idle_.push_back({socket, *identity});
    } catch (const std::bad_alloc&) {
        // Then its goodbye is said.
    }
}

void goodbyes::cut_short() noexcept {
    for (const auto& each : idle_)
        if (identity_of(each.socket) == each.identity)
            ::shutdown(each.socket, SHUT_RDWR);
    idle_.clear();
}

} // namespace curlicue::detail
