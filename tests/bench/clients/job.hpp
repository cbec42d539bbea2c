// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace curlicue::bench {

/// What a client is to do. Its command line names the members, each as NAME=VALUE.
struct job {
    /// @throws std::invalid_argument for a name that is none of these
    explicit job(std::span<char* const> arguments);

    /// Where the transfer of that number goes: those that run at a time share the URLs evenly.
    const std::string& url(std::size_t number = 0) const { return urls.at(number % urls.size()); }

    std::vector<std::string> urls;    ///< of url=, separated by spaces
    std::string ca;                   ///< a file with the server's authority
    bool default_authorities = false; ///< it comes on top of libcurl's default ones
    int concurrency = 1;              ///< transfers at a time
    int threads = 0;                  ///< that submit them; 0: the loop's own
    int loops = 1;                    ///< that run them; more: a loop_pool of so many
    int requests = 1;                 ///< that are measured
    int warm_up = 0;                  ///< that are not, before
    std::uint64_t upload = 0;         ///< bytes that a request sends
    long buffer = 0;                  ///< bytes to receive into; 0: as the client has it by itself
    bool fresh = false;               ///< a new connection for each request
    bool multiplex = false;           ///< all over one HTTP/2 connection
    bool once = false;                ///< no request follows another: all at once
    bool pooled = false;              ///< an easy of a pool for each request, and its body kept
    std::string file;                 ///< which the body is to be written to
    bool cancel = false; ///< each ends by being cancelled when its first bytes are here
};

} // namespace curlicue::bench
