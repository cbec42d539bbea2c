// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/mime.hpp>

#include <deque>
#include <memory>
#include <string>

#include <curl/curl.h>

namespace curlicue::detail {

class easy_core;

/// A `mime` made for one handle. libcurl wants the handle when it makes a curl_mime, so it is made
/// when it is set, and made again for a duplicate.
class built_mime {
public:
    built_mime(easy_core& core, mime description);
    built_mime(const built_mime&) = delete;
    built_mime& operator=(const built_mime&) = delete;
    ~built_mime();

    curl_mime* handle() const noexcept { return handle_; }
    const mime& description() const noexcept { return description_; }

private:
    struct stream; // what libcurl reads a part from

    using owner = std::unique_ptr<curl_mime, void (*)(curl_mime*)>;
    owner build(const mime& parts);
    void fill(curl_mimepart* part, const mimepart& from);
    void fill_content(curl_mimepart* part, const mimepart& from);
    void read_from(curl_mimepart* part, std::unique_ptr<stream> source, curl_off_t size);

    easy_core& core_;
    const mime description_;
    std::deque<std::unique_ptr<stream>> streams_;
    curl_mime* handle_ = nullptr;
};

} // namespace curlicue::detail
