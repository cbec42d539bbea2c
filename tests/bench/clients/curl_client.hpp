// SPDX-License-Identifier: MIT
#pragma once

#include "curl_transfer.hpp"
#include "job.hpp"
#include "meter.hpp"

#include <memory>
#include <vector>

#include <curl/curl.h>

namespace curlicue::bench {

/// What clients on libcurl's multi interface have in common, whoever waits for the sockets.
class curl_client {
public:
    curl_client(const job& what, meter& measured);
    curl_client(const curl_client&) = delete;
    curl_client& operator=(const curl_client&) = delete;

protected:
    ~curl_client();

    /// As many at once as the job says.
    void start_all();
    void start(curl_transfer& transfer);
    /// After each call of libcurl: what has ended, and what is to be cancelled, makes room for the
    /// next.
    void collect();
    /// A transfer is over, and removed from the multi handle.
    virtual void done(curl_transfer& transfer, CURLcode code);

    CURLM* multi() const noexcept { return multi_; }
    meter& measured() noexcept { return measured_; }
    const std::vector<std::unique_ptr<curl_transfer>>& transfers() const { return transfers_; }
    /// How many are under way.
    int running() const noexcept { return running_; }

private:
    CURLM* const multi_ = curl_multi_init();
    meter& measured_;
    std::vector<std::unique_ptr<curl_transfer>> transfers_;
    std::vector<curl_transfer*> begun_; ///< to be cancelled
    int running_ = 0;
};

} // namespace curlicue::bench
