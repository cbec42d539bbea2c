// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace curlicue::bench {

/// What http://ADDRESS:PORT/PATH names.
struct target {
    explicit target(std::string_view url) {
        url.remove_prefix(std::string_view("http://").size());
        const auto colon = url.find(':');
        const auto slash = url.find('/');
        host = url.substr(0, slash);
        address = url.substr(0, colon);
        port = static_cast<std::uint16_t>(
            std::stoi(std::string(url.substr(colon + 1, slash - colon - 1))));
        path = url.substr(slash);
    }

    std::string host; ///< with the port
    std::string address;
    std::string path;
    std::uint16_t port;
};

} // namespace curlicue::bench
