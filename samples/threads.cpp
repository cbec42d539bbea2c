// SPDX-License-Identifier: MIT
// threads URL…: a program without a loop of its own, whose threads wait for their transfers.
#include <curlicue/loop.hpp>

#include <exception>
#include <iostream>
#include <span>
#include <string>
#include <syncstream>
#include <thread>
#include <vector>

int main(int argc, char** argv) {
    curlicue::loop_thread loop; // one thread runs all transfers …
    std::vector<std::jthread> threads;
    for (const char* url : std::span(argv + 1, argv + argc))
        threads.emplace_back([&loop, url] { // … and any number of them ask for some
            std::osyncstream out(std::cout);
            try {
                std::string body;
                curlicue::easy easy(url);
                easy.setopt<CURLOPT_WRITEDATA>(body);
                loop.multi().perform(easy).get();
                out << url << ": " << body.size() << " bytes\n";
            } catch (const std::exception& error) {
                out << url << ": " << error.what() << '\n';
            }
        });
}
