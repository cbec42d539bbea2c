// SPDX-License-Identifier: MIT
#include "easy_core.hpp"
#include "refusal.hpp"
#include <curlicue/detail/slist.hpp>

namespace curlicue {

void easy::read(CURLINFO info, void* value) const {
    auto& core = here("easy::getinfo");
    if (info == CURLINFO_OS_ERRNO && core.owned()) {
        *static_cast<long*>(value) = core.os_error();
        return;
    }
    const auto code = curl_easy_getinfo(core.handle(), info, value);
    if (code != CURLE_OK)
        detail::refuse(code, "easy::getinfo(" + std::to_string(info & CURLINFO_MASK) + ")");
}

void easy::get(CURLINFO info, std::optional<std::string_view>& value) const {
    const char* text = nullptr;
    read(info, &text);
    if (text != nullptr)
        value = text;
}

void easy::get(CURLINFO info, std::chrono::seconds& value) const {
    curl_off_t count = 0;
    read(info, &count);
    value = std::chrono::seconds(count);
}

void easy::get(CURLINFO info, std::chrono::microseconds& value) const {
    curl_off_t count = 0;
    read(info, &count);
    value = std::chrono::microseconds(count);
}

void easy::get(CURLINFO info, std::vector<std::string>& value) const {
    curl_slist* list = nullptr;
    read(info, &list);
    value = detail::strings_of(detail::slist(list).get()); // made for us (curl_easy_getinfo(3))
}

void easy::get(CURLINFO info, std::vector<std::vector<std::string>>& value) const {
    curl_certinfo* chain = nullptr;
    read(info, &chain); // libcurl's own, unlike a list
    for (int i = 0; chain != nullptr && i < chain->num_of_certs; ++i)
        value.push_back(detail::strings_of(chain->certinfo[i]));
}

void easy::get(CURLINFO info, curl_tlssessioninfo& value) const {
    curl_tlssessioninfo* session = nullptr;
    read(info, &session);
    if (session != nullptr)
        value = *session;
}

} // namespace curlicue
