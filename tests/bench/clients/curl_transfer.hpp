// SPDX-License-Identifier: MIT
#pragma once

#include "authority.hpp"
#include "job.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <curl/curl.h>

namespace curlicue::bench {

/// An easy handle that does what a job asks, again and again. Options that the job says nothing
/// about are libcurl's defaults.
class curl_transfer {
public:
    curl_transfer(const job& what, std::size_t number);
    curl_transfer(const curl_transfer&) = delete;
    curl_transfer& operator=(const curl_transfer&) = delete;
    ~curl_transfer() { curl_easy_cleanup(handle_); }

    static curl_transfer& of(CURL* handle);
    CURL* handle() const noexcept { return handle_; }

    /// Back to the beginning, for another time.
    void rewind() noexcept;
    /// It adds itself to `list` when the first bytes are here.
    void tell(std::vector<curl_transfer*>& list) noexcept { told_ = &list; }

private:
    static std::size_t discard(const char*, std::size_t, std::size_t size, void* transfer);
    static CURLcode prepare_tls(CURL* handle, void* ssl_ctx, void* transfer);
    static std::size_t zeros(char* target, std::size_t size, std::size_t count, void* transfer);

    CURL* const handle_ = curl_easy_init();
    std::optional<authority> authority_;
    const std::uint64_t upload_;
    std::uint64_t left_ = 0;
    bool begun_ = false;
    std::vector<curl_transfer*>* told_ = nullptr;
};

} // namespace curlicue::bench
