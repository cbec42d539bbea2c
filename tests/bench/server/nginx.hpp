// SPDX-License-Identifier: MIT
#pragma once

#include "support/server_process.hpp"
#include "support/temporary_directory.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <string>

namespace curlicue::bench {

/// nginx over HTTP/1.1 and over TLS with HTTP/2, where every handshake is a full one. It serves
/// /100 (bytes, from memory), /64k, /256k, /64m and /1g (from holes in files).
class nginx {
public:
    /// @param workers processes; no master, which would leave them behind when it is killed
    explicit nginx(int workers = 1);

    std::string http() const { return "http://" + http_.front().address(); }
    /// The same at each of its ports, separated by spaces: so many servers, in the eyes of a
    /// client.
    std::string origins() const;
    /// A port that all of 127.0.0.0/8 have, and that is a proxy to whatever name is asked for.
    std::uint16_t everywhere() const { return everywhere_.number(); }
    std::string https() const { return "https://" + https_.address(); }
    /// Who signed its certificate.
    std::filesystem::path ca_file() const { return directory_ / "ca.pem"; }

private:
    std::filesystem::path prepare() const;

    test::temporary_directory directory_;
    std::array<test::reserved_port, 8> http_;
    test::reserved_port everywhere_;
    test::reserved_port https_;
    std::deque<test::server_process> workers_;
};

} // namespace curlicue::bench
