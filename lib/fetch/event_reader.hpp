// SPDX-License-Identifier: MIT
#pragma once

#include "byte_queue.hpp"
#include "response_state.hpp"

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace curlicue::detail {

/// The state of an `event_stream`: events of the lines of a body (HTML, 9.2.6).
class event_reader final : public ref_counted {
public:
    explicit event_reader(intrusive_ptr<response_state> body) noexcept : body_(std::move(body)) {}

    /// @throws usage_error{errc::already_reading}
    future<std::optional<event>> next();
    std::optional<std::chrono::milliseconds> retry() const;
    std::string last_id() const;
    /// The stream is gone.
    void let_go() noexcept { body_->let_go(); }

private:
    future<std::optional<std::optional<event>>> look_for_event();
    /// An event, where the line completes one.
    std::optional<event> take(std::string_view line);
    void take_field(std::string_view name, std::string_view value);
    std::optional<std::string> take_line();

    const intrusive_ptr<response_state> body_;
    bool begun_ = false;
    byte_queue text_;          // of which no line has been taken
    std::size_t searched_ = 0; // of that, for the end of one
    bool after_cr_ = false;
    bool ended_ = false;
    std::string type_, data_;
    bool has_data_ = false;
    std::string next_id_; // of the event that is being read

    mutable std::mutex mutex_; // guards what is told meanwhile
    std::string last_id_;
    std::optional<std::chrono::milliseconds> retry_;
};

} // namespace curlicue::detail
