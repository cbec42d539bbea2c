// SPDX-License-Identifier: MIT
// download [URL…]: many into files, going on where they break off; without any, its own server's.
#include "demo_server.hpp"
#include "new_file.hpp"
#include "progress_bars.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/fetch.hpp>

#include <algorithm>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <uv.h>

curlicue::task<bool> download(const curlicue::client& client, std::string url,
                              const std::string& directory, progress_bars& bars) {
    const auto bar = bars.start(url);
    try {
        curlicue::request what{.url = url, .decompress = false}; // decoded, it could not go on
        what.progress = [&, bar](auto& now) { bars.update(bar, now.received, now.to_receive); };
        auto response = co_await client.fetch(std::move(what));
        new_file file(directory, url);
        const auto size = co_await response.throw_for_status().to_file(file.path());
        bars.finish(bar, std::to_string(size) + " bytes in " + file.keep());
        co_return true;
    } catch (const std::exception& error) {
        bars.finish(bar, error.what());
        co_return false;
    }
}

int main(int argc, char** argv) {
    std::vector<std::string> urls;
    std::string directory = "downloads";
    curlicue::client_options options{.at_once = {.per_origin = 6, .total = 50},
                                     .retries = {.attempts = 5}};
    CLI::App arguments("Fetches many URLs at once, each into a file that was not there before.");
    arguments.add_option("url", urls, "what to fetch; none: what a server inside this program has");
    arguments.add_option("-o,--output", directory, "where the files go")->capture_default_str();
    arguments.add_option("--cacert", options.tls.ca_file, "whom to trust")
        ->envname("SSL_CERT_FILE");
    CLI11_PARSE(arguments, argc, argv);

    std::optional<demo_server> server;
    if (urls.empty())
        urls = server.emplace().urls();
    progress_bars bars(urls.size());
    curlicue::async_multi multi(uv_default_loop());
    const curlicue::client client(multi, std::move(options));
    std::vector<curlicue::future<bool>> files;
    for (const auto& url : urls)
        files.push_back(co_spawn(multi.executor(), download(client, url, directory, bars)));
    const auto well = multi.run_until(gather(std::move(files)));
    multi.run_until(multi.close());
    return std::ranges::count(well, false) == 0 ? 0 : 1;
}
