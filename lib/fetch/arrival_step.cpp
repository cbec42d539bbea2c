// SPDX-License-Identifier: MIT
#include "client_core.hpp"
#include "ongoing.hpp"
#include "response_state.hpp"
#include "steps.hpp"

#include <utility>

namespace curlicue::detail {
namespace {

/// Tells when a request arrives at the transport, and when its head does.
class arrivals final : public step {
public:
    arrivals(std::shared_ptr<transport> next, std::shared_ptr<ongoing> counted, bool counts)
        : step(std::move(next)), ongoing_(std::move(counted)), counts_(counts) {}

    future<response> fetch(request what) override {
        const auto known = what.call;
        if (known)
            known->client->started(*known);
        if (counts_)
            ongoing_->transfer_begins();
        return begun(std::move(what))
            .finally([ongoing = ongoing_, counts = counts_]() noexcept {
                if (counts)
                    ongoing->transfer_ends();
            })
            .then([known](response&& one) {
                if (known)
                    known->client->has_head(*known, one);
                return std::move(one);
            });
    }

private:
    future<response> begun(request what) noexcept {
        try {
            return next().fetch(std::move(what));
        } catch (...) {
            return make_failed_future<response>(std::current_exception());
        }
    }

    const std::shared_ptr<ongoing> ongoing_;
    const bool counts_;
};

} // namespace

std::shared_ptr<transport> arrival_step(std::shared_ptr<transport> next,
                                        std::shared_ptr<ongoing> counted, bool counts) {
    return std::make_shared<arrivals>(std::move(next), std::move(counted), counts);
}

} // namespace curlicue::detail
