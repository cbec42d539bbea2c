// SPDX-License-Identifier: MIT
#include "client_core.hpp"
#include <curlicue/hedge.hpp>
#include <curlicue/sleep.hpp>

#include <exception>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

namespace curlicue {
namespace {

/// The attempts of one request. What they tell keeps it.
class contest final : public std::enable_shared_from_this<contest> {
public:
    contest(request what, transport& next, const hedge& policy)
        : what_(std::move(what)), next_(next), policy_(policy), answer_(next.executor()) {}

    future<response> begin() {
        answer_.on_cancel([self = weak_from_this()] {
            if (const auto kept = self.lock())
                kept->end();
        });
        auto answer = answer_.get_future();
        add_attempt();
        wait();
        return answer;
    }

private:
    void add_attempt() {
        auto copy = what_;
        ++running_; // it may end in the call
        try {
            attempts_.push_back(
                next_.fetch(std::move(copy))
                    .then_result([self = shared_from_this()](result<response>&& outcome) {
                        self->ended(std::move(outcome));
                    }));
        } catch (...) {
            --running_;
            throw;
        }
    }
    void wait() {
        if (over_ || attempts_.size() > policy_.most)
            return;
        late_ = sleep_for(next_.executor(), policy_.after).then([self = shared_from_this()] {
            self->is_late();
        });
    }
    void is_late() {
        try {
            add_attempt();
            wait();
        } catch (...) { // it is the one that counts if the others fail
        }
    }
    void ended(result<response>&& outcome) {
        const bool last = --running_ == 0;
        if (over_ || !(last || (outcome.has_value() && outcome.value().status() < 500)))
            return;
        end();
        if (outcome.has_value())
            answer_.set_value(std::move(outcome).value());
        else
            answer_.set_exception(outcome.exception());
    }
    void end() noexcept {
        over_ = true;
        late_.cancel();
        for (auto& each : attempts_)
            each.cancel();
    }

    const request what_;
    transport& next_;
    const hedge policy_;
    promise<response> answer_;
    std::vector<future<void>> attempts_;
    future<void> late_;
    unsigned running_ = 0;
    bool over_ = false;
};

} // namespace

hedge::operator layer() const {
    if (after.count() < 0)
        throw std::invalid_argument("hedge: it waits 0 ms or more before another attempt");
    return [policy = *this](request what, transport& next) {
        if (policy.most == 0 || !detail::is_idempotent(what.method) || !what.body.replayable())
            return next.fetch(std::move(what));
        return std::make_shared<contest>(std::move(what), next, policy)->begin();
    };
}

} // namespace curlicue
