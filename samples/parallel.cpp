// SPDX-License-Identifier: MIT
// parallel [URL…]: many URLs into files, 50 at a time; without any, from a server of its own.
#include "demo_server.hpp"
#include "new_file.hpp"
#include "progress_bars.hpp"
#include <curlicue/async_multi.hpp>

#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <uv.h>

int main(int argc, char** argv) {
    std::vector<std::string> urls;
    std::string directory = "downloads";
    CLI::App arguments("Fetches many URLs at once, each into a file that was not there before.");
    arguments.add_option("url", urls, "what to fetch; none: what a server inside this program has");
    arguments.add_option("-o,--output", directory, "where the files go")->capture_default_str();
    CLI11_PARSE(arguments, argc, argv);

    std::optional<demo_server> server;
    if (urls.empty())
        urls = server.emplace().urls();
    progress_bars bars(urls.size());
    curlicue::async_multi multi(uv_default_loop());
    auto next = urls.begin();
    bool all_well = true;
    const auto fetch_some = [&]() -> curlicue::task<> {
        while (next != urls.end()) {
            const auto bar = bars.start(*next++);
            try {
                new_file file(directory, bar->name);
                curlicue::easy easy(bar->name);
                easy.setopt<CURLOPT_WRITEDATA>(file.stream()).setopt<CURLOPT_FAILONERROR>(true);
                easy.setopt<CURLOPT_FOLLOWLOCATION>(true);
                for (const char* name : {"SSL_CERT_FILE", "CURL_CA_BUNDLE"}) // as curl does
                    if (const char* authorities = std::getenv(name))
                        easy.setopt<CURLOPT_CAINFO>(authorities);
                easy.setopt<CURLOPT_XFERINFOFUNCTION>(
                    [&](auto size, auto now, auto, auto) { return bars.update(bar, now, size); });
                co_await multi.perform(easy);
                bars.finish(bar, std::to_string(bar->now) + " bytes in " + file.keep());
            } catch (const std::exception& error) {
                bars.finish(bar, error.what());
                all_well = false;
            }
        }
    };
    std::vector<curlicue::future<void>> workers;
    for (int i = 0; i != 50; ++i)
        workers.push_back(co_spawn(multi.executor(), fetch_some));
    multi.run_until(gather(std::move(workers)));
    multi.run_until(multi.close());
    return all_well ? 0 : 1;
}
