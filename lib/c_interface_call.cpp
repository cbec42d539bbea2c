// SPDX-License-Identifier: MIT
#include "c_interface_call.hpp"

#include "c_interface_request.hpp"
#include "c_interface_status.hpp"
#include "c_interface_told.hpp"
#include "easy_core.hpp"
#include <curlicue/fetch.hpp>
#include <curlicue/fetch_error.hpp>

#include <exception>
#include <stdexcept>
#include <string_view>
#include <utility>

using namespace curlicue;

namespace curlicue::detail {
namespace {

// Of a body, either way.
constexpr std::size_t most_at_once = std::size_t{64} << 10;

static_assert(CURLICUE_PHASE_URL == static_cast<int>(fetch_phase::url) + 1);
static_assert(CURLICUE_PHASE_BODY == static_cast<int>(fetch_phase::body) + 1);
static_assert(CURLICUE_LIMIT_QUEUE == static_cast<int>(time_limit::queue) + 1);
static_assert(CURLICUE_LIMIT_TOTAL == static_cast<int>(time_limit::total) + 1);

void obey(int status) {
    if (status != CURLICUE_OK)
        throw ended_by_callback(status);
}

/// Of the exception that is being handled. @returns why, in words, if there are some
std::string tell_failure(curlicue_outcome& to) noexcept {
    to.status = current_status();
    std::string words;
    try {
        try {
            throw;
        } catch (const fetch_error& failure) {
            to.phase = static_cast<curlicue_phase>(static_cast<int>(failure.phase()) + 1);
            to.attempts = failure.attempts();
            if (failure.cause())
                to.cause = status_of(failure.cause());
            if (const auto limit = failure.limit())
                to.limit = static_cast<curlicue_time_limit>(static_cast<int>(*limit) + 1);
            words = failure.what();
        } catch (const std::exception& failure) {
            words = failure.what();
        }
    } catch (...) {
        // There is no memory for them, or it is no exception of the standard's.
    }
    return words;
}

} // namespace
} // namespace curlicue::detail

using namespace curlicue::detail;

curlicue_call::curlicue_call(const curlicue_request& asked, link where)
    : user_(asked), link_(std::move(where)) {}

void curlicue_call::serve(request& what) {
    const auto call = self::share(this);
    if (user_.tweak != nullptr)
        what.tweak = [call](easy& handle) { call->tweak(handle); };
    if (user_.allow_address != nullptr)
        what.allow_address = [call](const sockaddr& address) { return call->allows(address); };
    if (user_.resolve_redirect != nullptr) {
        if (!what.redirects)
            what.redirects.emplace();
        what.redirects->resolve = [call](const std::string& from, std::string_view location) {
            call->require_going_on();
            return resolved_by(call->user_.resolve_redirect, call->user_.data, from, location);
        };
    }
    if (user_.read != nullptr)
        what.body = request_body::stream(
            [call] {
                return repeat<std::string>(call->link_, [call] { return call->ask_for_more(); });
            },
            user_.body_size == 0 ? std::nullopt
                                 : std::optional(static_cast<std::uint64_t>(user_.body_size)));
}

void curlicue_call::start(request what, const client* by, async_multi& multi) {
    const auto call = self::share(this);
    auto waiting = made_to_tell<void>(
        [call](result<void>&& outcome) noexcept { call->has_ended(std::move(outcome)); });
    serve(what);
    auto head = by != nullptr ? by->fetch(std::move(what)) : fetch(multi, std::move(what));
    const auto begun = head.checked();
    future<void> end;
    try {
        end = std::move(head).then(
            [call](response&& answer) { return call->has_head(std::move(answer)); });
    } catch (...) {
        {
            const std::lock_guard lock(mutex_);
            over_ = true;
        }
        begun->cancel();
        throw;
    }
    const auto running = end.checked();
    bool called_off = false;
    {
        const std::lock_guard lock(mutex_);
        if (!over_)
            running_ = running;
        called_off = cancelled_;
    }
    decltype(waiting)::element_type::wait_for(std::move(waiting), end);
    if (called_off)
        running->cancel();
}

void curlicue_call::require_going_on() const {
    const std::lock_guard lock(mutex_);
    if (over_ || cancelled_ || (running_ && running_->cancelled()))
        throw cancelled();
}

