// SPDX-License-Identifier: MIT
// What a host loads and unloads, the library with it.
#include <curlicue/fetch.hpp>
#include <curlicue/loop.hpp>

#include <utility>

/// How long the body of `url` is, which is in `file` then.
extern "C" [[gnu::visibility("default")]] int download(const char* url, const char* file) {
    curlicue::loop_thread thread;
    const curlicue::client client(thread.multi());
    return static_cast<int>(client.get(url)
                                .then([file](curlicue::response r) {
                                    return std::move(r).throw_for_status().to_file(file);
                                })
                                .get());
}
