// SPDX-License-Identifier: MIT
#include "broadcast.hpp"
#include "client_core.hpp"
#include "header_access.hpp"
#include "response_state.hpp"
#include <curlicue/coalesce.hpp>

#include <algorithm>
#include <exception>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace curlicue {
namespace {

bool may_be_shared(const request& what) {
    return what.method == "GET" && what.body.empty() && !what.tweak && !what.progress &&
           !what.headers.contains("Authorization") && !what.headers.contains("Cookie") &&
           detail::without_credentials(what.url) == what.url;
}

/// The same for equal requests, and for no others.
std::string key_of(const request& what, const transport& next) {
    std::ostringstream key;
    key << &next << '\n' << what.url << '\n';
    for (const auto field : what.headers)
        key << detail::in_lower_case(field.name) << ':' << field.value << '\n';
    for (const auto& name : what.left_out)
        key << '-' << detail::in_lower_case(name) << '\n';
    const auto& limits = what.limits;
    for (const auto& limit :
         {limits.queue, limits.connect, limits.first_byte, limits.stall, limits.total})
        key << (limit ? limit->count() : -1) << ' ';
    key << what.decompress << ' ' << what.most_body.value_or(0) << ' '
        << what.high_water.value_or(0);
    return std::move(key).str();
}

using known_call = std::shared_ptr<detail::fetch_call>;

class flight;

/// The requests that wait for their heads, by what they ask for.
/// @threading thread-safe
struct flights {
    std::mutex mutex;
    std::unordered_map<std::string, std::shared_ptr<flight>> all;
};

/// One request, and all who wait for its head.
class flight final : public std::enable_shared_from_this<flight> {
public:
    flight(std::shared_ptr<flights> of, std::string key, std::size_t most) noexcept
        : of_(std::move(of)), key_(std::move(key)), most_(most) {}

    /// With the mutex of its flights.
    future<response> join(executor& where, known_call call) {
        auto& mine = waiting_.emplace_back(std::make_shared<caller>(where, std::move(call)));
        mine->head.on_cancel([kept = weak_from_this(), who = std::weak_ptr(mine)] {
            if (const auto self = kept.lock())
                self->left(who.lock());
        });
        return mine->head.get_future();
    }
    void begin(request what, transport& next) {
        try {
            what.call = detail::ownerless(what.call);
            auto head =
                next.fetch(std::move(what))
                    .then_result([self = shared_from_this(), &next](result<response>&& outcome) {
                        self->landed(std::move(outcome), next.executor());
                    });
            const std::lock_guard lock(of_->mutex);
            head_ = std::move(head);
        } catch (...) {
            landed(failure(std::current_exception()), next.executor());
        }
    }

private:
    struct caller {
        caller(executor& where, known_call its) : head(where), call(std::move(its)) {}
        promise<response> head;
        const known_call call;
    };
    using callers = std::vector<std::shared_ptr<caller>>;

    void landed(result<response>&& outcome, executor& where) {
        callers all;
        {
            const std::lock_guard lock(of_->mutex);
            all = take_off();
        }
        try {
            if (all.size() == 1)
                return hand_over(*all.front(), std::move(outcome).value());
            const auto shared =
                std::make_shared<detail::broadcast>(std::move(outcome).value(), where, most_);
            std::vector<response> heads;
            for (std::size_t i = 0; i != all.size(); ++i)
                heads.push_back(shared->join());
            for (std::size_t i = 0; i != all.size(); ++i)
                all[i]->head.set_value(std::move(heads[i]));
        } catch (...) {
            for (const auto& each : all)
                each->head.set_exception(std::current_exception());
        }
    }
    /// It is the response to this request, as if there were no other.
    static void hand_over(caller& to, response one) {
        auto& state = detail::response_access::state(one);
        if (to.call && state.of) {
            to.call->hops = state.of->hops;
            state.of = to.call;
        }
        to.head.set_value(std::move(one));
    }
    /// Who asks from here on begins anew. With the mutex.
    callers take_off() noexcept {
        const auto found = of_->all.find(key_);
        if (found != of_->all.end() && found->second.get() == this)
            of_->all.erase(found);
        return std::exchange(waiting_, {});
    }
    void left(const std::shared_ptr<caller>& who) noexcept {
        future<void> head;
        {
            const std::lock_guard lock(of_->mutex);
            if (std::erase(waiting_, who) == 0 || !waiting_.empty())
                return;
            take_off();
            std::swap(head, head_);
        }
        head.cancel();
    }

    const std::shared_ptr<flights> of_;
    const std::string key_;
    const std::size_t most_; // bytes of a body that one of them may have to keep
    callers waiting_;
    future<void> head_;
};

} // namespace

coalesce::operator layer() const {
    return [known = std::make_shared<flights>()](request what, transport& next) {
        if (!may_be_shared(what))
            return next.fetch(std::move(what));
        auto key = key_of(what, next);
        std::unique_lock lock(known->mutex);
        const auto found = known->all.find(key);
        const bool first = found == known->all.end();
        const auto mine =
            first
                ? std::make_shared<flight>(known, key, what.most_body.value_or(detail::everything))
                : found->second;
        auto head = mine->join(next.executor(), what.call);
        if (first)
            known->all.emplace(std::move(key), mine);
        lock.unlock();
        if (first)
            mine->begin(std::move(what), next);
        return head;
    };
}

} // namespace curlicue
