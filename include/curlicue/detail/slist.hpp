// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/export.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <curl/curl.h>

namespace curlicue::detail {

/// Owns a `curl_slist`.
class CURLICUE_EXPORT slist {
public:
    slist() = default;
    /// Takes over a list that libcurl made.
    explicit slist(curl_slist* head) noexcept : head_(head) {}
    slist(slist&& other) noexcept
        : head_(std::exchange(other.head_, nullptr)), last_(std::exchange(other.last_, nullptr)) {}
    slist& operator=(slist&& other) noexcept {
        std::swap(head_, other.head_);
        std::swap(last_, other.last_);
        return *this;
    }
    ~slist();

    /// @throws usage_error{errc::embedded_nul}, std::bad_alloc
    void append(std::string_view text);
    void append(const std::string& text);

    curl_slist* get() const noexcept { return head_; }
    curl_slist* release() noexcept { return std::exchange(head_, nullptr); }

private:
    curl_slist* head_ = nullptr;
    curl_slist* last_ = nullptr;
};

/// The strings of a list that somebody else owns.
CURLICUE_EXPORT std::vector<std::string> strings_of(const curl_slist* list);

} // namespace curlicue::detail
