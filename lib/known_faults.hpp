// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string_view>

namespace curlicue::detail {

/// What some versions of libcurl do wrong, and an engine has an answer to.
enum class fault {
    stalls_streams,       ///< transfers that share an HTTP/2 connection
    closes_in_silence,    ///< sockets that were never connected: no CLOSESOCKETFUNCTION
    waits_in_removal,     ///< for a look-up that runs
    waits_in_cleanup,     ///< likewise
    loses_wakeups,        ///< of HTTP/2 transfers
    reads_while_paused,   ///< and loses what it held back
    asks_without_end,     ///< to be called at once
    keeps_shut_sockets,   ///< readable for ever
    forgets_its_pointers, ///< those that curl_multi_assign gave to sockets
    leaves_waker_readable,
    asks_for_too_little,   ///< of FTP and LDAP: what would go on is not called for
    mixes_up_ldaps,        ///< connections that are used again
    ends_no_shutdown,      ///< of a TLS connection, unless all transfers are called for
    keeps_os_error,        ///< of an earlier transfer
    keeps_rewinding,       ///< after a body that could not be rewound
    insists_on_directory,  ///< of CA certificates, where it has a default one
    stops_after_cancels,   ///< a connection of HTTP/3 by OpenSSL
    stops_at_many_streams, ///< likewise
    misses_idle_close,     ///< of a connection of HTTP/3 by ngtcp2, until it uses it
    parses_for_each_quic,  ///< connection of ngtcp2's: the CA certificates
    forgets_limits,        ///< of connections, where a share has them
};

struct known_fault {
    fault which;
    unsigned first, last; ///< versions of libcurl, as `curl_version_info_data::version_num`
    std::string_view what;
    std::string_view answer;
    std::string_view quic = {}; ///< what `quic_version` there begins with; empty: with any
};

std::span<const known_fault> known_faults() noexcept;
/// @param quic as `curl_version_info_data::quic_version`
bool has(fault which, unsigned version, std::string_view quic = {}) noexcept;
/// Whether the libcurl at hand has it.
bool has(fault which) noexcept;

} // namespace curlicue::detail
