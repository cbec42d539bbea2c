// SPDX-License-Identifier: MIT
#include "client_core.hpp"

#include "../engine.hpp"
#include "body_content.hpp"
#include "client_settings.hpp"
#include "network.hpp"
#include "request_queue.hpp"
#include "response_state.hpp"
#include "steps.hpp"
#include <curlicue/detail/clock.hpp>
#include <curlicue/error.hpp>
#include <curlicue/fetch_error.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace curlicue::detail {

/// That a request is going on: from the call until it has failed, was cancelled before it began, or
/// its response is there.
class client_core::attendance {
public:
    attendance(std::shared_ptr<fetch_call> known, request_body sent) noexcept
        : known_(std::move(known)), sent_(std::move(sent)) {}
    attendance(attendance&&) noexcept = default;
    attendance& operator=(attendance&&) = delete;
    ~attendance() {
        if (known_)
            leave(failure(errc::cancelled).exception());
    }

    void failed(const std::exception_ptr& why) noexcept { leave(why); }
    /// The rest of it is the response's business.
    void handed_out(response_state& state) noexcept {
        state.is_handed_out();
        std::exception_ptr failure;
        if (state.over(failure))
            known_->client->end(*known_, failure);
        known_->client->ongoing_->leave(known_->going_on);
        known_ = nullptr;
    }

private:
    void leave(const std::exception_ptr& why) noexcept {
        if (const auto& content = body_access::content(sent_))
            content->give_up(why); // whoever writes it hears of that
        const auto known = std::exchange(known_, nullptr);
        known->client->end(*known, why);
        known->client->ongoing_->leave(known->going_on);
    }

    std::shared_ptr<fetch_call> known_;
    request_body sent_;
};

client_core::client_core(std::shared_ptr<const client_options> options,
                         std::shared_ptr<transport> below, std::shared_ptr<detail::ongoing> counted)
    : options_(std::move(options)), below_(std::move(below)),
      link_(executor_link::of(below_->executor())), ongoing_(std::move(counted)) {}

std::shared_ptr<client_core> client_core::make(intrusive_ptr<engine> on, client_options options) {
    auto shared = std::make_shared<const client_options>(settled(std::move(options)));
    auto counted = std::make_shared<detail::ongoing>();
    auto below = std::make_shared<network>(std::move(on), shared, counted);
    std::shared_ptr<client_core> made(
        new client_core(std::move(shared), below, std::move(counted)));
    made->network_ = std::move(below);
    made->build();
    return made;
}

std::shared_ptr<client_core> client_core::make(std::shared_ptr<transport> below,
                                               client_options options) {
    if (!below)
        throw std::invalid_argument("client: the transport is null");
    auto shared = std::make_shared<const client_options>(settled(std::move(options)));
    std::shared_ptr<client_core> made(
        new client_core(std::move(shared), std::move(below), std::make_shared<detail::ongoing>()));
    made->build();
    return made;
}

std::shared_ptr<client_core> client_core::with(layer outermost) const {
    std::shared_ptr<client_core> more(new client_core(*this));
    more->first_ = layer_step(more->first_, std::move(outermost));
    more->known_to_network_ = false;
    return more;
}

// From the transport up: the outermost comes last.
void client_core::build() {
    first_ = below_;
    if (options_->events || !network_)
        first_ = arrival_step(std::move(first_), ongoing_, network_ == nullptr);
    if (options_->at_once.per_origin != 0 || options_->at_once.total != 0) {
        queue_ = std::make_shared<request_queue>(options_->at_once, link_);
        first_ = limit_step(std::move(first_), queue_);
    }
    const auto wrap = [this](const std::vector<layer>& layers) {
        std::for_each(layers.rbegin(), layers.rend(),
                      [this](const layer& each) { first_ = layer_step(std::move(first_), each); });
    };
    wrap(options_->network_layers);
    known_to_network_ =
        network_ != nullptr && options_->layers.empty() && options_->network_layers.empty();
    first_ = redirect_step(retry_step(std::move(first_), options_));
    wrap(options_->layers);
}

void client_core::complete(request& what) {
    settle(what, *options_);
    auto known = std::allocate_shared<fetch_call>(recycling_allocator<fetch_call>());
    known->client = shared_from_this();
    known->id = counts_->next_id.fetch_add(1, std::memory_order_relaxed);
    known->limits = what.limits;
    if (what.limits.total && what.limits.total->count() > 0)
        known->deadline = later(link_->now(), *what.limits.total);
    what.call = std::move(known);
}

bool client_core::may_begin() const noexcept {
    return options_->begins_at_call &&
           (network_ ? network_->on().may_call_libcurl() : link_->may_run_here());
}

