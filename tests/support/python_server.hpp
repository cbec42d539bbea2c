// SPDX-License-Identifier: MIT
#pragma once

#include "support/road.hpp"
#include "support/server_process.hpp"
#include "support/temporary_directory.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace curlicue::test {

/// One of the servers in support/ that are written in Python, as a process of its own.
class python_server {
public:
    /// @param script its name in support/, which gets a port and the `arguments`
    /// @throws std::runtime_error if it does not serve
    explicit python_server(const char* script, const std::vector<std::string>& arguments = {});

    std::uint16_t port() const noexcept { return way_.port(); }
    /// @param origin "http://127.0.0.1", for instance
    std::string url(std::string_view origin, std::string_view path) const;

private:
    temporary_directory directory_;
    reserved_port port_;
    server_process process_;
    road_to way_{port_.number()};
};

/// Whether the interpreter that runs them can import this.
bool python_has(const char* module);

} // namespace curlicue::test
