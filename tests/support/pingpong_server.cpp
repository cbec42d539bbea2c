// SPDX-License-Identifier: MIT
#include "support/pingpong_server.hpp"

#include "support/files.hpp"
#include "support/nginx.hpp"

#include <chrono>
#include <stdexcept>
#include <thread>

namespace curlicue::test {
namespace {

std::size_t lines_of(std::string_view text, std::string_view word) {
    std::size_t found = 0;
    for (std::size_t line = 0; line < text.size(); line = text.find('\n', line) + 1)
        found += text.substr(line).starts_with(word) ? 1 : 0;
    return found;
}

} // namespace

pingpong_server::pingpong_server(std::string_view scheme)
    : scheme_(scheme), server_("pingpong_server.py",
                               {scheme_, directory_ / "log", nginx::shared().certificate_file(),
                                nginx::shared().key_file()}) {}

std::string pingpong_server::url(std::string_view path) const {
    return server_.url(scheme_ + "://127.0.0.1", path);
}

std::string pingpong_server::log() const { return read_file(directory_ / "log"); }

std::size_t pingpong_server::count(std::string_view word, std::size_t connections) const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    ++connections; // who started it has knocked once
    for (std::string text; std::chrono::steady_clock::now() < deadline;) {
        text = log();
        if (lines_of(text, "gone") >= connections)
            return lines_of(text, word);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    throw std::runtime_error("the connections do not end; its log: " + log());
}

} // namespace curlicue::test
