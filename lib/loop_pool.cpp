// SPDX-License-Identifier: MIT
#include "easy_core.hpp"
#include "known_faults.hpp"
#include "server_name.hpp"
#include "shard.hpp"
#include <curlicue/error.hpp>
#include <curlicue/loop.hpp>

#include <algorithm>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

namespace curlicue {
namespace {

// With so many pending transfers a loop has enough to do to share it with another.
constexpr std::size_t crowded = 32;
// A loop with so many fewer is worth the connections that have to be made there.
constexpr std::size_t clearly = 8;

/// Has an easy while its URL is read, so that nobody else adds it meanwhile. It is one object for
/// all, which nobody can meet too late.
class reader final : public detail::attachment {
public:
    static reader& instance() noexcept {
        static reader one;
        return one;
    }

    // Nobody comes here: it calls no callback, and other threads are refused before.
    void remove(detail::easy_core&) override {}
    void pause(detail::easy_core&, int) override {}
    void callback_failed(detail::easy_core&) noexcept override {}
};

/// What an easy says about where it should run.
struct destination {
    std::optional<std::size_t> server; ///< a number for it; none: not known
    bool stays;                        ///< its connections may carry several transfers
};

destination destination_of(detail::easy_core& core, std::string_view call) {
    if (!core.claim(reader::instance()))
        throw usage_error(errc::already_added, call);
    detail::server_name name;
    const auto server = name.of(core);
    destination found{std::nullopt, false};
    if (!server.empty()) {
        found.server = std::hash<std::string_view>()(server);
        found.stays =
            !detail::has(detail::fault::stalls_streams) && detail::may_multiplex(core, server);
    }
    core.release_claim();
    return found;
}

// A field that is added to multi_stats does not compile here until it is summed as well.
void add(multi_stats& sum, const multi_stats& more) noexcept {
    auto& [pending, running, sockets, shards, completed, failed, cancelled, unobserved, wakeups,
           heartbeats, waits, spins, deadlines, upkeeps, rebuilds, libcurl_total, libcurl_longest,
           continuations_total, continuations_longest] = sum;
    pending += more.pending;
    running += more.running;
    sockets += more.sockets;
    shards += more.shards;
    completed += more.completed;
    failed += more.failed;
    cancelled += more.cancelled;
    unobserved += more.unobserved;
    wakeups += more.wakeups;
    heartbeats += more.heartbeats;
    waits += more.waits;
    spins += more.spins;
    deadlines += more.deadlines;
    upkeeps += more.upkeeps;
    rebuilds += more.rebuilds;
    libcurl_total += more.libcurl_total;
    libcurl_longest = std::max(libcurl_longest, more.libcurl_longest);
    continuations_total += more.continuations_total;
    continuations_longest = std::max(continuations_longest, more.continuations_longest);
}

} // namespace

/// Ready when every loop's multi is closed. It belongs to no executor: to which could it, when all
/// of them close? `gather` would be cancelled by the first.
class loop_pool::completion final : public detail::state<void> {
public:
    explicit completion(std::size_t loops)
        : state<void>(nullptr), size_(loops), open_(loops),
          waiting_(std::make_unique<one[]>(loops)) {
        goes_on_without_consumers();
        fix();
        store({});
    }

    /// The executor of the loop of this number, before anybody waits for this.
    void covers(std::size_t loop, const executor& its) noexcept {
        waiting_[loop].loop = detail::executor_link::of(its);
    }
    bool ends(const detail::executor_link& executor) const noexcept override {
        const auto* const first = waiting_.get();
        return std::any_of(first, first + size_,
                           [&](const one& each) { return each.loop.get() == &executor; });
    }
    /// Told of the end of `close`, that of the loop of this number.
    void wait_for(std::size_t loop, const future<void>& close) noexcept {
        retain();
        waiting_[loop].all = this;
        close.checked()->attach(waiting_[loop]);
    }

private:
    // Made before anything closes: then there may be no memory for it.
    struct one final : detail::continuation {
        void source_ready() noexcept override {
            const auto last = detail::intrusive_ptr<completion>::adopt(all);
            if (all->open_.fetch_sub(1, std::memory_order_acq_rel) == 1)
                all->settle();
        }
        completion* all = nullptr;
        detail::intrusive_ptr<detail::executor_link> loop;
    };

