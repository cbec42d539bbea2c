// SPDX-License-Identifier: MIT
// As refused_options.cpp, for g++ 12, whose programs would free here what they have not allocated.
#include <curlicue/fetch.hpp>

curlicue::task<> fetch(curlicue::client client) {
    curlicue::request named{.url = "https://example.test/"};
    co_await client.fetch(std::move(named));
    co_await client.get("https://example.test/");
#if CASE == 1 // array used as initializer
    co_await client.fetch({.url = "https://example.test/"});
#elif CASE == 2 // array used as initializer
    co_await client.fetch(curlicue::request{.url = "https://example.test/"}.bearer("token"));
#endif
}
