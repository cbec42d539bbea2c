// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/export.hpp>
#include <curlicue/future.hpp>
#include <curlicue/header_list.hpp>
#include <curlicue/task.hpp>
#include <curlicue/unique_function.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct sockaddr;

namespace curlicue {

class easy;
class mime;
class body_writer;

namespace detail {
class body_content;
struct body_access;
struct fetch_call;
class pipe;

/// Starts `body` where `link` leads.
template <class T> future<T> spawn_at(const intrusive_ptr<executor_link>& link, task<T> body) {
    auto running = make_intrusive<task_state<T>>(link, std::move(body));
    running->start();
    return future<T>(std::move(running));
}
} // namespace detail

/// The tag by which argument-dependent look-up finds `from_body(body_as<T>, std::string)`, which
/// makes a `T` of a body.
template <class T> struct body_as {};

/// What a request sends: nothing, text, a form, a file, or what comes piece by piece.
///
/// *Ownership:* a shared handle. Of what can be read once, copies share the one reading; who comes
/// second fails with usage_error{errc::already_retrieved}.
/// @threading thread-safe
class CURLICUE_EXPORT request_body {
public:
    /// The next piece; an empty one is the end.
    using producer = unique_function<future<std::string>()>;

    request_body() noexcept = default;
    /// Sent as given.
    request_body(std::string content);
    request_body(std::string_view content);
    request_body(const char* content);
    /// The same, of a type that is sent along unless the request has one.
    static request_body of(std::string content, std::string content_type);

    /// `name=value&…`, urlencoded.
    static request_body
    form(std::initializer_list<std::pair<std::string_view, std::string_view>> fields);
    static request_body form(const std::vector<std::pair<std::string, std::string>>& fields);
    /// A file, read while it is sent.
    /// @throws std::filesystem::filesystem_error if it cannot be read
    static request_body file(const std::filesystem::path& path);
    static request_body multipart(mime parts);
    /// What `next()` gives, a `future<std::string>` or a `task<std::string>`, until that is empty.
    /// It is called on the loop's thread, when the server takes more. What it throws, or its future
    /// fails with, is what the fetch fails with.
    /// @param size in bytes, if known; else it is sent in chunks
    template <class Producer>
    static request_body stream(Producer next, std::optional<std::uint64_t> size = std::nullopt) {
        if constexpr (detail::makes_task<std::invoke_result_t<Producer&>>)
            return from_tasks([next = std::move(next)]() mutable { return next(); }, size);
        else
            return from_futures(std::move(next), size);
    }
    /// A body, and who writes it.
    /// @param size in bytes, if known; else it is sent in chunks
    static std::pair<request_body, body_writer>
    pipe(std::optional<std::uint64_t> size = std::nullopt);
    /// What `to_body(value)` makes of it.
    template <class T> static request_body from(const T& value);

    /// Nothing is sent, which is not the same as an empty text.
    bool empty() const noexcept { return content_ == nullptr; }
    /// Whether it may be sent again.
    bool replayable() const noexcept;
    /// In bytes, where it is known.
    std::optional<std::uint64_t> size() const noexcept;

private:
    friend struct detail::body_access;
    explicit request_body(std::shared_ptr<detail::body_content> content) noexcept;
    static request_body from_futures(producer next, std::optional<std::uint64_t> size);
    static request_body from_tasks(unique_function<task<std::string>()> next,
                                   std::optional<std::uint64_t> size);

    std::shared_ptr<detail::body_content> content_;
};

/// What reads and writes itself as nlohmann::json does.
template <class Json>
concept json_like = requires(const Json& value, std::string text) {
    { value.dump() } -> std::convertible_to<std::string>;
    { Json::parse(text) } -> std::convertible_to<Json>;
};
/// For `request_body::from` and `response::as`.
template <json_like Json> request_body to_body(const Json& value) {
    return request_body::of(value.dump(), "application/json");
}
template <json_like Json> Json from_body(body_as<Json>, const std::string& text) {
    return Json::parse(text);
}

template <class T> request_body request_body::from(const T& value) { return to_body(value); }

/// The writing end of a `request_body::pipe`. Dropped before `end`, the fetch fails with
/// `errc::broken_promise`.
/// @threading thread-safe, but for moves and destruction
class CURLICUE_EXPORT body_writer {
public:
    body_writer(body_writer&&) noexcept;
    body_writer& operator=(body_writer&&) noexcept;
    body_writer(const body_writer&) = delete;
    body_writer& operator=(const body_writer&) = delete;
    ~body_writer();

    /// Ready when there is room for more, which the server makes; an empty piece is nothing. After
    /// the transfer it fails with that one's error.
    /// @throws usage_error{errc::closed} after `end` or `fail`
    future<void> write(std::string piece);
    /// All has been written.
    void end();
    /// The fetch fails with this.
    void fail(const std::exception_ptr& why);

private:
    friend class request_body;
    explicit body_writer(std::shared_ptr<detail::pipe> pipe) noexcept;

