// SPDX-License-Identifier: MIT
#include "cache_rules.hpp"
#include "call.hpp"
#include "client_core.hpp"
#include "made_response.hpp"
#include "response_state.hpp"
#include "steps.hpp"
#include <curlicue/cache.hpp>
#include <curlicue/fetch_error.hpp>

#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>

namespace curlicue {
namespace detail {
namespace {

using kept_response = cache_store::entry;

/// What a loop's clock shows, as the time of day: a mock's, too. It goes on while the system
/// sleeps, and as evenly as the loop's own.
/// @threading thread-safe
class clock_of_day {
public:
    wall_clock::time_point at(executor& where) noexcept {
        const auto offset =
            wall_clock::now().time_since_epoch() - executor::clock::now().time_since_epoch();
        const auto moved = offset - offset_.load(std::memory_order_relaxed);
        if (moved > tolerance || moved < -tolerance)
            offset_.store(offset, std::memory_order_relaxed);
        return wall_clock::time_point(std::chrono::duration_cast<wall_clock::duration>(
            where.now().time_since_epoch() + offset_.load(std::memory_order_relaxed)));
    }

private:
    static constexpr std::chrono::milliseconds tolerance{500};
    std::atomic<std::chrono::nanoseconds> offset_{std::chrono::nanoseconds(0)};
};

/// The store, whose failures are nobody's but its own.
/// @threading thread-safe
class keeper {
public:
    explicit keeper(const cache& options)
        : most_body_(options.most_body),
          store_(options.store ? options.store : make_memory_store(options.most)) {}

    kept_response find(const request& what) noexcept {
        try {
            return chosen(store_->find(key_of(what.url)), what);
        } catch (...) {
            return nullptr;
        }
    }
    void put(const std::string& key, cached_response&& one) noexcept {
        try {
            store_->put(key, std::make_shared<const cached_response>(std::move(one)));
        } catch (...) { // it is not kept
        }
    }
    void erase(const std::string& key) noexcept {
        try {
            store_->erase(key);
        } catch (...) {
        }
    }
    std::size_t most_body() const noexcept { return most_body_; }
    wall_clock::time_point now(executor& where) noexcept { return clock_.at(where); }

    /// Whether nobody validates it in the background yet; then somebody does.
    bool begin_validation(const std::string& key) {
        const std::lock_guard lock(mutex_);
        return validated_.insert(key).second;
    }
    void end_validation(const std::string& key) noexcept {
        const std::lock_guard lock(mutex_);
        validated_.erase(key);
    }

private:
    const std::size_t most_body_;
    const std::shared_ptr<cache_store> store_;
    clock_of_day clock_;
    std::mutex mutex_;
    std::unordered_set<std::string> validated_;
};

using shared_keeper = std::shared_ptr<keeper>;

/// A body on its way to the reader, kept when it has come to its end.
class collected {
public:
    collected(shared_keeper by, std::string key, cached_response head)
        : by_(std::move(by)), key_(std::move(key)), head_(std::move(head)) {}

