// SPDX-License-Identifier: MIT
// CLIENT NAME=VALUE…: does a job, prints what it measured; job.hpp has the names.
#include "client.hpp"

#include <algorithm>
#include <csignal>
#include <exception>
#include <iostream>
#include <span>

#include <sys/resource.h>

int main(int argc, char** argv) {
    using namespace curlicue::bench;
    std::signal(SIGPIPE, SIG_IGN);
    rlimit descriptors{};
    ::getrlimit(RLIMIT_NOFILE, &descriptors);
    descriptors.rlim_cur = std::min<rlim_t>(descriptors.rlim_max, 65536);
    ::setrlimit(RLIMIT_NOFILE, &descriptors);
    try {
        const job what(std::span(argv + 1, argv + argc));
        meter measured(what);
        run(what, measured);
        std::cout << measured.report() << '\n';
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
