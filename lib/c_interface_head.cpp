// SPDX-License-Identifier: MIT
#include "c_interface_head.hpp"

#include "fetch/header_access.hpp"

#include <cstddef>
#include <string_view>

namespace curlicue::detail {
namespace {

curlicue_http_version for_c(http_version version) noexcept {
    switch (version) {
    case http_version::http2:
        return CURLICUE_HTTP_2;
    case http_version::http3:
    case http_version::http3_only:
        return CURLICUE_HTTP_3;
    default:
        return CURLICUE_HTTP_1;
    }
}

} // namespace

head_for_c::head_for_c(const response& of) {
    head_.size = sizeof head_;
    head_.status = of.status();
    head_.version = for_c(of.version());
    head_.redirected = of.redirected() ? 1 : 0;
    std::size_t size = of.reason().size() + of.url().size() + of.remote_address().size() + 3;
    for (const auto field : of.headers())
        size += field.name.size() + field.value.size() + 2;
    text_.reserve(size); // where it is, it stays
    headers_.reserve(of.headers().size());
    const auto copy = [this](std::string_view text) {
        const auto* const at = text_.data() + text_.size();
        text_.append(text).push_back('\0');
        return at;
    };
    head_.reason = copy(of.reason());
    head_.url = copy(of.url());
    head_.remote_address = copy(of.remote_address());
    for (const auto field : of.headers()) {
        const auto* const name = copy(field.name);
        headers_.push_back({name, copy(field.value)});
    }
    head_.headers = headers_.data();
    head_.header_count = headers_.size();
}

} // namespace curlicue::detail

const char* curlicue_head_get(const curlicue_head* head, const char* name) {
    for (std::size_t i = 0; i != head->header_count; ++i)
        if (curlicue::detail::same_token(head->headers[i].name, name))
            return head->headers[i].value;
    return nullptr;
}
