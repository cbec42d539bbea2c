// SPDX-License-Identifier: MIT
#include "client_core.hpp"
#include "response_state.hpp"
#include "retry_budget.hpp"
#include "steps.hpp"
#include <curlicue/error.hpp>
#include <curlicue/fetch_error.hpp>
#include <curlicue/sleep.hpp>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <exception>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include <curl/curl.h>

namespace curlicue::detail {
namespace {

using milliseconds = std::chrono::milliseconds;

bool was_over(const fetch_error& error, time_limit which) noexcept {
    const auto limit = error.limit();
    return limit && *limit == which;
}

/// Failures that may be others the next time.
bool may_pass(const fetch_error& error) noexcept {
    const auto& code = error.code();
    if (code.category() == curlicue_category())
        return code == errc::timed_out && !was_over(error, time_limit::total) &&
               !was_over(error, time_limit::queue);
    if (!is_easy_error(code))
        return false;
    switch (code.value()) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_HTTP3:
    case CURLE_QUIC_CONNECT_ERROR:
        return true;
    default:
        return false;
    }
}

bool was_nothing_sent(const fetch_error& error) noexcept {
    return error.phase() == fetch_phase::resolve || error.phase() == fetch_phase::connect ||
           error.phase() == fetch_phase::tls;
}

/// Seconds, or a date (RFC 9110 10.2.3).
std::optional<milliseconds> retry_after(const header_list& headers) {
    const auto text = headers.get("Retry-After");
    if (!text || text->empty())
        return std::nullopt;
    if (std::ranges::all_of(*text, [](char each) { return each >= '0' && each <= '9'; }))
        return text->size() > 9 ? milliseconds::max()
                                : milliseconds(1000 * std::stoll(std::string(*text)));
    const auto date = curl_getdate(std::string(*text).c_str(), nullptr);
    if (date < 0)
        return std::nullopt;
    return milliseconds(1000 * std::max<long long>(0, date - std::time(nullptr)));
}

milliseconds jittered(const retry_policy& policy, unsigned retry) {
    thread_local std::minstd_rand random{std::random_device{}()};
    const auto most = static_cast<double>(policy.most.count());
    const auto longest = std::min(most, std::ldexp(static_cast<double>(policy.first.count()),
                                                   static_cast<int>(std::min(retry, 1000U)) - 1));
    return milliseconds(
        static_cast<milliseconds::rep>(std::uniform_real_distribution<>(0, longest)(random)));
}

// The failure itself, or after several attempts one that says so and nests the last.
[[noreturn]] void give_up(const std::exception_ptr& why, unsigned attempts) {
    if (attempts < 2)
        std::rethrow_exception(why);
    try {
        std::rethrow_exception(why);
    } catch (const fetch_error& error) {
        if (was_over(error, time_limit::total))
            throw;
        std::string_view last = error.what();
        if (last.starts_with("fetch: "))
            last.remove_prefix(7);
        std::throw_with_nested(fetch_error(errc::retries_exhausted, error.phase(), attempts,
                                           std::nullopt,
                                           "all " + std::to_string(attempts) +
                                               " attempts failed; the last: " + std::string(last)));
    }
}

void begin_attempt(const request& what, unsigned attempt) noexcept {
    if (!what.call)
        return;
    what.call->attempts = attempt;
    if (attempt > 1)
        what.call->client->retried(*what.call);
}

class retries final : public step {
public:
    retries(std::shared_ptr<transport> next, std::shared_ptr<const client_options> options)
        : step(std::move(next)), options_(std::move(options)) {}

    future<response> fetch(request what) override {
        const auto& policy = what.retries ? *what.retries : options_->retries;
        if (policy.attempts <= 1)
            return next().fetch(std::move(what));
        budget_.count_request(origin_of(what.url), executor().now());
        auto copy = policy;
        return spawn_here(link(), insist(kept(*this), std::move(what), std::move(copy)));
    }

private:
    class resumed_body;
    friend class resumed_body;

    /// How long to wait before this retry, if there may be one. Then it is counted.
    std::optional<milliseconds> pause_before(const request& what, const retry_policy& policy,
                                             unsigned retry, std::optional<milliseconds> asked) {
        if (asked && *asked > policy.most)
            return std::nullopt;
        const auto pause = asked ? *asked : jittered(policy, retry);
        const auto now = executor().now();
        if (what.call && what.call->deadline <= later(now, pause))
            return std::nullopt;
        return budget_.take(origin_of(what.url), policy.budget, now) ? std::optional(pause)
                                                                     : std::nullopt;
    }
    static bool may_be_sent_again(const request& what, bool nothing_sent) noexcept {
        return nothing_sent || (is_idempotent(what.method) && what.body.replayable());
    }
    static bool is_refusal(const retry_policy& policy, int status) {
        return std::ranges::find(policy.statuses, status) != policy.statuses.end();
    }

