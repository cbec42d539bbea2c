// SPDX-License-Identifier: MIT
// embed URL: a program with a loop, a timer and a CURL* of its own; curlicue is a guest there.
#include <curlicue/async_multi.hpp>

#include <exception>
#include <iostream>

#include <uv.h>

namespace {

void fetch(uv_loop_t* loop, CURL* handle, uv_timer_t* timer) {
    curlicue::async_multi multi(loop); // its destructor begins to close it, and does not wait
    auto done = multi.perform(curlicue::easy::borrow(handle)).finally([timer] {
        uv_close(reinterpret_cast<uv_handle_t*>(timer), nullptr);
    });
    uv_run(loop, UV_RUN_DEFAULT); // until the transfer is over and the timer closed
    done.get();                   // throws what went wrong, if anything did
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: embed URL\n";
        return 2;
    }
    uv_loop_t loop;
    uv_loop_init(&loop);
    uv_timer_t timer;
    uv_timer_init(&loop, &timer);
    int ticks = 0;
    timer.data = &ticks;
    uv_timer_start(
        &timer, [](uv_timer_t* self) { ++*static_cast<int*>(self->data); }, 1, 1);
    CURL* const handle = curl_easy_init();
    curl_easy_setopt(handle, CURLOPT_URL, argv[1]);

    try {
        fetch(&loop, handle, &timer);
    } catch (const std::exception& error) {
        std::cerr << "embed: " << error.what() << '\n';
    }

    long status = 0; // the handle is ours again
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(handle);
    std::cerr << "status " << status << ", " << ticks << " ticks meanwhile\n";
    uv_run(&loop, UV_RUN_DEFAULT); // curlicue leaves
    return uv_loop_close(&loop);
}