void curlicue_call::tweak(easy& handle) {
    require_going_on();
    easy_access::core_of(handle)->open_to_hand();
    obey(user_.tweak(user_.data, this, handle.native_handle()));
}

bool curlicue_call::allows(const sockaddr& address) {
    require_going_on();
    return user_.allow_address(user_.data, &address) != 0;
}

curlicue_call::future<std::optional<std::string>> curlicue_call::ask_for_more() {
    require_going_on();
    has_more_.close();
    std::string piece(most_at_once, '\0');
    std::size_t count = 0;
    const int status = user_.read(user_.data, this, piece.data(), piece.size(), &count);
    if (status == CURLICUE_AGAIN)
        return has_more_.passed(link_).then([] { return std::optional<std::string>(); });
    obey(status);
    if (count > piece.size())
        throw std::length_error("curlicue_request: read gave more than there was room for");
    piece.resize(count);
    return make_ready_future(std::optional(std::move(piece)));
}

curlicue_call::future<void> curlicue_call::has_head(response&& answer) {
    require_going_on();
    attempts_ = answer.attempts();
    head_.emplace(answer);
    if (user_.on_head != nullptr)
        obey(user_.on_head(user_.data, this, head_->get()));
    require_going_on();
    const auto call = self::share(this);
    if (user_.on_body == nullptr)
        return answer.text().then([call](std::string&& all) { call->whole_ = std::move(all); });
    return repeat<done>(link_,
                        [call, body = answer.body()]() mutable {
                            return body.read(most_at_once).then([call](std::string&& part) {
                                return call->has_part(std::move(part));
                            });
                        })
        .then([](done) {});
}

curlicue_call::future<std::optional<done>> curlicue_call::has_part(std::string&& part) {
    if (part.empty())
        return make_ready_future(std::optional(done()));
    auto unpaused = resumed_.passed(link_);
    if (!unpaused.ready())
        return std::move(unpaused).then(
            [call = self::share(this), held = std::move(part)]() mutable {
                return call->has_part(std::move(held));
            });
    require_going_on();
    obey(user_.on_body(user_.data, this, part.data(), part.size()));
    return resumed_.passed(link_).then([] { return std::optional<done>(); });
}

void curlicue_call::has_ended(result<void>&& outcome) noexcept {
    {
        const std::lock_guard lock(mutex_);
        over_ = true;
        running_ = nullptr;
        if (cancelled_)
            outcome = failure(errc::cancelled);
    }
    curlicue_outcome told{};
    told.size = sizeof told;
    told.attempts = attempts_;
    told.head = head_ ? head_->get() : nullptr;
    std::string words;
    try {
        std::move(outcome).value();
        if (user_.on_body == nullptr) {
            told.body = whole_.c_str();
            told.body_size = whole_.size();
        }
    } catch (...) {
        words = tell_failure(told);
    }
    told.message = words.empty() ? curlicue_strerror(told.status) : words.c_str();
    user_.on_done(user_.data, this, &told);
    head_.reset();
    whole_ = {};
}

bool curlicue_call::is_over() const noexcept { return over_ || !link_->accepting(); }

int curlicue_call::cancel() noexcept {
    intrusive_ptr<state<void>> running;
    {
        const std::lock_guard lock(mutex_);
        if (is_over() || cancelled_)
            return CURLICUE_NOT_ADDED;
        cancelled_ = !running_; // then `start` has not come so far
        running = running_;
    }
    return !running || running->cancel() ? CURLICUE_OK : CURLICUE_NOT_ADDED;
}

int curlicue_call::pause() noexcept {
    const std::lock_guard lock(mutex_);
    if (is_over())
        return CURLICUE_NOT_ADDED;
    resumed_.close();
    return CURLICUE_OK;
}

int curlicue_call::resume() noexcept {
    resumed_.open();
    const std::lock_guard lock(mutex_);
    return is_over() ? CURLICUE_NOT_ADDED : CURLICUE_OK;
}

int curlicue_call::more() noexcept {
    has_more_.open();
    const std::lock_guard lock(mutex_);
    return is_over() ? CURLICUE_NOT_ADDED : CURLICUE_OK;
}
