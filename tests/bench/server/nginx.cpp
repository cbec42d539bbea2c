// SPDX-License-Identifier: MIT
#include "nginx.hpp"

#include "certificate.hpp"
#include "support/files.hpp"

#include <sstream>
#include <string>
#include <vector>

#include <unistd.h>

namespace curlicue::bench {

nginx::nginx(int workers) {
    const std::vector<std::string> command = {"nginx",         "-c", prepare(), "-p",
                                              directory_ / "", "-e", "stderr"};
    for (int i = 0; i != workers; ++i)
        workers_.emplace_back(command, directory_ / "nginx.log", http_.front());
}

std::string nginx::origins() const {
    std::string urls;
    for (const auto& port : http_)
        urls += (urls.empty() ? "http://" : " http://") + port.address();
    return urls;
}

std::filesystem::path nginx::prepare() const {
    make_certificate(directory_);
    for (const auto& [name, size] : {std::pair("64k", 1U << 16), std::pair("256k", 1U << 18),
                                     std::pair("64m", 1U << 26), std::pair("1g", 1U << 30)}) {
        test::write_file(directory_ / name, "");
        std::filesystem::resize_file(directory_ / name, size);
    }
    std::ostringstream text;
    text << "daemon off; master_process off; pid nginx.pid; error_log stderr error;\n"
         // root may not switch to an account that cannot enter the directory
         << (::geteuid() == 0 ? "user root;\n" : "") << R"(
events { worker_connections 20000; }
http {
    access_log off;
    default_type application/octet-stream;
    sendfile on;
    open_file_cache max=16;
    keepalive_requests 100000000;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    scgi_temp_path scgi;
    uwsgi_temp_path uwsgi;
    ssl_certificate server.pem;
    ssl_certificate_key server.key;
    ssl_session_tickets off;
    server {
)";
    for (const auto& port : http_)
        text << "        listen " << port.address() << " reuseport backlog=4096;\n";
    text << "        listen 0.0.0.0:" << everywhere_.number() << " reuseport backlog=4096;\n"
         << "        listen " << https_.address() << R"( ssl http2 reuseport backlog=4096;
        root .;
        location = /256k { limit_rate 128k; }
        location = /100 { return 200 ")"
         << std::string(100, 'x') << R"("; }
    }
}
)";
    test::write_file(directory_ / "nginx.conf", text.str());
    return directory_ / "nginx.conf";
}

} // namespace curlicue::bench
