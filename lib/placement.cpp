// SPDX-License-Identifier: MIT
#include "placement.hpp"

#include "easy_core.hpp"

#include <algorithm>

namespace curlicue::detail {
namespace {

// A search through so many connections costs less than another multi handle does.
constexpr std::size_t full = 32;
// More origins than this are remembered only while transfers to them run.
constexpr std::size_t most_idle_origins = 1024;

/// Scheme, host and port. libcurl guesses a scheme where there is none: HTTP, nearly always.
std::string_view server_in(std::string_view url) noexcept {
    const auto scheme = url.find("://");
    const auto host = scheme == url.npos ? 0 : scheme + 3;
    return url.substr(0, url.find_first_of("/?#", host));
}

/// Or we do not know it: libcurl looks at a CURLOPT_CURLU when the transfer starts.
bool may_use_tls(std::string_view server) noexcept {
    return server.empty() || server.starts_with("https:") || server.starts_with("wss:");
}

} // namespace

origin& placement::origin_of(const easy_core& handle, bool multiplexes) {
    // What was set, or after a transfer where it ended (setopt.c, CURLOPT_URL; getinfo.c).
    const char* url = nullptr;
    curl_easy_getinfo(handle.handle(), CURLINFO_EFFECTIVE_URL, &url);
    const auto server = server_in(url != nullptr ? url : "");
    auto known = origins_.find(server);
    if (known == origins_.end()) {
        if (origins_.size() >= most_idle_origins)
            forget_idle();
        known = origins_.emplace(server, origin{}).first;
        auto& fresh = known->second;
        fresh.negotiates =
            multiplexes && (may_use_tls(server) || handle.is_set(CURLOPT_HTTP_VERSION));
        if (fresh.negotiates)
            fresh.on_connection = origin::streams::unknown;
    }
    return known->second;
}

void placement::forget_idle() noexcept {
    std::erase_if(origins_, [](const auto& each) { return each.second.running == 0; });
}

std::size_t placement::choose(const origin& to) const noexcept {
    if (limited_ || to.on_connection != origin::streams::one)
        return 0;
    std::size_t emptiest = 0;
    for (std::size_t shard = 0; shard != most_; ++shard) {
        if (to.running_in(shard) < full)
            return shard; // the first with room: that is where idle connections are
        if (to.running_in(shard) < to.running_in(emptiest))
            emptiest = shard;
    }
    return emptiest;
}

void placement::started(origin& to, std::size_t shard) {
    if (shard >= to.by_shard.size())
        to.by_shard.resize(shard + 1);
    ++to.by_shard[shard];
    ++to.running;
}

void placement::ended(origin& to, std::size_t shard) noexcept {
    --to.by_shard[shard];
    --to.running;
}

void placement::learn(origin& of, CURL* finished) noexcept {
    if (!of.negotiates || of.on_connection == origin::streams::many)
        return;
    long version = CURL_HTTP_VERSION_NONE;
    curl_easy_getinfo(finished, CURLINFO_HTTP_VERSION, &version);
    if (version >= CURL_HTTP_VERSION_2_0)
        of.on_connection = origin::streams::many;
    else if (version != CURL_HTTP_VERSION_NONE)
        of.on_connection = origin::streams::one;
}

} // namespace curlicue::detail
