// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/state.hpp>

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

    stop_step() = default;
    /// Only before it listens.
    stop_step(stop_step&&) noexcept {}

    /// @param target the state to cancel; it owns this step
    void listen(std::stop_token token, state<T>& target) noexcept {
        listener_.emplace(std::move(token), canceller{target});
    }

    template <class Target> void operator()(Target& target, result<T>&& outcome) {
        target.conclude(std::move(outcome));
    }

private:
    struct canceller {
        state<T>& target;
        void operator()() const noexcept {
            // The cancel may be what ends it; this listener goes before its target.
            const auto kept = intrusive_ptr<state<T>>::share(&target);
            target.cancel();
        }
    };

    std::optional<std::stop_callback<canceller>> listener_;
};

} // namespace curlicue::detail
#endif
