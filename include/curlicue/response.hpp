// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/export.hpp>
#include <curlicue/detail/intrusive_ptr.hpp>
#include <curlicue/fetch_error.hpp>
#include <curlicue/request.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace curlicue {

namespace detail {
class response_state;
struct response_access;
} // namespace detail

/// What a client asks for, and what a response came by.
enum class http_version {
    automatic, ///< HTTP/2 over TLS where the server has it, else HTTP/1.1
    http1,
    http2,
    http3,      ///< or an older one, where the server has none
    http3_only, ///< or nothing
};

/// Of one attempt, or hop of a redirect: since its start, 0 for what has not happened.
struct hop_timings {
    std::chrono::microseconds queued{0}; ///< before its start
    std::chrono::microseconds resolved{0}, connected{0}, tls{0}, sent{0}, first_byte{0}, done{0};
};

/// All hops and attempts, in their order.
struct timings {
    std::vector<hop_timings> hops;
};

namespace detail {
// The piece is there as long as the task that is given it.
template <class Sink> task<> sunk(Sink& sink, std::string piece) {
    co_await sink(std::move(piece)); // NOLINT(bugprone-use-after-move): clang-tidy 14 sees it twice
}
} // namespace detail

/// The next piece of a body; an empty one is the end.
using body_source = unique_function<future<std::string>()>;

/// A body, read piece by piece. One of `read` and `line` may be pending at a time, else
/// usage_error{errc::already_reading}. After the end there is nothing more for ever, after a
/// failure the same failure. Cancelling a read, or dropping the stream before the end, ends the
/// transfer. Moves.
/// @threading any thread, one at a time
class CURLICUE_EXPORT body_stream {
public:
    body_stream(body_stream&&) noexcept;
    body_stream& operator=(body_stream&&) noexcept;
    ~body_stream();

    /// What is there, at least a byte; empty at the end.
    /// @param most bytes at the most; 0 is `std::invalid_argument`
    future<std::string> read(std::size_t most = std::numeric_limits<std::size_t>::max());
    /// `read()`: so it is a producer for `request_body::stream`, and a `body_source`.
    future<std::string> operator()() { return read(); }
    /// A line without its end, \n or \r\n, the last one even if it has none; none at the end. One
    /// that is longer than `request::most_body` fails with `errc::too_large`.
    future<std::optional<std::string>> line();

private:
    friend class response;
    explicit body_stream(detail::intrusive_ptr<detail::response_state> state) noexcept;

    detail::intrusive_ptr<detail::response_state> state_;
};

/// One of a stream of events.
struct event {
    std::string type; ///< "message" if the server says nothing
    std::string data;
    std::string id; ///< the last one that the server has given
};

namespace detail {
class event_reader;
}

/// Server-sent events, parsed as the WHATWG says (HTML, 9.2.6). Nobody connects again when it ends.
/// As `body_stream`.
/// @threading any thread, one at a time
class CURLICUE_EXPORT event_stream {
public:
    event_stream(event_stream&&) noexcept;
    event_stream& operator=(event_stream&&) noexcept;
    ~event_stream();

    /// None at the end; an event that is not finished then is dropped.
    future<std::optional<event>> next();
    /// How long the server wants a client to wait before it connects again, if it has said so.
    std::optional<std::chrono::milliseconds> retry() const;
    /// For the Last-Event-ID of the next connection.
    std::string last_event_id() const;

private:
    friend class response;
    explicit event_stream(detail::intrusive_ptr<detail::event_reader> reader) noexcept;

    detail::intrusive_ptr<detail::event_reader> reader_;
};

/// What a server has answered: its head, and the body to come. Moves.
///
/// The body may be taken once, in one of its forms; a second is
/// usage_error{errc::already_retrieved}. A response that is dropped before ends its transfer,
/// unless the rest of its body is short and comes at once: then its connection lives.
/// @threading any thread, one at a time; what its futures call runs on the loop's thread
class CURLICUE_EXPORT response {
public:
    response(response&&) noexcept;
    response& operator=(response&&) noexcept;
    response(const response&) = delete;
    response& operator=(const response&) = delete;
    ~response();

