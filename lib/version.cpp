// SPDX-License-Identifier: MIT
#include <curlicue/version.hpp>

#include <curl/curl.h>

namespace curlicue {
namespace {

/// libcurl's own form, two hexadecimal digits each.
constexpr version_number from_hex(unsigned number) noexcept {
    return {number >> 16 & 0xff, number >> 8 & 0xff, number & 0xff};
}

const curl_version_info_data& info() noexcept { return *curl_version_info(CURLVERSION_NOW); }

std::vector<std::string> strings(const char* const* list) {
    std::vector<std::string> all;
    for (; list != nullptr && *list != nullptr; ++list)
        all.emplace_back(*list);
    return all;
}

bool contains(const char* const* list, std::string_view name) {
    const std::string wanted(name);
    for (; list != nullptr && *list != nullptr; ++list)
        if (curl_strequal(*list, wanted.c_str()) != 0)
            return true;
    return false;
}

} // namespace

std::string to_string(const version_number& version) {
    return std::to_string(version.major) + '.' + std::to_string(version.minor) + '.' +
           std::to_string(version.patch);
}

library_version libcurl_version() {
    return {from_hex(LIBCURL_VERSION_NUM), from_hex(info().version_num)};
}

bool has_feature(std::string_view name) { return contains(info().feature_names, name); }
bool has_protocol(std::string_view name) { return contains(info().protocols, name); }
std::vector<std::string> features() { return strings(info().feature_names); }
std::vector<std::string> protocols() { return strings(info().protocols); }

} // namespace curlicue
