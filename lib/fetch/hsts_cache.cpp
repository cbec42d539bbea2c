// SPDX-License-Identifier: MIT
#include "hsts_cache.hpp"

#include <curlicue/easy.hpp>

#include <exception>
#include <utility>

namespace curlicue::detail {

hsts_cache::hsts_cache(std::string file) : file_(std::move(file)) {}

// libcurl reads the file at the start of each transfer that names it (Curl_hsts_loadfiles), and
// writes it at the end of each easy that does (Curl_hsts_save).
void hsts_cache::lend_to(easy& handle) {
    handle.setopt<CURLOPT_SHARE>(known_).setopt<CURLOPT_HSTS_CTRL>(long{CURLHSTS_ENABLE});
    if (!file_.empty() && !std::exchange(read_, true))
        handle.setopt<CURLOPT_HSTS>(file_);
}

hsts_cache::~hsts_cache() {
    if (!read_)
        return; // nothing was learned
    try {
        easy last;
        last.setopt<CURLOPT_SHARE>(known_)
            .setopt<CURLOPT_HSTS_CTRL>(long{CURLHSTS_ENABLE})
            .setopt<CURLOPT_HSTS>(file_);
    } catch (const std::exception&) {
        // Then the next client asks once more without.
    }
}

} // namespace curlicue::detail
