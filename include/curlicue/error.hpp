// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/export.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace curlicue {

class easy;

/// What curlicue itself has to say. All but `broken_promise`, `cancelled`, `timed_out` and those
/// that a `fetch_error` has are breaches of the contract and are thrown as `usage_error` at the
/// call that commits them; nothing has changed then. `no_code` is nobody's: a result has it that
/// holds an exception without one.
enum class errc {
    closed = 1,        ///< the handle, multi or executor is closed
    already_added,     ///< the easy is added here or to another multi
    not_added,         ///< the easy is not added here
    attached,          ///< not while the easy is added (setopt, reset, perform, closing its share)
    borrowed,          ///< a lent handle cannot keep a callable, list or body alive
    null_handle,       ///< a null `CURL*` or loop
    no_loop,           ///< no `loop_scope` on this thread, or an executor without a timer
    wrong_loop,        ///< bound to another loop than the current one
    wrong_thread,      ///< loop-bound, and this is not the loop's thread
    inside_callback,   ///< not from inside a callback
    would_deadlock,    ///< waiting here would wait for ever
    stopped,           ///< somebody called `uv_stop` while `run_until` ran
    no_state,          ///< the future or promise is empty (moved from, or `get` was called)
    already_retrieved, ///< `get_future` was called before
    embedded_nul,      ///< the string has a NUL byte inside; libcurl would cut it there
    forked,            ///< this process is a child of the one it was made in
    too_old,           ///< the libcurl or libuv at hand cannot do this
    broken_promise,    ///< the promise went without an outcome
    cancelled,         ///< equals `std::errc::operation_canceled`
    timed_out,         ///< equals `std::errc::timed_out`
    would_block,       ///< a protocol that stops the loop, where `refuse_blocking` is asked for
    no_code,           ///< an exception that has none; equals `std::errc::state_not_recoverable`
    // Of `fetch`:
    redirect_refused,   ///< one too many, to a place that is not allowed, or of a body that is gone
    too_large,          ///< a body, a line of it, or a head is longer than it may be
    queue_full,         ///< more requests wait than `request_limits::queue`
    address_refused,    ///< `allow_address` refused every address of the server
    retries_exhausted,  ///< every attempt failed; the last failure is nested
    already_reading,    ///< a read of this body is pending
    not_over,           ///< the body is to be read to its end first
    breaker_open,       ///< the server has failed again and again, and rests
    unexpected_request, ///< the mock was not told of it
};

/// Categories: ours, and one for each family of codes that libcurl and libuv return. The codes of
/// libcurl and libuv equal the portable `std::errc` conditions where one fits: of a connection that
/// failed the system's own reason, so that `connection_refused` is not `host_unreachable`.
/// @threading thread-safe
CURLICUE_EXPORT const std::error_category& curlicue_category() noexcept;
CURLICUE_EXPORT const std::error_category& easy_category() noexcept;  ///< values of `CURLcode`
CURLICUE_EXPORT const std::error_category& multi_category() noexcept; ///< values of `CURLMcode`
CURLICUE_EXPORT const std::error_category& share_category() noexcept; ///< values of `CURLSHcode`
CURLICUE_EXPORT const std::error_category& url_category() noexcept;   ///< values of `CURLUcode`
CURLICUE_EXPORT const std::error_category& uv_category() noexcept;    ///< negative `UV_E…`

/// Whether the value is a `CURLcode`: its category is `easy_category()`, or, where the system has
/// refused a connection for another reason than the code stands for, one that differs from it only
/// in the portable condition that the code equals. `code == CURLE_…` asks the same.
CURLICUE_EXPORT bool is_easy_error(const std::error_code& code) noexcept;

inline std::error_code make_error_code(errc code) noexcept {
    return {static_cast<int>(code), curlicue_category()};
}

/// The caller broke the contract. The message says what to do instead.
class CURLICUE_EXPORT usage_error : public std::logic_error {
public:
    /// @param what which call was refused, e.g. "easy::setopt"; the advice of `code` is appended.
    explicit usage_error(errc code, std::string_view what = {});
    ~usage_error() override;
    const std::error_code& code() const noexcept { return code_; }

private:
    std::error_code code_;
};

/// The outcome of a future that was cancelled, by hand or by a close.
class CURLICUE_EXPORT cancelled : public std::system_error {
public:
    cancelled();
    ~cancelled() override;
};

/// The outcome of `future::timeout` when the time is over first.
class CURLICUE_EXPORT timed_out : public std::system_error {
public:
    timed_out();
    ~timed_out() override;
};

/// A promise that went without an outcome.
class CURLICUE_EXPORT future_error : public std::system_error {
public:
    explicit future_error(errc code);
    ~future_error() override;
};

/// libcurl refused a call on a multi handle.
class CURLICUE_EXPORT multi_error : public std::system_error {
public:
    /// @param code a `CURLMcode` other than `CURLM_OK`
    /// @param what which call was refused; the words of `code` are appended
    multi_error(int code, const std::string& what);
    /// Of no call: what becomes of a code that a promise is given.
    explicit multi_error(const std::error_code& code);
    ~multi_error() override;
};

/// A transfer failed. `what()` is what libcurl says of it, in its own words where it has any, else
/// in those of the code.
class CURLICUE_EXPORT transfer_error : public std::system_error {
public:
    /// @param code a `CURLcode` other than `CURLE_OK`
    /// @param error_buffer libcurl's own words about it, possibly empty
    /// @param os_error `errno`; 0: the system has no part in it
    transfer_error(int code, std::string error_buffer, const easy& handle, int os_error = 0);
    /// Of no transfer: what becomes of a code that a promise is given.
    explicit transfer_error(const std::error_code& code);
    ~transfer_error() override;
    const char* what() const noexcept override;
    /// libcurl's own words, e.g. "Failed to connect to …"; empty where it had none.
    std::string_view error_buffer() const noexcept { return *error_buffer_; }
    /// `errno` of the connection that failed (CURLINFO_OS_ERRNO); 0 where the system has no part in
    /// it.
    int os_error() const noexcept { return os_error_; }
    /// The handle of the transfer, for `getinfo` or another try; of none, one that is closed.
    const easy& handle() const noexcept { return *handle_; }

private:
    std::shared_ptr<const std::string> error_buffer_; // shared: copying an exception must not throw
    std::shared_ptr<const easy> handle_;
    int os_error_;
};

} // namespace curlicue

template <> struct std::is_error_code_enum<curlicue::errc> : std::true_type {};
