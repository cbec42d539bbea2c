// SPDX-License-Identifier: MIT
#include "curl_client.hpp"

namespace curlicue::bench {

curl_client::curl_client(const job& what, meter& measured) : measured_(measured) {
    if (what.multiplex)
        curl_multi_setopt(multi_, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_MULTIPLEX));
    for (int i = 0; i != what.concurrency; ++i) {
        transfers_.push_back(std::make_unique<curl_transfer>(what, transfers_.size()));
        if (what.cancel)
            transfers_.back()->tell(begun_);
    }
}

curl_client::~curl_client() {
    transfers_.clear();
    curl_multi_cleanup(multi_);
}

void curl_client::start_all() {
    for (const auto& transfer : transfers_)
        if (measured_.start_another())
            start(*transfer);
}

void curl_client::start(curl_transfer& transfer) {
    transfer.rewind();
    meter::expect(curl_multi_add_handle(multi_, transfer.handle()) == CURLM_OK, "add_handle");
    ++running_;
}

void curl_client::collect() {
    int pending = 0;
    while (const CURLMsg* const message = curl_multi_info_read(multi_, &pending)) {
        const CURLcode code = message->data.result; // the message ends with the removal
        auto& transfer = curl_transfer::of(message->easy_handle);
        curl_multi_remove_handle(multi_, transfer.handle());
        --running_;
        done(transfer, code);
    }
    while (!begun_.empty()) {
        auto& transfer = *begun_.back();
        begun_.pop_back();
        curl_multi_remove_handle(multi_, transfer.handle());
        --running_;
        done(transfer, CURLE_OK);
    }
}

void curl_client::done(curl_transfer& transfer, CURLcode code) {
    if (code != CURLE_OK)
        return measured_.failed(curl_easy_strerror(code));
    measured_.finished();
    if (measured_.start_another())
        start(transfer);
}

} // namespace curlicue::bench
