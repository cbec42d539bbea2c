// SPDX-License-Identifier: MIT
#include "support/faults/failing_calls.hpp"

#include <atomic>
#include <cerrno>
#include <cstring>

#include <dlfcn.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace curlicue::test {
namespace {

std::atomic<const call_failure*> failing{nullptr};
std::atomic<bool> failed{false};
std::atomic<bool> lasts{false};
std::atomic<std::size_t> left{0};

bool fails(std::string_view call) noexcept {
    const auto* const how = failing.load();
    if (how == nullptr || how->call != call || left.load() == 0 || --left != 0)
        return false;
    if (lasts)
        ++left;
    failed = true;
    errno = how->why;
    return true;
}

template <class Function> Function* next(const char* name) noexcept {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

} // namespace

failing_call::failing_call(const call_failure& how, std::size_t which, lasting how_long) noexcept {
    left = which;
    lasts = how_long == lasting::from_there_on;
    failed = false;
    failing = &how;
}

failing_call::~failing_call() { failing = nullptr; }

bool failing_call::felt() noexcept { return failed; }

std::string name_of(const call_failure& how) {
    return std::string(how.call) + '_' + ::strerrorname_np(how.why);
}

} // namespace curlicue::test

extern "C" {

using curlicue::test::fails;
using curlicue::test::next;

int socket(int domain, int type, int protocol) noexcept {
    static auto* const real = next<int(int, int, int)>("socket");
    return fails("socket") ? -1 : real(domain, type, protocol);
}
int socketpair(int domain, int type, int protocol, int* ends) noexcept {
    static auto* const real = next<int(int, int, int, int*)>("socketpair");
    return fails("socketpair") ? -1 : real(domain, type, protocol, ends);
}
int connect(int socket, const sockaddr* to, socklen_t size) {
    static auto* const real = next<int(int, const sockaddr*, socklen_t)>("connect");
    return fails("connect") ? -1 : real(socket, to, size);
}
int getsockopt(int socket, int level, int name, void* value, socklen_t* size) noexcept {
    static auto* const real = next<int(int, int, int, void*, socklen_t*)>("getsockopt");
    return fails("getsockopt") ? -1 : real(socket, level, name, value, size);
}
ssize_t send(int socket, const void* data, std::size_t size, int flags) {
    static auto* const real = next<ssize_t(int, const void*, std::size_t, int)>("send");
    return fails("send") ? -1 : real(socket, data, size, flags);
}
ssize_t recv(int socket, void* buffer, std::size_t size, int flags) {
    static auto* const real = next<ssize_t(int, void*, std::size_t, int)>("recv");
    return fails("recv") ? -1 : real(socket, buffer, size, flags);
}
ssize_t read(int descriptor, void* buffer, std::size_t size) {
    static auto* const real = next<ssize_t(int, void*, std::size_t)>("read");
    return fails("read") ? -1 : real(descriptor, buffer, size);
}
ssize_t write(int descriptor, const void* data, std::size_t size) {
    static auto* const real = next<ssize_t(int, const void*, std::size_t)>("write");
    return fails("write") ? -1 : real(descriptor, data, size);
}
int eventfd(unsigned value, int flags) noexcept {
    static auto* const real = next<int(unsigned, int)>("eventfd");
    return fails("eventfd") ? -1 : real(value, flags);
}
int epoll_create1(int flags) noexcept {
    static auto* const real = next<int(int)>("epoll_create1");
    return fails("epoll_create1") ? -1 : real(flags);
}
int epoll_ctl(int epoll, int operation, int descriptor, epoll_event* event) noexcept {
    static auto* const real = next<int(int, int, int, epoll_event*)>("epoll_ctl");
    return fails("epoll_ctl") ? -1 : real(epoll, operation, descriptor, event);
}
int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) noexcept {
    static auto* const real =
        next<int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>("pthread_create");
    return fails("pthread_create") ? errno : real(thread, attributes, start, argument);
}
}
