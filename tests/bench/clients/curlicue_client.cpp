// SPDX-License-Identifier: MIT
// curlicue: ours.
#include "authority.hpp"
#include "client.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/easy_pool.hpp>
#include <curlicue/loop.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <fstream>
#include <latch>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <uv.h>

namespace curlicue::bench {
namespace {

// An easy that does what the job asks, again and again.
struct transfer {
    transfer(const job& what, std::size_t number);

    easy handle;
    std::uint64_t left = 0; // of an upload
    bool cancelled = false; // or to be
    future<void> under_way; // where it is to be cancelled
};

transfer::transfer(const job& what, std::size_t number) : handle(what.url(number)) {
    handle.setopt<CURLOPT_FAILONERROR>(true);
    handle.setopt<CURLOPT_WRITEFUNCTION>([this, cancel = what.cancel](std::span<const char> data) {
        if (cancel && !std::exchange(cancelled, true))
            under_way.cancel();
        return data.size();
    });
    if (what.default_authorities)
        handle.setopt<CURLOPT_SSL_CTX_FUNCTION>(
            [server = std::make_shared<authority>(what.ca)](void* ssl_ctx) {
                return server->trust_in(ssl_ctx);
            });
    else if (!what.ca.empty())
        handle.setopt<CURLOPT_CAINFO>(what.ca);
    if (what.fresh)
        handle.setopt<CURLOPT_FRESH_CONNECT>(true).setopt<CURLOPT_FORBID_REUSE>(true);
    handle.setopt<CURLOPT_HTTP_VERSION>(what.multiplex ? CURL_HTTP_VERSION_2TLS
                                                       : CURL_HTTP_VERSION_1_1);
    if (what.multiplex)
        handle.setopt<CURLOPT_PIPEWAIT>(true);
    if (what.buffer != 0)
        handle.setopt<CURLOPT_BUFFERSIZE>(what.buffer);
    if (what.upload == 0)
        return;
    handle.setopt<CURLOPT_UPLOAD>(true).setopt<CURLOPT_INFILESIZE_LARGE>(what.upload);
    handle.setopt<CURLOPT_READFUNCTION>([this](std::span<char> buffer) {
        const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left));
        std::fill_n(buffer.begin(), piece, '\0');
        left -= piece;
        return piece;
    });
}

void tell(const std::exception_ptr& failure, meter& measured) {
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& error) {
        measured.failed(error.what());
    }
}

async_multi_options options(const job& what, meter& measured) {
    async_multi_options chosen;
    chosen.on_unobserved_error = [&](const auto& failure) { tell(failure, measured); };
    chosen.ca_cache = what.default_authorities;
    return chosen;
}

void prepare(async_multi& multi, const job& what) {
    if (what.multiplex)
        multi.setopt<CURLMOPT_PIPELINING>(CURLPIPE_MULTIPLEX);
}

// All on the loop of this thread: a coroutine for each transfer that is to run at a time.
class loop_client {
public:
    loop_client(const job& what, meter& measured)
        : what_(what), measured_(measured), multi_(uv_default_loop(), options(what, measured)) {
        prepare(multi_, what);
        for (int i = 0; i != what.concurrency; ++i)
            transfers_.emplace_back(what, transfers_.size());
    }

    void run() {
        if (what_.cancel)
            cancel_all();
        else
            perform_all();
        multi_.run_until(multi_.close());
    }

private:
    void perform_all() {
        std::vector<future<void>> chains;
        for (std::size_t i = 0; i != transfers_.size(); ++i)
            chains.push_back(co_spawn(multi_.executor(), what_.pooled
                                                             ? one_of_a_pool_after_another(i)
                                                             : one_after_another(transfers_[i])));
        multi_.run_until(gather(std::move(chains)));
    }

    task<> one_after_another(transfer& each) {
        while (measured_.start_another()) {
            each.left = what_.upload;
            co_await multi_.perform(each.handle);
            measured_.finished();
        }
    }

