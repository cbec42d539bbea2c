// SPDX-License-Identifier: MIT
#include "client_core.hpp"
#include <curlicue/breaker.hpp>
#include <curlicue/detail/clock.hpp>
#include <curlicue/error.hpp>
#include <curlicue/fetch_error.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>

namespace curlicue {
namespace {

using time_point = executor::clock::time_point;

/// What is known of the origins that have failed, and not yet succeeded.
/// @threading thread-safe
class circuits {
public:
    enum class entry { closed, as_usual, as_probe };

    explicit circuits(const breaker& policy) noexcept : policy_(policy) {}

    /// How a request may go there now, if at all. Of a probe it is to be told what came of it.
    entry admit(const std::string& origin, time_point now) {
        const std::lock_guard lock(mutex_);
        const auto found = known_.find(origin);
        if (found == known_.end() || found->second.failures < policy_.failures)
            return entry::as_usual;
        auto& here = found->second;
        return now < here.rests_until || std::exchange(here.probed, true) ? entry::closed
                                                                          : entry::as_probe;
    }
    void succeeded(const std::string& origin) {
        const std::lock_guard lock(mutex_);
        known_.erase(origin);
    }
    void failed(const std::string& origin, entry as, time_point now) {
        const std::lock_guard lock(mutex_);
        forget_old_ones(now);
        auto& here = known_[origin];
        if (here.failures >= policy_.failures && as != entry::as_probe)
            return; // it was on its way when the others failed
        here = {here.failures + 1, false, detail::later(now, policy_.rest)};
    }
    void probe_has_learnt_nothing(const std::string& origin) noexcept {
        const std::lock_guard lock(mutex_);
        if (const auto found = known_.find(origin); found != known_.end())
            found->second.probed = false;
    }

private:
    struct circuit {
        unsigned failures = 0; // in a row
        bool probed = false;
        time_point rests_until{};
    };

    void forget_old_ones(time_point now) {
        if (known_.size() < until_clean_up_)
            return;
        std::erase_if(known_, [now](const auto& each) {
            return !each.second.probed && each.second.rests_until <= now;
        });
        until_clean_up_ = std::max<std::size_t>(1024, 2 * known_.size());
    }

    const breaker policy_;
    std::mutex mutex_;
    std::unordered_map<std::string, circuit> known_;
    std::size_t until_clean_up_ = 1024;
};

/// A request that was admitted. Moves.
class visit {
public:
    visit(std::shared_ptr<circuits> known, std::string origin, circuits::entry as) noexcept
        : known_(std::move(known)), origin_(std::move(origin)), as_(as) {}
    visit(visit&&) noexcept = default;
    visit& operator=(visit&&) = delete;
    ~visit() {
        if (known_ && as_ == circuits::entry::as_probe)
            known_->probe_has_learnt_nothing(origin_);
    }

    void ended(const result<response>& outcome, time_point now) {
        if (outcome.has_value() && outcome.value().status() < 500)
            std::exchange(known_, nullptr)->succeeded(origin_);
        else if (outcome.has_value() || is_failure(outcome.exception()))
            std::exchange(known_, nullptr)->failed(origin_, as_, now);
    }

private:
    static bool is_failure(const std::exception_ptr& why) {
        try {
            std::rethrow_exception(why);
        } catch (const fetch_error& error) {
            return error.phase() != fetch_phase::queue;
        } catch (...) {
            return false;
        }
    }

    std::shared_ptr<circuits> known_;
    std::string origin_;
    circuits::entry as_;
};

} // namespace

breaker::operator layer() const {
    if (failures == 0 || rest.count() < 0)
        throw std::invalid_argument("breaker: at least one failure, and a rest of 0 or more");
    return [known = std::make_shared<circuits>(*this)](request what, transport& next) {
        auto origin = detail::origin_of(what.url);
        const auto as = known->admit(origin, next.executor().now());
        if (as == circuits::entry::closed)
            throw fetch_error(errc::breaker_open, fetch_phase::queue,
                              detail::attempts_of(what.call));
        visit here(known, std::move(origin), as);
        return next.fetch(std::move(what))
            .then_result([here = std::move(here), &next](result<response>&& outcome) mutable {
                here.ended(outcome, next.executor().now());
                return std::move(outcome).value();
            });
    };
}

} // namespace curlicue
