// SPDX-License-Identifier: MIT
#pragma once

#include "support/python_server.hpp"
#include "support/temporary_directory.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace curlicue::test {

/// A server that takes turns with its client, and writes down what matters to us.
class pingpong_server {
public:
    /// @param scheme smtp, imap, pop3 or ftp, or with an s for TLS: nginx's certificate. ftp begins
    /// TLS when it is asked to.
    explicit pingpong_server(std::string_view scheme);

    std::string url(std::string_view path) const;
    /// What it has written down, a line each, as pingpong_server.py says.
    std::string log() const;
    /// Waits for the end of so many connections, and tells how often `word` begins a line then.
    std::size_t count(std::string_view word, std::size_t connections) const;

private:
    const std::string scheme_;
    temporary_directory directory_;
    python_server server_;
};

} // namespace curlicue::test
