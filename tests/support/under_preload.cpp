// SPDX-License-Identifier: MIT
#include "support/under_preload.hpp"

#include "support/files.hpp"
#include "support/ftp_server.hpp"
#include "support/nginx.hpp"
#include "support/odd_server.hpp"
#include "support/proxy.hpp"
#include "support/server_process.hpp"
#include "support/temporary_directory.hpp"

#include <cstdlib>
#include <map>

#include <sys/wait.h>

namespace curlicue::test {
namespace {

/// SOCKS 4 and 5.
class socks_server {
public:
    std::string address() const { return port_.address(); }

private:
    temporary_directory directory_;
    reserved_port port_;
    server_process process_{{"microsocks", "-i", "127.0.0.1", "-p", std::to_string(port_.number())},
                            directory_ / "log",
                            port_};
};

std::string variables() {
    static const auto odd = make_odd_server();
    static const socks_server socks;
    static const reserved_port nobody;
    const auto& web = nginx::shared();
    const std::map<std::string, std::string> values = {
        {"HTTP", web.http("")},
        {"HTTPS", web.https("")},
        {"CA", web.ca_file()},
        {"SOCKET", web.unix_socket()},
        {"FTP", ftp_server::shared().url("")},
        {"PROXY", proxy::shared().url()},
        {"SOCKS", socks.address()},
        {"ODD", odd.url("")},
        {"REFUSED", nobody.address()},
        {"PROGRAM", PRELOAD_PROGRAM},
    };
    std::string text;
    for (const auto& [name, value] : values)
        text += "export " + name + "='" + value + "'\n";
    return text;
}

// A function stands for the tool, so that every exit status is told, and nobody's settings count.
constexpr auto beginning = R"(
unset http_proxy https_proxy ftp_proxy all_proxy no_proxy CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR
export LC_ALL=C TZ=UTC HOME=$PWD
curl() {
    command curl -sS "$@"
    status=$?
    echo "curl: $status" >&2
    return $status
}
)";

// Dates, ports that the system chose, addresses of memory, random words, and how much came at once.
constexpr auto plain = R"(LC_ALL=C sed -E -i \
    -e 's/[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT/DATE/g' \
    -e 's/0x[0-9a-f]{6,}/POINTER/g' \
    -e 's/-{24}[0-9a-f]{16}/BOUNDARY/g' \
    -e 's/\(\|\|\|[0-9]+\|\)/(PORT)/; s/(\(127,0,0,1),[0-9]+,[0-9]+/\1,PORT/' \
    -e '/^[{}] \[[0-9]+ bytes data\]/d' \
    out err; )";

deed run(const std::string& preload, const std::string& script) {
    const temporary_directory directory;
    const auto file = [&](const char* name) { return (directory / name).string(); };
    write_file(file("body"), bytes(300000));
    write_file(file("script"), variables() + beginning + script);
    const auto in_it = [&](const std::string& command) {
        return std::system(("cd " + file("") + " && " + command).c_str());
    };
    const int status = in_it("mkdir files && cd files && " + preload +
                             " timeout 60 sh ../script >../out 2>../err </dev/null");
    in_it(plain + std::string("cd files; find . -type f | sort | while read -r name; do "
                              "echo \"$name\"; cat \"$name\"; done >../all"));
    return {WEXITSTATUS(status), read_file(file("out")), read_file(file("err")),
            read_file(file("all"))};
}

} // namespace

deed run_without_preload(const std::string& script) { return run("", script); }

deed run_under_preload(const std::string& script) { return run("LD_PRELOAD=" PRELOAD, script); }

} // namespace curlicue::test
