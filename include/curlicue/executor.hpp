// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/export.hpp>
#include <curlicue/detail/intrusive_ptr.hpp>
#include <curlicue/unique_function.hpp>

#include <chrono>
#include <exception>
#include <map>

namespace curlicue {

namespace detail {
class executor_link;

/// One thing to do, linked into a queue without an allocation. Whoever queues it sees to it that
/// it lives until it has run; it is run exactly once for each time it was queued.
class work {
public:
    work() = default;
    work(const work&) = delete;
    work& operator=(const work&) = delete;
    virtual void run() noexcept = 0;

    work* next = nullptr; ///< belongs to the queue

protected:
    ~work() = default;
};

/// A first-in first-out list of `work`, owned by nobody.
class work_queue {
public:
    bool empty() const noexcept { return head_ == nullptr; }
    void push(work& item) noexcept {
        item.next = nullptr;
        *tail_ = &item;
        tail_ = &item.next;
    }
    /// The first item, or null.
    work* pop() noexcept {
        auto* const item = head_;
        if (item != nullptr) {
            head_ = item->next;
            if (head_ == nullptr)
                tail_ = &head_;
        }
        return item;
    }
    /// Moves all items of `other` to the end of this one.
    void splice(work_queue& other) noexcept {
        if (other.empty())
            return;
        *tail_ = other.head_;
        tail_ = other.tail_;
        other.head_ = nullptr;
        other.tail_ = &other.head_;
    }

    work_queue() = default;
    work_queue(const work_queue&) = delete;
    work_queue& operator=(const work_queue&) = delete;

private:
    work* head_ = nullptr;
    work** tail_ = &head_;
};
} // namespace detail

/// Something to do at a certain time, unless its timer is stopped before. *Ownership:* whoever
/// starts it keeps it until it has expired or is stopped.
class timed_work {
public:
    using queue = std::multimap<std::chrono::steady_clock::time_point, timed_work*>;

    timed_work() = default;
    timed_work(const timed_work&) = delete;
    timed_work& operator=(const timed_work&) = delete;

    /// Its time has come: called once, on the executor's thread, when it is not `armed` any more.
    virtual void expired() noexcept = 0;

    // Both belong to the executor, which may keep all it has in a `queue`.
    queue::iterator position; ///< there, while `armed`
    bool armed = false;       ///< started, and neither expired nor stopped

protected:
    ~timed_work() = default;
};

/// Runs what it is given on one thread, in the order given: the dispatcher of an `async_multi`.
/// Futures name theirs, and their continuations run there.
///
/// A class of your own may derive from it; `post` and `runs_here` are all it needs, and `retire` in
/// its destructor if other threads may still use its futures. A continuation that it throws away
/// unrun runs there and then, so that no future is left pending for ever. With `start_timer` and
/// `stop_timer` it has a clock, for `future::timeout`, `sleep_for` and their kin; with `now` that
/// may tell any time, one that a test moves by hand, say.
class CURLICUE_EXPORT executor {
public:
    using clock = std::chrono::steady_clock;

    executor(const executor&) = delete;
    executor& operator=(const executor&) = delete;

    /// Queues `callable`; it never runs inside this call, nor does anything else of the user's:
    /// futures call it with a lock held.
    /// @throws usage_error{errc::closed} once the executor is closed
    /// @threading thread-safe
    virtual void post(unique_function<void()> callable) = 0;

    /// Whether the calling thread is the one that runs what is posted.
    /// @threading thread-safe
    virtual bool runs_here() const noexcept = 0;

    // Its clock. Futures call these three with a lock held: they may queue, and run nothing.

    /// What its clock shows, from which deadlines are counted. The default: the real time.
    /// @threading thread-safe
    virtual clock::time_point now() const noexcept;
    /// Sees to it that `timer.expired()` is called on the executor's thread, at `deadline` or soon
    /// after, and never inside this call; until then `timer` is `armed`. `time_point::max()`:
    /// never. The default has no timer.
    /// @param timer not `armed`
    /// @throws usage_error{errc::no_loop} if there is none; std::bad_alloc
    /// @threading on the executor's thread
    virtual void start_timer(timed_work& timer, clock::time_point deadline);
    /// Nothing if it is not `armed`.
    /// @threading on the executor's thread
    virtual void stop_timer(timed_work& timer) noexcept;

protected:
    executor();
    /// Retires it, if nobody did. What is still pending then ends in here.
    virtual ~executor();

    /// No new promise or task from now on; those that are pending are cancelled, oldest first, and
    /// what this makes of their continuations is queued.
    void cancel_pending() noexcept;
    /// `cancel_pending`, and gone: from now on a continuation runs at once in whoever makes its
    /// future ready. What is queued already is the executor's to run.
    void retire() noexcept;

private:
    friend class detail::executor_link;

    // These are called with a lock held as well.

    /// As `post`, without an allocation. What is thrown away, `item` if it is closed, goes to
    /// `refused` and runs in the caller. The default posts. Thread-safe.
    virtual void enqueue(detail::work& item, detail::work_queue& refused) noexcept;
    /// A task that was spawned here has ended, or waits for the end of this. The default ignores
    /// it. Thread-safe.
    virtual void task_rests() noexcept;
    /// A failure that nobody has looked at. The default ignores it. Thread-safe.
    virtual void unobserved(std::exception_ptr failure) noexcept;

    detail::intrusive_ptr<detail::executor_link> link_;
};

} // namespace curlicue
