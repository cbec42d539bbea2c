// SPDX-License-Identifier: MIT
// select URL…: no loop at all. Fetches all at once, and tells how far it is when Enter is pressed.
#include <curlicue/multi.hpp>

#include <algorithm>
#include <iostream>
#include <span>
#include <string>
#include <vector>

#include <sys/select.h>
#include <unistd.h>

namespace {

// Waits for the transfers and a descriptor of our own; without one, `multi.select(100ms)` does.
bool readable(int own, const curlicue::multi& multi) {
    const auto wanted = multi.fdset();
    fd_set read = {}, write = {}, except = {};
    int highest = own;
    const auto fill = [&highest](fd_set& set, const std::vector<curl_socket_t>& sockets) {
        for (const auto socket : sockets) {
            FD_SET(socket, &set);
            highest = std::max(highest, socket);
        }
    };
    fill(read, wanted.read);
    fill(write, wanted.write);
    fill(except, wanted.except);
    if (own != -1)
        FD_SET(own, &read);
    timeval time = {0, 100'000};
    const int ready = ::select(highest + 1, &read, &write, &except, &time);
    return ready > 0 && own != -1 && FD_ISSET(own, &read);
}

} // namespace

int main(int argc, char** argv) {
    std::string received;
    curlicue::multi multi;
    for (const char* url : std::span(argv + 1, argv + argc))
        multi.add_handle(curlicue::easy(url).setopt<CURLOPT_WRITEDATA>(received));
    int keyboard = STDIN_FILENO;
    while (const int running = multi.perform())
        if (char key = 0; readable(keyboard, multi)) {
            if (::read(keyboard, &key, 1) != 1)
                keyboard = -1;
            else if (key == '\n')
                std::cout << running << " running, " << received.size() << " bytes so far"
                          << std::endl;
        }
    const auto done = multi.info_read();
    for (const auto& failed : done.failed)
        std::cerr << "select: " << failed.message << '\n';
    std::cout << done.succeeded.size() << " fetched, " << received.size() << " bytes\n";
    return done.failed.empty() ? 0 : 1;
}
