// SPDX-License-Identifier: MIT
#include "client_core.hpp"
#include "request_queue.hpp"
#include "response_state.hpp"
#include "steps.hpp"
#include <curlicue/error.hpp>
#include <curlicue/fetch_error.hpp>

#include <utility>

namespace curlicue::detail {
namespace {

/// Before libcurl sees a request, so that its clocks do not run.
class limits final : public step {
public:
    limits(std::shared_ptr<transport> next, std::shared_ptr<request_queue> queue)
        : step(std::move(next)), queue_(std::move(queue)) {}

    future<response> fetch(request what) override {
        return spawn_here(link(), wait_and_fetch(kept(*this), std::move(what)));
    }

private:
    // NOLINTNEXTLINE(*-unnecessary-value-param): a coroutine keeps what it is given
    static task<response> wait_and_fetch(std::shared_ptr<limits> self, request what) {
        const auto known = what.call;
        const auto begun = self->executor().now();
        if (known)
            known->phase = fetch_phase::queue;
        auto waiting = self->slot_for(what);
        request_queue::slot slot = co_await std::move(waiting);
        if (known) {
            known->phase = fetch_phase::connect;
            known->queued = std::chrono::duration_cast<std::chrono::microseconds>(
                self->executor().now() - begun);
        }
        auto answer = self->next().fetch(std::move(what));
        response one = co_await std::move(answer);
        response_access::state(one).keep(std::move(slot));
        co_return std::move(one);
    }

    future<request_queue::slot> slot_for(const request& what) const {
        const auto attempts = attempts_of(what.call);
        auto slot = queue_->acquire(origin_of(what.url), what.priority);
        if (!slot) {
            if (what.call)
                what.call->client->refused();
            throw fetch_error(errc::queue_full, fetch_phase::queue, attempts);
        }
        const auto limit = what.call ? what.call->limits.queue : what.limits.queue;
        if (!limit || limit->count() == 0 || slot->ready())
            return std::move(*slot);
        return std::move(*slot).timeout(*limit).catch_error(
            [attempts](const std::exception_ptr& why) -> request_queue::slot {
                try {
                    std::rethrow_exception(why);
                } catch (const timed_out&) {
                    throw fetch_error(errc::timed_out, fetch_phase::queue, attempts,
                                      time_limit::queue);
                }
            });
    }

    const std::shared_ptr<request_queue> queue_;
};

} // namespace

std::shared_ptr<transport> limit_step(std::shared_ptr<transport> next,
                                      std::shared_ptr<request_queue> queue) {
    return std::make_shared<limits>(std::move(next), std::move(queue));
}

} // namespace curlicue::detail
