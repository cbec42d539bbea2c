// SPDX-License-Identifier: MIT
#include "multi_handle.hpp"

#include "global.hpp"
#include <curlicue/detail/multi_option.hpp>

#include <algorithm>
#include <new>

// libcurl has these from 8.17 on. Weak, so that one build runs with older and newer ones alike.
#if defined(__ELF__)
extern "C" {
CURLMcode curl_multi_notify_enable(CURLM*, unsigned) __attribute__((weak));
CURLMcode curl_multi_notify_disable(CURLM*, unsigned) __attribute__((weak));
}
#elif LIBCURL_VERSION_NUM < 0x081100
static constexpr CURLMcode (*curl_multi_notify_enable)(CURLM*, unsigned) = nullptr;
static constexpr CURLMcode (*curl_multi_notify_disable)(CURLM*, unsigned) = nullptr;
#endif

namespace curlicue::detail {
namespace {

constexpr auto multiopt_quick_exit = static_cast<CURLMoption>(21); // CURLMOPT_QUICK_EXIT, 8.20

multi_events& listener(void* clientp) noexcept { return *static_cast<multi_events*>(clientp); }

int socket_trampoline(CURL* easy, curl_socket_t socket, int what, void* clientp,
                      void* socketp) noexcept {
    return listener(clientp).on_socket(easy, socket, what, socketp);
}

int timer_trampoline(CURLM*, long timeout_ms, void* clientp) noexcept {
    return listener(clientp).on_timer(timeout_ms);
}

void notify_trampoline(CURLM*, unsigned notification, CURL* easy, void* clientp) noexcept {
    listener(clientp).on_notify(notification, easy);
}

} // namespace

class multi_handle::scope {
public:
    explicit scope(multi_handle& owner) noexcept : depth_(owner.depth_) { ++depth_; }
    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;
    ~scope() { --depth_; }

private:
    int& depth_;
};

multi_handle::multi_handle(multi_events& events)
    : multi_((global_init(), curl_multi_init())), events_(&events) {
    if (multi_ == nullptr)
        throw std::bad_alloc();
    setopt(multiopt_quick_exit, 1); // libcurl < 8.20 does not know it, and waits elsewhere
}

multi_handle::~multi_handle() { cleanup(); }

CURLMcode multi_handle::add(CURL* easy) noexcept {
    const scope inside(*this);
    return curl_multi_add_handle(multi_, easy);
}

CURLMcode multi_handle::remove(CURL* easy) noexcept {
    const scope inside(*this);
    return curl_multi_remove_handle(multi_, easy);
}

CURLMcode multi_handle::perform(int& running) noexcept {
    const scope inside(*this);
    return curl_multi_perform(multi_, &running);
}

CURLMcode multi_handle::socket_action(curl_socket_t socket, int mask, int& running) noexcept {
    const scope inside(*this);
    return curl_multi_socket_action(multi_, socket, mask, &running);
}

CURLMcode multi_handle::socket_all(int& running) noexcept {
    const scope inside(*this);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    return curl_multi_socket_all(multi_, &running);
#pragma GCC diagnostic pop
}

std::optional<finished_transfer> multi_handle::info_read() noexcept {
    int remaining = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &remaining))
        if (message->msg == CURLMSG_DONE)
            return finished_transfer{message->easy_handle, message->data.result};
    return std::nullopt;
}

// These two run no socket or timer callback, but tell a verbose transfer's debug callback things.
CURLMcode multi_handle::fdset(fd_set& read, fd_set& write, fd_set& except, int& highest) noexcept {
    const scope inside(*this);
    return curl_multi_fdset(multi_, &read, &write, &except, &highest);
}

CURLMcode multi_handle::poll(std::span<curl_waitfd> extra, int timeout_ms, int& ready) noexcept {
    const scope inside(*this);
    return curl_multi_poll(multi_, extra.data(), static_cast<unsigned>(extra.size()), timeout_ms,
                           &ready);
}

CURLMcode multi_handle::wakeup() noexcept { return curl_multi_wakeup(multi_); }

CURLMcode multi_handle::timeout(long& timeout_ms) noexcept {
    return curl_multi_timeout(multi_, &timeout_ms);
}

CURLMcode multi_handle::setopt(CURLMoption option, curl_off_t value) noexcept {
    const scope inside(*this); // NETWORK_CHANGED closes connections
    if (option >= CURLOPTTYPE_OFF_T)
        return curl_multi_setopt(multi_, option, value);
    if (!std::in_range<long>(value))
        return CURLM_BAD_FUNCTION_ARGUMENT;
    return curl_multi_setopt(multi_, option, static_cast<long>(value));
}

CURLMcode multi_handle::assign(curl_socket_t socket, void* socketp) noexcept {
    if (multi_ == nullptr) // not checked by libcurl 8.5 and older
        return CURLM_BAD_HANDLE;
    return curl_multi_assign(multi_, socket, socketp);
}

CURLMcode multi_handle::listen_sockets(bool on) noexcept {
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, events_);
    return curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, on ? &socket_trampoline : nullptr);
}

CURLMcode multi_handle::listen_timer(bool on) noexcept {
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, events_);
    return curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, on ? &timer_trampoline : nullptr);
}

CURLMcode multi_handle::listen_notify(bool on) noexcept {
    curl_multi_setopt(multi_, multiopt_notifydata, events_);
    return curl_multi_setopt(multi_, multiopt_notifyfunction, on ? &notify_trampoline : nullptr);
}

bool multi_handle::can_notify() noexcept {
    return curl_multi_notify_enable != nullptr && curl_multi_notify_disable != nullptr;
}

CURLMcode multi_handle::notify_enable(unsigned notification) noexcept {
    return curl_multi_notify_enable(multi_, notification);
}

CURLMcode multi_handle::notify_disable(unsigned notification) noexcept {
    return curl_multi_notify_disable(multi_, notification);
}

CURLcode multi_handle::pause(CURL* easy, int bitmask) noexcept {
    const scope inside(*this); // delivers what was held back, and asks for sockets and a timer
    return curl_easy_pause(easy, bitmask);
}

CURLMcode multi_handle::cleanup() noexcept {
    // Null first: 8.10 to 8.20 announce the sockets of idle TLS connections from in here.
    CURLM* const multi = std::exchange(multi_, nullptr);
    if (multi == nullptr)
        return CURLM_OK;
    const scope inside(*this);
    return curl_multi_cleanup(multi);
}

void remembered_options::remember(CURLMoption option, curl_off_t value) {
    const auto known =
        std::ranges::find(values_, option, &std::pair<CURLMoption, curl_off_t>::first);
    if (known != values_.end())
        known->second = value;
    else
        values_.emplace_back(option, value);
}

} // namespace curlicue::detail
