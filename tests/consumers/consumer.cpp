// SPDX-License-Identifier: MIT
// consumer FILE: what a program needs that takes curlicue from elsewhere. It fetches the file.
#include <curlicue/curlicue.hpp>

#include <exception>
#include <iostream>
#include <string>

int main(int, char** argv) {
    try {
        curlicue::loop_thread loop;
        std::string body;
        curlicue::easy page("file://" + std::string(argv[1]));
        page.setopt<CURLOPT_WRITEDATA>(body);
        loop.multi().perform(page).get();
        std::cout << body.size() << " bytes, C++ " << __cplusplus << '\n';
        return body.empty() ? 1 : 0;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
