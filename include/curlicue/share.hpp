// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/export.hpp>
#include <curlicue/detail/intrusive_ptr.hpp>
#include <curlicue/error.hpp>

#include <initializer_list>
#include <system_error>

#include <curl/curl.h>

namespace curlicue {

namespace detail {
class share_core;
struct share_access;
} // namespace detail

/// Data that several easies use together: a `CURLSH*` with locks of ours.
///
/// *Ownership:* a shared handle, as `easy` is. An easy keeps the share it uses alive.
/// @throws (all members that throw) usage_error{errc::closed}; std::system_error in
///     `share_category()` where libcurl refuses
/// @threading thread-safe, and so are the easies that use it, on a thread each. The exceptions are
///     connections, cookies and HSTS, which libcurl does not support on several threads at once
///     (CURLSHOPT_SHARE(3)): where it shares one of these, adding a second thread's transfer is
///     usage_error{errc::wrong_thread}.
class CURLICUE_EXPORT share {
public:
    share();
    /// @param data what to share: CURL_LOCK_DATA_DNS, _SSL_SESSION, _COOKIE, _CONNECT, _PSL, _HSTS
    explicit share(std::initializer_list<curl_lock_data> data);
    share(const share&) noexcept;
    share(share&&) noexcept;
    share& operator=(const share&) noexcept;
    share& operator=(share&&) noexcept;
    ~share();

    /// @param option CURLSHOPT_SHARE or CURLSHOPT_UNSHARE
    /// @throws std::invalid_argument for the lock options, which are ours;
    ///     usage_error{errc::attached} while easies use it (libcurl: CURLSHE_IN_USE)
    share& setopt(CURLSHoption option, curl_lock_data data);
    bool shares(curl_lock_data data) const noexcept;

    /// Idempotent.
    /// @throws usage_error{errc::attached} while easies use it
    void close();
    bool closed() const noexcept;
    /// Null once closed. *Ownership:* stays here.
    CURLSH* native_handle() const noexcept;

    friend bool operator==(const share&, const share&) noexcept = default;

private:
    friend struct detail::share_access;
    detail::share_core& open_core(const char* what) const;

    detail::intrusive_ptr<detail::share_core> core_;
};

} // namespace curlicue

template <> struct std::is_error_code_enum<CURLSHcode> : std::true_type {};
/// In the namespace of libcurl's type, which is where argument-dependent look-up finds it.
inline std::error_code make_error_code(CURLSHcode code) noexcept {
    return {static_cast<int>(code), curlicue::share_category()};
}
