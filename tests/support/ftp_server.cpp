// SPDX-License-Identifier: MIT
#include "support/ftp_server.hpp"

#include "support/files.hpp"

namespace curlicue::test {

const ftp_server& ftp_server::shared() {
    static const ftp_server instance;
    return instance;
}

ftp_server::ftp_server() : process_(prepare(), directory_ / "log", port_) {}

std::vector<std::string> ftp_server::prepare() const {
    const std::filesystem::path files = directory_ / "files";
    std::filesystem::create_directory(files);
    for (const std::size_t size : {1 << 10, 1 << 20})
        write_file(files / std::to_string(size), bytes(size));
    // The packaged module belongs to the packaged interpreter, which need not be first in PATH.
    return {"/usr/bin/python3",
            "-W",
            "ignore",
            "-m",
            "pyftpdlib",
            "--interface",
            "127.0.0.1",
            "--port",
            std::to_string(port_.number()),
            "--write",
            "--directory",
            files};
}

std::string ftp_server::url(std::string_view path) const {
    return "ftp://127.0.0.1:" + std::to_string(control_.port()) + '/' + std::string(path);
}

} // namespace curlicue::test
