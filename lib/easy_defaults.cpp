// SPDX-License-Identifier: MIT
// What owned easies have that libcurl's own have not, and what they are lent for a transfer.
#include "easy_core.hpp"
#include "known_faults.hpp"
#include "scheme.hpp"
#include "shared_caches.hpp"

#include <algorithm>
#include <utility>

namespace curlicue::detail {

// The user may change all of these but the first, and a copy has them as they are.
void easy_core::set_defaults() {
    curl_easy_setopt(handle_, CURLOPT_ERRORBUFFER, error_buffer_.data());
    set_signal_defaults();
    choose_buffer_size();
    callbacks_.set_defaults(*this);
}

void easy_core::set_signal_defaults() noexcept {
    // libcurl installs signal handlers for each transfer otherwise, in a process with threads.
    curl_easy_setopt(handle_, CURLOPT_NOSIGNAL, 1L);
    // libcurl up to 8.17 waits for a running getaddrinfo otherwise when a transfer is removed.
    curl_easy_setopt(handle_, CURLOPT_QUICK_EXIT, 1L);
}

// A large one halves the processor time of a large body. From 8.7 on a multi handle has one for all
// of its transfers; below, each transfer has its own, which is to stay below what glibc maps and
// unmaps (128 KiB), and of ten thousand takes more memory than all else.
long easy_core::buffer_size_beside(std::size_t running) noexcept {
    static const bool shared = curl_version_info(CURLVERSION_NOW)->version_num >= 0x080700;
    if (shared)
        return 512L << 10;
    constexpr std::size_t few = 64, many = 1024;
    return running < few ? 112L << 10 : running < many ? 16L << 10 : 8L << 10;
}

// Where libcurl's own size matters: of a paused transfer it keeps 64 MiB of what one buffer decodes
// to (DYN_PAUSE_BUFFER), and it reads up to a hundred buffers before it looks at a limit of the
// speed (transfer.c, readwrite_data).
void easy_core::choose_buffer_size() noexcept {
    if (is_set(CURLOPT_BUFFERSIZE) || by_hand_)
        return;
    const bool modest = is_set(CURLOPT_ACCEPT_ENCODING) || is_set(CURLOPT_MAX_RECV_SPEED_LARGE);
    curl_easy_setopt(handle_, CURLOPT_BUFFERSIZE,
                     modest ? std::min(buffer_size_, long{CURL_MAX_WRITE_SIZE}) : buffer_size_);
}

// libcurl takes a session for as good as a certificate, and knows nothing of what a callback would
// have said to that (Curl_ssl_config_matches, Curl_ssl_peer_key_make): neither does such an easy
// use one that another has made, nor does another use its.
void easy_core::choose_session_cache() noexcept {
    if (!is_set(CURLOPT_SSL_SESSIONID_CACHE))
        curl_easy_setopt(handle_, CURLOPT_SSL_SESSIONID_CACHE,
                         is_set(CURLOPT_SSL_CTX_FUNCTION) ? 0L : 1L);
}

// libcurl 8.7 to 8.15 begins the transfer after one whose body could not be rewound with another
// try to do so (Curl_client_start), whatever was set since, and that fails as well.
[[gnu::noinline]] void easy_core::begin_anew() noexcept {
    if (!has(fault::keeps_rewinding) || by_hand_ || callbacks_.has(CURLOPT_SEEKFUNCTION) ||
        is_set(CURLOPT_SEEKFUNCTION) || is_set(function_number(130)))
        return;
    curl_easy_setopt(handle_, CURLOPT_SEEKFUNCTION, &rewound_once);
    curl_easy_setopt(handle_, CURLOPT_SEEKDATA, this);
    lends_rewind_ = true;
}

// What it asks for later it cannot have, as without a callback.
int easy_core::rewound_once(void* self, curl_off_t, int) noexcept {
    auto& core = *static_cast<easy_core*>(self);
    return std::exchange(core.must_rewind_, false) ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_CANTSEEK;
}

void easy_core::lend_caches(const intrusive_ptr<shared_caches>& caches) noexcept {
    if (!share_ && !by_hand_ && !is_set(CURLOPT_SHARE) &&
        curl_easy_setopt(handle_, CURLOPT_SHARE, caches->handle()) == CURLE_OK)
        lent_caches_ = caches;
}

// libcurl counts the age of a connection in whole seconds (url.c, conn_maxage), and 0 means any.
[[gnu::noinline]] void
easy_core::pass_by_what_is_older(std::chrono::steady_clock::time_point then) noexcept {
    if (by_hand_ || is_set(CURLOPT_FRESH_CONNECT) || is_set(CURLOPT_MAXLIFETIME_CONN))
        return;
    const auto since =
        std::chrono::floor<std::chrono::seconds>(std::chrono::steady_clock::now() - then);
    const long most = static_cast<long>(since.count()) - 1;
    curl_easy_setopt(handle_, CURLOPT_FRESH_CONNECT, most > 0 ? 0L : 1L);
    curl_easy_setopt(handle_, CURLOPT_MAXLIFETIME_CONN, std::max(most, 0L));
    wants_newer_connections_ = true;
}

[[gnu::noinline]] void easy_core::return_what_was_lent() noexcept {
    if (std::exchange(wants_newer_connections_, false)) {
        curl_easy_setopt(handle_, CURLOPT_FRESH_CONNECT, 0L);
        curl_easy_setopt(handle_, CURLOPT_MAXLIFETIME_CONN, 0L);
    }
    if (const auto lent = std::exchange(lent_caches_, nullptr)) // libcurl cleans up none in use
        curl_easy_setopt(handle_, CURLOPT_SHARE, nullptr);
    if (std::exchange(lends_rewind_, false)) {
        curl_easy_setopt(handle_, CURLOPT_SEEKFUNCTION, nullptr);
        curl_easy_setopt(handle_, CURLOPT_SEEKDATA, nullptr);
    }
    if (std::exchange(gives_connection_up_, false))
        curl_easy_setopt(handle_, CURLOPT_FORBID_REUSE, 0L);
}

// What has come of a stream that is called off, or comes yet, OpenSSL's QUIC takes from what the
// server may send over the connection, and never gives it back. Which protocol it is libcurl tells
// with the head of the reply; HTTP/3 is for those alone who ask for it.
[[gnu::noinline]] void easy_core::give_connection_up() noexcept {
    if (!owned_ || by_hand_ || forbids_reuse_ || is_set(CURLOPT_FORBID_REUSE) ||
        !(is_set(CURLOPT_HTTP_VERSION) || is_set(CURLOPT_ALTSVC)))
        return;
    long version = 0;
    curl_easy_getinfo(handle_, CURLINFO_HTTP_VERSION, &version);
    if (version == 0 || version >= CURL_HTTP_VERSION_3)
        gives_connection_up_ = curl_easy_setopt(handle_, CURLOPT_FORBID_REUSE, 1L) == CURLE_OK;
}

void easy_core::forbid_unsound_reuse() {
    named_anew_ = by_hand_ || address() != nullptr;
    const char* url = nullptr;
    curl_easy_getinfo(handle_, CURLINFO_EFFECTIVE_URL, &url);
    const bool forbid = address() != nullptr
                            ? scheme_of(*this) == "ldaps"
                            : url != nullptr && curl_strnequal(url, "ldaps:", 6) != 0;
    if (forbid != forbids_reuse_ && !is_set(CURLOPT_FORBID_REUSE) && (forbid || !by_hand_))
        forbids_reuse_ =
            curl_easy_setopt(handle_, CURLOPT_FORBID_REUSE, forbid ? 1L : 0L) == CURLE_OK && forbid;
}

// libcurl keeps what it has parsed only where there is no directory (vtls/openssl.c,
// Curl_ssl_setup_x509_store), and from 7.87 on.
[[gnu::noinline]] void easy_core::prefer_ca_bundle() noexcept {
    const auto* const libcurl = curl_version_info(CURLVERSION_NOW);
    if (prefers_ca_bundle_ || has(fault::insists_on_directory) || libcurl->cainfo == nullptr ||
        is_set(CURLOPT_CAINFO) || is_set(CURLOPT_CAPATH) || is_set(CURLOPT_CAINFO_BLOB))
        return;
    prefers_ca_bundle_ = curl_easy_setopt(handle_, CURLOPT_CAPATH, nullptr) == CURLE_OK;
}

} // namespace curlicue::detail
