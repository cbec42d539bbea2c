// SPDX-License-Identifier: MIT
#pragma once

#include "job.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

namespace curlicue::bench {

/// Says how many requests a client makes, and measures those after the warm-up. Up to the last one
/// that counts there are always as many under way, so some more are started that do not count.
/// @threading any
class meter {
public:
    explicit meter(const job& what);

    /// Whether there is to be another request; counts it.
    bool start_another();
    /// One has ended well.
    void finished();
    /// One has not, and none is started any more.
    void failed(const std::string& why);
    /// For the C APIs: ends the program with a message where libcurl, libuv or the system refuses.
    static void expect(bool succeeded, const char* what);

    /// What was measured, as one line of JSON.
    /// @throws std::runtime_error if a request has failed, or too few were made
    std::string report() const;

private:
    struct sample {
        static sample now();
        std::chrono::steady_clock::time_point time;
        std::chrono::microseconds cpu; ///< of this process, user and system
        std::optional<std::uint64_t> allocations;
    };

    const int warm_up_;
    const int last_;    ///< the number of the last that counts
    const int started_; ///< how many are started altogether
    std::atomic<int> starts_ = 0;
    std::atomic<int> ends_ = 0;
    sample begin_{};
    sample end_{};
    mutable std::mutex mutex_;
    std::string failure_;
};

} // namespace curlicue::bench
