// SPDX-License-Identifier: MIT
#include "process.hpp"

#include <pthread.h>

namespace curlicue::detail {

std::atomic<unsigned> process_mark::forks{0};

/// What happens around each fork.
struct fork_handlers {
    static void install() noexcept {
        static const int installed = pthread_atfork(&before, &in_parent, &in_child);
        static_cast<void>(installed); // refused for lack of memory: a fork is then not noticed
    }
    static fork_mutex* enter(fork_mutex& one) noexcept {
        install();
        const std::lock_guard lock(of_the_list);
        auto* const next = first;
        first = &one;
        return next;
    }

private:
    static void before() {
        of_the_list.lock();
        for (auto* each = first; each != nullptr; each = each->next_)
            each->lock();
    }
    static void in_parent() {
        for (auto* each = first; each != nullptr; each = each->next_)
            each->unlock();
        of_the_list.unlock();
    }
    static void in_child() {
        process_mark::forks.fetch_add(1, std::memory_order_relaxed);
        in_parent();
    }

    static inline std::mutex of_the_list;
    static inline fork_mutex* first = nullptr;
};

process_mark::process_mark() noexcept
    : forks_((fork_handlers::install(), forks.load(std::memory_order_relaxed))) {}

fork_mutex::fork_mutex() noexcept : next_(fork_handlers::enter(*this)) {}

} // namespace curlicue::detail
