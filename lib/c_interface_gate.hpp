// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/promise_state.hpp>
#include <curlicue/error.hpp>
#include <curlicue/future.hpp>

#include <exception>
#include <mutex>
#include <utility>

namespace curlicue::detail {

/// What somebody waits before until it is open.
/// @threading thread-safe
class gate {
public:
    void close() noexcept {
        const std::lock_guard lock(mutex_);
        open_ = false;
    }
    void open() noexcept {
        intrusive_ptr<promise_state<void>> waiting;
        {
            const std::lock_guard lock(mutex_);
            open_ = true;
            waiting = std::exchange(waiting_, nullptr);
        }
        if (waiting)
            waiting->keep_promise({});
    }
    /// Ready when it is open; cancelled by the executor's close, which may have been. One at a
    /// time.
    future<void> passed(const intrusive_ptr<executor_link>& link) {
        const std::lock_guard lock(mutex_);
        if (open_)
            return make_ready_future();
        try {
            waiting_ = make_intrusive<promise_state<void>>(link);
        } catch (const usage_error&) {
            return make_failed_future<void>(std::make_exception_ptr(cancelled()));
        }
        return future<void>(waiting_);
    }

private:
    std::mutex mutex_;
    bool open_ = true;
    intrusive_ptr<promise_state<void>> waiting_;
};

} // namespace curlicue::detail
