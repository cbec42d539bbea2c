// SPDX-License-Identifier: MIT
// get URL: prints what is there.
#include <curlicue/async_multi.hpp>

#include <exception>
#include <iostream>

#include <uv.h>

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: get URL\n";
        return 2;
    }
    try {
        curlicue::async_multi multi(uv_default_loop());
        curlicue::easy easy(argv[1]);
        easy.setopt<CURLOPT_WRITEDATA>(std::cout);

        multi.run_until(multi.perform(easy)); // runs the loop until the future is ready

        std::cerr << "status " << easy.getinfo<CURLINFO_RESPONSE_CODE>() << '\n';
        multi.run_until(multi.close());
    } catch (const std::exception& error) {
        std::cerr << "get: " << error.what() << '\n';
        return 1;
    }
}
