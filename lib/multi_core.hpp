// SPDX-License-Identifier: MIT
#pragma once

#include "easy_core.hpp"
#include "multi_handle.hpp"
#include <curlicue/detail/intrusive_ptr.hpp>
#include <curlicue/multi.hpp>

#include <cstddef>
#include <exception>
#include <unordered_map>
#include <vector>

#include <curl/curl.h>

namespace curlicue::detail {

/// What a `multi` is made of. Counted, since a multi may be destroyed inside a callback, while
/// libcurl is on the stack: then the call that brought libcurl there ends it, once it has returned.
class multi_core final : public ref_counted, private multi_events, private attachment {
public:
    explicit multi_core(multi_options options);
    ~multi_core() override;

    bool closed() const noexcept { return closed_; }
    bool contains(CURL* curl) const noexcept { return handles_.contains(curl); }
    CURLM* native_handle() const noexcept { return handle_.get(); }

    /// @throws usage_error{errc::inside_callback} while libcurl is on the stack
    void require_outside(const char* call) const;

    /// Makes one call of libcurl, then does what had to wait until it returned: ends transfers
    /// whose callbacks failed, ends the multi if it was destroyed meanwhile, and throws what a
    /// callable threw, or a multi_error of that name unless the call returned CURLM_OK.
    /// @param call CURLMcode(multi_handle&)
    /// @returns how many running transfers were ended
    template <class Call> int run(const char* name, Call call);

    void add(easy added);
    void remove(CURL* curl);
    info_batch info_read(std::size_t max);

    void listen(multi_socket_function function);
    void listen(multi_timer_function function);
    void listen(multi_notify_function function);
    void assign(curl_socket_t socket, void* socketp);
    CURLMcode wakeup() noexcept { return handle_.wakeup(); }
    CURLMcode switch_notification(unsigned notification, bool on) noexcept;

    void close();
    /// The destructor of `multi`: no callable hears of it.
    void abandon() noexcept;

private:
    struct entry {
        easy handle;
        bool running = true;          // libcurl has it
        bool callback_failed = false; // and shall not have it any longer
    };
    enum class callable { none, event, notify };
    class inside;
    class close_failure;

    // multi_events
    int on_socket(CURL* curl, curl_socket_t socket, int what, void* socketp) noexcept override;
    int on_timer(long timeout_ms) noexcept override;
    void on_notify(unsigned notification, CURL* curl) noexcept override;
    // attachment
    void remove(easy_core& core) override;
    void pause(easy_core& core, int bitmask) override;
    void callback_failed(easy_core& core) noexcept override;
    void enter_libcurl() noexcept override { handle_.enter(); }
    void leave_libcurl() noexcept override;

    template <class Function> int call_out(callable kind, Function function) noexcept;
    const easy* find(CURL* curl) const noexcept;
    void forget(CURL* curl) noexcept;
    void part_from(const easy& handle) noexcept;
    bool reported(CURL* curl) const noexcept;
    void collect_reports() noexcept;
    void report(finished_transfer finished) noexcept;
    int end_failed() noexcept;
    int settle() noexcept;
    void finish(const char* name, CURLMcode code);
    void shut_down(bool close_easies) noexcept;

    multi_handle handle_;
    std::unordered_map<CURL*, entry> handles_;
    std::vector<finished_transfer> reports_; // capacity for every handle: a message is never lost
    multi_socket_function socket_function_;
    multi_timer_function timer_function_;
    multi_notify_function notify_function_;
    std::exception_ptr exception_; // the first that a callable threw in this call
    intrusive_ptr<close_failure> close_failure_;
    callable current_ = callable::none;
    bool close_handles_;
    bool closed_ = false;
    bool silent_ = false; // the multi is destroyed: call nobody
    bool adding_ = false;
    bool add_refused_ = false;
    bool any_callback_failed_ = false;
};

template <class Call> int multi_core::run(const char* name, Call call) {
    const auto keep = intrusive_ptr<multi_core>::share(this);
    const CURLMcode code = call(handle_);
    if (handle_.inside())
        return 0;
    const int ended = settle();
    finish(name, code);
    return ended;
}

} // namespace curlicue::detail
