// SPDX-License-Identifier: MIT
// crawl URL…: what these and all that they link to on their servers hold; Ctrl-C ends it.
#include <curlicue/async_multi.hpp>
#include <curlicue/fetch.hpp>
#include <curlicue/task_group.hpp>
#include <curlicue/url.hpp>

#include <iostream>
#include <regex>
#include <set>
#include <string>

#include <uv.h>

curlicue::task<> crawl(const curlicue::client& client, curlicue::task_group& group,
                       std::set<std::string>& seen, std::string from, std::string link) {
    static const std::regex links("href=\"(/?[^\"#:/\\s][^\"#:\\s]*)[\"#]"); // to the same server
    try {
        const auto url = curlicue::url(from).set(CURLUPART_URL, link).to_string();
        if (!seen.insert(url).second)
            co_return;
        auto page = co_await client.get(url);
        const auto text = co_await page.throw_for_status().text();
        std::cout << url << ": " << text.size() << " bytes" << std::endl;
        if (page.content_type().starts_with("text/html"))
            for (std::sregex_iterator at(text.begin(), text.end(), links), end; at != end; ++at)
                group.spawn(crawl(client, group, seen, std::string(page.url()), at->str(1)));
    } catch (const curlicue::cancelled&) {
        throw;
    } catch (const std::exception& error) {
        std::cout << link << ": " << error.what() << std::endl;
    }
}

int main(int argc, char** argv) {
    curlicue::async_multi multi(uv_default_loop());
    const curlicue::client client(
        multi, {.limits = {.first_byte = std::chrono::seconds(30)}, .at_once = {.per_origin = 4}});
    std::set<std::string> seen;
    auto all = with_task_group(multi.executor(), [&](auto& group) -> curlicue::task<> {
        for (int i = 1; i < argc; ++i)
            group.spawn(crawl(client, group, seen, argv[i], argv[i]));
        co_return;
    });
    uv_signal_t interrupt;
    interrupt.data = &all;
    uv_signal_init(uv_default_loop(), &interrupt);
    const auto cancel = [](uv_signal_t* signal, int) {
        static_cast<curlicue::future<void>*>(signal->data)->cancel();
    };
    uv_signal_start_oneshot(&interrupt, cancel, SIGINT);
    try {
        multi.run_until(all);
    } catch (const std::exception& error) {
        std::cout << "crawl: " << error.what() << '\n';
    }
    uv_close(reinterpret_cast<uv_handle_t*>(&interrupt), nullptr);
    multi.run_until(multi.close());
}