    // NOLINTNEXTLINE(*-unnecessary-value-param): a coroutine keeps what it is given
    static task<response> insist(std::shared_ptr<retries> self, request what, retry_policy policy) {
        for (unsigned attempt = 1;; ++attempt) {
            begin_attempt(what, attempt);
            std::optional<response> one;
            std::exception_ptr why;
            std::optional<milliseconds> pause;
            try {
                auto copy = what;
                auto answer = self->next().fetch(std::move(copy));
                one = co_await std::move(answer);
                if (is_refusal(policy, one->status()) && attempt < policy.attempts &&
                    may_be_sent_again(what, false))
                    pause = self->pause_before(what, policy, attempt, retry_after(one->headers()));
            } catch (const fetch_error& error) {
                why = std::current_exception();
                if (may_pass(error) && attempt < policy.attempts &&
                    may_be_sent_again(what, was_nothing_sent(error)))
                    pause = self->pause_before(what, policy, attempt, std::nullopt);
            }
            if (!pause) {
                if (one)
                    co_return self->resumable(std::move(*one), std::move(what), policy, attempt);
                give_up(why, attempt);
            }
            one.reset();
            auto slept = sleep_for(self->executor(), *pause);
            co_await std::move(slept);
        }
    }

    response resumable(response one, request what, const retry_policy& policy, unsigned attempt);

    const std::shared_ptr<const client_options> options_;
    retry_budget budget_;
};

/// What `to_file` goes on with.
class retries::resumed_body final : public resumption_of_body,
                                    public std::enable_shared_from_this<resumed_body> {
public:
    resumed_body(std::shared_ptr<retries> step, request what, retry_policy policy,
                 unsigned attempts)
        : step_(std::move(step)), what_(std::move(what)), policy_(std::move(policy)),
          attempts_(attempts) {}

    future<response> from(std::uint64_t offset, std::string validator,
                          std::exception_ptr why) override {
        return co_spawn(step_->executor(),
                        go_on(shared_from_this(), offset, std::move(validator), std::move(why)));
    }

private:
    static task<response> go_on(std::shared_ptr<resumed_body> self, std::uint64_t offset,
                                std::string validator, std::exception_ptr why) {
        auto rest = self->what_;
        rest.decompress = false; // offsets are those of the bytes as they come
        if (offset != 0)
            rest.headers.set("Range", "bytes=" + std::to_string(offset) + "-")
                .set("If-Range", validator);
        if (rest.call)
            rest.call->resumed_at = offset;
        for (;;) {
            const auto pause = self->pause_after(why);
            if (!pause)
                give_up(why, self->attempts_);
            auto slept = sleep_for(self->step_->executor(), *pause);
            co_await std::move(slept);
            begin_attempt(rest, ++self->attempts_);
            try {
                auto copy = rest;
                auto answer = self->step_->next().fetch(std::move(copy));
                response one = co_await std::move(answer);
                if (!is_refusal(self->policy_, one.status()))
                    co_return std::move(one);
            } catch (const fetch_error&) {
                why = std::current_exception();
            }
        }
    }

    std::optional<milliseconds> pause_after(const std::exception_ptr& why) {
        try {
            std::rethrow_exception(why);
        } catch (const fetch_error& error) {
            if (!may_pass(error) || attempts_ >= policy_.attempts)
                return std::nullopt;
        } catch (...) {
            return std::nullopt;
        }
        return step_->pause_before(what_, policy_, attempts_, std::nullopt);
    }

    const std::shared_ptr<retries> step_;
    const request what_;
    const retry_policy policy_;
    unsigned attempts_;
};

response retries::resumable(response one, request what, const retry_policy& policy,
                            unsigned attempt) {
    if (what.method == "GET" && attempt < policy.attempts)
        response_access::state(one).again =
            std::make_shared<resumed_body>(kept(*this), std::move(what), policy, attempt);
    return one;
}

} // namespace

std::shared_ptr<transport> retry_step(std::shared_ptr<transport> next,
                                      std::shared_ptr<const client_options> options) {
    return std::make_shared<retries>(std::move(next), std::move(options));
}

} // namespace curlicue::detail
