// SPDX-License-Identifier: MIT
#include "curl_transfer.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace curlicue::bench {

curl_transfer::curl_transfer(const job& what, std::size_t number) : upload_(what.upload) {
    curl_easy_setopt(handle_, CURLOPT_PRIVATE, this);
    curl_easy_setopt(handle_, CURLOPT_URL, what.url(number).c_str());
    curl_easy_setopt(handle_, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(handle_, CURLOPT_WRITEFUNCTION, discard);
    curl_easy_setopt(handle_, CURLOPT_WRITEDATA, this);
    if (what.default_authorities) {
        authority_.emplace(what.ca);
        curl_easy_setopt(handle_, CURLOPT_SSL_CTX_FUNCTION, prepare_tls);
        curl_easy_setopt(handle_, CURLOPT_SSL_CTX_DATA, this);
    } else if (!what.ca.empty()) {
        curl_easy_setopt(handle_, CURLOPT_CAINFO, what.ca.c_str());
    }
    if (what.fresh) {
        curl_easy_setopt(handle_, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(handle_, CURLOPT_FORBID_REUSE, 1L);
    }
    curl_easy_setopt(
        handle_, CURLOPT_HTTP_VERSION,
        static_cast<long>(what.multiplex ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
    if (what.multiplex)
        curl_easy_setopt(handle_, CURLOPT_PIPEWAIT, 1L);
    if (what.buffer != 0)
        curl_easy_setopt(handle_, CURLOPT_BUFFERSIZE, what.buffer);
    if (what.upload != 0) {
        curl_easy_setopt(handle_, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(handle_, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(what.upload));
        curl_easy_setopt(handle_, CURLOPT_READFUNCTION, zeros);
        curl_easy_setopt(handle_, CURLOPT_READDATA, this);
    }
}

curl_transfer& curl_transfer::of(CURL* handle) {
    void* self = nullptr;
    curl_easy_getinfo(handle, CURLINFO_PRIVATE, &self);
    return *static_cast<curl_transfer*>(self);
}

void curl_transfer::rewind() noexcept {
    left_ = upload_;
    begun_ = false;
}

std::size_t curl_transfer::discard(const char*, std::size_t, std::size_t size, void* transfer) {
    auto& self = *static_cast<curl_transfer*>(transfer);
    if (self.told_ != nullptr && !std::exchange(self.begun_, true))
        self.told_->push_back(&self);
    return size;
}

CURLcode curl_transfer::prepare_tls(CURL*, void* ssl_ctx, void* transfer) {
    return static_cast<curl_transfer*>(transfer)->authority_->trust_in(ssl_ctx);
}

std::size_t curl_transfer::zeros(char* target, std::size_t size, std::size_t count,
                                 void* transfer) {
    auto& left = static_cast<curl_transfer*>(transfer)->left_;
    const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(size * count, left));
    std::memset(target, 0, piece);
    left -= piece;
    return piece;
}

} // namespace curlicue::bench
