// SPDX-License-Identifier: MIT
#include "open_sockets.hpp"

#include <cerrno>
#include <cstddef>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

namespace curlicue::detail {
namespace {

#ifdef SOCK_CLOEXEC
constexpr int close_on_exec = SOCK_CLOEXEC;
#else
constexpr int close_on_exec = 0;
#endif

curl_socket_t open_one(easy_core& core, curlsocktype purpose, curl_sockaddr& address) {
    if (core.callbacks().has(CURLOPT_OPENSOCKETFUNCTION))
        return core.callbacks().get<CURLOPT_OPENSOCKETFUNCTION>().call(&core, purpose, address);
    return ::socket(address.family, address.socktype | close_on_exec, address.protocol);
}

/// The core that opened the socket, if it still lives.
intrusive_ptr<easy_core> core_of(const open_sockets::owner& by) noexcept {
    auto core = by.handle != nullptr ? easy_core::find(by.handle) : nullptr;
    return core.get() == by.core ? core : nullptr;
}

/// An exception goes to the transfer that opened the socket where that still runs, which also means
/// that this is its thread; else to whoever watches the socket.
void report(const open_sockets::owner& by, std::exception_ptr exception) noexcept {
    const auto core = core_of(by);
    if (core && by.by != nullptr && core->attached_to() == by.by) {
        core->fail_later(std::move(exception));
    } else if (by.observer) {
        by.observer->callback_failed(std::move(exception));
    }
}

} // namespace

open_sockets& open_sockets::instance() {
    static auto* const sockets =
        new open_sockets; // connections may close during static destruction
    return *sockets;
}

void open_sockets::opened(curl_socket_t socket, owner by) {
    const auto index = static_cast<std::size_t>(socket);
    const std::lock_guard lock(mutex_);
    if (index >= by_descriptor_.size())
        by_descriptor_.resize(index + index / 2 + 1);
    std::swap(by_descriptor_[index], by); // the old owner goes when the lock is off
}

open_sockets::owner open_sockets::closing(curl_socket_t socket) noexcept {
    const auto index = static_cast<std::size_t>(socket);
    const std::lock_guard lock(mutex_);
    return index < by_descriptor_.size() ? std::exchange(by_descriptor_[index], owner{}) : owner{};
}

curl_socket_t open_socket(void* clientp, curlsocktype purpose, curl_sockaddr* address) noexcept {
    auto& core = *static_cast<easy_core*>(clientp);
    curl_socket_t socket = CURL_SOCKET_BAD;
    try {
        socket = open_one(core, purpose, *address);
        core.socket_opened(socket == CURL_SOCKET_BAD ? errno : 0);
        if (socket == CURL_SOCKET_BAD)
            return socket;
        open_sockets::instance().opened(
            socket, {core.observer(), core.callbacks().share<CURLOPT_CLOSESOCKETFUNCTION>(),
                     core.handle(), &core, core.attached_to()});
    } catch (...) {
        core.keep_exception(std::current_exception());
        if (socket != CURL_SOCKET_BAD)
            ::close(socket);
        return CURL_SOCKET_BAD;
    }
    if (core.observer())
        core.observer()->opened(socket);
    return socket;
}

int close_socket(void*, curl_socket_t socket) noexcept {
    // Out of the table first: once closed, another thread may open the same number.
    const auto by = open_sockets::instance().closing(socket);
    if (by.observer)
        by.observer->closing(socket);
    try {
        return by.close ? by.close->call(core_of(by).get(), socket) : ::close(socket);
    } catch (...) {
        report(by, std::current_exception());
        return 1;
    }
}

} // namespace curlicue::detail
