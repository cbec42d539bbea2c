// SPDX-License-Identifier: MIT
#include "shared_caches.hpp"

#include "global.hpp"

#include <new>

namespace curlicue::detail {

[[gnu::noinline]] shared_caches::shared_caches() : share_((global_init(), curl_share_init())) {
    if (!share_)
        throw std::bad_alloc();
    curl_share_setopt(share_.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
}

} // namespace curlicue::detail
