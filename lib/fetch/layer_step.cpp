// SPDX-License-Identifier: MIT
#include "response_state.hpp"
#include "steps.hpp"

#include <utility>

namespace curlicue::detail {
namespace {

/// A layer of the user's.
class user_step final : public step {
public:
    user_step(std::shared_ptr<transport> next, layer call)
        : step(std::move(next)), call_(std::move(call)) {}

    future<response> fetch(request what) override {
        auto answer = call_(std::move(what), next());
        return std::move(answer).then([self = kept(*this)](response&& one) {
            response_access::state(one).keep(self);
            return std::move(one);
        });
    }

private:
    const layer call_;
};

} // namespace

std::shared_ptr<transport> layer_step(std::shared_ptr<transport> next, layer call) {
    return std::make_shared<user_step>(std::move(next), std::move(call));
}

} // namespace curlicue::detail
