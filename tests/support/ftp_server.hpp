// SPDX-License-Identifier: MIT
#pragma once

#include "support/road.hpp"
#include "support/server_process.hpp"
#include "support/temporary_directory.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace curlicue::test {

/// pyftpdlib. Anybody may read and write; it starts out with files named 1024 and 1048576 that
/// hold bytes() of that size.
class ftp_server {
public:
    /// The one that all tests of a program use, started when first asked for.
    static const ftp_server& shared();

    ftp_server();

    std::string url(std::string_view path) const;

private:
    std::vector<std::string> prepare() const;

    temporary_directory directory_;
    reserved_port port_;
    server_process process_;
    road_to control_{port_.number()};
};

} // namespace curlicue::test
