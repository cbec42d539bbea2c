// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include <curl/curl.h>

namespace curlicue::detail {

class easy_core;

/// What libcurl searches its connections by (conncache.c, hashkey; in later versions their
/// destination): a proxy that is asked for URLs, or else protocol family, host and port. Never
/// credentials. Empty where it is not known, or where libcurl will find the URL wrong.
class server_name {
public:
    /// That which an easy names. It is valid until the next call.
    /// @throws std::bad_alloc
    std::string_view of(const easy_core& handle);

private:
    std::string text_;
};

/// Host and port of a proxy that is asked for URLs; empty for those of other kinds.
/// @throws std::bad_alloc
std::string proxy_named(std::string_view proxy);
/// Whether connections to it may carry several transfers at a time, where libcurl lets them.
bool may_multiplex(const easy_core& handle, std::string_view server) noexcept;
/// FTP and LDAP.
bool is_waited_for(std::string_view server) noexcept;
/// Whether its connections begin with a TLS handshake.
bool is_over_tls(std::string_view server) noexcept;
/// Whether it is HTTP, or WebSocket, without TLS.
bool is_plain_http(std::string_view server) noexcept;
/// Whether libcurl has to ask for the address of its host.
bool must_be_looked_up(std::string_view server) noexcept;

} // namespace curlicue::detail
