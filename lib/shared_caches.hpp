// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/intrusive_ptr.hpp>

#include <memory>

#include <curl/curl.h>

namespace curlicue::detail {

/// What the shards of an engine have in common, for some servers: addresses of hosts, and TLS
/// sessions where easies of one multi handle have those in common anyway. Who is let in by a
/// session has checked no certificate, and what a callback would have said to that libcurl does not
/// know: such an easy has no sessions (`easy_core::choose_session_cache`). Not connections: those
/// would be searched one by one again.
/// @threading loop-bound: it takes no locks
class shared_caches final : public ref_counted {
public:
    /// @throws std::bad_alloc
    shared_caches();
    CURLSH* handle() const noexcept { return share_.get(); }

private:
    void have_in_common(curl_lock_data what);

    struct cleanup {
        void operator()(CURLSH* share) const noexcept { curl_share_cleanup(share); }
    };
    std::unique_ptr<CURLSH, cleanup> share_;
};

} // namespace curlicue::detail
