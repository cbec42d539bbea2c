// SPDX-License-Identifier: MIT
// curlicue's fetch: a response for each request, and its body.
#include "client.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/fetch.hpp>
#include <curlicue/task.hpp>

#include <cstddef>
#include <utility>
#include <vector>

#include <uv.h>

namespace curlicue::bench {
namespace {

task<> one_after_another(const curlicue::client& from, const job& what, std::size_t number,
                         meter& measured) {
    while (measured.start_another()) {
        auto head = from.get(what.url(number));
        response one = co_await std::move(head);
        one.throw_for_status();
        if (what.file.empty()) {
            auto body = one.text();
            co_await std::move(body);
        } else {
            auto size = one.to_file(what.file);
            co_await std::move(size);
        }
        measured.finished();
    }
}

} // namespace

void run(const job& what, meter& measured) {
    async_multi multi(uv_default_loop());
    const curlicue::client from(
        multi, {.version = what.multiplex ? http_version::automatic : http_version::http1,
                .tls = {.ca_file = what.ca}});
    std::vector<future<void>> chains;
    for (std::size_t i = 0; i != static_cast<std::size_t>(what.concurrency); ++i)
        chains.push_back(co_spawn(multi.executor(), one_after_another(from, what, i, measured)));
    multi.run_until(gather(std::move(chains)));
    multi.run_until(multi.close());
}

} // namespace curlicue::bench
