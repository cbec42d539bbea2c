// SPDX-License-Identifier: MIT
#include "known_faults.hpp"

#include <array>

#include <curl/curl.h>

namespace curlicue::detail {
namespace {

constexpr unsigned newest = ~0U;

// How the QUIC of these begins to tell its version (vquic.c, Curl_quic_ver): OpenSSL's own tells
// that of the HTTP/3 above it alone.
constexpr std::string_view by_openssl = "nghttp3/";
constexpr std::string_view by_ngtcp2 = "ngtcp2/";

// All seen by experiment, but for those of 8.9, which libcurl's tracker tells of (#14280).
constexpr std::array faults{
    // In 7 of 12 runs of 50 downloads, with libcurl's own poll loop as well.
    known_fault{fault::stalls_streams, 0, 0x0803ff,
                "transfers that share an HTTP/2 connection stall",
                "HTTP/2 multiplexing is off unless CURLMOPT_PIPELINING asks for it"},
    known_fault{fault::closes_in_silence, 0, 0x0801ff,
                "sockets that were never connected are closed without a word (cf_socket_close)",
                "those are watched only while libcurl asks for it"},
    known_fault{fault::waits_in_removal, 0, 0x0811ff,
                "the removal of a transfer waits for its name look-up",
                "CURLOPT_QUICK_EXIT is set on owned easies"},
    // No socket while a bind is under way (openldap.c has no proto_getsock), and that of the data
    // connection alone while the control connection has its turn (ftp_domore_getsock): over TLS,
    // and else before the transfer begins.
    known_fault{fault::asks_for_too_little, 0, 0x0808ff,
                "LDAP and FTP wait for what libcurl does not ask to hear of",
                "all transfers are called for when something comes"},
    // The library beneath keeps the first transfer's handle (liblber).
    known_fault{fault::mixes_up_ldaps, 0, 0x0804ff,
                "LDAPS connections that are used again hang or touch freed memory",
                "CURLOPT_FORBID_REUSE is set on owned easies for ldaps://"},
    known_fault{fault::keeps_os_error, 0, 0x0807ff,
                "CURLINFO_OS_ERRNO may be that of an earlier transfer",
                "owned easies tell that of the last one"},
    // With a limit of 2, 8 transfers had 8 connections (8.14.1; not so 7.88.1 and 8.22).
    known_fault{fault::forgets_limits, 0x080d00, 0x0815ff,
                "limits of connections are not kept where a share has the connections",
                "share no connections (CURL_LOCK_DATA_CONNECT) where you limit them"},
    // Curl_client_start, until Curl_req_hard_reset forgets it.
    known_fault{
        fault::keeps_rewinding, 0x080700, 0x080fff,
        "after CURLE_SEND_FAIL_REWIND a handle fails so again, reset or not",
        "owned easies begin anew; make a new one where options are set by curl_easy_setopt"},
    known_fault{fault::loses_wakeups, 0x080500, 0x080500, "HTTP/2 transfers miss wake-ups",
                "the heartbeat calls libcurl all the same"},
    // It asks for the sockets of paused transfers (cf_socket_adjust_pollset), reads one once told
    // that it is ready (Curl_readwrite), and where the body ends then, forgets what it has of it.
    known_fault{fault::reads_while_paused, 0x080500, 0x080500,
                "paused transfers are read on and lose their bodies",
                "libcurl looks for itself what is ready; the spin guard bounds how often"},
    // What is to be read stays noted while a transfer is paused (select_bits): with HTTP/2, and
    // from
    // 8.9 on where the whole of a reply is there (Curl_xfer_is_blocked).
    known_fault{fault::asks_without_end, 0x080600, 0x080eff,
                "paused transfers may want to be called at once without end",
                "a turn of the loop has a bounded number of such calls"},
    known_fault{fault::keeps_shut_sockets, 0x080900, 0x080901,
                "sockets that the server has shut are not let go of",
                "the spin guard looks at them now and then; use another version if you can"},
    known_fault{fault::forgets_its_pointers, 0x080a00, 0x080aff,
                "sockets lose their pointers when a multi handle is cleaned up",
                "sockets are known by their number"},
    known_fault{fault::waits_in_cleanup, 0x081400, newest,
                "the cleanup of a multi handle waits for name look-ups",
                "CURLMOPT_QUICK_EXIT is set"},
    known_fault{fault::leaves_waker_readable, 0x081400, 0x081400,
                "what a finished name look-up wakes libcurl with stays readable",
                "the spin guard looks at it now and then"},
    known_fault{fault::ends_no_shutdown, 0x081500, 0x081500,
                "TLS connections that are shut down stay for ever",
                "all transfers are called for once a second"},
    // A null CURLOPT_CAPATH is taken for none that was set (setopt.c).
    known_fault{fault::insists_on_directory, 0x081500, newest,
                "its default directory of authorities cannot be left out",
                "ca_cache is of use only where there is none"},
    // Seen with 8.14.1 and OpenSSL 3.5, after 15 to 21 of them; and from 64 transfers at once on,
    // in
    // any driver, for 20 s and more.
    known_fault{fault::stops_after_cancels, 0x080600, newest,
                "nothing more comes over an HTTP/3 connection after some cancelled downloads",
                "owned easies that are cancelled leave their connection to nobody; set "
                "CURLOPT_FORBID_REUSE where time limits or callbacks end downloads, or use HTTP/2",
                by_openssl},
    known_fault{fault::stops_at_many_streams, 0x080600, newest,
                "many transfers over one HTTP/3 connection stand still for long",
                "have fewer at once, or use HTTP/2", by_openssl},
    known_fault{fault::misses_idle_close, 0, 0x0815ff,
                "the first HTTP/3 transfer after a server has closed an idle connection fails",
                "do it again, or set CURLOPT_MAXAGE_CONN below the server's idle time", by_ngtcp2},
    known_fault{fault::parses_for_each_quic, 0, newest,
                "CA certificates are parsed anew for each HTTP/3 connection",
                "ca_cache avoids that", by_ngtcp2},
};

constexpr unsigned bit_of(fault which) noexcept { return 1U << static_cast<unsigned>(which); }

constexpr unsigned faults_of(unsigned version, std::string_view quic) noexcept {
    unsigned all = 0;
    for (const auto& each : faults)
        if (each.first <= version && version <= each.last && quic.starts_with(each.quic))
            all |= bit_of(each.which);
    return all;
}

} // namespace

std::span<const known_fault> known_faults() noexcept { return faults; }

bool has(fault which, unsigned version, std::string_view quic) noexcept {
    return (faults_of(version, quic) & bit_of(which)) != 0;
}

bool has(fault which) noexcept {
    // Looked up once: each event of a socket comes here.
    static const unsigned all = [] {
        const auto& libcurl = *curl_version_info(CURLVERSION_NOW);
        return faults_of(libcurl.version_num,
                         libcurl.quic_version != nullptr ? libcurl.quic_version : "");
    }();
    return (all & bit_of(which)) != 0;
}

} // namespace curlicue::detail
