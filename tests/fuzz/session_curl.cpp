// SPDX-License-Identifier: MIT
// What libcurl does in a session, while a call of it is on the stack.
#include "easy_core.hpp"
#include "fuzz/session.hpp"

#include <algorithm>
#include <exception>
#include <stdexcept>

namespace curlicue::fuzz {
namespace {

constexpr CURLcode codes[] = {CURLE_OK, CURLE_COULDNT_CONNECT, CURLE_OPERATION_TIMEDOUT,
                              CURLE_RECV_ERROR};
constexpr CURLMcode refusals[] = {CURLM_INTERNAL_ERROR, CURLM_OUT_OF_MEMORY, CURLM_BAD_SOCKET,
                                  CURLM_BAD_EASY_HANDLE};
constexpr test::fake_call refusing[] = {test::fake_call::add, test::fake_call::remove,
                                        test::fake_call::socket_action, test::fake_call::pause};
constexpr long times[] = {-1, 0, 0, 1, 2, 1000, 100'000};

} // namespace

void session::script(test::fake_multi& multi) noexcept {
    for (auto count = input_.below(4); count != 0 && !input_.empty(); --count)
        play(multi);
}

void session::play(test::fake_multi& multi) {
    switch (input_.below(12)) {
    case 0:
        return set_timer(multi, input_.one_of(times));
    case 1:
        return complete_one(multi);
    case 2:
        return throw_in_callback(multi);
    case 3:
        return refuse_next();
    case 4: // a callback of the user's
        return act();
    case 5: // which may run the loop
        if (nested_ == 0) {
            ++nested_;
            uv_run(&loop_, UV_RUN_NOWAIT);
            --nested_;
        }
        return;
    case 6:
        return connections_.disturb(input_);
    default:
        connections_.act(multi, input_);
    }
}

void session::set_timer(test::fake_multi& multi, long timeout_ms) {
    timers_[&multi] = timeout_ms;
    multi.set_timer(timeout_ms);
}

void session::complete_one(test::fake_multi& multi) {
    if (multi.easies.empty())
        return;
    CURL* const one = input_.one_of(multi.easies);
    if (std::ranges::count(multi.messages, one, &CURLMsg::easy_handle) == 0)
        multi.complete(one, input_.one_of(codes));
}

// libcurl ends a transfer whose callback says so; there are some that cannot say it.
void session::throw_in_callback(test::fake_multi& multi) {
    if (multi.easies.empty())
        return;
    CURL* const one = input_.one_of(multi.easies);
    const auto core = detail::easy_core::find(one);
    const auto exception = std::make_exception_ptr(std::runtime_error("thrown in a callback"));
    if (!core || !core->owned())
        return;
    if (input_.flip()) {
        core->fail_later(exception);
    } else if (std::ranges::count(multi.messages, one, &CURLMsg::easy_handle) == 0) {
        core->keep_exception(exception);
        multi.complete(one, CURLE_WRITE_ERROR);
    }
}

void session::refuse_next() {
    curl_.refuse(input_.one_of(refusing), input_.one_of(refusals), input_.below(4));
}

} // namespace curlicue::fuzz
