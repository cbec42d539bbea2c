// SPDX-License-Identifier: MIT
#pragma once

#include "support/server_process.hpp"
#include "support/temporary_directory.hpp"

#include <filesystem>
#include <string>

namespace curlicue::test {

/// tinyproxy: forwards http, tunnels https, and says "curlicue" in the Via header.
class proxy {
public:
    /// The one that all tests of a program use, started when first asked for.
    static const proxy& shared();

    proxy();

    /// For CURLOPT_PROXY.
    std::string url() const { return "http://" + port_.address(); }

private:
    std::filesystem::path prepare() const;

    temporary_directory directory_;
    reserved_port port_;
    server_process process_;
};

} // namespace curlicue::test
