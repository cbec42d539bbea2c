// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/export.hpp>
#include <curlicue/detail/intrusive_ptr.hpp>
#include <curlicue/future.hpp>
#include <curlicue/request.hpp>
#include <curlicue/response.hpp>
#include <curlicue/transport.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct sockaddr;

namespace curlicue {

class async_multi;
class share;

namespace detail {
class client_core;
}

/// How many requests a client has with libcurl at once; what is beyond waits in a queue, fair
/// between origins, and inside one by priority. 0: as many as there are.
struct request_limits {
    std::size_t per_origin = 0;
    std::size_t total = 0;
    std::size_t queue = 65'536; ///< one more fails with `errc::queue_full`
};

struct proxy_options {
    std::string url = {}; ///< empty: none, whatever the environment says
    std::string user = {}, password = {};
    std::string no_proxy = {}; ///< CURLOPT_NOPROXY
};

struct tls_options {
    std::string ca_file = {}; ///< in place of the default authorities
    std::string certificate = {}, key = {};
    std::string pins = {};   ///< CURLOPT_PINNEDPUBLICKEY
    std::string lowest = {}; ///< "1.2" (the default) or "1.3"
};

/// Told what becomes of requests, on the loop's thread. It may not throw.
/// `id` is the request's, the same from `queued` to `done`.
class CURLICUE_EXPORT observer {
public:
    using time = std::chrono::steady_clock::time_point;
    virtual ~observer();

    virtual void queued(std::uint64_t id, const request& what, time when);
    virtual void started(std::uint64_t id, time when);
    virtual void redirected(std::uint64_t id, std::string_view url, time when);
    virtual void retried(std::uint64_t id, unsigned attempt, time when);
    virtual void headers(std::uint64_t id, const response& what, time when);
    /// @param failure null if the body came to its end
    virtual void done(std::uint64_t id, const std::exception_ptr& failure, time when);
};

/// With g++ 12 make them in a line of their own before a `co_await`: inside, it does not compile.
struct client_options {
    std::string base = {};       ///< what a request's URL is relative to
    header_list headers = {};    ///< where a request has none of that name
    std::string user_agent = {}; ///< empty: curlicue/VERSION
    time_limits limits = {};
    request_limits at_once = {};
    redirect_policy redirects = redirect_policy(); // braces: false warnings of g++ 12 at -O3
    retry_policy retries = retry_policy();
    std::size_t most_body = std::size_t{64} << 20;
    std::size_t high_water = std::size_t{1} << 20; ///< bytes of a body that may wait
    /// Bytes of all bodies together that may wait, of each no more than its share; 0: no limit.
    std::size_t memory = 0;
    http_version version = http_version::automatic;
    proxy_options proxy = proxy_options();
    tls_options tls = tls_options();
    std::shared_ptr<curlicue::share> share = {}; ///< with cookies, say
    /// Whether servers are asked over TLS alone once they have said so there (HSTS, RFC 6797): in
    /// the file of this name, which is read at the first request and written at the client's end,
    /// or, if that is empty, in memory.
    std::optional<std::string> hsts = {};
    std::vector<std::string> resolve = {}; ///< CURLOPT_RESOLVE
    std::string unix_socket = {};
    std::string local_address = {}; ///< CURLOPT_INTERFACE
    /// Asked before each connection, and again before a request goes over one.
    std::function<bool(const sockaddr&)> allow_address = {};
    /// The proxy's word is taken for the addresses that it connects to, of which `allow_address` is
    /// not asked.
    bool proxy_is_trusted = false;
    std::vector<layer> layers = {};         ///< see a request once, outermost first
    std::vector<layer> network_layers = {}; ///< see each hop and attempt
    std::shared_ptr<observer> events = {};
    /// A request begins in the call of `fetch`, where that is made on the loop's thread and outside
    /// libcurl: sooner, but layers, `tweak` and the guard then run inside it.
    bool begins_at_call = false;
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
    [[no_unique_address]] detail::made_before_co_await made = {0};
#endif
};

/// No loopback, private, link-local, multicast, documentation or otherwise special address, nor a
/// form that leads to one (mapped, compatible, NAT64, 6to4, Teredo): RFC 6890 and its successors.
CURLICUE_EXPORT bool public_addresses_only(const sockaddr& address) noexcept;

/// What a client has done so far, but for the first two, which are as of now.
struct client_stats {
    std::size_t running = 0; ///< with libcurl
    std::size_t queued = 0;
    std::map<std::string, std::size_t> queued_by_origin = {};
    std::uint64_t requests = 0, retried = 0, redirected = 0, refused = 0; ///< by a full queue
    std::uint64_t bytes = 0;                                              ///< of bodies, decoded
};

/// Fetches, with limits, budgets and counters of its own. A shared handle: copies mean the same.
/// It keeps what drives the `async_multi`, not that itself: after its close, or end, `fetch` throws
/// usage_error{errc::closed}.
/// @threading thread-safe
class CURLICUE_EXPORT client {
public:
    /// @throws std::invalid_argument for options that contradict one another;
    ///     usage_error{errc::too_old} for what the libcurl at hand was built without
    explicit client(async_multi& multi);
    client(async_multi& multi, client_options options);
    /// On a transport of the user's own.
    explicit client(std::shared_ptr<transport> below);
    client(std::shared_ptr<transport> below, client_options options);

