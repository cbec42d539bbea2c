// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/share.hpp>

#include <string>

namespace curlicue {
class easy;
}

namespace curlicue::detail {

/// Which servers are to be asked over TLS alone, of one client.
/// @threading the loop's, but for its end
class hsts_cache {
public:
    /// @param file where it is kept, or empty
    explicit hsts_cache(std::string file);
    hsts_cache(const hsts_cache&) = delete;
    hsts_cache& operator=(const hsts_cache&) = delete;
    ~hsts_cache();

    /// The easy heeds it, and tells it more.
    void lend_to(easy& handle);

private:
    const std::string file_;
    const share known_{CURL_LOCK_DATA_HSTS};
    bool read_ = false;
};

} // namespace curlicue::detail
