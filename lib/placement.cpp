// SPDX-License-Identifier: MIT
#include "placement.hpp"

#include "easy_core.hpp"

#include <atomic>
#include <utility>

namespace curlicue::detail {
namespace {

// A search through so many connections costs less than another multi handle does.
constexpr std::size_t full = 32;
// More origins than this are remembered only while transfers to them run.
constexpr std::size_t most_idle_origins = 1024;

/// Scheme, host and port. libcurl guesses a scheme where there is none: HTTP, nearly always.
std::string_view server_in(std::string_view url) noexcept {
    const auto scheme = url.find("://");
    const auto host = scheme == std::string_view::npos ? 0 : scheme + 3;
    return url.substr(0, url.find_first_of("/?#", host));
}

/// Or we do not know it.
bool may_use_tls(std::string_view server) noexcept {
    return server.empty() || server.starts_with("https:") || server.starts_with("wss:");
}

std::uint64_t next_number() noexcept {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

} // namespace

std::string_view server_of(CURL* handle) noexcept {
    // What was set, or after a transfer where it ended (setopt.c, CURLOPT_URL; getinfo.c).
    const char* url = nullptr;
    curl_easy_getinfo(handle, CURLINFO_EFFECTIVE_URL, &url);
    return server_in(url != nullptr ? url : "");
}

bool may_multiplex(const easy_core& handle, std::string_view server) noexcept {
    return may_use_tls(server) || handle.is_set(CURLOPT_HTTP_VERSION);
}

bool is_waited_for(std::string_view server) noexcept {
    return server.size() > 4 && (curl_strnequal(server.data(), "ftp", 3) != 0 ||
                                 curl_strnequal(server.data(), "ldap", 4) != 0);
}

placement::placement(shards sharding) noexcept : number_(next_number()), most_(sharding.most()) {}

origin& placement::origin_of(easy_core& handle, bool multiplexes) {
    auto* const known = static_cast<origin*>(handle.place().get());
    if (known != nullptr && known->placement == number_)
        return *known;
    const auto server = server_of(handle.handle());
    auto& found = look_up(server, multiplexes && may_multiplex(handle, server));
    if (handle.owned() && !server.empty()) // else we do not hear when it names another
        handle.set_place(intrusive_ptr<origin>::share(&found));
    return found;
}

[[gnu::noinline]] origin& placement::look_up(std::string_view server, bool negotiates) {
    if (const auto known = origins_.find(server); known != origins_.end())
        return *known->second;
    if (origins_.size() >= most_idle_origins)
        forget_idle();
    auto made = make_intrusive<origin>(number_, server);
    made->negotiates = negotiates;
    if (negotiates)
        made->on_connection = origin::streams::unknown;
    return *origins_.emplace(server, std::move(made)).first->second;
}

void placement::start_over() noexcept {
    number_ = next_number(); // what easies remember counts no more
    forget_idle();
}

void placement::forget_idle() noexcept {
    std::erase_if(origins_, [](const auto& each) { return each.second->running == 0; });
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
