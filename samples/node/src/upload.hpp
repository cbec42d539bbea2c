// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <deque>
#include <span>
#include <string>
#include <utility>

#include <curl/curl.h>

namespace curlicue::node {

/// What JavaScript has written and libcurl has not read.
class upload {
public:
    /// Above this, whoever writes is asked to wait.
    static constexpr std::size_t high_water = 65536;

    bool full() const noexcept { return size_ >= high_water; }

    void write(std::string chunk) {
        size_ += chunk.size();
        if (!chunk.empty())
            chunks_.push_back(std::move(chunk));
    }
    void end() noexcept { ended_ = true; }
    /// Whether libcurl waits for more; it is asked once.
    bool resume() noexcept { return std::exchange(starved_, false); }

    /// As CURLOPT_READFUNCTION.
    std::size_t read(std::span<char> buffer) {
        std::size_t count = 0;
        while (count != buffer.size() && !chunks_.empty()) {
            const auto& chunk = chunks_.front();
            const auto part = std::min(buffer.size() - count, chunk.size() - offset_);
            std::memcpy(buffer.data() + count, chunk.data() + offset_, part);
            count += part;
            offset_ += part;
            if (offset_ == chunk.size()) {
                chunks_.pop_front();
                offset_ = 0;
            }
        }
        size_ -= count;
        starved_ = count == 0 && !ended_;
        return starved_ ? CURL_READFUNC_PAUSE : count;
    }

private:
    std::deque<std::string> chunks_;
    std::size_t offset_ = 0; // in the first of them
    std::size_t size_ = 0;
    bool ended_ = false;
    bool starved_ = false;
};

} // namespace curlicue::node
