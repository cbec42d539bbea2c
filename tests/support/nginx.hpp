// SPDX-License-Identifier: MIT
#pragma once

#include "support/road.hpp"
#include "support/server_process.hpp"
#include "support/temporary_directory.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace curlicue::test {

/// nginx, over HTTP/1.1, over TLS with HTTP/2 and, where it can, HTTP/3, and over a unix socket.
/// What it serves:
///
/// /hello             "hello\n"
/// /bytes/SIZE        bytes(SIZE), for 0, 1024, 1048576 and 16777216
/// /gzip/SIZE         the same, compressed where the client accepts that
/// /slow/SIZE         the same, at 256 KiB a second
/// /status/CODE       "CODE\n" with the status 404, 500 or 503; nothing with 204
/// /redirect          302 to /hello; /redirect/loop to itself
/// /request           method, URI, protocol, User-Agent, Via, Cookie and X-Test of the request, a
/// line each /cookie            sets the cookie taste=sweet /auth              "hello\n" to
/// user:secret, 401 to others /upload/NAME       PUT stores the body, GET returns it, DELETE
/// removes it /post/NAME         POST stores the body as /upload/NAME
class nginx {
public:
    /// The one that all tests of a program use, started when first asked for.
    static const nginx& shared();

    nginx();

    /// Whether https() is served over HTTP/3 too.
    static bool speaks_http3();

    std::string http(std::string_view path) const;
    std::string https(std::string_view path) const;
    /// For CURLOPT_CAINFO: https() is signed by an authority that only we know.
    std::filesystem::path ca_file() const { return directory_ / "ca.pem"; }
    /// What it shows to clients, for other servers of 127.0.0.1 to show.
    std::filesystem::path certificate_file() const { return directory_ / "server.pem"; }
    std::filesystem::path key_file() const { return directory_ / "server.key"; }
    /// For CURLOPT_UNIX_SOCKET_PATH, with any http URL.
    std::filesystem::path unix_socket() const { return directory_ / "nginx.socket"; }
    /// Likewise, for HTTP/2 without TLS: a connection ends by GOAWAY after its second request.
    /// "hello\n" is the answer to all.
    std::filesystem::path fleeting_socket() const { return directory_ / "fleeting.socket"; }

private:
    std::filesystem::path prepare() const;

    temporary_directory directory_;
    reserved_port http_;
    reserved_port https_;
    server_process process_;
    road_to to_http_{http_.number()};
    road_to to_https_{https_.number()};
};

} // namespace curlicue::test
