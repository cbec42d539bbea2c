// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/intrusive_ptr.hpp>

#include <memory>

#include <curl/curl.h>

namespace curlicue::detail {

/// What the shards of an engine have in common: addresses of hosts. Not connections: those would be
/// searched one by one again. Nor TLS sessions: who is let in by one has checked no certificate,
/// and whether another easy would have accepted it no version of libcurl knows in full
/// (CURLOPT_SSL_CTX_FUNCTION); nor does it help, since a share keeps few of them.
/// @threading loop-bound: it takes no locks
class shared_caches final : public ref_counted {
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
