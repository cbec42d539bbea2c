// SPDX-License-Identifier: MIT
// latency
//     One keep-alive GET after another, by a client on the design of libcurl's own libuv example
//     and by an async_multi, in turns, on one processor. Fails if ours is not at least 20 times as
//     fast.
// latency example|curlicue TIMES
//     Only one of them, that many times, to be looked at from outside.
#include "example_client.hpp"
#include "support/nginx.hpp"
#include <curlicue/async_multi.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <iomanip>
#include <iostream>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <sched.h>
#include <uv.h>

namespace curlicue::bench {
namespace {

class curlicue_client {
public:
    explicit curlicue_client(const std::string& url) : easy_(url) {
        uv_loop_init(&loop_);
        multi_.emplace(&loop_);
        easy_.setopt<CURLOPT_WRITEFUNCTION>([](std::span<const char> data) { return data.size(); });
    }
    curlicue_client(const curlicue_client&) = delete;
    curlicue_client& operator=(const curlicue_client&) = delete;
    ~curlicue_client() {
        multi_.reset();
        uv_run(&loop_, UV_RUN_DEFAULT);
        uv_loop_close(&loop_);
    }

    void fetch(int times) {
        multi_->run_until(co_spawn(multi_->executor(), [&]() -> task<> {
            while (times-- > 0)
                co_await multi_->perform(easy_);
        }));
    }

private:
    uv_loop_t loop_;
    std::optional<async_multi> multi_;
    easy easy_;
};

template <class Client> double per_second(Client& client, int times) {
    const auto begun = std::chrono::steady_clock::now();
    client.fetch(times);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    return times / took.count();
}

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

// From now on, server included: how long it takes to wake another processor depends on the
// machine's other work more than on either client.
void use_one_processor() {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(::sched_getcpu(), &one);
    ::sched_setaffinity(0, sizeof one, &one);
}

template <class Name> void print_row(Name name, double theirs, double mine) {
    std::cout << std::fixed << std::setw(6) << name << std::setprecision(0) << std::setw(10)
              << theirs << std::setw(11) << mine << std::setprecision(1) << std::setw(8)
              << mine / theirs << std::endl;
}

bool fast_enough(const std::string& url) {
    example_client example(url);
    curlicue_client ours(url);
    std::vector<double> example_rates;
    std::vector<double> our_rates;
    std::cout << "GET/s at concurrency 1\n round   example   curlicue   ratio\n";
    for (int round = 0; round != 8; ++round) {
        const double theirs = per_second(example, 500); // half a second
        const double mine = per_second(ours, 15000);
        if (round == 0)
            continue; // connects and warms up
        print_row(round, theirs, mine);
        example_rates.push_back(theirs);
        our_rates.push_back(mine);
    }
    print_row("median", median(example_rates), median(our_rates));
    return median(our_rates) >= 20 * median(example_rates);
}

} // namespace
} // namespace curlicue::bench

int main(int argc, char** argv) {
    using namespace curlicue;
    try {
        bench::use_one_processor();
        const auto url = test::nginx::shared().http("/bytes/1024");
        const std::string_view only = argc == 3 ? argv[1] : "";
        if (argc == 1)
            return bench::fast_enough(url) ? 0 : 1;
        if (only == "example")
            bench::example_client(url).fetch(std::stoi(argv[2]));
        else if (only == "curlicue")
            bench::curlicue_client(url).fetch(std::stoi(argv[2]));
        else
            throw std::runtime_error("usage: latency [example|curlicue TIMES]");
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 2;
    }
}