    /// Ready when the head of the final response is there, whatever its status. Fails with
    /// `fetch_error`, `cancelled`, or what a step of the user's has thrown.
    /// @throws std::invalid_argument for a request that is malformed; usage_error{errc::closed}
    future<response> fetch(request what) const;
    /// A template, so that a braced list is a request.
    template <std::convertible_to<std::string_view> Text>
    future<response> fetch(const Text& url) const {
        return fetch(request{.url = std::string(std::string_view(url))});
    }
    future<response> get(std::string_view url, header_list headers = {}) const;
    future<response> head(std::string_view url, header_list headers = {}) const;
    future<response> del(std::string_view url, header_list headers = {}) const;
    future<response> post(std::string_view url, request_body body, header_list headers = {}) const;
    future<response> put(std::string_view url, request_body body, header_list headers = {}) const;
    future<response> patch(std::string_view url, request_body body, header_list headers = {}) const;

    /// Sees to it that there is a connection for the next request there, by a HEAD, since libcurl
    /// pools none that has only connected. Fails as `fetch`; what the server answers does not
    /// matter.
    future<void> preconnect(std::string_view url) const;

    /// The host is in another network: connections that wait for a next request are dropped, and
    /// what is known of addresses, also for others on the same `async_multi`; what runs goes on.
    /// Below libcurl 8.16 a multi with `shards::one` keeps addresses for up to a minute while
    /// something runs. On a transport of the user's own it is nothing.
    void network_changed() const;

    /// The same, with one more layer outside all others.
    client with(layer outermost) const;
    client_stats stats() const;
    /// Where its futures go on, for `co_spawn`, `sleep_for` and their kin beside it: the multi's,
    /// or that of the transport.
    curlicue::executor& executor() const noexcept;

    /// No new requests of this client's; those that are there are cancelled.
    future<void> close() const;
    /// No new requests; ready when those that are there are over, or cancelled after `patience`.
    future<void> drain(std::chrono::milliseconds patience) const;

private:
    explicit client(std::shared_ptr<detail::client_core> core) noexcept;

    std::shared_ptr<detail::client_core> core_;
};

/// By a client with nothing set: follows up to 10 redirects, no retries, no queue.
/// @throws as `client::fetch`
/// @threading thread-safe
CURLICUE_EXPORT future<response> fetch(async_multi& multi, request what);
template <std::convertible_to<std::string_view> Text>
future<response> fetch(async_multi& multi, const Text& url) {
    return fetch(multi, request{.url = std::string(std::string_view(url))});
}

} // namespace curlicue
