// SPDX-License-Identifier: MIT
// As refused_options.cpp, for g++ 12, whose programs would free here what they have not allocated.
#include <curlicue/fetch.hpp>

curlicue::task<> fetch(curlicue::async_multi& multi, curlicue::client client) {
    curlicue::request named{.url = "https://example.test/"};
    co_await client.fetch(std::move(named));
    co_await client.get("https://example.test/");
    co_await curlicue::client(multi).get("https://example.test/");
#if CASE == 1 // array used as initializer
    co_await client.fetch({.url = "https://example.test/"});
#elif CASE == 2 // array used as initializer
    co_await client.fetch(curlicue::request{.url = "https://example.test/"}.bearer("token"));
#elif CASE == 3 // array used as initializer
    co_await curlicue::client(multi, {.base = "https://example.test/"}).get("/");
#endif
}
