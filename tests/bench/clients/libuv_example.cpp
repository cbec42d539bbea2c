// SPDX-License-Identifier: MIT
// libuv-example: what to compare with.
#include "client.hpp"
#include "example_client.hpp"

#include <cstddef>
#include <future>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace curlicue::bench {
namespace {

// The example, with what a program adds to it whose threads hand in transfers and wait for them: a
// queue, a mutex, and a uv_async_t to wake the loop.
class threads_client : private example_client {
public:
    threads_client(const job& what, meter& measured) : example_client(what, measured), what_(what) {
        uv_async_init(loop(), &wake_up_, take_queue);
        wake_up_.data = this;
        for (const auto& transfer : transfers())
            outcomes_.emplace(transfer.get(), std::promise<CURLcode>());
    }

    void run() {
        std::jthread loop_thread([this] { run_loop(); });
        const auto share = transfers().size() / static_cast<std::size_t>(what_.threads);
        {
            std::vector<std::jthread> threads;
            for (std::size_t i = 0; i != static_cast<std::size_t>(what_.threads); ++i)
                threads.emplace_back(
                    [this, mine = std::span(transfers()).subspan(i * share, share)] {
                        submit_batches(mine);
                    });
        }
        const std::lock_guard lock(mutex_);
        over_ = true;
        uv_async_send(&wake_up_);
    }

private:
    using transfer_span = std::span<const std::unique_ptr<curl_transfer>>;

    void submit_batches(transfer_span mine) {
        std::vector<std::future<CURLcode>> batch;
        do {
            batch.clear();
            for (const auto& transfer : mine)
                if (measured().start_another())
                    batch.push_back(submit(*transfer));
            for (auto& each : batch) {
                if (const CURLcode code = each.get(); code != CURLE_OK)
                    return measured().failed(curl_easy_strerror(code));
                measured().finished();
            }
        } while (!batch.empty());
    }

    std::future<CURLcode> submit(curl_transfer& transfer) {
        auto outcome = (outcomes_.at(&transfer) = {}).get_future();
        {
            const std::lock_guard lock(mutex_);
            queue_.push_back(&transfer);
        }
        uv_async_send(&wake_up_);
        return outcome;
    }

    static void take_queue(uv_async_t* async) {
        auto& self = *static_cast<threads_client*>(async->data);
        std::vector<curl_transfer*> taken;
        {
            const std::lock_guard lock(self.mutex_);
            taken = std::move(self.queue_);
            self.queue_.clear();
            if (self.over_)
                uv_close(reinterpret_cast<uv_handle_t*>(async), nullptr);
        }
        for (auto* const transfer : taken)
            self.start(*transfer);
    }

    void done(curl_transfer& transfer, CURLcode code) override {
        outcomes_.at(&transfer).set_value(code);
    }

    const job& what_;
    uv_async_t wake_up_;
    std::mutex mutex_;
    std::vector<curl_transfer*> queue_;
    bool over_ = false;
    // Each is one thread's at a time: who submits, then the loop's.
    std::unordered_map<const curl_transfer*, std::promise<CURLcode>> outcomes_;
};

} // namespace

void run(const job& what, meter& measured) {
    if (what.threads != 0)
        threads_client(what, measured).run();
    else
        example_client(what, measured).run();
}

} // namespace curlicue::bench