    const std::size_t size_;
    std::atomic<std::size_t> open_;
    const std::unique_ptr<one[]> waiting_; // NOLINT(modernize-avoid-c-arrays): none can move
};

std::size_t loop_pool::cores() noexcept {
    return std::max<std::size_t>(std::thread::hardware_concurrency(), 1);
}

loop_pool::loop_pool(std::size_t size, options_of options) {
    if (size == 0)
        throw std::invalid_argument("loop_pool: with no loop nothing would run; ask for 1 at the "
                                    "least, or for loop_pool::cores()");
    completion_ = detail::make_intrusive<completion>(size);
    loops_.reserve(size);
    for (std::size_t loop = 0; loop != size; ++loop) {
        loops_.push_back(
            std::make_unique<loop_thread>(options ? options(loop) : async_multi_options{}));
        completion_->covers(loop, loops_.back()->multi().executor());
    }
}

loop_pool::~loop_pool() {
    closed_.store(true, std::memory_order_release);
    try {
        for (const auto& each : loops_)
            static_cast<void>(each->multi().close());
        // The continuations of one loop may still ask for another.
        for (const auto& each : loops_)
            each->multi().close().wait();
    } catch (const usage_error&) {
        // This is the thread of one of them, whose destructor says so; or they are another
        // process's.
    }
}

future<easy> loop_pool::add_handle(const easy& handle) {
    if (closed()) {
        auto* const own = loop_of_task(); // which drains, or refuses it
        if (own == nullptr)
            throw usage_error(errc::closed, "loop_pool::add_handle");
        return own->multi().add_handle(handle);
    }
    return loop_for(handle).multi().add_handle(handle);
}

// That on whose executor the task runs that calls this, or null.
loop_thread* loop_pool::loop_of_task() const noexcept {
    const auto* const task = detail::running_task();
    const auto runs_it = [task](const auto& loop) {
        return task->owner().link() == detail::executor_link::of(loop->multi().executor());
    };
    const auto found =
        task == nullptr ? loops_.end() : std::find_if(loops_.begin(), loops_.end(), runs_it);
    return found == loops_.end() ? nullptr : found->get();
}

loop_thread& loop_pool::loop_for(const easy& handle) const {
    const auto& core = detail::easy_access::core_of(handle);
    if (!core || core->closed())
        throw usage_error(errc::closed, "an easy");
    if (loops_.size() == 1)
        return *loops_.front();
    const auto to = destination_of(*core, "loop_pool::add_handle");
    const auto pending = [](const auto& loop) { return loop->multi().stats().pending; };
    loop_thread* home = nullptr;
    std::size_t at_home = 0;
    if (to.server) {
        const auto& chosen = loops_[*to.server % loops_.size()];
        home = chosen.get();
        if (to.stays || (at_home = pending(chosen)) < crowded)
            return *home;
    }
    auto* idlest = loops_.front().get();
    auto fewest = pending(loops_.front());
    for (const auto& each : loops_)
        if (const auto count = pending(each); count < fewest) {
            fewest = count;
            idlest = each.get();
        }
    return home != nullptr && fewest + clearly > at_home ? *home : *idlest;
}

future<void> loop_pool::close() {
    return end([](async_multi& multi) { return multi.close(); });
}

future<void> loop_pool::drain(std::chrono::milliseconds patience) {
    return end([patience](async_multi& multi) { return multi.drain(patience); });
}

template <class End> future<void> loop_pool::end(End end) {
    const bool first = !closed_.exchange(true, std::memory_order_acq_rel);
    for (std::size_t loop = 0; loop != loops_.size(); ++loop) {
        const auto over = end(loops_[loop]->multi());
        if (first)
            completion_->wait_for(loop, over);
    }
    return future<void>(completion_);
}

multi_stats loop_pool::stats() const {
    multi_stats sum;
    for (const auto& each : loops_)
        add(sum, each->multi().stats());
    return sum;
}

} // namespace curlicue
