// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <curlicue/detail/slist.hpp>

#include <new>

namespace curlicue::detail {

slist::~slist() { curl_slist_free_all(head_); }

void slist::append(std::string_view text) { append(std::string(text)); }

/// curl_slist_append walks to the end of the list it is given, so it is given the end.
void slist::append(const std::string& text) {
    refuse_nul(text, "list");
    auto* const grown = curl_slist_append(last_, text.c_str());
    if (grown == nullptr)
        throw std::bad_alloc();
    last_ = last_ != nullptr ? last_->next : grown;
    if (head_ == nullptr)
        head_ = last_;
}

std::vector<std::string> strings_of(const curl_slist* list) {
    std::vector<std::string> strings;
    for (; list != nullptr; list = list->next)
        strings.emplace_back(list->data);
    return strings;
}

} // namespace curlicue::detail
