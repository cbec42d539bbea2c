// SPDX-License-Identifier: MIT
#include "support/proxy.hpp"

#include "support/files.hpp"

namespace curlicue::test {

const proxy& proxy::shared() {
    static const proxy instance;
    return instance;
}

proxy::proxy()
    : process_({"tinyproxy", "-d", "-c", prepare()}, directory_ / "tinyproxy.log", port_) {}

std::filesystem::path proxy::prepare() const {
    write_file(directory_ / "tinyproxy.conf", "Listen 127.0.0.1\n"
                                              "Port " +
                                                  std::to_string(port_.number()) +
                                                  "\n"
                                                  "MaxClients 1000\n"
                                                  "ViaProxyName \"curlicue\"\n");
    return directory_ / "tinyproxy.conf";
}

} // namespace curlicue::test
