// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/state.hpp>

#include <memory>
#include <optional>
#include <utility>
#include <version>
#if defined(__cpp_lib_jthread)
#include <stop_token>

namespace curlicue::detail {

/// `future::with`: passes its source on, and listens to a stop token meanwhile.
template <class T> class stop_step {
public:
    static constexpr bool runs_when_cancelled = false;

    /// @param target the state to cancel; it owns this step
    void listen(std::stop_token token, state<T>& target) {
        listener_ = std::make_unique<listener>(std::move(token), canceller{target});
    }

    template <class Target> void operator()(Target& target, result<T>&& outcome) {
        target.conclude(std::move(outcome));
    }

private:
    struct canceller {
        state<T>& target;
        void operator()() const noexcept { target.cancel(); }
    };
    using listener = std::stop_callback<canceller>;

    std::unique_ptr<listener> listener_;
};

} // namespace curlicue::detail
#endif
