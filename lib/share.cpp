// SPDX-License-Identifier: MIT
#include "global.hpp"
#include "share_core.hpp"
#include <curlicue/share.hpp>

#include <new>
#include <stdexcept>
#include <utility>

namespace curlicue {
namespace detail {
namespace {

/// What libcurl does not support on several threads at once, locks or not (CURLSHOPT_SHARE(3)).
constexpr std::pair<curl_lock_data, const char*> of_one_thread[] = {
    {CURL_LOCK_DATA_CONNECT, "a share of connections is in use on another thread already"},
    {CURL_LOCK_DATA_COOKIE, "a share of cookies is in use on another thread already"},
    {CURL_LOCK_DATA_HSTS, "a share of HSTS is in use on another thread already"},
};

} // namespace

share_core::share_core() {
    global_init();
    handle_ = curl_share_init();
    if (handle_ == nullptr)
        throw std::bad_alloc();
    curl_share_setopt(handle_, CURLSHOPT_USERDATA, this);
    curl_share_setopt(handle_, CURLSHOPT_LOCKFUNC, &share_core::lock);
    curl_share_setopt(handle_, CURLSHOPT_UNLOCKFUNC, &share_core::unlock);
}

share_core::~share_core() {
    if (handle_ != nullptr)
        curl_share_cleanup(handle_);
}

void share_core::lock(CURL*, curl_lock_data data, curl_lock_access, void* self) noexcept {
    static_cast<share_core*>(self)->locks_[data].lock();
}

void share_core::unlock(CURL*, curl_lock_data data, void* self) noexcept {
    static_cast<share_core*>(self)->locks_[data].unlock();
}

void share_core::require_unused(const char* what) const {
    if (users_ != 0)
        throw usage_error(errc::attached, what);
}

void share_core::setopt(CURLSHoption option, curl_lock_data data) {
    if (option != CURLSHOPT_SHARE && option != CURLSHOPT_UNSHARE)
        throw std::invalid_argument("share::setopt: the locks of a share are curlicue's own");
    const std::lock_guard guard(mutex_);
    require_unused("share::setopt");
    const auto code = curl_share_setopt(handle_, option, data);
    if (code != CURLSHE_OK)
        throw std::system_error(code, "share::setopt");
    if (option == CURLSHOPT_SHARE)
        shared_ |= bit(data);
    else
        shared_ &= ~bit(data);
}

void share_core::join() {
    const std::lock_guard guard(mutex_);
    if (closed())
        throw usage_error(errc::closed, "CURLOPT_SHARE");
    ++users_;
}

void share_core::part() noexcept {
    const std::lock_guard guard(mutex_);
    --users_;
}

void share_core::close() {
    const std::lock_guard guard(mutex_);
    if (closed())
        return;
    require_unused("share::close");
    if (curl_share_cleanup(handle_) != CURLSHE_OK) // a handle of somebody else's has it
        throw usage_error(errc::attached, "share::close");
    closed_.store(true, std::memory_order_release);
    handle_ = nullptr;
}

void share_core::enter_thread() {
    const std::lock_guard guard(mutex_);
    const auto here = std::this_thread::get_id();
    if (running_ != 0 && thread_ != here)
        for (const auto& [data, refusal] : of_one_thread)
            if (shares(data))
                throw usage_error(errc::wrong_thread, refusal);
    thread_ = here;
    ++running_;
}

void share_core::leave_thread() noexcept {
    const std::lock_guard guard(mutex_);
    --running_;
}

} // namespace detail

share::share() : core_(detail::make_intrusive<detail::share_core>()) {}
share::share(std::initializer_list<curl_lock_data> data) : share() {
    for (const auto kind : data)
        setopt(CURLSHOPT_SHARE, kind);
}
share::share(const share&) noexcept = default;
share::share(share&&) noexcept = default;
share& share::operator=(const share&) noexcept = default;
share& share::operator=(share&&) noexcept = default;
share::~share() = default;

detail::share_core& share::open_core(const char* what) const {
    if (closed())
        throw usage_error(errc::closed, what);
    return *core_;
}

share& share::setopt(CURLSHoption option, curl_lock_data data) {
    open_core("share::setopt").setopt(option, data);
    return *this;
}

bool share::shares(curl_lock_data data) const noexcept { return !closed() && core_->shares(data); }

void share::close() {
    if (core_)
        core_->close();
}

bool share::closed() const noexcept { return !core_ || core_->closed(); }

CURLSH* share::native_handle() const noexcept { return closed() ? nullptr : core_->handle(); }

} // namespace curlicue
