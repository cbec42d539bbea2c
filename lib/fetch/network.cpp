// SPDX-License-Identifier: MIT
#include "network.hpp"

#include "exchange.hpp"

#include <new>
#include <utility>

namespace curlicue::detail {

network::network(intrusive_ptr<engine> on, std::shared_ptr<const client_options> options,
                 std::shared_ptr<detail::ongoing> counted)
    : engine_(std::move(on)), options_(std::move(options)), ongoing_(std::move(counted)),
      memory_(options_->memory), deadlines_(executor_link::of(engine_->executor())) {
    if (options_->hsts)
        hsts_.emplace(*options_->hsts);
}

network::~network() = default;

future<response> network::fetch(request what) {
    return make_intrusive<exchange>(shared_from_this(), std::move(what))->start();
}

std::optional<easy> network::take_used() noexcept {
    if (used_.empty())
        return std::nullopt;
    std::optional<easy> one(std::move(used_.back()));
    used_.pop_back();
    return one;
}

// As many as have run at once, up to what others are waiting for anyway.
void network::give_back(easy&& used) noexcept {
    constexpr std::size_t most = 256;
    try {
        if (used_.size() < most)
            used_.push_back(std::move(used));
    } catch (const std::bad_alloc&) {
        // It goes to the pool, as others do.
    }
}

void network::started(exchange_node& one) noexcept {
    exchanges_.push_back(one);
    ongoing_->transfer_begins();
}

void network::ended(exchange_node& one) noexcept {
    one.unlink();
    ongoing_->transfer_ends();
}

void network::cancel_all() noexcept {
    intrusive_list<exchange_node> all;
    all.splice(exchanges_);
    while (auto* const each = all.pop_front()) {
        exchanges_.push_back(*each);
        each->cancel();
    }
}

} // namespace curlicue::detail
