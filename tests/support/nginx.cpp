// SPDX-License-Identifier: MIT
#include "support/nginx.hpp"

#include "support/files.hpp"

#include <initializer_list>

#include <unistd.h>

namespace curlicue::test {
namespace {

// Two ports and the directory are filled in: {http}, {https}, {user}; paths are relative to it.
constexpr std::string_view configuration = R"(
daemon off;
master_process off;
pid nginx.pid;
error_log stderr notice;
{user}
events { worker_connections 16384; }
http {
    access_log off;
    default_type application/octet-stream;
    absolute_redirect off;
    keepalive_requests 100000000;
    client_max_body_size 0;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    scgi_temp_path scgi;
    uwsgi_temp_path uwsgi;
    ssl_certificate server.pem;
    ssl_certificate_key server.key;

    server {
        listen {http} backlog=4096;
        listen {https} ssl http2 backlog=4096;
        {quic}
        listen unix:{directory}/nginx.socket;
        root {directory};

        location = /hello { return 200 "hello\n"; }
        location /bytes/ {}
        location /gzip/ { alias {directory}/bytes/; gzip on; gzip_types *; }
        location /slow/ { alias {directory}/bytes/; limit_rate 256k; }
        location = /status/204 { return 204; }
        location = /status/404 { return 404 "404\n"; }
        location = /status/500 { return 500 "500\n"; }
        location = /status/503 { return 503 "503\n"; }
        location = /redirect { return 302 /hello; }
        location = /redirect/loop { return 302 /redirect/loop; }
        location = /request {
            return 200 "$request_method\n$request_uri\n$server_protocol\n$http_user_agent\n$http_via\n$http_cookie\n$http_x_test\n";
        }
        location /hsts {
            add_header Strict-Transport-Security max-age=600 always;
            return 200;
            location = /hsts/to/http { return 302 http://localhost/; }
        }
        location = /cookie { add_header Set-Cookie taste=sweet; return 200 ""; }
        location = /auth {
            auth_basic curlicue;
            auth_basic_user_file users;
            try_files /hello.txt =404;
        }
        location /upload/ { dav_methods PUT DELETE; }
        location /post/ {
            proxy_method PUT;
            proxy_pass http://unix:{directory}/nginx.socket:/upload/;
        }
    }
    server {
        listen unix:{directory}/fleeting.socket http2;
        keepalive_requests 2;
        location / {
            client_body_buffer_size 16k;
            proxy_pass http://unix:{directory}/nginx.socket:/hello;
        }
    }
}
)";

std::string filled_in(std::initializer_list<std::pair<std::string_view, std::string>> values) {
    std::string text(configuration);
    for (const auto& [name, value] : values)
        for (std::size_t at = 0; (at = text.find(name, at)) != text.npos; at += value.size())
            text.replace(at, name.size(), value);
    return text;
}

void make_certificates(const temporary_directory& directory) {
    const auto certificate = [&](std::vector<std::string> extra) {
        std::vector<std::string> command = {
            "openssl", "req",   "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes",  "-days", "2"};
        command.insert(command.end(), extra.begin(), extra.end());
        run_program(std::move(command), directory / "openssl.log");
    };
    const std::string ca = directory / "ca.pem", ca_key = directory / "ca.key";
    certificate({"-subj", "/CN=curlicue test authority", "-keyout", ca_key, "-out", ca});
    certificate({"-CA", ca, "-CAkey", ca_key, "-subj", "/CN=localhost", "-addext",
                 "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext",
                 "basicConstraints=critical,CA:FALSE", "-keyout", directory / "server.key", "-out",
                 directory / "server.pem"});
}

} // namespace

const nginx& nginx::shared() {
    static const nginx instance;
    return instance;
}

bool nginx::speaks_http3() {
    static const bool has_module = [] {
        const temporary_directory directory;
        run_program({"nginx", "-V"}, directory / "built");
        return read_file(directory / "built").find("http_v3_module") != std::string::npos;
    }();
    return has_module;
}

nginx::nginx()
    : process_({"nginx", "-c", prepare(), "-p", directory_ / "", "-e", "stderr"},
               directory_ / "nginx.log", http_) {}

std::filesystem::path nginx::prepare() const {
    make_certificates(directory_);
    std::filesystem::create_directory(directory_ / "bytes");
    std::filesystem::create_directory(directory_ / "upload");
    for (const std::size_t size : {0, 1 << 10, 1 << 20, 1 << 24})
        write_file(directory_ / "bytes" / std::to_string(size), bytes(size));
    write_file(directory_ / "hello.txt", "hello\n");
    write_file(directory_ / "users", "user:{PLAIN}secret\n");
    write_file(directory_ / "nginx.conf",
               filled_in({{"{http}", http_.address()},
                          {"{https}", https_.address()},
                          {"{quic}", speaks_http3() ? "listen " + https_.address() + " quic;" : ""},
                          {"{directory}", (directory_ / ".").parent_path()},
                          // root may not switch to an account that cannot enter the directory
                          {"{user}", ::geteuid() == 0 ? "user root;" : ""}}));
    return directory_ / "nginx.conf";
}

std::string nginx::http(std::string_view path) const {
    return "http://127.0.0.1:" + std::to_string(to_http_.port()) + std::string(path);
}

std::string nginx::https(std::string_view path) const {
    return "https://127.0.0.1:" + std::to_string(to_https_.port()) + std::string(path);
}

} // namespace curlicue::test
