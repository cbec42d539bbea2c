// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <deque>
#include <string>
#include <unordered_map>

namespace curlicue::detail {

/// How often each origin was asked in the last ten seconds, and asked again.
/// @threading one thread at a time
class retry_budget {
public:
    using time = std::chrono::steady_clock::time_point;

    void count_request(const std::string& origin, time now);
    /// Whether one more retry is within `share` of the requests, beside ten; then it is counted.
    bool take(const std::string& origin, double share, time now);

private:
    struct record {
        std::deque<time> requests, retries;
        void forget(time now);
    };

    std::unordered_map<std::string, record> records_;
    std::size_t until_clean_up_ = 1024;
};

} // namespace curlicue::detail
