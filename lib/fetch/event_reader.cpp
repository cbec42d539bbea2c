// SPDX-License-Identifier: MIT
#include "event_reader.hpp"

#include "repetition.hpp"
#include "utf8.hpp"
#include <curlicue/fetch_error.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace curlicue::detail {
namespace {

bool is_number(std::string_view text) noexcept {
    return !text.empty() &&
           std::ranges::all_of(text, [](char each) { return each >= '0' && each <= '9'; });
}

} // namespace

std::optional<std::chrono::milliseconds> event_reader::retry() const {
    const std::lock_guard lock(mutex_);
    return retry_;
}

std::string event_reader::last_id() const {
    const std::lock_guard lock(mutex_);
    return last_id_;
}

future<std::optional<event>> event_reader::next() {
    body_->begin_reading();
    try {
        const auto kept = intrusive_ptr<event_reader>::share(this);
        return repeat<std::optional<event>>(body_->link(),
                                            [kept] { return kept->look_for_event(); })
            .finally([kept]() noexcept { kept->body_->end_reading(); });
    } catch (...) {
        body_->end_reading();
        throw;
    }
}

future<std::optional<std::optional<event>>> event_reader::look_for_event() {
    using answer = std::optional<std::optional<event>>;
    while (const auto line = take_line()) {
        if (line->size() + data_.size() > body_->most_body)
            return make_failed_future<answer>(body_->refuse_length());
        if (auto whole = take(*line))
            return make_ready_future(answer(std::move(whole)));
    }
    if (ended_)
        return make_ready_future(answer(std::optional<event>()));
    if (text_.size() + data_.size() > body_->most_body)
        return make_failed_future<answer>(body_->refuse_length());
    return body_->next_piece(everything)
        .then([kept = intrusive_ptr<event_reader>::share(this)](std::string&& piece) {
            kept->ended_ = piece.empty();
            kept->text_.append(std::move(piece));
            return answer();
        });
}

// Lines end with \n, \r\n or \r, which may come in different pieces.
std::optional<std::string> event_reader::take_line() {
    constexpr std::string_view mark = "\xEF\xBB\xBF";
    if (!begun_ && (text_.size() >= mark.size() || ended_)) {
        begun_ = true;
        if (text_.view().starts_with(mark))
            text_.drop(mark.size());
    }
    if (!begun_ || text_.empty())
        return std::nullopt;
    if (std::exchange(after_cr_, false) && text_.view().front() == '\n') {
        text_.drop(1);
        searched_ = 0;
    }
    const auto text = text_.view();
    const auto end = text.find_first_of("\r\n", searched_);
    if (end == std::string_view::npos) {
        searched_ = text.size();
        return std::nullopt;
    }
    searched_ = 0;
    after_cr_ = text[end] == '\r';
    auto line = text_.take(end);
    text_.drop(1);
    return valid_utf8(std::move(line));
}

std::optional<event> event_reader::take(std::string_view line) {
    if (!line.empty()) {
        const auto colon = line.find(':');
        auto value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
        if (value.starts_with(' '))
            value.remove_prefix(1);
        take_field(line.substr(0, colon), value);
        return std::nullopt;
    }
    {
        const std::lock_guard lock(mutex_);
        last_id_ = next_id_;
    }
    auto type = std::exchange(type_, {});
    auto data = std::exchange(data_, {});
    if (!std::exchange(has_data_, false))
        return std::nullopt;
    data.pop_back(); // the last line's end
    return event{type.empty() ? "message" : std::move(type), std::move(data), next_id_};
}

void event_reader::take_field(std::string_view name, std::string_view value) {
    if (name == "event") {
        type_ = value;
    } else if (name == "data") {
        data_.append(value) += '\n';
        has_data_ = true;
    } else if (name == "id") {
        if (value.find('\0') == std::string_view::npos)
            next_id_ = value;
    } else if (name == "retry" && is_number(value)) {
        std::int64_t milliseconds = 0;
        const std::lock_guard lock(mutex_);
        if (std::from_chars(value.data(), value.data() + value.size(), milliseconds).ec ==
            std::errc())
            retry_ = std::chrono::milliseconds(milliseconds);
    }
}

} // namespace curlicue::detail
