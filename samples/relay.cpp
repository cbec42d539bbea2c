// SPDX-License-Identifier: MIT
// relay FROM TO: puts at one URL what is at another, as it comes, no faster than both sides go.
#include <curlicue/async_multi.hpp>
#include <curlicue/fetch.hpp>

#include <exception>
#include <iostream>
#include <string>
#include <utility>

#include <uv.h>

curlicue::task<std::string> relay(const curlicue::client& client, std::string from,
                                  std::string to) {
    curlicue::request wanted{.url = std::move(from), .decompress = false}; // as it is
    auto source = co_await client.fetch(std::move(wanted));
    const auto size = source.throw_for_status().content_length();
    curlicue::header_list headers;
    headers.set("Content-Type", source.content_type());
    auto body = curlicue::request_body::stream(source.body(), size);
    auto answer = co_await client.put(to, std::move(body), headers);
    co_return co_await answer.throw_for_status().text();
}

int main(int argc, char** argv) {
    if (argc != 3)
        return std::cerr << "usage: relay FROM TO\n", 2;
    try {
        curlicue::async_multi multi(uv_default_loop());
        const curlicue::client client(multi);
        std::cout << multi.run_until(relay(client, argv[1], argv[2]));
        multi.run_until(multi.close());
    } catch (const std::exception& error) {
        std::cerr << "relay: " << error.what() << '\n';
        return 1;
    }
}
