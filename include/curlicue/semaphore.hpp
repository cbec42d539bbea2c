// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/export.hpp>
#include <curlicue/detail/intrusive_ptr.hpp>
#include <curlicue/future.hpp>

#include <cstddef>

namespace curlicue {

namespace detail {
class permits;
}

/// One of a semaphore's, given back at its end, or when another is assigned to it. Empty once it
/// was moved from. It may outlive the semaphore.
/// @threading any thread, one at a time for one object
class [[nodiscard]] permit {
public:
    CURLICUE_EXPORT permit() noexcept;
    CURLICUE_EXPORT permit(permit&& other) noexcept;
    CURLICUE_EXPORT permit& operator=(permit&& other) noexcept;
    permit(const permit&) = delete;
    permit& operator=(const permit&) = delete;
    CURLICUE_EXPORT ~permit();

    /// Whether there is one to be given back.
    explicit operator bool() const noexcept { return static_cast<bool>(source_); }

private:
    friend class detail::permits;
    explicit permit(detail::intrusive_ptr<detail::permits> source) noexcept;

    detail::intrusive_ptr<detail::permits> source_;
};

/// So many at a time: who has acquired one of its permits goes on, the others wait for their turn,
/// in the order in which they asked. Those that wait when it goes still get theirs.
/// @threading thread-safe, but for its end
class CURLICUE_EXPORT semaphore {
public:
    /// @param count how many permits there are
    /// @throws std::invalid_argument if that is 0
    explicit semaphore(std::size_t count);
    semaphore(const semaphore&) = delete;
    semaphore& operator=(const semaphore&) = delete;
    ~semaphore();

    /// A permit, ready at once where one is free. Cancelled, or dropped when it is ready, it is the
    /// next one's.
    ///
    /// A task that awaits it goes on where the task runs: where it was spawned, or has gone by
    /// `resume_on` or by awaiting a future that belongs elsewhere. It belongs to no executor: what
    /// is attached to it runs at once in whoever gives a permit back, and on a thread that is to do
    /// so it must not be waited for.
    future<permit> acquire();
    /// The same of an executor, where what is attached to it runs, and whose close cancels it.
    /// @throws usage_error{errc::closed}
    future<permit> acquire(executor& where);

private:
    const detail::intrusive_ptr<detail::permits> permits_;
};

} // namespace curlicue
