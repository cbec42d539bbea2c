// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/async_multi_options.hpp>
#include <curlicue/detail/export.hpp>
#include <curlicue/detail/intrusive_ptr.hpp>
#include <curlicue/detail/multi_option.hpp>
#include <curlicue/easy.hpp>
#include <curlicue/executor.hpp>
#include <curlicue/future.hpp>
#include <curlicue/task.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <curl/curl.h>

struct uv_loop_s;

namespace curlicue {

namespace detail {
class engine;
struct multi_access;
} // namespace detail
class loop_thread;

/// Runs transfers on a libuv loop that it does not own, and hands each back as a future: libcurl's
/// multi handle, driven by one `uv_poll_t` a socket, one `uv_timer_t` and one `uv_async_t`.
///
/// *Threads:* `add_handle`, `perform`, `post`, `close`, `drain`, `closed`, `contains`, `size`,
/// `stats`, the destructor and every `future::cancel` are **thread-safe**. `run_until` is for who
/// owns the loop, and on any thread while none runs it. All else is **loop-bound** and throws
/// usage_error{errc::wrong_thread} elsewhere. The loop's thread is the one that last ran one of our
/// callbacks; before that, the one that bound the multi, on which the loop may not run meanwhile.
///
/// *Callbacks:* every member may be called from every continuation, the destructor included. Inside
/// a callback of libcurl's, `add_handle`, `remove_handle`, `close` and `cancel` take effect when
/// libcurl has returned.
///
/// After `close`, `setopt`, `add_handle`, `perform`, `remove_handle` and `post` throw
/// usage_error{errc::closed}; while it drains, those that would bring new work: all but `setopt`
/// and `remove_handle`, and not in a task that runs on its executor.
///
/// *Fork:* in a child process everything throws usage_error{errc::forked}, `close` too, and the
/// destructor leaves all as it is: sockets and loop are shared with the parent. Make a new one
/// there.
class CURLICUE_EXPORT async_multi {
public:
    /// Binds to the thread's current loop (see `loop_scope`) at the first `add_handle`.
    /// @throws std::system_error if libcurl cannot be initialised
    explicit async_multi(async_multi_options options = {});
    /// Binds now. *Ownership:* the loop stays the caller's, and must not be closed before us.
    /// @throws usage_error{errc::null_handle}; std::system_error if libuv refuses
    explicit async_multi(uv_loop_s* loop, async_multi_options options = {});
    async_multi(const async_multi&) = delete;
    async_multi& operator=(const async_multi&) = delete;
    /// Begins `close()`, and never blocks. What is left on the loop goes when the loop next runs.
    ~async_multi();

    /// Numbers, for the options that take one. Sockets, timer, notifications and server push are
    /// ours to handle: those do not compile.
    /// @throws multi_error if libcurl refuses
    template <CURLMoption Option, std::integral V> void setopt(V value);
    /// The run-time form. @throws std::invalid_argument for those that are ours or take no number
    void setopt(CURLMoption option, curl_off_t value);

    /// Starts a transfer. The future holds the easy, or `transfer_error`, or what a callback threw,
    /// or `cancelled`. A reply with an error status (HTTP 404) is a success.
    ///
    /// An owned easy with CONNECT_ONLY stays added when its future is ready, for `send` and `recv`,
    /// until `remove_handle` or `close`: libcurl drops its connection otherwise.
    /// @throws usage_error closed, already_added, no_loop, wrong_loop; multi_error if libcurl
    ///     refuses it. Where its start has to wait, the future fails instead: called on another
    ///     thread or inside libcurl, while others look its server's name up, and behind others
    ///     over TLS that have yet to connect
    /// @threading thread-safe
    future<easy> add_handle(const easy& handle);
    /// The same, under the name that reads well with `co_await`.
    future<easy> perform(const easy& handle) { return add_handle(handle); }
    /// Ends a transfer; its future is cancelled. Nothing waits for the server, and a mail that is
    /// not sent to its end is not delivered.
    /// @throws usage_error{errc::not_added}, also when the transfer is over
    void remove_handle(const easy& handle);

    /// The pending transfers, in the order in which they were added.
    std::vector<shared_future<easy>> futures() const;
    /// Those of `handles`, in that order. @throws std::out_of_range if one is not pending here
    std::vector<shared_future<easy>> futures(std::span<const easy> handles) const;

    /// No new work; pending futures are cancelled; all handles of ours on the loop are closed. The
    /// future is ready after the last libuv close callback. Idempotent: each call returns a future
    /// of the same completion, whose `cancel` does nothing. `run_until(multi.close())` is the
    /// idiom.
    /// @threading thread-safe
    future<void> close();
    /// No new work; closes when the running transfers are over and the tasks on its executor have
    /// ended, whose new transfers are taken, or when `patience` is over. A task that itself awaits
    /// this future is not waited for; it sees `cancelled`.
    /// @threading thread-safe
    future<void> drain(std::chrono::milliseconds patience);
    /// From the first `close` or `drain` on. @threading thread-safe
    bool closed() const noexcept;