    int status() const noexcept;
    /// 200 to 299.
    bool ok() const noexcept;
    std::string_view reason() const noexcept;
    http_version version() const noexcept;
    /// As the server has sent them. Interim responses are not shown.
    const header_list& headers() const noexcept;
    /// Those behind the body. @throws std::logic_error before its end
    const header_list& trailers() const;
    /// Of the final hop, without user and password; it lives as long as the response.
    std::string_view url() const noexcept;
    bool redirected() const noexcept;
    /// How often it was asked for, the first time included.
    unsigned attempts() const noexcept;
    /// In bytes as they come, if the server has said.
    std::optional<std::uint64_t> content_length() const noexcept;
    /// As the server has it, or empty.
    std::string_view content_type() const noexcept;
    /// Empty if there was no connection.
    std::string_view remote_address() const noexcept;
    /// As of this call; they live as long as the response.
    const timings& times() const;

    /// @throws status_error unless `ok`, with what of the body is here already
    response& throw_for_status() &;
    response&& throw_for_status() &&;
    /// The same, but reads up to 4 KiB of the body first.
    future<response> checked() &&;

    /// Ends the transfer. In whichever form its body was taken, what is pending fails with
    /// `cancelled`, and so does what is read later, unless all of it was here.
    void cancel() noexcept;
    /// Keeps `what` until nothing comes of the body any more: it was read to its end, dropped, or
    /// has failed. So a layer holds a permit as long as a transfer goes on, or hears of its end.
    void keep(std::shared_ptr<const void> what);

    /// The whole body, decoded. More than `request::most_body` fails with `errc::too_large`.
    future<std::string> text();
    /// The body, in a file: written under another name first, so that what breaks off leaves the
    /// old one, or none. With `retries` it goes on where it broke off, or begins anew where there
    /// is no strong ETag. What the server has encoded is decoded, and does not go on:
    /// `request::decompress` = false asks for the bytes as they are.
    /// @returns the size of the file
    future<std::uint64_t> to_file(std::filesystem::path path);
    body_stream body();
    /// @throws fetch_error unless it is text/event-stream
    event_stream events();
    /// Reads it to its end, and throws it away.
    future<void> discard();
    /// `sink(std::string&&)` with each piece, on the loop's thread. Where it returns a
    /// future<void>, or a task<>, the next piece waits for that. What it throws is what this fails
    /// with.
    template <std::invocable<std::string&&> Sink> future<void> into(Sink sink) {
        using R = std::invoke_result_t<Sink&, std::string&&>;
        if constexpr (detail::makes_task<R>)
            return pour([sink = std::move(sink), where = where()](std::string&& piece) mutable {
                return detail::spawn_at(where, detail::sunk(sink, std::move(piece)));
            });
        else if constexpr (std::same_as<R, future<void>>)
            return pour(std::move(sink));
        else
            return pour([sink = std::move(sink)](std::string&& piece) mutable {
                static_cast<void>(sink(std::move(piece)));
                return make_ready_future();
            });
    }
    /// `sink(std::string_view)` with each piece where libcurl has it: no copy, no queue and no
    /// limit. It runs inside libcurl, on the loop's thread, and may call nothing of it. What it
    /// throws is what this fails with.
    future<void> each_piece(unique_function<void(std::string_view)> sink);
    /// What `from_body(body_as<T>(), std::string)` makes of `text()`.
    template <class T> future<T> as() {
        return text().then(
            [](std::string&& body) -> T { return from_body(body_as<T>(), std::move(body)); });
    }

    /// A response that no server has sent: for mocks and layers.
    static response of(int status, header_list headers = {}, std::string body = {});
    static response of(int status, header_list headers, body_source body);
    /// The same head, with another body. What is left of the old one is dropped with it.
    response with_body(body_source body) &&;

private:
    friend struct detail::response_access;
    explicit response(detail::intrusive_ptr<detail::response_state> state) noexcept;
    detail::response_state& take_body(const char* what);
    future<void> pour(unique_function<future<void>(std::string&&)> sink);
    detail::intrusive_ptr<detail::executor_link> where() const noexcept;

    detail::intrusive_ptr<detail::response_state> state_;
};

} // namespace curlicue
