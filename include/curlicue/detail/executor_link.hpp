// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/executor.hpp>

#include <map>
#include <mutex>

namespace curlicue::detail {

/// Something to do at a certain time, unless its timer is stopped before.
class timed_work {
public:
    using queue = std::multimap<executor::clock::time_point, timed_work*>;

    virtual void expired() noexcept = 0;

    queue::iterator position; ///< belongs to the executor while `armed`
    bool armed = false;

protected:
    ~timed_work() = default;
};

/// Something that ends with its executor: a promise or a task nobody has fulfilled yet.
class pending_work {
public:
    /// Cancels it, unless its last owner is just leaving.
    virtual void executor_closed() noexcept = 0;
    /// Adds an owner, if there is one left: `executor_closed` is called without a lock.
    virtual bool keep() noexcept = 0;

    pending_work* previous = nullptr;
    pending_work* next = nullptr;

protected:
    ~pending_work() = default;
};

/// How futures reach an executor that may be gone before them: they share this.
/// @threading thread-safe
class CURLICUE_EXPORT executor_link final : public ref_counted {
public:
    explicit executor_link(executor& target) noexcept : target_(&target) {}

    static const intrusive_ptr<executor_link>& of(const executor& target) noexcept {
        return target.link_;
    }

    /// Queues `item`; runs it at once if the executor is gone.
    void enqueue(work& item) noexcept;
    /// False also if the executor is gone: then nothing is ever run "there".
    bool runs_here() const noexcept;
    bool gone() const noexcept;
    bool accepting() const noexcept;

    /// Both on the executor's thread. No timer is started once the executor is gone.
    void start_timer(timed_work& timer, executor::clock::time_point deadline);
    void stop_timer(timed_work& timer) noexcept;

    void unobserved(std::exception_ptr failure) noexcept;

    /// Remembers `item`, to be told when the executor closes.
    /// @throws usage_error{errc::closed}
    void watch(pending_work& item);
    void forget(pending_work& item) noexcept;

    void cancel_pending() noexcept;
    void retire() noexcept;

private:
    void unlink(pending_work& item) noexcept;

    mutable std::mutex mutex_;
    executor* target_;
    bool accepting_ = true;
    pending_work* pending_ = nullptr;
};

/// `enqueue` for futures that may have no executor at all: then `item` runs at once.
inline void enqueue(const intrusive_ptr<executor_link>& link, work& item) noexcept {
    if (link)
        link->enqueue(item);
    else
        item.run();
}

} // namespace curlicue::detail
