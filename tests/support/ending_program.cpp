// SPDX-License-Identifier: MIT
// Objects that are static, or a thread's, and are there to the end of their program with transfers
// pending: `ending_program KIND URL`. They are made before anything else of curlicue's or
// libcurl's.
#include <curlicue/curlicue.hpp>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <uv.h>

using namespace curlicue;

namespace {

std::string address;

easy page() {
    easy handle(address);
    handle.setopt<CURLOPT_SSL_VERIFYPEER>(false);
    handle.setopt<CURLOPT_WRITEFUNCTION>([](std::span<const char> data) { return data.size(); });
    return handle;
}

/// Adds what will be pending, and waits until something has come.
template <class Multi> void keep_busy(Multi& multi) {
    for (int i = 0; i != 8; ++i)
        static_cast<void>(multi.add_handle(page()));
    easy first = page();
    bool come = false;
    first.setopt<CURLOPT_XFERINFOFUNCTION>([&](curl_off_t, curl_off_t now, curl_off_t, curl_off_t) {
        come = now != 0;
        return come ? 1 : 0;
    });
    multi.add_handle(first).wait();
}

void with_loop_thread() {
    static loop_thread background;
    keep_busy(background.multi());
}

void with_loop_pool() {
    static loop_pool pool(2);
    keep_busy(pool);
}

void with_async_multi() {
    static uv_loop_t* const loop = uv_default_loop();
    static async_multi multi(loop);
    for (int i = 0; i != 8; ++i)
        static_cast<void>(multi.add_handle(page()));
    for (int i = 0; i != 20; ++i)
        uv_run(loop, UV_RUN_ONCE);
}

void with_multi() {
    static multi all;
    all.add_handle(page());
    for (int i = 0; i != 20; ++i)
        all.perform(), all.poll(std::chrono::milliseconds(100));
}

void with_easy_pool() {
    static easy_pool pool;
    easy handle = pool.take();
    handle = page();
    pool.take(address).setopt<CURLOPT_SSL_VERIFYPEER>(false).setopt<CURLOPT_NOBODY>(true).perform();
}

void with_easy() {
    static easy handle;
    handle = page();
    handle.setopt<CURLOPT_NOBODY>(true).perform();
}

void with_future() {
    static future<easy> pending;
    static loop_thread background;
    pending = background.multi().add_handle(page());
    keep_busy(background.multi());
}

void with_share() {
    static share caches{CURL_LOCK_DATA_SSL_SESSION, CURL_LOCK_DATA_DNS};
    static easy handle;
    handle = page().setopt<CURLOPT_SHARE>(caches);
    handle.setopt<CURLOPT_NOBODY>(true).perform();
}

void with_a_threads_own() {
    std::thread([] {
        thread_local loop_thread background;
        keep_busy(background.multi());
    }).join();
    thread_local loop_thread background;
    keep_busy(background.multi());
}

} // namespace

int main(int count, char** words) {
    static const std::map<std::string, void (*)()> kinds{
        {"loop_thread", &with_loop_thread},
        {"loop_pool", &with_loop_pool},
        {"async_multi", &with_async_multi},
        {"multi", &with_multi},
        {"easy_pool", &with_easy_pool},
        {"easy", &with_easy},
        {"future", &with_future},
        {"share", &with_share},
        {"thread_local", &with_a_threads_own},
    };
    if (count != 3)
        return EXIT_FAILURE;
    address = words[2];
    kinds.at(words[1])();
    return EXIT_SUCCESS;
}
