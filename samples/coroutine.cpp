// SPDX-License-Identifier: MIT
// coroutine URL…: fetches all at once, a coroutine each, and tells how much came.
#include <curlicue/async_multi.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <span>
#include <string>
#include <vector>

#include <uv.h>

using namespace std::chrono_literals;

namespace {

curlicue::task<std::string> body_of(curlicue::async_multi& multi, const char* url) {
    std::string body;
    curlicue::easy easy(url);
    easy.setopt<CURLOPT_WRITEDATA>(body).setopt<CURLOPT_FOLLOWLOCATION>(true);
    co_await multi.perform(easy).timeout(30s); // too late: the transfer is cancelled
    co_return body;
}

curlicue::task<> tell_sizes(curlicue::async_multi& multi, std::span<char*> urls) {
    std::vector<curlicue::future<std::string>> bodies;
    for (const char* url : urls)
        bodies.push_back(co_spawn(multi.executor(), body_of(multi, url)));

    const auto results = co_await curlicue::when_all(std::move(bodies)); // never throws
    for (std::size_t i = 0; i != urls.size(); ++i)
        if (results[i].has_value())
            std::cout << urls[i] << ": " << results[i].value().size() << " bytes\n";
        else
            std::cout << urls[i] << ": " << results[i].message() << '\n';
}

} // namespace

int main(int argc, char** argv) {
    const std::span urls(argv + 1, argv + argc);
    auto told =
        curlicue::with_async_multi(uv_default_loop(), {}, [urls](curlicue::async_multi& multi) {
            return tell_sizes(multi, urls);
        });
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    told.get(); // throws what went wrong, if anything did
}
