// SPDX-License-Identifier: MIT
// polled: a program that polls by itself, as those with windows do; libuv is one descriptor of it.
// Fetches each URL that is typed in, and goes on reading meanwhile.
#include <curlicue/async_multi.hpp>

#include <array>
#include <cstddef>
#include <iostream>
#include <span>
#include <string>

#include <poll.h>
#include <unistd.h>
#include <uv.h>

namespace {

void fetch(curlicue::async_multi& multi, const std::string& url) {
    curlicue::easy easy(url);
    easy.setopt<CURLOPT_WRITEFUNCTION>([](std::span<const char> data) { return data.size(); });
    multi.perform(easy)
        .then_result([url](const curlicue::result<curlicue::easy>& done) {
            std::cout << url << ": ";
            if (done.has_value())
                std::cout << done.value().getinfo<CURLINFO_SIZE_DOWNLOAD_T>() << " bytes\n";
            else
                std::cout << done.message() << '\n';
        })
        .detach();
}

} // namespace

int main() {
    uv_loop_t* const loop = uv_default_loop();
    // `always`: libuv wants no waiting where nothing holds its loop.
    curlicue::async_multi multi(loop, {.keep_loop = curlicue::hold::always});
    std::array<pollfd, 2> waits{{{STDIN_FILENO, POLLIN, 0}, {uv_backend_fd(loop), POLLIN, 0}}};
    auto& [keyboard, backend] = waits;
    std::string typed;
    while (keyboard.fd != -1 || multi.size() != 0) {
        ::poll(waits.data(), waits.size(), uv_backend_timeout(loop));
        uv_run(loop, UV_RUN_NOWAIT); // one turn, which never waits
        if (keyboard.revents == 0)
            continue;
        std::array<char, 4096> bytes{};
        const auto size = ::read(keyboard.fd, bytes.data(), bytes.size());
        if (size <= 0)
            keyboard.fd = -1;
        else
            typed.append(bytes.data(), static_cast<std::size_t>(size));
        for (auto end = typed.find('\n'); end != typed.npos; end = typed.find('\n')) {
            fetch(multi, typed.substr(0, end));
            typed.erase(0, end + 1);
        }
    }
    multi.run_until(multi.close());
}
