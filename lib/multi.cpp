// SPDX-License-Identifier: MIT
#include "multi_core.hpp"
#include <curlicue/error.hpp>
#include <curlicue/multi.hpp>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <stdexcept>
#include <system_error>

#include <sys/select.h>

namespace curlicue {
namespace {

using detail::multi_handle;
using detail::multi_option_kind;

/// curl_multi_fdset's sets, as libcurl and select(2) want them.
struct raw_fd_sets {
    raw_fd_sets() noexcept {
        FD_ZERO(&read);
        FD_ZERO(&write);
        FD_ZERO(&except);
    }

    CURLMcode fill(multi_handle& handle) noexcept {
        return handle.fdset(read, write, except, highest);
    }

    fd_set read;
    fd_set write;
    fd_set except;
    int highest = -1;
};

std::vector<curl_socket_t> members(const fd_set& set, int highest) {
    std::vector<curl_socket_t> sockets;
    for (curl_socket_t socket = 0; socket <= highest; ++socket)
        if (FD_ISSET(socket, &set))
            sockets.push_back(socket);
    return sockets;
}

[[noreturn]] void refuse(CURLMoption option, const char* why) {
    throw std::invalid_argument("multi::setopt: option " + std::to_string(option) + " " + why);
}

/// The alternative that the option takes; an empty one for nullptr, where the option allows that.
template <class T> T take(CURLMoption option, multi_option_value& value, const char* wanted) {
    if (T* const found = std::get_if<T>(&value))
        return std::move(*found);
    if (std::is_arithmetic_v<T> || !std::holds_alternative<std::nullptr_t>(value))
        refuse(option, wanted);
    return T();
}

} // namespace

multi::multi(multi_options options) : core_(detail::make_intrusive<detail::multi_core>(options)) {}
multi::multi(multi&& other) noexcept = default;

multi& multi::operator=(multi&& other) noexcept {
    multi ends(std::move(*this));
    core_ = std::move(other.core_);
    return *this;
}

multi::~multi() {
    if (core_)
        core_->abandon();
}

detail::multi_core& multi::core(const char* call) const {
    if (closed())
        throw usage_error(errc::closed, call);
    return *core_;
}

detail::multi_core& multi::core_outside(const char* call) const {
    detail::multi_core& open = core(call);
    open.require_outside(call);
    return open;
}

int multi::perform() {
    int running = 0;
    const int ended =
        core_outside("multi::perform").run("curl_multi_perform", [&](multi_handle& handle) {
            return handle.perform(running);
        });
    return running - ended;
}

void multi::add_handle(easy handle) { core("multi::add_handle").add(std::move(handle)); }

void multi::remove_handle(const easy& handle) {
    core("multi::remove_handle").remove(handle.native_handle());
}

bool multi::contains(const easy& handle) const noexcept {
    return core_ && core_->contains(handle.native_handle());
}

fd_sets multi::fdset() const {
    raw_fd_sets sets;
    core_outside("multi::fdset").run("curl_multi_fdset", [&](multi_handle& handle) {
        return sets.fill(handle);
    });
    return {members(sets.read, sets.highest), members(sets.write, sets.highest),
            members(sets.except, sets.highest)};
}

int multi::select(std::chrono::milliseconds timeout) {
    raw_fd_sets sets;
    core_outside("multi::select").run("curl_multi_fdset", [&](multi_handle& handle) {
        return timeout.count() < 0 ? CURLM_BAD_FUNCTION_ARGUMENT : sets.fill(handle);
    });
    if (sets.highest < 0)
        return -1;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
    timeval time{};
    time.tv_sec = static_cast<decltype(time.tv_sec)>(seconds.count());
    time.tv_usec =
        static_cast<decltype(time.tv_usec)>(std::chrono::microseconds(timeout - seconds).count());
    const int ready = ::select(sets.highest + 1, &sets.read, &sets.write, &sets.except, &time);
    if (ready < 0 && errno != EINTR)
        throw std::system_error(errno, std::generic_category(), "select");
    return std::max(ready, 0);
}

int multi::poll(std::chrono::milliseconds timeout, std::span<curl_waitfd> extra) {
    for (curl_waitfd& descriptor : extra) // libcurl leaves them alone when the time is over
        descriptor.revents = 0;
    constexpr std::chrono::milliseconds longest(std::numeric_limits<int>::max());
    const auto milliseconds = static_cast<int>(std::clamp(timeout, -longest, longest).count());
    int ready = 0;
    core_outside("multi::poll").run("curl_multi_poll", [&](multi_handle& handle) {
        return handle.poll(extra, milliseconds, ready);
    });
    return ready;
}

void multi::wakeup() {
    if (const CURLMcode code = core("multi::wakeup").wakeup(); code != CURLM_OK)
        throw multi_error(code, "curl_multi_wakeup");
}

info_batch multi::info_read(std::size_t max) { return core("multi::info_read").info_read(max); }

std::optional<std::chrono::milliseconds> multi::timeout() const {
    long milliseconds = -1;
    core_outside("multi::timeout").run("curl_multi_timeout", [&](multi_handle& handle) {
        return handle.timeout(milliseconds);
    });
    if (milliseconds < 0)
        return std::nullopt;
    return std::chrono::milliseconds(milliseconds);
}

int multi::socket_action(curl_socket_t socket, int ev_bitmask) {
    int running = 0;
    const int ended = core_outside("multi::socket_action")
                          .run("curl_multi_socket_action", [&](multi_handle& handle) {
                              return handle.socket_action(socket, ev_bitmask, running);
                          });
    return running - ended;
}

int multi::socket_all() {
    int running = 0;
    const int ended =
        core_outside("multi::socket_all").run("curl_multi_socket_all", [&](multi_handle& handle) {
            return handle.socket_all(running);
        });
    return running - ended;
}

void multi::setopt(CURLMoption option, multi_option_value value) {
    detail::multi_core& core = core_outside("multi::setopt");
    switch (detail::kind_of(option)) {
    case multi_option_kind::number: {
        const auto number = take<curl_off_t>(option, value, "takes an integer");
        core.run("curl_multi_setopt",
                 [&](multi_handle& handle) { return handle.setopt(option, number); });
        return;
    }
    case multi_option_kind::list:
        // libcurl has ignored them since 7.62, when it gave up pipelining over HTTP/1.1.
        take<std::vector<std::string>>(option, value, "takes a list of strings or nullptr");
        return;
    case multi_option_kind::socket_function:
        return core.listen(
            take<multi_socket_function>(option, value, "takes a socket callable or nullptr"));
    case multi_option_kind::timer_function:
        return core.listen(
            take<multi_timer_function>(option, value, "takes a timer callable or nullptr"));
    case multi_option_kind::notify_function:
        return core.listen(
            take<multi_notify_function>(option, value, "takes a notify callable or nullptr"));
    case multi_option_kind::owned:
        refuse(option, "is not the user's to set");
    case multi_option_kind::unknown:
        throw multi_error(CURLM_UNKNOWN_OPTION, "curl_multi_setopt");
    }
}

void multi::assign(curl_socket_t socket, void* socketp) {
    if (!core_)
        throw usage_error(errc::closed, "multi::assign");
    core_->assign(socket, socketp);
}

void multi::unassign(curl_socket_t socket) { assign(socket, nullptr); }

void multi::switch_notification(unsigned notification, bool on) {
    const char* const name = on ? "multi::notify_enable" : "multi::notify_disable";
    detail::multi_core& open = core(name);
    if (!multi_handle::can_notify())
        throw usage_error(errc::too_old, std::string(name) + " (libcurl 8.17)");
    if (const CURLMcode code = open.switch_notification(notification, on); code != CURLM_OK)
        throw multi_error(code, name);
}

void multi::close() {
    if (core_)
        core_->close();
}

bool multi::closed() const noexcept { return !core_ || core_->closed(); }

CURLM* multi::native_handle() const noexcept { return core_ ? core_->native_handle() : nullptr; }

} // namespace curlicue
