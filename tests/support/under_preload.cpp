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
#include <filesystem>
#include <map>
#include <string>

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

// Nobody's settings count. A function stands for the tool, so that every exit status is told.
constexpr auto beginning = R"(
unset http_proxy https_proxy ftp_proxy all_proxy no_proxy CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR
export LC_ALL=C TZ=UTC HOME="$PWD"
under() {
    env ${PRELOAD:+LD_PRELOAD="$PRELOAD"} "$@"
}
curl() {
    under curl -sS "$@"
    status=$?
    echo "curl: $status" >>../statuses
    return $status
}
)";

// Dates, times, ports that the system chose, addresses of memory, random words, and how much came
// at once.
constexpr auto plain = R"( && LC_ALL=C sed -E -i \
    -e 's/[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT/DATE/g' \
    -e 's/[0-9]+ (ms|milliseconds)/TIME/' \
    -e 's/0x[0-9a-f]{6,}/POINTER/g' \
    -e 's/-{24}[0-9A-Za-z]{16,22}/BOUNDARY/g' \
    -e 's/(destination, passed) [0-9]+/\1 SOME/' \
    -e 's/^(\* .* from [0-9a-f.:]+ port )[0-9]+/\1PORT/' \
    -e 's/\(\|\|\|[0-9]+\|\)/(PORT)/; s/(\(127,0,0,1),[0-9]+,[0-9]+/\1,PORT/' \
    -e '/^[{}] \[[0-9]+ bytes data\]/d; /^\* (Request completely sent off|abort upload)/d' \
    out err all)";

/// All files below it with what they hold, one after the other.
std::string all_in(const std::filesystem::path& directory) {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory))
        if (entry.is_regular_file())
            files[entry.path().lexically_relative(directory)] = read_file(entry);
    std::string text;
    for (const auto& [name, content] : files)
        text += name + ":\n" + content + '\n';
    return text;
}

deed run(const std::string& preload, const std::string& script) {
    const temporary_directory directory;
    const auto in_it = [&](const std::string& command) {
        return WEXITSTATUS(std::system(("cd " + (directory / "").string() + command).c_str()));
    };
    std::filesystem::create_directory(directory / "files");
    write_file(directory / "body", bytes(300000));
    write_file(directory / "script",
               variables() + "PRELOAD='" + preload + "'\n" + beginning + script);
    const int status = in_it("files && timeout 60 sh ../script >../out 2>../err </dev/null");
    write_file(directory / "all", all_in(directory / "files"));
    in_it(plain);
    return {status, read_file(directory / "out"), read_file(directory / "err"),
            read_file(directory / "all"), read_file(directory / "statuses")};
}

} // namespace

deed run_without_preload(const std::string& script) { return run("", script); }

deed run_under_preload(const std::string& script) { return run(PRELOAD, script); }

} // namespace curlicue::test
