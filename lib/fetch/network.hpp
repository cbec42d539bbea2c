// SPDX-License-Identifier: MIT
#pragma once

#include "../engine.hpp"
#include "deadlines.hpp"
#include "hsts_cache.hpp"
#include "memory_budget.hpp"
#include "ongoing.hpp"
#include <curlicue/detail/intrusive_list.hpp>
#include <curlicue/easy_pool.hpp>
#include <curlicue/fetch.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace curlicue::detail {

/// An exchange, as its network knows it.
class exchange_node : public list_node {
public:
    virtual void cancel() noexcept = 0;

protected:
    ~exchange_node() = default;
};

/// The transport of a client that is at the end of all steps: an easy for each request, on an
/// engine.
/// @threading `fetch` and `executor` are thread-safe, all else is the loop's
class network final : public transport, public std::enable_shared_from_this<network> {
public:
    network(intrusive_ptr<engine> on, std::shared_ptr<const client_options> options,
            std::shared_ptr<detail::ongoing> counted);
    ~network() override;

    future<response> fetch(request what) override;
    curlicue::executor& executor() override { return engine_->executor(); }
    const intrusive_ptr<executor_link>& link() const noexcept {
        return executor_link::of(engine_->executor());
    }

    const client_options& options() const noexcept { return *options_; }
    engine& on() const noexcept { return *engine_; }
    easy take_easy() { return easies_.take(); }
    /// One that has carried a plain request of this client, and may carry another.
    std::optional<easy> take_used() noexcept;
    void give_back(easy&& used) noexcept;
    /// None, unless the client is to have one.
    hsts_cache* hsts() noexcept { return hsts_ ? &*hsts_ : nullptr; }
    memory_budget& memory() noexcept { return memory_; }
    /// Of one body, in bytes.
    std::size_t share_of_memory() const noexcept {
        return memory_.limited() ? memory_.share(ongoing_->transfers()) : SIZE_MAX;
    }
    detail::deadlines& deadlines() noexcept { return deadlines_; }

    void started(exchange_node& one) noexcept;
    void ended(exchange_node& one) noexcept;
    void count_bytes(std::size_t more) noexcept {
        bytes_.fetch_add(more, std::memory_order_relaxed);
    }
    std::uint64_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }
    /// Ends all that run.
    void cancel_all() noexcept;

private:
    const intrusive_ptr<engine> engine_;
    const std::shared_ptr<const client_options> options_;
    const std::shared_ptr<detail::ongoing> ongoing_;
    std::vector<easy> used_;
    easy_pool easies_; // goes first, and takes none of them back
    std::optional<hsts_cache> hsts_;
    memory_budget memory_;
    detail::deadlines deadlines_;
    intrusive_list<exchange_node> exchanges_;
    std::atomic<std::uint64_t> bytes_{0};
};

} // namespace curlicue::detail
