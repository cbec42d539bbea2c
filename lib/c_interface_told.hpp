// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/future.hpp>

#include <memory>
#include <utility>

namespace curlicue::detail {

/// Waits for a future, to tell a callback of its outcome. It is there before anything begins: what
/// has begun is not refused for lack of memory.
template <class T, class F> class told final : private continuation, private work {
public:
    explicit told(F callback) noexcept : callback_(std::move(callback)) {}

    /// Ends by itself.
    static void wait_for(std::unique_ptr<told> waiting, const future<T>& awaited) noexcept {
        waiting->state_ = awaited.checked();
        waiting->state_->observe();
        const auto state = waiting->state_;
        state->attach(*waiting.release());
    }

private:
    void source_ready() noexcept override { enqueue(state_->link(), *this); }
    void run() noexcept override {
        const std::unique_ptr<told> self(this);
        callback_(state_->take_noexcept());
    }

    const F callback_;
    intrusive_ptr<state<T>> state_;
};

template <class T, class F> auto made_to_tell(F callback) {
    return std::make_unique<told<T, F>>(std::move(callback));
}

/// `close()` gives a future of an end, of which `closed`, which may be null, is told.
template <class Close> void close_and_tell(Close close, void (*closed)(void* data), void* data) {
    auto waiting = made_to_tell<void>([=](result<void>&&) noexcept {
        if (closed != nullptr)
            closed(data);
    });
    decltype(waiting)::element_type::wait_for(std::move(waiting), close());
}

} // namespace curlicue::detail
