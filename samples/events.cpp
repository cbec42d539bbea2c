// SPDX-License-Identifier: MIT
// events URL: prints what a server sends as it happens, and connects again where that breaks off.
#include <curlicue/async_multi.hpp>
#include <curlicue/fetch.hpp>
#include <curlicue/sleep.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <uv.h>

using namespace std::chrono_literals;

curlicue::task<> print_events(const curlicue::client& client, std::string url) {
    auto pause = 3000ms;
    std::string last;
    std::optional<curlicue::event_stream> events;
    for (;; co_await sleep_for(client.executor(), pause)) {
        try {
            curlicue::header_list headers{{"Accept", "text/event-stream"}};
            if (!last.empty())
                headers.set("Last-Event-ID", last);
            auto response = co_await client.get(url, headers);
            if (response.status() == 204)
                co_return; // enough, says the server
            events = response.throw_for_status().events();
            while (const auto event = co_await events->next())
                std::cout << event->type << ": " << event->data << std::endl;
        } catch (const curlicue::status_error&) {
            throw; // no use to ask again
        } catch (const curlicue::fetch_error& error) {
            if (error.code() == std::errc::bad_message)
                throw; // it is no event stream
            std::cerr << "events: " << error.what() << '\n';
        }
        last = events ? events->last_event_id() : last; // of those without data, too
        pause = events ? events->retry().value_or(pause) : pause;
    }
}

int main(int argc, char** argv) {
    if (argc != 2)
        return std::cerr << "usage: events URL\n", 2;
    try {
        curlicue::async_multi multi(uv_default_loop());
        const curlicue::client client(multi, {.limits = {.stall = 0ms}}); // silence is no failure
        multi.run_until(print_events(client, argv[1]));
        multi.run_until(multi.close());
    } catch (const std::exception& error) {
        std::cerr << "events: " << error.what() << '\n';
        return 1;
    }
}
