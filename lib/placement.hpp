// SPDX-License-Identifier: MIT
#pragma once

#include "server_name.hpp"
#include "shared_caches.hpp"
#include <curlicue/async_multi_options.hpp>
#include <curlicue/detail/executor_link.hpp>
#include <curlicue/detail/intrusive_ptr.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <curl/curl.h>

namespace curlicue::detail {

class easy_core;

/// A server, as far as its transfers may share connections, and how many of them run where.
struct origin final : ref_counted {
    origin(std::uint64_t owner, std::string_view key, std::string_view server, bool finds_out)
        : placement(owner), name(key), on_connection(finds_out ? streams::unknown : streams::one),
          negotiates(finds_out), may_wait(server.empty() || is_waited_for(server)),
          named(must_be_looked_up(server)), secure(is_over_tls(server)),
          plain_http(is_plain_http(server)) {}

    /// How many transfers one of its connections carries at a time.
    enum class streams : unsigned char { unknown, one, many };
    /// Of its transfers, those in one shard.
    struct part {
        std::uint32_t shard;
        std::uint32_t running;
    };

    const std::uint64_t placement; // whose it is
    const std::string name;        // there
    streams on_connection;
    const bool negotiates; // its transfers find out
    const bool may_wait;   // for what libcurl does not ask to hear of
    const bool named;      // its host has no address of its own
    const bool secure;     // its connections begin with a TLS handshake
    const bool plain_http; // there is nothing between them and libcurl's HTTP
    bool recent = false;   // a transfer has come since it was last looked at
    // Of its name, by `look_ups`:
    bool being_looked_up = false;
    bool queued = false;         // to be looked up
    CURLcode refusal = CURLE_OK; // the last answer
    std::uint64_t known_until = 0;
    work_queue asking; // who waits
    std::size_t running = 0;
    std::vector<part> parts;   // by the numbers of the shards
    CURL* first_one = nullptr; // of those that run, which will find out
    intrusive_ptr<shared_caches> caches;
    std::uint64_t cached_since = 0; // the last network_changed of its placement

    std::size_t running_in(std::size_t shard) const noexcept;
};

/// Which shard a transfer goes to. At every add libcurl searches the connections to the server of
/// that transfer one by one, and now and then all that a multi handle has: so no shard has many
/// transfers to one server, nor many in all. Each server's go first where it has been before, for
/// the connections that are kept there. Those to a server whose connections carry many transfers,
/// or may, stay together.
/// @threading loop-bound
class placement {
public:
    explicit placement(shards sharding);

    bool spreads() const noexcept { return most_ > 1; }
    /// The user has limited the connections of all shards together: one of them has to do.
    void limit(bool on) noexcept { limited_ = on; }
    bool limited() const noexcept { return limited_; }

    /// The server that an easy names, by its URL as libcurl has it.
    /// @param multiplexes whether connections carry several transfers wherever they can
    /// @throws std::bad_alloc
    origin& origin_of(easy_core& handle, bool multiplexes);
    /// The number of the shard for one more transfer to it.
    std::size_t choose(origin& to) const noexcept;
    /// What its transfers share.
    /// @throws std::bad_alloc
    const intrusive_ptr<shared_caches>& caches_of(origin& to);

    /// @throws std::bad_alloc
    void started(origin& to, std::size_t shard, CURL* handle);
    void ended(origin& to, std::size_t shard, CURL* handle) noexcept;
    std::size_t running_in(std::size_t shard) const noexcept {
        return shard < loads_.size() ? loads_[shard] : 0;
    }
    /// What a transfer that has its head tells about its server.
    static void learn(origin& of, CURL* handle) noexcept;
    /// New transfers have new caches.
    void network_changed() noexcept;
    /// Forgets what it knows of servers to which nothing runs.
    void start_over() noexcept;
    /// How many servers it knows.
    std::size_t known() const noexcept { return origins_.size(); }

private:
    origin& look_up(std::string_view server, bool negotiates);
    void forget_some() noexcept;
    std::size_t another(const origin& to) const noexcept;

    struct by_name {
        using is_transparent = void;
        static std::string_view of(std::string_view name) noexcept { return name; }
        static std::string_view of(const intrusive_ptr<origin>& each) noexcept {
            return each->name;
        }
        template <class T> std::size_t operator()(const T& each) const noexcept {
            return std::hash<std::string_view>()(of(each));
        }
        template <class T, class U> bool operator()(const T& one, const U& other) const noexcept {
            return of(one) == of(other);
        }
    };

    std::uint64_t number_; // no two have the same, at any time
    const std::size_t most_;
    bool limited_ = false;
    server_name server_;
    std::string key_;
    std::unordered_set<intrusive_ptr<origin>, by_name, by_name> origins_;
    std::vector<origin*> round_;       // the same, to be looked at one after the other
    std::size_t next_ = 0;             // of these
    std::vector<std::uint32_t> loads_; // transfers in each shard
    std::uint64_t network_ = 0;        // its changes
    intrusive_ptr<shared_caches> newest_;
    std::size_t newest_shared_by_ = 0;
};

} // namespace curlicue::detail
