// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/intrusive_ptr.hpp>
#include <curlicue/option.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <curl/curl.h>

namespace curlicue {

class easy;

namespace detail {

class easy_core;

/// What the callable of a function option looks like, and the C callback it stands for. An option
/// that is not here takes a C function pointer only (the CONV_ family, which libcurl ignores).
template <CURLoption Option> struct callback {
    using signature = void;
    using c_function = void (*)();
};

template <class Signature, class CFunction> struct callback_types {
    using signature = Signature;
    using c_function = CFunction;
};

using data_signature = std::size_t(std::span<const char>);

template <>
struct callback<CURLOPT_WRITEFUNCTION> : callback_types<data_signature, curl_write_callback> {};
template <>
struct callback<CURLOPT_INTERLEAVEFUNCTION> : callback_types<data_signature, curl_write_callback> {
};
template <>
struct callback<CURLOPT_HEADERFUNCTION>
    : callback_types<std::size_t(std::string_view), curl_write_callback> {};
template <>
struct callback<CURLOPT_READFUNCTION>
    : callback_types<std::size_t(std::span<char>), curl_read_callback> {};
template <>
struct callback<CURLOPT_SEEKFUNCTION> : callback_types<int(curl_off_t, int), curl_seek_callback> {};
template <>
struct callback<CURLOPT_XFERINFOFUNCTION>
    : callback_types<int(curl_off_t, curl_off_t, curl_off_t, curl_off_t), curl_xferinfo_callback> {
};
template <>
struct callback<static_cast<CURLoption>(CURLOPTTYPE_FUNCTIONPOINT + 56)> // PROGRESSFUNCTION
    : callback_types<int(double, double, double, double), curl_progress_callback> {};
template <>
struct callback<static_cast<CURLoption>(CURLOPTTYPE_FUNCTIONPOINT + 130)> // IOCTLFUNCTION
    : callback_types<curlioerr(int), curl_ioctl_callback> {};
template <>
struct callback<CURLOPT_DEBUGFUNCTION>
    : callback_types<void(curl_infotype, std::span<const char>), curl_debug_callback> {};
template <>
struct callback<CURLOPT_SSL_CTX_FUNCTION> : callback_types<CURLcode(void*), curl_ssl_ctx_callback> {
};
template <>
struct callback<CURLOPT_SOCKOPTFUNCTION>
    : callback_types<int(curl_socket_t, curlsocktype), curl_sockopt_callback> {};
template <>
struct callback<CURLOPT_OPENSOCKETFUNCTION>
    : callback_types<curl_socket_t(curlsocktype, curl_sockaddr&), curl_opensocket_callback> {};
template <>
struct callback<CURLOPT_CLOSESOCKETFUNCTION>
    : callback_types<int(curl_socket_t), curl_closesocket_callback> {};
template <>
struct callback<CURLOPT_SSH_KEYFUNCTION>
    : callback_types<int(const curl_khkey* known, const curl_khkey& found, curl_khmatch),
                     curl_sshkeycallback> {};
template <>
struct callback<CURLOPT_SSH_HOSTKEYFUNCTION>
    : callback_types<int(int keytype, std::string_view key), curl_sshhostkeycallback> {};
template <>
struct callback<CURLOPT_CHUNK_BGN_FUNCTION>
    : callback_types<long(const curl_fileinfo&, int remains), curl_chunk_bgn_callback> {};
template <>
struct callback<CURLOPT_CHUNK_END_FUNCTION> : callback_types<long(), curl_chunk_end_callback> {};
template <>
struct callback<CURLOPT_FNMATCH_FUNCTION>
    : callback_types<int(std::string_view pattern, std::string_view name), curl_fnmatch_callback> {
};
template <>
struct callback<CURLOPT_RESOLVER_START_FUNCTION>
    : callback_types<int(void* resolver_state), curl_resolver_start_callback> {};
template <>
struct callback<CURLOPT_TRAILERFUNCTION>
    : callback_types<std::vector<std::string>(), curl_trailer_callback> {};
template <>
struct callback<CURLOPT_HSTSREADFUNCTION>
    : callback_types<std::optional<hsts_entry>(), curl_hstsread_callback> {};
template <>
struct callback<CURLOPT_HSTSWRITEFUNCTION>
    : callback_types<CURLSTScode(const hsts_entry&, std::size_t index, std::size_t total),
                     curl_hstswrite_callback> {};
template <>
struct callback<CURLOPT_PREREQFUNCTION>
    : callback_types<int(std::string_view primary_ip, std::string_view local_ip, int primary_port,
                         int local_port),
                     curl_prereq_callback> {};

template <CURLoption Option> using signature_of = typename callback<Option>::signature;
template <CURLoption Option> using c_function_of = typename callback<Option>::c_function;

/// May `F` be called as `Signature` says, with or without a leading `easy&`?
template <class F, class Signature> struct fits : std::false_type {};
template <class F, class R, class... Args> struct fits<F, R(Args...)> {
    static constexpr bool plain = std::is_invocable_r_v<R, F&, Args...>;
    static constexpr bool value = plain || std::is_invocable_r_v<R, F&, easy&, Args...>;
};

/// A user's callable behind a C callback. Counted, because a duphandle shares the callables of its
/// original (they may be move-only) and an open socket keeps the one that will close it.
template <class Signature> class callable;
template <class R, class... Args> class callable<R(Args...)> : public ref_counted {
public:
    /// @param core whose callback it is; null if that is gone (an open socket outlives its easy)
    virtual R call(easy_core* core, Args... args) = 0;
};

template <class F, class Signature> class callable_of;
template <class F, class R, class... Args>
class callable_of<F, R(Args...)> final : public callable<R(Args...)> {
public:
    template <class Source>
    explicit callable_of(Source&& source) : function_(std::forward<Source>(source)) {}
    R call(easy_core* core, Args... args) override; // in easy.hpp: it may have to make an easy

private:
    F function_;
};

} // namespace detail
} // namespace curlicue
