// SPDX-License-Identifier: MIT
#include "support/python_server.hpp"

#include <exception>

namespace curlicue::test {
namespace {

// Packaged modules belong to the packaged interpreter, which need not be first in PATH.
constexpr const char* interpreter = "/usr/bin/python3";

std::vector<std::string> command(const char* script, const reserved_port& port,
                                 const std::vector<std::string>& arguments) {
    std::vector<std::string> words{interpreter, std::string(SUPPORT) + '/' + script,
                                   std::to_string(port.number())};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return words;
}

} // namespace

python_server::python_server(const char* script, const std::vector<std::string>& arguments)
    : process_(command(script, port_, arguments), directory_ / "log", port_) {}

std::string python_server::url(std::string_view origin, std::string_view path) const {
    return std::string(origin) + ':' + std::to_string(port()) + std::string(path);
}

bool python_has(const char* module) {
    const temporary_directory directory;
    try {
        run_program({interpreter, "-c", std::string("import ") + module}, directory / "log");
        return true;
    } catch (const std::exception&) {
        return false;
    }
}

} // namespace curlicue::test
