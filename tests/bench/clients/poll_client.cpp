// SPDX-License-Identifier: MIT
// curl_multi_poll: libcurl waits by itself.
#include "client.hpp"
#include "curl_client.hpp"

namespace curlicue::bench {
namespace {

class poll_client : private curl_client {
public:
    using curl_client::curl_client;

    void run() {
        start_all();
        while (running() != 0) {
            int unfinished = 0;
            meter::expect(curl_multi_perform(multi(), &unfinished) == CURLM_OK, "perform");
            collect();
            if (running() != 0)
                meter::expect(curl_multi_poll(multi(), nullptr, 0, 1000, nullptr) == CURLM_OK,
                              "poll");
        }
    }
};

} // namespace

void run(const job& what, meter& measured) { poll_client(what, measured).run(); }

} // namespace curlicue::bench
