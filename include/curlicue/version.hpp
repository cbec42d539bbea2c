// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/export.hpp>

#include <compare>
#include <string>
#include <string_view>
#include <vector>

namespace curlicue {

struct version_number {
    unsigned major = 0;
    unsigned minor = 0;
    unsigned patch = 0;

    friend auto operator<=>(const version_number&, const version_number&) = default;
};

CURLICUE_EXPORT std::string to_string(const version_number& version);

/// A library as our build saw it, and as this process found it.
struct library_version {
    version_number compiled;
    version_number found;
};

/// @threading thread-safe
CURLICUE_EXPORT library_version libcurl_version();
CURLICUE_EXPORT library_version libuv_version();

/// What the libcurl at hand was built with, by the names that `curl --version` prints; e.g.
/// "HTTP2", "brotli" and "https", "ftp". Upper and lower case are the same.
/// @threading thread-safe
CURLICUE_EXPORT bool has_feature(std::string_view name);
CURLICUE_EXPORT bool has_protocol(std::string_view name);
CURLICUE_EXPORT std::vector<std::string> features();
CURLICUE_EXPORT std::vector<std::string> protocols();

} // namespace curlicue