    task<> one_of_a_pool_after_another(std::size_t number) {
        while (measured_.start_another()) {
            auto handle = pool_.take();
            std::string body;
            std::ofstream file;
            handle.setopt<CURLOPT_URL>(what_.url(number)).setopt<CURLOPT_FAILONERROR>(true);
            if (what_.file.empty()) {
                handle.setopt<CURLOPT_WRITEDATA>(body);
            } else {
                file.open(what_.file, std::ios::binary | std::ios::trunc);
                handle.setopt<CURLOPT_WRITEDATA>(file);
            }
            co_await multi_.perform(handle);
            measured_.finished();
        }
    }

    void cancel_all() {
        left_ = transfers_.size();
        for (auto& each : transfers_)
            start_to_cancel(each);
        multi_.run_until(all_cancelled_.get_future());
    }

    void start_to_cancel(transfer& each) {
        if (!measured_.start_another()) {
            if (--left_ == 0)
                all_cancelled_.set_value();
            return;
        }
        each.cancelled = false;
        each.under_way = multi_.perform(each.handle).then([](easy&&) {}).finally([this, &each] {
            measured_.finished();
            start_to_cancel(each);
        });
    }

    const job& what_;
    meter& measured_;
    std::deque<transfer> transfers_;
    easy_pool pool_;
    async_multi multi_;
    std::size_t left_ = 0; // of those that are started and cancelled again and again
    promise<void> all_cancelled_{multi_.executor()};
};

// Threads that hand transfers to a loop in another one, and wait for them.
class threads_client {
public:
    threads_client(const job& what, meter& measured)
        : what_(what), measured_(measured), loop_(options(what, measured)) {
        loop_.multi().post([&] { prepare(loop_.multi(), what_); }).get();
    }

    void run() {
        std::vector<std::jthread> threads;
        for (int i = 0; i != what_.threads; ++i)
            threads.emplace_back([this] {
                try {
                    submit_batches();
                } catch (const std::exception& error) {
                    measured_.failed(error.what());
                }
            });
    }

private:
    void submit_batches() {
        std::deque<transfer> transfers;
        for (int i = 0; i != what_.concurrency / what_.threads; ++i)
            transfers.emplace_back(what_, transfers.size());
        std::vector<future<easy>> batch;
        do {
            batch.clear();
            for (auto& each : transfers)
                if (measured_.start_another())
                    batch.push_back(loop_.multi().perform(each.handle));
            for (auto& each : batch) {
                each.get();
                measured_.finished();
            }
        } while (!batch.empty());
    }

    const job& what_;
    meter& measured_;
    loop_thread loop_;
};

// Several loops, each in a thread. What follows a transfer is asked for where that one has ended.
class pool_client {
public:
    pool_client(const job& what, meter& measured)
        : measured_(measured), left_(what.concurrency),
          pool_(static_cast<std::size_t>(what.loops),
                [&](std::size_t) { return options(what, measured); }) {
        for (int i = 0; i != what.concurrency; ++i)
            transfers_.emplace_back(what, transfers_.size());
    }

    void run() {
        for (auto& each : transfers_)
            start(each);
        left_.wait();
    }

private:
    void start(transfer& each) {
        if (!measured_.start_another())
            return left_.count_down();
        pool_.perform(each.handle)
            .then([this, &each](easy&&) {
                measured_.finished();
                start(each);
            })
            .detach([this](const std::exception_ptr& failure) noexcept {
                tell(failure, measured_);
                left_.count_down();
            });
    }

    meter& measured_;
    std::deque<transfer> transfers_;
    std::latch left_; // of those that are started again and again
    loop_pool pool_;
};

} // namespace

void run(const job& what, meter& measured) {
    if (what.loops != 1)
        pool_client(what, measured).run();
    else if (what.threads != 0)
        threads_client(what, measured).run();
    else
        loop_client(what, measured).run();
}

} // namespace curlicue::bench