    /// Whether the easy is added here; not any more once its removal was asked for. @threading
    /// thread-safe, as `size`
    bool contains(const easy& handle) const noexcept;
    /// How many easies are added here.
    std::size_t size() const noexcept;
    /// Null if not bound (yet).
    uv_loop_s* loop() const noexcept;

    /// From now on as the option of that name says.
    void keep_loop(hold how);
    /// `ref`: as `hold::always`. `unref`: back to the option given, or `never` if that was
    /// `always`.
    void ref();
    void unref();

    /// Runs `callable()` on the loop's thread; the future holds what it returns. A post does not
    /// keep the loop alive from another thread: `ref()` if that matters.
    /// @throws usage_error closed, no_loop
    /// @threading thread-safe
    template <class F> auto post(F&& callable) {
        auto& queue = open_executor();
        promise<void> turn(queue);
        auto called = turn.get_future().then(std::forward<F>(callable));
        queue.post([turn = std::move(turn)]() mutable { turn.set_value(); });
        return called;
    }

    /// Runs the loop until `awaited` is ready, and gives its value or throws its failure. For those
    /// who own the loop; it is held open while anything of ours is pending.
    /// @throws usage_error would_deadlock, if the loop runs out of work before; stopped, if
    /// somebody
    ///     calls `uv_stop`; inside_callback; no_loop; wrong_thread while another thread runs the
    ///     loop: in `run_until`, as a `loop_thread`, or polling. The transfer goes on, and an
    ///     lvalue stays valid. Who is in a callback of the host's own is not seen by this.
    /// @threading a loop may move to this thread so. Meanwhile the thread that ran it last calls
    ///     nothing of it: what it queues counts as queued on the loop's thread until this runs.
    template <class T> T run_until(future<T>& awaited) {
        run_until(*awaited.checked());
        return awaited.get();
    }
    template <class T> T run_until(future<T>&& awaited) { return run_until(awaited); }
    template <class T> T run_until(shared_future<T> awaited) {
        run_until(*awaited.checked());
        return awaited.get();
    }
    /// Starts the task on the loop, and runs that until it has ended. Refused at the call, the task
    /// is as before; after `would_deadlock` and `stopped` it goes on when the loop runs again, and
    /// what it refers to must be there.
    template <class T> T run_until(task<T>&& body) {
        check_runnable();
        return run_until(co_spawn(executor(), std::move(body)));
    }

    /// Runs things on the loop's thread: for `promise`, `co_spawn` and `resume_on`.
    /// @throws usage_error{errc::no_loop} while unbound
    /// @threading thread-safe once bound
    curlicue::executor& executor();

    /// @threading thread-safe
    multi_stats stats() const;
    /// The versions found, what is done differently for their sake, and what holds up the loop:
    /// text for a person.
    std::string diagnostics() const;

private:
    friend class loop_thread;
    friend struct detail::multi_access;
    curlicue::executor& open_executor();
    void run_until(detail::state_base& awaited);
    void check_runnable() const;

    detail::intrusive_ptr<detail::engine> engine_;
    // What `fetch` keeps here: a client with nothing set.
    std::once_flag fetches_;
    std::shared_ptr<const void> fetch_client_;
};

template <CURLMoption Option, std::integral V> void async_multi::setopt(V value) {
    static_assert(detail::kind_of(Option) == detail::multi_option_kind::number,
                  "an async_multi sets options that take a number; sockets, timer, notifications "
                  "and server push are its own to handle");
    setopt(Option, static_cast<curl_off_t>(value));
}

namespace detail {

// The last step of `with_async_multi`: whichever way the body ended, cancelled included, its
// outcome passes on once the multi is closed.
template <class R> struct closing_step {
    std::unique_ptr<async_multi> multi;
    static constexpr bool runs_when_cancelled = true;

    template <class Target> void operator()(Target& target, result<R>&& outcome) {
        auto closed = multi->close();
        target.follow(std::move(closed).then(
            [outcome = std::move(outcome), multi = std::move(multi)]() mutable -> R {
                return std::move(outcome).value();
            }));
    }
};

template <class F, class Task = std::invoke_result_t<F&, async_multi&>>
Task kept_task(F callable, async_multi& multi) {
    co_return co_await callable(multi);
}

} // namespace detail

/// A multi for the length of a task: `body(async_multi&) -> task<R>` is started on a new one; when
/// it has ended, whichever way, the multi is closed, and after that the future is ready.
template <class F> auto with_async_multi(uv_loop_s* loop, async_multi_options options, F body) {
    auto multi = std::make_unique<async_multi>(loop, std::move(options));
    auto running = co_spawn(multi->executor(), detail::kept_task(std::move(body), *multi));
    using R = typename decltype(running)::value_type;
    using step = detail::closing_step<R>;
    auto closed = detail::make_intrusive<detail::then_state<R, R, step>>(running.checked(), false,
                                                                         step{std::move(multi)});
    closed->start();
    return future<R>(std::move(closed));
}

} // namespace curlicue
