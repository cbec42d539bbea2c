// SPDX-License-Identifier: MIT
#include "shared_caches.hpp"

#include "global.hpp"

#include <new>

namespace curlicue::detail {
namespace {

// From then on a multi handle, too, keeps the sessions of all its easies (vtls_scache.c), of 25
// servers, as a share does. Before, each easy keeps its own, and a share 8 in all.
constexpr unsigned keeps_sessions = 0x080c00; // 8.12

} // namespace

[[gnu::noinline]] shared_caches::shared_caches() : share_((global_init(), curl_share_init())) {
    if (!share_)
        throw std::bad_alloc();
    have_in_common(CURL_LOCK_DATA_DNS);
    if (curl_version_info(CURLVERSION_NOW)->version_num >= keeps_sessions)
        have_in_common(CURL_LOCK_DATA_SSL_SESSION);
}

// A libcurl without TLS has no sessions, and says so.
void shared_caches::have_in_common(curl_lock_data what) {
    if (curl_share_setopt(share_.get(), CURLSHOPT_SHARE, what) == CURLSHE_NOMEM)
        throw std::bad_alloc();
}

} // namespace curlicue::detail
