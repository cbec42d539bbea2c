// SPDX-License-Identifier: MIT
// fetch URL…: how long each body is, or why there is none.
#include <curlicue/async_multi.hpp>
#include <curlicue/fetch.hpp>

#include <iostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <uv.h>

int main(int argc, char** argv) {
    const std::span urls(argv + 1, argv + argc);
    curlicue::async_multi multi(uv_default_loop());
    curlicue::client client(multi);
    std::vector<curlicue::future<std::string>> bodies;
    for (auto* url : urls)
        bodies.push_back(client.get(url).then(
            [](curlicue::response r) { return std::move(r).throw_for_status().text(); }));
    for (auto& body : multi.run_until(when_all(std::move(bodies))))
        std::cout << (body.has_value() ? std::to_string(body.value().size()) : body.message())
                  << '\n';
    multi.run_until(multi.close());
}
