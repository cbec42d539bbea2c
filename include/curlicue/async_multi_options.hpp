// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/unique_function.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <stdexcept>

namespace curlicue {

/// Whether an `async_multi` keeps its loop alive. A loop that is kept alive goes on in `uv_run`.
///
/// A host that ends its loop by `uv_stop` and runs it once more to the end, for what it closes
/// itself (uvloop's `close`, gevent's `destroy`), wants `never`: otherwise that waits for our
/// transfers.
enum class hold {
    always,
    while_busy, ///< while a transfer, a timeout or a continuation is pending
    never,
};

/// Called around every entry from the loop: a host can open and close a scope of its own there, as
/// Node does for its microtasks. Both or none.
struct host_hooks {
    void* (*enter)(void* arg) noexcept = nullptr;
    /// @param token what `enter` returned
    void (*leave)(void* arg, void* token) noexcept = nullptr;
    void* arg = nullptr; ///< *Ownership:* the host's, until the multi is closed
};

/// How many of libcurl's multi handles may stand behind one `async_multi`. libcurl searches all
/// connections to a server for each transfer to it, and now and then all it has; so many transfers
/// are spread over several, 32 to a server and 64 in all before there is another. They act as one,
/// but that CURLINFO_CONN_ID and CURLINFO_XFER_ID, the pool of connections and the cache of CA
/// certificates are each multi handle's own, and that of addresses is one of a few servers.
///
/// A server whose connections carry many transfers (HTTP/2), or may, stays in one; so does all that
/// is added after `setopt` has limited the connections (MAXCONNECTS, MAX_HOST_CONNECTIONS,
/// MAX_TOTAL_CONNECTIONS).
class shards {
public:
    static const shards automatic; ///< up to 64
    static const shards one;
    /// Up to `count`. @throws std::invalid_argument if that is 0
    static constexpr shards fixed(std::size_t count) {
        return count != 0 ? shards(count) : throw std::invalid_argument("shards::fixed(0)");
    }

    constexpr std::size_t most() const noexcept { return most_; }

private:
    constexpr explicit shards(std::size_t most) noexcept : most_(most) {}

    std::size_t most_;
};
inline constexpr shards shards::automatic{64};
inline constexpr shards shards::one{1};

struct async_multi_options {
    /// `close` closes the easies that are added, instead of only removing them.
    bool close_handles = false;
    hold keep_loop = hold::while_busy;
    host_hooks hooks = {};
    shards sharding = shards::automatic;
    /// One parsed set of CA certificates for all connections. Where the default is a directory
    /// (Debian), libcurl parses each of its certificates anew for every TLS connection, tens of
    /// milliseconds in which the loop stands still; an owned easy that sets neither CAINFO nor
    /// CAPATH then uses the default bundle file alone, which is parsed once a multi handle. The
    /// server is verified all the same. From 8.21 on libcurl reads the directory nonetheless.
    bool ca_cache = false;
    /// While transfers run and libcurl has asked for nothing this long, or one of them has moved no
    /// byte, it is called all the same: some versions lose a wake-up now and then (8.5.0 and 8.14
    /// do with HTTP/2), and without a call no progress callback can end a transfer. 0 or less:
    /// never.
    std::chrono::milliseconds heartbeat = std::chrono::milliseconds(500);
    /// A descriptor that stays ready though libcurl neither reads of it (8.20.0 leaves one so) nor
    /// writes to it (SMB's) is looked at every 10 ms; otherwise it keeps a processor busy.
    bool spin_guard = true;
    /// CURLOPT_TIMEOUT and CURLOPT_TIMEOUT_MS of owned easies are kept by our own clock too, with
    /// or without a heartbeat: what libcurl has not ended a second later ends with
    /// CURLE_OPERATION_TIMEDOUT. A transfer that waits for a descriptor, of which libcurl knows
    /// nothing, ends so at once, and by CURLOPT_CONNECTTIMEOUT(_MS) too, deadlines or not.
    bool deadlines = true;
    /// With libcurl 8.21.0, which forgets TLS connections that are shutting down, each multi handle
    /// is called for all of its transfers once a second. Others do not need it.
    bool upkeep = true;
    /// How many names libcurl looks up at a time, each on a thread of its own; transfers that
    /// need another wait, as do those whose server's name is being looked up: for that answer,
    /// each within its own limits. CURLMOPT_RESOLVE_THREADS_MAX (libcurl 8.20) sets it too. It is
    /// for owned easies that have libcurl ask getaddrinfo: c-ares, DOH_URL, RESOLVE, CONNECT_TO, a
    /// SHARE, a DNS_CACHE_TIMEOUT and unix sockets keep nobody waiting.
    /// 0, or more than the process may ever have descriptors (RLIMIT_NOFILE's hard limit):
    /// `std::invalid_argument`.
    std::size_t look_ups = 32;
    /// telnet, file and rtmp are refused by `add_handle`, with `errc::would_block`: libcurl does
    /// all of such a transfer in one call, of rtmp the handshake, and the loop stands still for as
    /// long. What a handle names is known by its URL; of a borrowed one with a CURLOPT_CURLU it is
    /// not. A redirect goes there only where CURLOPT_REDIR_PROTOCOLS says so.
    bool refuse_blocking = false;
    /// Told of failures that nobody looked at, on the loop's thread. It may not throw.
    unique_function<void(std::exception_ptr)> on_unobserved_error = nullptr;
};

/// Counts since the beginning, but for the first four, which are as of now.
struct multi_stats {
    std::size_t pending = 0; ///< accepted and not over
    std::size_t running = 0; ///< of these, how many libcurl has
    std::size_t sockets = 0; ///< sockets under watch
    std::size_t shards = 0;  ///< multi handles that are open
    std::uint64_t completed = 0;
    std::uint64_t failed = 0;     ///< cancellations not included
    std::uint64_t cancelled = 0;  ///< by `cancel`, `remove_handle` and `close`
    std::uint64_t unobserved = 0; ///< failures that nobody looked at
    std::uint64_t wakeups = 0;    ///< entries from the loop
    std::uint64_t heartbeats = 0; ///< calls for it that moved something, one for each multi handle
    std::uint64_t waits = 0;      ///< of transfers for a descriptor, where the process had none
    std::uint64_t spins = 0;      ///< descriptors set aside by the spin guard, each time
    std::uint64_t deadlines = 0;  ///< transfers that libcurl did not end in time
    std::uint64_t upkeeps = 0;    ///< calls for all transfers, with libcurl 8.21.0
    std::uint64_t rebuilds = 0;   ///< multi handles replaced after libcurl gave one up
    std::chrono::nanoseconds libcurl_total{};
    std::chrono::nanoseconds libcurl_longest{}; ///< in one call, or one batch of finished transfers
    std::chrono::nanoseconds continuations_total{};   ///< with what they call of libcurl
    std::chrono::nanoseconds continuations_longest{}; ///< in one batch
};

} // namespace curlicue
