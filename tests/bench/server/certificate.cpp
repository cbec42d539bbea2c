// SPDX-License-Identifier: MIT
#include "certificate.hpp"

#include "support/server_process.hpp"

#include <string>
#include <vector>

namespace curlicue::bench {

void make_certificate(const test::temporary_directory& directory) {
    const auto request = [&](std::vector<std::string> extra) {
        std::vector<std::string> command = {
            "openssl", "req",   "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes",  "-days", "2"};
        command.insert(command.end(), extra.begin(), extra.end());
        test::run_program(std::move(command), directory / "openssl.log");
    };
    const std::string ca = directory / "ca.pem", ca_key = directory / "ca.key";
    request({"-subj", "/CN=curlicue benchmark authority", "-keyout", ca_key, "-out", ca});
    request({"-CA", ca, "-CAkey", ca_key, "-subj", "/CN=localhost", "-addext",
             "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext",
             "basicConstraints=critical,CA:FALSE", "-keyout", directory / "server.key", "-out",
             directory / "server.pem"});
}

} // namespace curlicue::bench
