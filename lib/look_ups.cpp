// SPDX-License-Identifier: MIT
#include "look_ups.hpp"

#include "easy_core.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include <sys/resource.h>

namespace curlicue::detail {
namespace {

// A little shorter than libcurl keeps it (CURLOPT_DNS_CACHE_TIMEOUT(3)).
constexpr look_ups::time kept_for = 58'000;

// With these libcurl asks nobody, or others; or it does not keep the answer where we know of it.
constexpr std::array looks_elsewhere{
    CURLOPT_RESOLVE,
    CURLOPT_CONNECT_TO,
    CURLOPT_DOH_URL,
    CURLOPT_UNIX_SOCKET_PATH,
    CURLOPT_ABSTRACT_UNIX_SOCKET,
    CURLOPT_DNS_CACHE_TIMEOUT,
    CURLOPT_SHARE,
};

/// Not c-ares, and not in the middle of our call.
bool asks_threads() noexcept {
    const auto& libcurl = *curl_version_info(CURLVERSION_NOW);
    return libcurl.ares == nullptr && (libcurl.features & CURL_VERSION_ASYNCHDNS) != 0;
}

std::size_t checked(std::size_t most) {
    if (most == 0)
        throw std::invalid_argument("async_multi_options::look_ups: at least 1 at a time");
    rlimit descriptors{};
    ::getrlimit(RLIMIT_NOFILE, &descriptors); // 8.14 takes one for each
    if (most > descriptors.rlim_max)
        throw std::invalid_argument(
            "async_multi_options::look_ups: more than the process may ever have descriptors");
    return most;
}

} // namespace

look_ups::look_ups(std::size_t most) : asks_threads_(asks_threads()), most_(checked(most)) {}

bool look_ups::needed(const easy_core& handle, const origin& server, time now) const noexcept {
    return asks_threads_ && now >= server.known_until && handle.owned() && !handle.set_by_hand() &&
           std::ranges::none_of(looks_elsewhere,
                                [&](CURLoption option) { return handle.is_set(option); });
}

void look_ups::wait(origin& server) {
    if (server.being_looked_up || server.queued)
        return;                // they are told together
    server.refusal = CURLE_OK; // of long ago
    waiting_.push_back(intrusive_ptr<origin>::share(&server));
    server.queued = true;
}

void look_ups::begun(origin& server) noexcept {
    server.being_looked_up = true;
    server.refusal = CURLE_OK;
    ++running_;
}

void look_ups::ended(origin& server) noexcept {
    server.being_looked_up = false;
    --running_;
}

void look_ups::found(origin& server, time now) noexcept {
    ended(server);
    server.known_until = now + kept_for;
}

intrusive_ptr<origin> look_ups::next() noexcept {
    if (waiting_.empty() || running_ >= most_)
        return nullptr;
    auto server = std::move(waiting_.front());
    waiting_.pop_front();
    server->queued = false;
    return server;
}

} // namespace curlicue::detail