future<response> client_core::fetch(request what) {
    if (network_)
        network_->on().check_open("client::fetch");
    complete(what);
    const auto known = what.call;
    ongoing_->enter(known->going_on);
    attendance until_over(known, what.body);
    auto running = run(std::move(what), std::move(until_over));
    auto head =
        may_begin() ? spawn_here(link_, std::move(running)) : spawn_at(link_, std::move(running));
    ongoing_->cancelled_by(known->going_on, head.checked());
    counts_->requests.fetch_add(1, std::memory_order_relaxed);
    return known->deadline == fetch_call::clock::time_point::max()
               ? std::move(head)
               : within_total(std::move(head), known);
}

future<response> client_core::within_total(future<response> head,
                                           const std::shared_ptr<fetch_call>& known) const {
    const auto left = saturated<std::chrono::milliseconds>(known->deadline - link_->now());
    const auto running = head.checked();
    try {
        return std::move(head).timeout(left).catch_error(
            [known](const std::exception_ptr& why) -> response {
                try {
                    std::rethrow_exception(why);
                } catch (const timed_out&) {
                    throw fetch_error(errc::timed_out, known->phase, known->attempts,
                                      time_limit::total);
                }
            });
    } catch (...) { // what is refused does not go on
        running->cancel();
        throw;
    }
}

// NOLINTNEXTLINE(*-unnecessary-value-param): a coroutine keeps what it is given
task<response> client_core::run(request what, attendance while_it_runs) {
    const auto known = what.call;
    const auto most = *what.most_body;
    auto url = known_to_network_ ? std::string() : without_credentials(what.url);
    tell([&](observer& to, auto now) { to.queued(known->id, what, now); });
    std::exception_ptr why;
    try {
        auto answer = first_->fetch(std::move(what));
        response one = co_await std::move(answer);
        auto& state = response_access::state(one);
        if (!state.of) { // a layer's, or a mock's
            state.of = known;
            state.most_body = most;
        }
        if (state.url.empty())
            state.url = std::move(url);
        while_it_runs.handed_out(state);
        co_return std::move(one);
    } catch (...) {
        why = std::current_exception();
    }
    while_it_runs.failed(why);
    std::rethrow_exception(why);
}

client_stats client_core::stats() const {
    client_stats all;
    all.running = ongoing_->transfers();
    if (network_)
        all.bytes = network_->bytes();
    if (queue_) {
        all.queued = queue_->waiting();
        all.queued_by_origin = queue_->waiting_by_origin();
    }
    all.requests = counts_->requests.load(std::memory_order_relaxed);
    all.retried = counts_->retried.load(std::memory_order_relaxed);
    all.redirected = counts_->redirected.load(std::memory_order_relaxed);
    all.refused = counts_->refused.load(std::memory_order_relaxed);
    return all;
}

future<void> client_core::close() {
    ongoing_->refuse();
    if (!link_->accepting())
        return make_ready_future(); // and so all is over
    auto ended = ongoing_->ended(link_).then_result([](const result<void>&) {});
    try {
        below_->executor().post([self = shared_from_this()] {
            self->ongoing_->cancel_requests();
            if (self->network_)
                self->network_->cancel_all();
        });
    } catch (const usage_error&) {
        // It is closed now, which comes to the same.
    }
    return ended;
}

void client_core::network_changed() {
    if (!network_ || !link_->accepting())
        return;
    try {
        below_->executor().post([kept = network_] { kept->on().network_changed(); });
    } catch (const usage_error&) {
        // It is closed now, and has no connections.
    }
}

future<void> client_core::drain(std::chrono::milliseconds patience) {
    ongoing_->refuse();
    if (!link_->accepting())
        return make_ready_future();
    auto ended = ongoing_->ended(link_);
    if (ended.ready())
        return ended;
    return std::move(ended).timeout(patience).catch_error(
        [self = shared_from_this()](const std::exception_ptr&) { return self->close(); });
}

template <class Tell> void client_core::tell(Tell call_it) noexcept {
    if (!options_->events)
        return;
    try {
        call_it(*options_->events, link_->now());
    } catch (...) {
        link_->unobserved(std::current_exception());
    }
}

void client_core::started(const fetch_call& of) noexcept {
    tell([&](observer& to, auto now) { to.started(of.id, now); });
}
void client_core::redirected(fetch_call& of, std::string_view url) noexcept {
    of.redirected = true;
    counts_->redirected.fetch_add(1, std::memory_order_relaxed);
    tell([&](observer& to, auto now) { to.redirected(of.id, url, now); });
}
void client_core::retried(const fetch_call& of) noexcept {
    counts_->retried.fetch_add(1, std::memory_order_relaxed);
    tell([&](observer& to, auto now) { to.retried(of.id, of.attempts, now); });
}
void client_core::refused() noexcept { counts_->refused.fetch_add(1, std::memory_order_relaxed); }
void client_core::has_head(const fetch_call& of, const response& what) noexcept {
    tell([&](observer& to, auto now) { to.headers(of.id, what, now); });
}
void client_core::end(fetch_call& of, const std::exception_ptr& failure) noexcept {
    if (!std::exchange(of.over, true))
        tell([&](observer& to, auto now) { to.done(of.id, failure, now); });
}

} // namespace curlicue::detail