    void add(const std::string& piece) noexcept {
        if (!by_)
            return;
        try {
            if (piece.empty())
                std::exchange(by_, nullptr)->put(key_, std::move(head_));
            else if (piece.size() > by_->most_body() - head_.body.size())
                by_ = nullptr; // too long
            else
                head_.body += piece;
        } catch (...) {
            by_ = nullptr;
        }
    }

private:
    shared_keeper by_;
    const std::string key_;
    cached_response head_;
};

response answer_from(const cached_response& one, const request& what, wall_clock::time_point now) {
    auto headers = one.headers;
    headers.set("Age", std::to_string(age_of(one, now).count()));
    auto made = made_response(one.status, std::move(headers), one.body);
    made->head.reason = one.reason;
    made->head.version = one.version;
    made->url = what.url;
    return response_access::make(std::move(made));
}

/// What has come from the server: it is kept while it is read, if it may be.
response passed_on(const shared_keeper& by, const request& what, response one,
                   wall_clock::time_point asked, wall_clock::time_point now) {
    if (!may_be_kept(what, one) || one.content_length().value_or(0) > by->most_body())
        return one;
    auto kept = std::make_shared<collected>(by, key_of(what.url), kept_of(what, one, asked, now));
    auto stream = one.body();
    return std::move(one).with_body([kept, stream = std::move(stream)]() mutable {
        return stream.read().then([kept](std::string&& piece) {
            kept->add(piece);
            return std::move(piece);
        });
    });
}

task<response> ask(shared_keeper by, request what, transport& next) {
    const auto asked = by->now(next.executor());
    auto copy = what;
    auto head = next.fetch(std::move(copy));
    response one = co_await std::move(head);
    co_return passed_on(by, what, std::move(one), asked, by->now(next.executor()));
}

bool is_of_a_broken_server(int status) noexcept {
    return status == 500 || status == 502 || status == 503 || status == 504;
}

task<response> validate(shared_keeper by, kept_response old, request what, transport& next) {
    auto& where = next.executor();
    const auto says = cache_control::of(what.headers);
    auto conditional = what;
    if (!ask_whether_changed(conditional, *old)) {
        auto again = ask(by, std::move(what), next);
        co_return co_await std::move(again);
    }
    const auto asked = by->now(where);
    std::optional<response> one;
    std::exception_ptr why;
    try {
        auto head = next.fetch(std::move(conditional));
        one = co_await std::move(head);
    } catch (const fetch_error&) {
        why = std::current_exception();
    }
    const auto now = by->now(where);
    if ((why || is_of_a_broken_server(one->status())) && may_hide_an_error(*old, says, now))
        co_return answer_from(*old, what, now);
    if (why)
        std::rethrow_exception(why);
    if (one->status() != 304)
        co_return passed_on(by, what, std::move(*one), asked, now);
    if (!is_confirmed_by(*old, *one)) { // it is about another
        one.reset();
        auto again = ask(by, std::move(what), next);
        co_return co_await std::move(again);
    }
    auto fresh = freshened(*old, what, *one, asked, now);
    auto answer = answer_from(fresh, what, now);
    if (fresh.asked_with != old->asked_with)
        by->erase(key_of(what.url));
    by->put(key_of(what.url), std::move(fresh));
    co_return answer;
}

/// For whoever asks next. The client that all of `next` is of lives until it is done.
task<> validate_in_the_background(shared_keeper by, kept_response old, request what,
                                  transport& next) {
    const auto key = key_of(what.url);
    const auto client = what.call->client;
    try {
        auto head = validate(by, std::move(old), std::move(what), next);
        response one = co_await std::move(head);
        auto rest = one.discard();
        co_await std::move(rest);
    } catch (...) { // the one that is stale is still there
    }
    by->end_validation(key);
}

future<response> answer_to(const shared_keeper& by, request what, transport& next) {
    const auto& link = executor_link::of(next.executor());
    const auto asked = cache_control::of(what.headers);
    const auto now = by->now(next.executor());
    auto old = by->find(what);
    const auto how = old ? use_of(*old, asked, now) : cache_use::to_be_validated;
    if (how == cache_use::fresh)
        return make_ready_future(answer_from(*old, what, now));
    if (how == cache_use::stale_while_revalidated && what.call) {
        auto stale = answer_from(*old, what, now);
        if (by->begin_validation(key_of(what.url))) {
            what.call = ownerless(what.call);
            spawn_here(link, validate_in_the_background(by, std::move(old), std::move(what), next))
                .detach();
        }
        return make_ready_future(std::move(stale));
    }
    if (asked.only_if_cached) // RFC 9111 5.2.1.7
        return make_ready_future(response::of(504));
    return old ? spawn_here(link, validate(by, std::move(old), std::move(what), next))
               : spawn_here(link, ask(by, std::move(what), next));
}

future<response> pass_by(const shared_keeper& by, request what, transport& next) {
    request asked = what; // for what it makes invalid
    return next.fetch(std::move(what)).then([by, asked = std::move(asked)](response&& one) {
        for (const auto& url : invalidated_by(asked, one))
            by->erase(url);
        return std::move(one);
    });
}

} // namespace
} // namespace detail

cache::operator layer() const {
    return [by = std::make_shared<detail::keeper>(*this)](request what, transport& next) {
        return detail::is_for_cache(what) ? detail::answer_to(by, std::move(what), next)
                                          : detail::pass_by(by, std::move(what), next);
    };
}

} // namespace curlicue
