// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/async_multi_options.hpp>
#include <curlicue/detail/intrusive_ptr.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <curl/curl.h>

namespace curlicue::detail {

class easy_core;

/// The server that an easy names: scheme, host and port of its URL, as libcurl has it. Empty where
/// that is not known: libcurl looks at a CURLOPT_CURLU when the transfer starts. Valid until the
/// handle is used again.
std::string_view server_of(CURL* handle) noexcept;
/// Whether connections to it may carry several transfers at a time, where libcurl lets them.
bool may_multiplex(const easy_core& handle, std::string_view server) noexcept;

/// FTP and LDAP, by the scheme or, where that is missing, by what libcurl makes of the name.
bool is_waited_for(std::string_view server) noexcept;

/// A server, as far as its transfers may share connections, and how many of them run where.
struct origin final : ref_counted {
    origin(std::uint64_t owner, std::string_view server) noexcept
        : placement(owner), may_wait(server.empty() || is_waited_for(server)) {}

    /// How many transfers one of its connections carries at a time.
    enum class streams : unsigned char { unknown, one, many };

    const std::uint64_t placement; // whose it is
    streams on_connection = streams::one;
    bool negotiates = false; // its transfers find out
    const bool may_wait;     // for what libcurl does not ask to hear of
    std::size_t running = 0;
    std::vector<std::uint32_t> by_shard; // how many of them in each

    std::size_t running_in(std::size_t shard) const noexcept {
        return shard < by_shard.size() ? by_shard[shard] : 0;
    }
};

/// Which shard a transfer goes to. At every add libcurl searches the connections to the server of
/// that transfer one by one, so no shard has many of them: a server fills the first shard, then the
/// next. One whose connections carry many transfers, or may, stays in the first.
/// @threading loop-bound
class placement {
public:
    explicit placement(shards sharding) noexcept;

    bool spreads() const noexcept { return most_ > 1; }
    /// The user has limited the connections of all shards together: one of them has to do.
    void limit(bool on) noexcept { limited_ = on; }
    bool limited() const noexcept { return limited_; }

    /// The server that an easy names, by its URL as libcurl has it.
    /// @param multiplexes whether connections carry several transfers wherever they can
    /// @throws std::bad_alloc
    origin& origin_of(easy_core& handle, bool multiplexes);
    /// The number of the shard for one more transfer to it.
    std::size_t choose(const origin& to) const noexcept;

    /// @throws std::bad_alloc
    static void started(origin& to, std::size_t shard);
    static void ended(origin& to, std::size_t shard) noexcept;
    /// What a finished transfer tells about its server.
    static void learn(origin& of, CURL* finished) noexcept;
    /// Forgets what it knows of servers to which nothing runs.
    void start_over() noexcept;

private:
    origin& look_up(std::string_view server, bool negotiates);
    void forget_idle() noexcept;

    struct hash : std::hash<std::string_view> {
        using is_transparent = void;
    };

    std::uint64_t number_; // no two have the same, at any time
    const std::size_t most_;
    bool limited_ = false;
    std::unordered_map<std::string, intrusive_ptr<origin>, hash, std::equal_to<>> origins_;
};

} // namespace curlicue::detail
