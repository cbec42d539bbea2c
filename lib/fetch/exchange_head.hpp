// SPDX-License-Identifier: MIT
#pragma once

#include "exchange.hpp"
#include <curlicue/error.hpp>

#include <utility>

namespace curlicue::detail {

/// The future of its head: a cancel is over, and it is ready, when libcurl has let go.
class exchange::head_state final : public state<response> {
public:
    explicit head_state(exchange& of)
        : state<response>(of.link()), of_(intrusive_ptr<exchange>::share(&of)) {
        if (!end_with_executor())
            throw usage_error(errc::closed, "fetch");
    }
    void tell(result<response>&& outcome) noexcept {
        if (fix())
            store(std::move(outcome));
        settle();
    }

private:
    ~head_state() override = default;
    intrusive_ptr<state_base> cancel_requested() noexcept override {
        of_->cancel();
        return nullptr;
    }
    const intrusive_ptr<exchange> of_;
};

} // namespace curlicue::detail
