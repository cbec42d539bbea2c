// SPDX-License-Identifier: MIT
#include "broadcast.hpp"

#include "made_response.hpp"
#include <curlicue/error.hpp>
#include <curlicue/fetch_error.hpp>

#include <algorithm>
#include <utility>

namespace curlicue::detail {

broadcast::broadcast(response one, executor& where, std::size_t most)
    : where_(where), head_(std::move(one)), most_(most), body_(head_.body()) {}

broadcast::~broadcast() { pull_.cancel(); }

response broadcast::join() {
    const auto mine = std::make_shared<listener>();
    auto made = made_response(head_.status(), head_.headers(),
                              [self = shared_from_this(), mine] { return self->read(*mine); });
    const auto& theirs = response_access::state(head_);
    made->head.version = theirs.head.version;
    made->head.reason = theirs.head.reason;
    made->url = theirs.url;
    made->remote_address = theirs.remote_address;
    const std::lock_guard lock(mutex_);
    listeners_.push_back(mine);
    return response_access::make(std::move(made));
}

future<std::string> broadcast::read(listener& mine) {
    std::unique_lock lock(mutex_);
    if (!mine.waiting.empty())
        return make_ready_future(mine.waiting.take(everything));
    if (mine.lost || (over_ && failure_))
        return make_failed_future<std::string>(mine.lost ? mine.lost : failure_);
    if (over_)
        return make_ready_future(std::string());
    auto next = mine.asked.emplace(where_).get_future();
    const bool pulls = !std::exchange(pulling_, true);
    lock.unlock();
    if (pulls)
        pull();
    return next;
}

void broadcast::pull() {
    try {
        auto piece =
            body_.read().then_result([kept = weak_from_this()](result<std::string>&& outcome) {
                if (const auto self = kept.lock())
                    self->came(std::move(outcome));
            });
        const std::lock_guard lock(mutex_);
        if (!piece.ready())
            pull_ = std::move(piece);
    } catch (...) {
        came(failure(std::current_exception()));
    }
}

void broadcast::came(result<std::string>&& piece) noexcept {
    if (!piece.has_value())
        return fail(piece.exception());
    told to;
    try {
        const std::lock_guard lock(mutex_);
        to.reserve(listeners_.size());
        pulling_ = false;
        over_ = piece.value().empty();
        hand_out(piece.value(), to);
    } catch (...) {
        return fail(std::current_exception());
    }
    for (auto& each : to)
        try {
            each.set_value(piece.value());
        } catch (...) {
            each.set_exception(std::current_exception());
        }
}

// Who has asked is told, for all others it is kept.
void broadcast::hand_out(const std::string& piece, told& to) {
    std::erase_if(listeners_, [](const auto& each) { return each.expired(); });
    for (const auto& each : listeners_) {
        const auto one = each.lock();
        if (!one || one->lost)
            continue;
        if (one->asked) {
            to.push_back(*std::exchange(one->asked, std::nullopt));
        } else if (piece.size() <= most_ - std::min(most_, one->waiting.size())) {
            one->waiting.append(piece);
        } else {
            one->waiting.clear();
            one->lost = fetch_failure(errc::too_large, fetch_phase::body);
        }
    }
}

void broadcast::fail(const std::exception_ptr& why) noexcept {
    {
        const std::lock_guard lock(mutex_);
        pulling_ = false;
        over_ = true;
        failure_ = why;
    }
    while (auto one = whoever_has_asked()) // from now on nobody can
        one->set_exception(why);
}

std::optional<promise<std::string>> broadcast::whoever_has_asked() noexcept {
    const std::lock_guard lock(mutex_);
    for (const auto& each : listeners_)
        if (const auto one = each.lock(); one && one->asked)
            return std::exchange(one->asked, std::nullopt);
    return std::nullopt;
}

} // namespace curlicue::detail