    std::shared_ptr<detail::pipe> pipe_;
};

/// How long a request may take. Unset: the client's, and what is unset there: `connect` 30 s,
/// `stall` 300 s, no others; 0: no limit. Less than 0 is `std::invalid_argument` at the call.
struct time_limits {
    using limit = std::optional<std::chrono::milliseconds>;

    limit queue = {};      ///< in the queue, each time that it is entered
    limit connect = {};    ///< from the start until TLS is done
    limit first_byte = {}; ///< from the last byte of the request to the head of the final response
    limit stall = {};      ///< without a byte, while a read is pending or an upload has data
    limit total = {};      ///< from the call to the last byte of the body, queue and retries too
};

enum class redirect_mode {
    follow,
    manual, ///< the redirect is the response
    error,  ///< a redirect is `errc::redirect_refused`
};

/// Redirects as browsers follow them: 301, 302, 303, 307 and 308; never from https to anything
/// else. To another origin only Accept, Accept-Language, Content-Type and User-Agent go along.
struct redirect_policy {
    redirect_mode mode = redirect_mode::follow;
    unsigned most = 10; ///< one more is `errc::redirect_refused`
    /// The URL that a Location leads to from another: for who reads URLs by a parser of their own,
    /// which must not be at odds with this. Unset: by libcurl's. It runs on the loop's thread; what
    /// it throws is what the fetch fails with.
    std::function<std::string(const std::string& from, std::string_view location)> resolve = {};
};

/// When a request is sent again: methods that are idempotent (RFC 9110 9.2.2) and bodies that are
/// replayable, or where nothing of it was sent.
struct retry_policy {
    unsigned attempts = 1; ///< in all; 1: no retries
    /// Before the n-th retry it waits up to `first` * 2^(n-1), and no more than `most`, at random;
    /// where the response has a Retry-After, for that long, if it is no more than `most`.
    std::chrono::milliseconds first = std::chrono::milliseconds(100);
    std::chrono::milliseconds most = std::chrono::milliseconds(10'000);
    std::vector<int> statuses = {408, 425, 429, 500, 502, 503, 504};
    /// An origin has no more than 10 retries, and this many for each request, in 10 s.
    double budget = 0.2;
};

/// How many bytes have come and gone.
struct transfer_progress {
    /// Of the body as it comes, with what a file had before `to_file` went on; 0: not known.
    std::uint64_t received = 0, to_receive = 0;
    std::uint64_t sent = 0, to_send = 0; ///< of the body, the framing of its chunks included
};

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
namespace detail {
// g++ 12 destroys an aggregate that is made inside a co_await expression where it is not. It
// refuses to compile an array there ("array used as initializer"): a request has one, in its
// making.
struct made_before_co_await {
    constexpr made_before_co_await(std::initializer_list<int> /*array*/) noexcept {}
};
} // namespace detail
#endif

/// One request. An aggregate, for designated initializers; checked when it is given to `fetch`.
/// With g++ 12 make it in a line of its own before a `co_await`: inside, it does not compile.
struct request {
    std::string url = {}; ///< relative to `client_options::base` where there is one
    /// Empty: GET, or POST with a body. DELETE, GET, HEAD, OPTIONS, POST and PUT in any case.
    std::string method = {};
    header_list headers = {};
    request_body body = {};
    time_limits limits = {};
    std::optional<redirect_policy> redirects = {}; ///< unset: the client's
    std::optional<retry_policy> retries = {};      ///< unset: the client's
    /// Decoded bytes that `text` may gather, and a line or an event have; unset: the client's.
    std::optional<std::size_t> most_body = {};
    std::optional<std::size_t> high_water = {}; ///< unset: the client's
    int priority = 0;                           ///< in the queue of its origin; higher goes first
    /// Asked besides the client's, as that one is.
    std::function<bool(const sockaddr&)> allow_address = {};
    /// Called last, before it starts, on the loop's thread: the door to every option of libcurl.
    std::function<void(easy&)> tweak = {};
    /// Called now and then, and at the end, on the loop's thread, inside libcurl.
    std::function<void(const transfer_progress&)> progress = {};
    bool decompress = true;      ///< off where the caller sets Accept-Encoding
    bool tweak_all_hops = false; ///< for redirects to other origins too
    /// Names of headers that are not sent, though they would be by default, or by the client's.
    std::vector<std::string> left_out = {};
    bool keep_alive = true; ///< off: the server is told that this is the connection's last
    /// What its steps know of it. *Ownership:* ours; leave it empty.
    std::shared_ptr<detail::fetch_call> call = {};
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
    [[no_unique_address]] detail::made_before_co_await made = {0};
#endif

    /// These return the request. The parameters of `query` are encoded, and appended.
    CURLICUE_EXPORT request&
    query(std::initializer_list<std::pair<std::string_view, std::string_view>> parameters);
    CURLICUE_EXPORT request& basic_auth(std::string_view user, std::string_view password);
    CURLICUE_EXPORT request& bearer(std::string_view token);
};

} // namespace curlicue
