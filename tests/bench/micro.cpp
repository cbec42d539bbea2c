// SPDX-License-Identifier: MIT
// bench_micro: what a single operation costs. Options are those of Google Benchmark.
#include "support/manual_executor.hpp"
#include <curlicue/easy.hpp>
#include <curlicue/future.hpp>
#include <curlicue/loop.hpp>
#include <curlicue/task.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

namespace curlicue::bench {
namespace {

using benchmark::DoNotOptimize;
using benchmark::State;

// Futures

void future_made_and_ready(State& state) {
    test::manual_executor executor;
    for (auto _ : state) {
        promise<int> source(executor);
        auto result = source.get_future();
        source.set_value(1);
        DoNotOptimize(result.get());
    }
}
BENCHMARK(future_made_and_ready);

void future_then(State& state) {
    test::manual_executor executor;
    for (auto _ : state) {
        promise<int> source(executor);
        auto result = source.get_future().then([](int value) { return value + 1; });
        source.set_value(1);
        executor.run();
        DoNotOptimize(result.get());
    }
}
BENCHMARK(future_then);

void future_co_await(State& state) {
    test::manual_executor executor;
    for (auto _ : state) {
        promise<int> source(executor);
        auto result =
            co_spawn(executor, [&]() -> task<int> { co_return co_await source.get_future(); });
        executor.run();
        source.set_value(1);
        executor.run();
        DoNotOptimize(result.get());
    }
}
BENCHMARK(future_co_await);

// In a coroutine that is there anyway, for a value that is, too.
void future_co_await_ready(State& state) {
    test::manual_executor executor;
    auto result = co_spawn(executor, [&]() -> task<> {
        for (auto _ : state) {
            promise<int> source(executor);
            auto awaited = source.get_future();
            source.set_value(1);
            DoNotOptimize(co_await std::move(awaited));
        }
    });
    executor.run();
    result.get();
}
BENCHMARK(future_co_await_ready);

void future_when_all(State& state) {
    test::manual_executor executor;
    const auto count = static_cast<std::size_t>(state.range(0));
    for (auto _ : state) {
        std::vector<promise<int>> sources;
        std::vector<future<int>> futures;
        for (std::size_t i = 0; i != count; ++i)
            futures.push_back(sources.emplace_back(executor).get_future());
        auto all = when_all(std::move(futures));
        for (auto& source : sources)
            source.set_value(1);
        executor.run();
        DoNotOptimize(all.get());
    }
}
BENCHMARK(future_when_all)->Arg(2)->Arg(100);

void future_cancel(State& state) {
    test::manual_executor executor;
    for (auto _ : state) {
        promise<int> source(executor);
        auto result = source.get_future().then([](int value) { return value; });
        result.cancel();
        executor.run();
        DoNotOptimize(result.ready());
    }
}
BENCHMARK(future_cancel);

// Made ready here, its continuation on the loop's thread, and its outcome here again.
void future_there_and_back(State& state) {
    loop_thread loop;
    auto& executor = loop.multi().executor();
    for (auto _ : state) {
        promise<int> source(executor);
        auto result = source.get_future().then([](int value) { return value + 1; });
        source.set_value(1);
        DoNotOptimize(result.get());
    }
}
BENCHMARK(future_there_and_back)->UseRealTime();

// Options

void setopt_number(State& state) {
    easy handle;
    for (auto _ : state)
        handle.setopt<CURLOPT_MAXREDIRS>(5);
}
BENCHMARK(setopt_number);

void setopt_number_of_libcurl(State& state) {
    CURL* const handle = curl_easy_init();
    for (auto _ : state)
        curl_easy_setopt(handle, CURLOPT_MAXREDIRS, 5L);
    curl_easy_cleanup(handle);
}
BENCHMARK(setopt_number_of_libcurl);

void setopt_string(State& state) {
    easy handle;
    const std::string url = "http://127.0.0.1/some/where";
    for (auto _ : state)
        handle.setopt<CURLOPT_URL>(url);
}
BENCHMARK(setopt_string);

void setopt_string_of_libcurl(State& state) {
    CURL* const handle = curl_easy_init();
    const std::string url = "http://127.0.0.1/some/where";
    for (auto _ : state)
        curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
    curl_easy_cleanup(handle);
}
BENCHMARK(setopt_string_of_libcurl);

void setopt_callable(State& state) {
    easy handle;
    std::size_t received = 0;
    for (auto _ : state)
        handle.setopt<CURLOPT_WRITEFUNCTION>([&received](std::span<const char> data) {
            received += data.size();
            return data.size();
        });
    DoNotOptimize(received);
}
BENCHMARK(setopt_callable);

void getinfo_number(State& state) {
    const easy handle;
    for (auto _ : state)
        DoNotOptimize(handle.getinfo<CURLINFO_RESPONSE_CODE>());
}
BENCHMARK(getinfo_number);

void easy_made(State& state) {
    for (auto _ : state) {
        easy handle;
        DoNotOptimize(handle);
    }
}
BENCHMARK(easy_made);

} // namespace
} // namespace curlicue::bench

BENCHMARK_MAIN();
