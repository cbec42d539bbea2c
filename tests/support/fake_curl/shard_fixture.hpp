// SPDX-License-Identifier: MIT
#pragma once

#include "support/fake_curl/engine_fixture.hpp"

#include <chrono>
#include <cstddef>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

namespace curlicue::test {

/// Transfers on the multi handles that an engine has.
class shard_fixture : public engine_fixture {
protected:
    void SetUp() override {
        uv_fixture::SetUp();
        start();
    }
    void start(shards sharding = shards::automatic) {
        started.clear();
        restart({.sharding = sharding, .heartbeat = std::chrono::milliseconds(0), .upkeep = false});
    }

    struct transfer {
        easy handle;
        future<easy> over;
    };

    /// Adds so many transfers more.
    void add(std::size_t count, std::string_view url = "http://one/") {
        while (count-- > 0)
            add(easy(url));
    }
    void add(const easy& handle) { started.push_back({handle, multi->add_handle(handle)}); }
    CURL* curl_of(std::size_t number) const { return started.at(number).handle.native_handle(); }

    /// TLS handshakes begin one by one.
    void let_all_start() {
        run_to([this] { return multi->stats().running == multi->stats().pending; });
    }
    /// How many transfers each multi handle has, in the order in which they were made.
    std::vector<std::size_t> filled() {
        let_all_start();
        std::vector<std::size_t> sizes;
        for (const auto& each : curl->all())
            sizes.push_back(each.easies.size());
        return sizes;
    }
    fake_multi& multi_at(std::size_t number) {
        return *std::next(curl->all().begin(), static_cast<std::ptrdiff_t>(number));
    }
    std::vector<curl_off_t> numbers(CURLMoption option) {
        std::vector<curl_off_t> found;
        for (auto& each : curl->all())
            found.push_back(each.numbers[option]);
        return found;
    }
    void cancel(std::size_t begin, std::size_t end) {
        for (; begin != end; ++begin)
            started.at(begin).over.cancel();
    }
    std::size_t open() const { return multi->stats().shards; }

    std::vector<transfer> started;
};

} // namespace curlicue::test
