// SPDX-License-Identifier: MIT
#include "goodbyes.hpp"

#include <algorithm>
#include <new>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace curlicue::detail {
namespace {

// Where that is refused it leads where it did; who has asked looks at what it is now.
void put_in_place_of(int descriptor, int replacement) noexcept {
    const int flags = ::fcntl(descriptor, F_GETFD);
    ::dup2(replacement, descriptor);
    ::fcntl(descriptor, F_SETFD, flags);
}

} // namespace

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
            idle_.push_back({socket, *identity, -1});
    } catch (const std::bad_alloc&) {
        // Then its goodbye is said.
    }
}

goodbyes::silence::silence(goodbyes& of) noexcept : idle_(of.idle_) {
    int ends[2] = {-1, -1};
    if (idle_.empty() || ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        return;
    ::close(ends[1]);
    nobody_ = ends[0];
    ::fcntl(nobody_, F_SETFD, FD_CLOEXEC);
    for (auto& each : idle_)
        if (identity_of(each.socket) == each.identity) {
            each.aside = ::fcntl(each.socket, F_DUPFD_CLOEXEC, 0);
            if (each.aside != -1) // else no descriptor is left, and the goodbye is said
                put_in_place_of(each.socket, nobody_);
        }
}

goodbyes::silence::~silence() {
    const auto nobody = identity_of(nobody_);
    for (const auto& each : idle_)
        if (each.aside != -1) {
            if (identity_of(each.socket) == nobody)
                put_in_place_of(each.socket, each.aside);
            ::close(each.aside);
        }
    idle_.clear();
    if (nobody_ != -1)
        ::close(nobody_);
}

} // namespace curlicue::detail
