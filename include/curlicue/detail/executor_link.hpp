// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/intrusive_list.hpp>
#include <curlicue/detail/process_mark.hpp>
#include <curlicue/detail/small_mutex.hpp>
#include <curlicue/executor.hpp>

#include <mutex>

namespace curlicue::detail {

class task_context;

/// Something that is over when its executor closes.
class pending_work : public ref_counted, public list_node {
public:
    virtual void executor_closed() noexcept = 0;

protected:
    ~pending_work() override = default;
};

/// How futures reach an executor that may be gone before them: they share this.
/// @threading thread-safe
class CURLICUE_EXPORT executor_link final : public ref_counted {
public:
    explicit executor_link(executor& target) noexcept : target_(&target) {}

    static const intrusive_ptr<executor_link>& of(const executor& target) noexcept {
        return target.link_;
    }

    /// Of an executor that a thread runs, which no child process has: there it takes nothing any
    /// more, and nothing runs. Before anybody else has it.
    void end_with_process() noexcept { ends_with_process_ = true; }
    /// Whether this is such a child.
    bool left_behind() const noexcept { return ends_with_process_ && process_.elsewhere(); }

    /// Of an executor that has neither a queue nor a thread: whoever would queue something runs it.
    /// Before anybody else has it.
    void run_at_once() noexcept { runs_at_once_ = true; }
    bool runs_at_once() const noexcept { return runs_at_once_; }

    /// Queues `item`; runs it at once if the executor is gone.
    void enqueue(work& item) noexcept;
    /// Whether this is the executor's thread. False if it is gone: nothing runs "there" any more.
    bool runs_here() const noexcept;
    /// Whether what would be queued may as well run here and now: also true if it is gone.
    bool may_run_here() const noexcept;
    bool gone() const noexcept;
    bool accepting() const noexcept;

    /// What the executor's clock shows; the real time once it is gone.
    executor::clock::time_point now() const noexcept;
    /// Both on the executor's thread. No timer is started once the executor is gone.
    void start_timer(timed_work& timer, executor::clock::time_point deadline);
    void stop_timer(timed_work& timer) noexcept;

    void unobserved(std::exception_ptr failure) noexcept;

    /// Remembers `item`, to be told when the executor closes. False if that has begun.
    bool watch(pending_work& item) noexcept;
    void forget(pending_work& item) noexcept;

    /// A task is spawned, and has ended.
    void enter(task_context& task) noexcept;
    void leave(task_context& task) noexcept;
    /// A task is suspended until the executor's end.
    void has_idle_task() noexcept;
    /// Whether there is a task that does not wait for the executor's end.
    bool any_task_at_work() const noexcept;

    void cancel_pending() noexcept;
    void retire() noexcept;

private:
    mutable small_mutex mutex_;
    executor* target_;
    bool accepting_ = true;
    bool ends_with_process_ = false;
    bool runs_at_once_ = false;
    const process_mark process_;
    intrusive_list<pending_work> pending_;
    intrusive_list<task_context> tasks_;
};

/// `link`, or where there is no executor that of a thread which has timers.
CURLICUE_EXPORT intrusive_ptr<executor_link> with_timer(const intrusive_ptr<executor_link>& link);
/// Whether this is that thread.
bool is_timer_thread() noexcept;

/// `enqueue` for futures that may have no executor at all: then `item` runs at once.
inline void enqueue(const intrusive_ptr<executor_link>& link, work& item) noexcept {
    if (link)
        link->enqueue(item);
    else
        item.run();
}

} // namespace curlicue::detail
