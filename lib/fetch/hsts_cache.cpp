// SPDX-License-Identifier: MIT
#include "hsts_cache.hpp"

#include <curlicue/easy.hpp>

#include <memory>
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
    // One of ours leaves its share before it ends.
    const std::unique_ptr<CURL, void (*)(CURL*)> last(curl_easy_init(), &curl_easy_cleanup);
    if (!last)
        return; // then the next client asks once more without
    curl_easy_setopt(last.get(), CURLOPT_SHARE, known_.native_handle());
    curl_easy_setopt(last.get(), CURLOPT_HSTS_CTRL, long{CURLHSTS_ENABLE});
    curl_easy_setopt(last.get(), CURLOPT_HSTS, file_.c_str());
}

} // namespace curlicue::detail
