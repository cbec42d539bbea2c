// SPDX-License-Identifier: MIT
#include "response_state.hpp"

#include "client_core.hpp"
#include "repetition.hpp"
#include <curlicue/error.hpp>

#include <utility>

namespace curlicue::detail {
namespace {

constexpr unsigned pending = 1;
constexpr unsigned abandoned = 2;

} // namespace

intrusive_ptr<executor_link> response_state::link() const noexcept {
    return of && of->client ? of->client->link() : nullptr;
}

void response_state::take(const char* what) {
    if (std::exchange(taken_, true))
        throw usage_error(errc::already_retrieved, what);
}

const header_list* response_state::trailers() const noexcept {
    static const header_list none;
    return &none;
}

std::string response_state::peek(std::size_t) const { return {}; }

bool response_state::over(std::exception_ptr& failure) const {
    failure = nullptr;
    return true;
}

std::exception_ptr response_state::refuse(std::exception_ptr why) noexcept {
    broken_ = std::move(why);
    read_ahead_.clear();
    drop();
    return broken_;
}

std::exception_ptr response_state::refuse_length() noexcept {
    return refuse(fetch_failure(errc::too_large, fetch_phase::body, attempts_of(of)));
}

void response_state::begin_reading() {
    if ((reading_.fetch_or(pending, std::memory_order_acquire) & pending) != 0)
        throw usage_error(errc::already_reading, "body_stream");
}

void response_state::end_reading() noexcept {
    if ((reading_.fetch_and(~pending, std::memory_order_acq_rel) & abandoned) != 0)
        drop();
}

void response_state::let_go() noexcept {
    if ((reading_.fetch_or(abandoned, std::memory_order_acq_rel) & pending) == 0)
        drop();
}

namespace {

/// `ask()` with a read that is pending meanwhile.
template <class Ask> auto while_reading(response_state& of, Ask ask) -> decltype(ask()) {
    of.begin_reading();
    try {
        return ask().finally(
            [kept = intrusive_ptr<response_state>::share(&of)]() noexcept { kept->end_reading(); });
    } catch (...) {
        of.end_reading();
        throw;
    }
}

} // namespace

future<std::string> response_state::read(std::size_t most) {
    return while_reading(*this, [&] { return next_piece(most); });
}

future<std::optional<std::string>> response_state::line() {
    return while_reading(*this, [this] {
        return repeat<std::optional<std::string>>(
            link(),
            [kept = intrusive_ptr<response_state>::share(this)] { return kept->look_for_line(); });
    });
}

future<std::string> response_state::gather() {
    return repeat<std::string>(
        link(), [kept = intrusive_ptr<response_state>::share(this), all = std::string()]() mutable {
            return kept->next_piece(everything).then([&](std::string&& piece) {
                if (piece.empty())
                    return std::optional(std::move(all));
                if (piece.size() > kept->most_body - all.size())
                    std::rethrow_exception(kept->refuse_length());
                all = all.empty() ? std::move(piece) : std::move(all) + piece;
                return std::optional<std::string>();
            });
        });
}

future<void> response_state::each_piece(unique_function<void(std::string_view)> sink) {
    return repeat<done>(link(),
                        [kept = intrusive_ptr<response_state>::share(this),
                         sink = std::move(sink)]() mutable {
                            return kept->next_piece(everything).then([&](const std::string& piece) {
                                if (!piece.empty())
                                    sink(piece);
                                return piece.empty() ? std::optional(done()) : std::nullopt;
                            });
                        })
        .then([](done) {});
}

future<std::string> response_state::next_piece(std::size_t most) {
    if (broken_)
        return make_failed_future<std::string>(broken_);
    if (std::exchange(asks_for_line_, false))
        read_ahead_.clear(); // what was to come behind it has failed
    if (read_ahead_.empty())
        return ended_ ? make_ready_future(std::string()) : read_some(most);
    searched_ = 0;
    return make_ready_future(read_ahead_.take(most));
}

future<std::string> response_state::next_block(std::size_t) { return next_piece(everything); }

std::optional<std::string> response_state::take_line() {
    const auto text = read_ahead_.view();
    const auto end = text.find('\n', searched_);
    searched_ = 0;
    if (end != std::string_view::npos) {
        auto line = read_ahead_.take(end);
        read_ahead_.drop(1);
        if (line.ends_with('\r'))
            line.pop_back();
        return line;
    }
    if (ended_ && !text.empty())
        return read_ahead_.take(everything);
    searched_ = text.size();
    return std::nullopt;
}

future<std::optional<std::optional<std::string>>> response_state::look_for_line() {
    using line_or_end = std::optional<std::string>;
    using answer = std::optional<line_or_end>;
    if (broken_)
        return make_failed_future<answer>(broken_);
    auto line = take_line();
    if ((line ? line->size() : read_ahead_.size()) > most_body)
        return make_failed_future<answer>(refuse_length());
    if (line || ended_)
        return make_ready_future(answer(std::move(line)));
    asks_for_line_ = true;
    return read_some(everything)
        .then([kept = intrusive_ptr<response_state>::share(this)](std::string&& piece) {
            kept->asks_for_line_ = false;
            kept->ended_ = piece.empty();
            kept->read_ahead_.append(std::move(piece));
            return answer();
        });
}

} // namespace curlicue::detail
