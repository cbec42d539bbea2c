// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/intrusive_ptr.hpp>
#include <curlicue/detail/small_mutex.hpp>
#include <curlicue/share.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <mutex>
#include <thread>

#include <curl/curl.h>

namespace curlicue::detail {

/// What all copies of one `share` share: the CURLSH* and its locks, one for each kind of data,
/// since libcurl asks for exclusive access nearly always (share.c, Curl_share_lock).
class share_core final : public ref_counted {
public:
    share_core();

    CURLSH* handle() const noexcept { return handle_; }
    bool closed() const noexcept { return closed_.load(std::memory_order_acquire); }
    bool shares(curl_lock_data data) const noexcept {
        return (shared_.load(std::memory_order_acquire) & bit(data)) != 0;
    }
    void setopt(CURLSHoption option, curl_lock_data data);

    /// An easy that has it set; a share with users cannot close.
    void join();
    void part() noexcept;
    void close();

    /// A transfer begins or ends on this thread. Connections, cookies and HSTS that are shared bind
    /// it to one thread while any runs.
    /// @throws usage_error{errc::wrong_thread}
    void enter_thread();
    void leave_thread() noexcept;

private:
    ~share_core() override;
    static constexpr unsigned bit(curl_lock_data data) noexcept { return 1U << data; }
    static void lock(CURL*, curl_lock_data data, curl_lock_access, void* self) noexcept;
    static void unlock(CURL*, curl_lock_data data, void* self) noexcept;
    void require_unused(const char* what) const;

    CURLSH* handle_;
    std::atomic<bool> closed_{false};
    std::atomic<unsigned> shared_{0};
    std::array<small_mutex, 16> locks_; // by curl_lock_data, with room for those to come

    small_mutex mutex_; // of what follows
    std::size_t users_ = 0;
    std::size_t running_ = 0;
    std::thread::id thread_;
};

struct share_access {
    static const intrusive_ptr<share_core>& core_of(const share& data) noexcept {
        return data.core_;
    }
};

} // namespace curlicue::detail
