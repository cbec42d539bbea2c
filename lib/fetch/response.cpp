// SPDX-License-Identifier: MIT
#include "event_reader.hpp"
#include "header_access.hpp"
#include "made_response.hpp"
#include "repetition.hpp"
#include "response_state.hpp"
#include "to_file.hpp"
#include <curlicue/error.hpp>
#include <curlicue/response.hpp>

#include <charconv>
#include <stdexcept>
#include <utility>

namespace curlicue {
namespace {

using state_pointer = detail::intrusive_ptr<detail::response_state>;

[[noreturn]] void throw_status(const detail::response_state& state, std::string body) {
    throw status_error(state.head.status, state.head.reason, state.head.headers, std::move(body),
                       detail::attempts_of(state.of));
}

/// Who uses a body: as it goes, before the end too, so does the transfer.
class user {
public:
    explicit user(state_pointer of) noexcept : of_(std::move(of)) {}
    user(user&&) noexcept = default;
    user& operator=(user&&) = delete;
    ~user() {
        if (of_)
            of_->let_go();
    }
    detail::response_state* operator->() const noexcept { return of_.get(); }

private:
    state_pointer of_;
};

/// `use(std::string&&)`, which gives a future<void>, with each piece until the end.
template <class Use> future<void> use_pieces(state_pointer state, Use use) {
    auto link = state->link();
    return detail::repeat<detail::done>(
               std::move(link),
               [body = user(std::move(state)), use = std::move(use)]() mutable {
                   return body->next_piece(detail::everything)
                       .then([&use](std::string&& piece) -> future<std::optional<detail::done>> {
                           if (piece.empty())
                               return make_ready_future(std::optional(detail::done()));
                           return use(std::move(piece)).then([] {
                               return std::optional<detail::done>();
                           });
                       });
               })
        .then([](detail::done) {});
}

/// What `begin` makes of a body that is taken. Where that fails, nobody reads it.
template <class Begin>
auto reading(detail::response_state& body, Begin begin) -> decltype(begin()) {
    try {
        return begin();
    } catch (...) {
        body.drop();
        throw;
    }
}

// As much as a status_error holds, unless the body is shorter.
future<std::string> beginning_of(state_pointer state) {
    auto link = state->link();
    return detail::repeat<std::string>(
        std::move(link), [state = std::move(state), all = std::string()]() mutable {
            return state->next_piece(detail::most_of_error - all.size())
                .then([&all](const std::string& piece) {
                    all += piece;
                    return piece.empty() || all.size() == detail::most_of_error
                               ? std::optional(std::move(all))
                               : std::nullopt;
                });
        });
}

} // namespace

response::response(detail::intrusive_ptr<detail::response_state> state) noexcept
    : state_(std::move(state)) {}
response::response(response&&) noexcept = default;
response& response::operator=(response&& other) noexcept {
    std::swap(state_, other.state_); // the old one is dropped with the other
    return *this;
}
response::~response() {
    if (state_ && !state_->taken())
        state_->drop();
}

int response::status() const noexcept { return state_->head.status; }
bool response::ok() const noexcept { return status() >= 200 && status() < 300; }
std::string_view response::reason() const noexcept { return state_->head.reason; }
http_version response::version() const noexcept { return state_->head.version; }
const header_list& response::headers() const noexcept { return state_->head.headers; }
std::string_view response::url() const noexcept { return state_->url; }
bool response::redirected() const noexcept { return state_->of && state_->of->redirected; }
unsigned response::attempts() const noexcept { return detail::attempts_of(state_->of); }
std::string_view response::remote_address() const noexcept { return state_->remote_address; }

const header_list& response::trailers() const {
    if (const auto* const fields = state_->trailers())
        return *fields;
    throw usage_error(errc::not_over, "response::trailers");
}

const timings& response::times() const {
    // In place: who has asked before may look at them still. There are as many each time.
    const auto now = state_->times();
    state_->told_times.hops.assign(now.hops.begin(), now.hops.end());
    return state_->told_times;
}

std::optional<std::uint64_t> response::content_length() const noexcept {
    const auto text = headers().get("Content-Length");
    std::uint64_t length = 0;
    if (!text)
        return std::nullopt;
    const auto parsed = std::from_chars(text->data(), text->data() + text->size(), length);
    return parsed.ec == std::errc() && parsed.ptr == text->data() + text->size()
               ? std::optional(length)
               : std::nullopt;
}

std::string_view response::content_type() const noexcept {
    return headers().get("Content-Type").value_or("");
}

response& response::throw_for_status() & {
    if (!ok())
        throw_status(*state_, state_->peek(detail::most_of_error));
    return *this;
}

response&& response::throw_for_status() && {
    throw_for_status();
    return std::move(*this);
}

future<response> response::checked() && {
    if (ok())
        return make_ready_future(std::move(*this));
    take_body("response::checked");
    const auto state = std::exchange(state_, nullptr);
    // What comes of the body after an error, none say, is not what matters.
    const auto fail = [state](result<std::string>&& body) -> response {
        state->drop();
        if (!body.has_value() && body.error() == errc::cancelled)
            std::rethrow_exception(body.exception());
        throw_status(*state, body.has_value() ? std::move(body).value()
                                              : state->peek(detail::most_of_error));
    };
    return reading(*state, [&] { return beginning_of(state).then_result(fail); });
}

detail::response_state& response::take_body(const char* what) {
    if (!state_)
        throw usage_error(errc::no_state, what);
    state_->take(what);
    return *state_;
}

detail::intrusive_ptr<detail::executor_link> response::where() const noexcept {
    return detail::with_timer(state_->link());
}

void response::cancel() noexcept {
    if (state_)
        state_->cancel();
}

void response::keep(std::shared_ptr<const void> what) {
    if (!state_)
        throw usage_error(errc::no_state, "response::keep");
    state_->keep(std::move(what));
}

future<std::string> response::text() {
    auto& body = take_body("response::text");
    return reading(body, [&] { return body.gather(); });
}

future<std::uint64_t> response::to_file(std::filesystem::path path) {
    auto& body = take_body("response::to_file");
    return reading(body, [&] { return detail::to_file(state_, std::move(path)); });
}

body_stream response::body() {
    take_body("response::body");
    return body_stream(state_);
}

event_stream response::events() {
    const auto type = content_type();
    const auto essence = detail::trimmed(type.substr(0, type.find(';')));
    if (!detail::same_token(essence, "text/event-stream"))
        throw fetch_error(std::make_error_code(std::errc::bad_message), fetch_phase::headers,
                          detail::attempts_of(state_->of), std::nullopt,
                          "the response is no text/event-stream");
    auto& body = take_body("response::events");
    return reading(
        body, [&] { return event_stream(detail::make_intrusive<detail::event_reader>(state_)); });
}

future<void> response::discard() {
    take_body("response::discard");
    return use_pieces(state_, [](const std::string&) { return make_ready_future(); });
}

future<void> response::pour(unique_function<future<void>(std::string&&)> sink) {
    take_body("response::into");
    return use_pieces(state_, std::move(sink));
}

future<void> response::each_piece(unique_function<void(std::string_view)> sink) {
    auto& body = take_body("response::each_piece");
    return reading(body, [&] { return body.each_piece(std::move(sink)); });
}

response response::of(int status, header_list headers, std::string body) {
    return response(detail::made_response(status, std::move(headers), std::move(body)));
}

response response::of(int status, header_list headers, body_source body) {
    return response(detail::made_response(status, std::move(headers), std::move(body)));
}

response response::with_body(body_source body) && {
    if (!state_)
        throw usage_error(errc::no_state, "response::with_body");
    auto old = std::exchange(state_, nullptr);
    return response(detail::made_response(std::move(old), std::move(body)));
}

body_stream::body_stream(detail::intrusive_ptr<detail::response_state> state) noexcept
    : state_(std::move(state)) {}
body_stream::body_stream(body_stream&&) noexcept = default;
body_stream& body_stream::operator=(body_stream&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
}
body_stream::~body_stream() {
    if (state_)
        state_->let_go();
}

future<std::string> body_stream::read(std::size_t most) {
    if (most == 0)
        throw std::invalid_argument("body_stream::read: at least one byte");
    if (!state_)
        throw usage_error(errc::no_state, "body_stream");
    return state_->read(most);
}

future<std::optional<std::string>> body_stream::line() {
    if (!state_)
        throw usage_error(errc::no_state, "body_stream");
    return state_->line();
}

event_stream::event_stream(detail::intrusive_ptr<detail::event_reader> reader) noexcept
    : reader_(std::move(reader)) {}
event_stream::event_stream(event_stream&&) noexcept = default;
event_stream& event_stream::operator=(event_stream&& other) noexcept {
    std::swap(reader_, other.reader_);
    return *this;
}
event_stream::~event_stream() {
    if (reader_)
        reader_->let_go();
}

future<std::optional<event>> event_stream::next() {
    if (!reader_)
        throw usage_error(errc::no_state, "event_stream");
    return reader_->next();
}
std::optional<std::chrono::milliseconds> event_stream::retry() const { return reader_->retry(); }
std::string event_stream::last_event_id() const { return reader_->last_id(); }

} // namespace curlicue
