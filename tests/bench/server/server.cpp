// SPDX-License-Identifier: MIT
// bench_server PROCESSOR: starts what the clients talk to, on that processor (but for one nginx,
// which has a worker for each), says where it is as a line of JSON, and ends with its standard
// input.
#include "nginx.hpp"
#include "slow_server.hpp"

#include <algorithm>
#include <csignal>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

namespace {

// What is started from here on stays there too.
void stay_on(int processor) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(processor, &one);
    if (::sched_setaffinity(0, sizeof one, &one) != 0)
        throw std::runtime_error("there is no processor " + std::to_string(processor));
}

int processors() {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    ::sched_getaffinity(0, sizeof allowed, &allowed);
    return CPU_COUNT(&allowed);
}

void allow_descriptors() {
    rlimit descriptors{};
    ::getrlimit(RLIMIT_NOFILE, &descriptors);
    descriptors.rlim_cur = std::min<rlim_t>(descriptors.rlim_max, 65536);
    ::setrlimit(RLIMIT_NOFILE, &descriptors);
}

} // namespace

int main(int argc, char** argv) {
    using namespace curlicue::bench;
    std::signal(SIGINT, SIG_IGN); // our standard input ends too, and there is a directory to remove
    try {
        allow_descriptors();
        const nginx everywhere(processors());
        stay_on(argc > 1 ? std::stoi(argv[1]) : 0);
        const nginx fast;
        slow_server slow;
        std::cout << "{\"http\": \"" << fast.http() << "\", \"origins\": \"" << fast.origins()
                  << "\", \"crawl\": \"" << fast.everywhere() << "\", \"https\": \"" << fast.https()
                  << "\", \"everywhere\": \"" << everywhere.http() << "\", \"slow\": \""
                  << slow.http() << "\", \"ca\": \"" << fast.ca_file().string()
                  << "\", \"hold_seconds\": " << slow_server::hold_time.count() << '}' << std::endl;
        slow.run_until(STDIN_FILENO);
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
