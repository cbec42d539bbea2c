// SPDX-License-Identifier: MIT
#include "immortal.hpp"
#include "throwing_category.hpp"
#include <curlicue/error.hpp>

namespace curlicue {
namespace {

const char* advice(errc code) noexcept {
    switch (code) {
    case errc::closed:
        return "it is closed; make a new one";
    case errc::already_added:
        return "the easy is added already; wait for its future, remove it, or add a duphandle()";
    case errc::not_added:
        return "the easy is not added here, or its transfer is over";
    case errc::attached:
        return "not while a transfer uses it; wait for the future or remove the easy first";
    case errc::borrowed:
        return "a borrowed handle cannot keep this alive; set it on the CURL* itself, or use an "
               "easy that owns its handle";
    case errc::null_handle:
        return "the handle is null";
    case errc::no_loop:
        return "there is no loop; open a loop_scope on this thread or pass the uv_loop_t";
    case errc::wrong_loop:
        return "it is bound to another loop than this thread's current one";
    case errc::wrong_thread:
        return "call it on the loop's thread, for example by post()";
    case errc::inside_callback:
        return "not from inside a callback; post() it, or do it when the callback has returned";
    case errc::would_deadlock:
        return "waiting here would never end; use then(), co_await or run_until()";
    case errc::stopped:
        return "uv_stop was called; the transfer goes on when the loop runs again";
    case errc::no_state:
        return "it is empty: moved from, or its value was taken";
    case errc::already_retrieved:
        return "it was taken before; take it once, and share() the future";
    case errc::embedded_nul:
        return "the string has a NUL byte inside, where libcurl would cut it";
    case errc::forked:
        return "it was made before this process forked, and is the parent's; make a new one";
    case errc::too_old:
        return "the libcurl or libuv at hand is too old for this";
    case errc::broken_promise:
        return "the promise was destroyed without an outcome, or a body_writer without end()";
    case errc::cancelled:
        return "cancelled";
    case errc::timed_out:
        return "timed out";
    case errc::would_block:
        return "libcurl would stop the loop for this protocol; run it on a loop_thread of its own";
    case errc::no_code:
        return "an exception that has no code; its words are in message()";
    case errc::redirect_refused:
        return "the redirect was not followed; see redirect_policy, or take the body by value";
    case errc::too_large:
        return "it is longer than most_body; raise that, or read the body as a stream";
    case errc::queue_full:
        return "too many requests wait; send fewer at once, or raise request_limits::queue";
    case errc::address_refused:
        return "allow_address refused every address of the server";
    case errc::retries_exhausted:
        return "every attempt failed";
    case errc::already_reading:
        return "a read is pending; wait for its future first";
    case errc::not_over:
        return "that comes behind the body; read it to its end first";
    case errc::breaker_open:
        return "the server has failed too often, and is left alone for a while";
    case errc::unexpected_request:
        return "the mock was not told of this request; add an on() for it";
    }
    return "unknown curlicue error";
}

class own_category final : public detail::throwing_category {
public:
    const char* name() const noexcept override { return "curlicue"; }
    std::string message(int code) const override { return advice(static_cast<errc>(code)); }
    std::error_condition default_error_condition(int code) const noexcept override {
        switch (static_cast<errc>(code)) {
        case errc::cancelled:
            return std::errc::operation_canceled;
        case errc::timed_out:
            return std::errc::timed_out;
        case errc::would_deadlock:
            return std::errc::resource_deadlock_would_occur;
        case errc::null_handle:
        case errc::embedded_nul:
            return std::errc::invalid_argument;
        case errc::too_old:
            return std::errc::not_supported;
        case errc::no_code:
            return std::errc::state_not_recoverable;
        default:
            return {code, *this};
        }
    }
    std::exception_ptr exception_of(int code) const override {
        switch (const auto own = static_cast<errc>(code)) {
        case errc::cancelled:
            return std::make_exception_ptr(cancelled());
        case errc::timed_out:
            return std::make_exception_ptr(timed_out());
        case errc::broken_promise:
            return std::make_exception_ptr(future_error(own));
        default:
            return std::make_exception_ptr(usage_error(own));
        }
    }
};

std::string usage_message(errc code, std::string_view what) {
    return what.empty() ? advice(code) : std::string(what) + ": " + advice(code);
}

} // namespace

const std::error_category& curlicue_category() noexcept {
    using detail::immortal;
    static const immortal<own_category> category;
    return category.object;
}

[[gnu::noinline]] usage_error::usage_error(errc code, std::string_view what)
    : std::logic_error(usage_message(code, what)), code_(code) {}
usage_error::~usage_error() = default;

cancelled::cancelled() : std::system_error(errc::cancelled) {}
cancelled::~cancelled() = default;

timed_out::timed_out() : std::system_error(errc::timed_out) {}
timed_out::~timed_out() = default;

future_error::future_error(errc code) : std::system_error(code) {}
future_error::~future_error() = default;

} // namespace curlicue
