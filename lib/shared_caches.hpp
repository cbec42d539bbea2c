// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include <curl/curl.h>

namespace curlicue::detail {

/// What the shards of an engine have in common: addresses of hosts and TLS sessions. Not
/// connections: those would be searched one by one again.
/// @threading loop-bound: it takes no locks
class shared_caches {
public:
    /// @throws std::bad_alloc
    shared_caches();
    CURLSH* handle() const noexcept { return share_.get(); }

private:
    struct cleanup {
        void operator()(CURLSH* share) const noexcept { curl_share_cleanup(share); }
    };
    std::unique_ptr<CURLSH, cleanup> share_;
};

} // namespace curlicue::detail
