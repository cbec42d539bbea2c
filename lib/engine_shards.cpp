// SPDX-License-Identifier: MIT
// Which multi handles an engine has, and which of them a transfer goes to.
#include "engine.hpp"
#include <curlicue/error.hpp>

#include <algorithm>
#include <new>
#include <utility>

namespace curlicue::detail {
namespace {

// How often idle shards are looked for; one that is idle twice in a row is closed.
constexpr std::chrono::seconds rest_time(30);

// CURLMOPT_NETWORK_CHANGED, of libcurl 8.16: nothing that is set, but a thing that happens.
constexpr auto network_has_changed = static_cast<CURLMoption>(CURLOPTTYPE_LONG + 17);
constexpr long clear_connections = 1L << 1, clear_addresses = 1L << 2; // CURLMNWC_…

// Of libcurl 8.20: the threads of each multi handle. Of all together, which is what the user means,
// there are as few if no more look-ups run.
constexpr auto resolve_threads = static_cast<CURLMoption>(CURLOPTTYPE_LONG + 20);

constexpr bool limits_connections(CURLMoption option) noexcept {
    return option == CURLMOPT_MAXCONNECTS || option == CURLMOPT_MAX_HOST_CONNECTIONS ||
           option == CURLMOPT_MAX_TOTAL_CONNECTIONS;
}

} // namespace

// Where nothing is left for one more, the first has to do: libcurl 8.20 and newer make no multi
// handle without descriptors for its wake-ups (multi.c, Curl_multi_handle).
shard& engine::shard_for(origin& server) {
    if (const auto number = placement_.choose(server); number != 0) {
        try {
            return open_shard(number);
        } catch (const std::bad_alloc&) {
            // The first is open already, or it says so itself.
        }
    }
    return open_shard(0);
}

shard& engine::open_shard(std::size_t number) {
    while (shards_.size() <= number) {
        kicked_.reserve(shards_.size() + 1);
        driven_.reserve(shards_.size() + 1);
        shards_.push_back(std::make_unique<shard>(*this, shards_.size()));
    }
    auto& chosen = *shards_[number];
    if (chosen.multi() == nullptr) {
        chosen.open(settings_);
        counters_.shards.add();
    }
    chosen.rested = false;
    return chosen;
}

void engine::close_shard(shard& of) noexcept {
    if (of.multi() == nullptr)
        return;
    sockets_->forget(of);
    dispatcher_.run_later(of.greeting_later);
    of.greets = false;
    {
        const goodbyes::silence silence(of.idle);
        call_libcurl([&] { return of.close(), CURLM_OK; });
    }
    counters_.shards.set(counters_.shards.value() - 1);
}

void engine::set(CURLMoption option, curl_off_t value) {
    constexpr auto call = "async_multi::setopt";
    if (depth_ != 0) // libcurl refuses it there, and does not say why
        throw usage_error(errc::inside_callback, call);
    settings_.make_room();
    open_shard(0); // even if nothing is added yet: libcurl is to say what it takes
    for (const auto& each : shards_) {
        const auto code = each->multi() == nullptr
                              ? CURLM_OK
                              : call_libcurl([&] { return each->setopt(option, value); });
        if (code != CURLM_OK)
            throw multi_error(code, call);
    }
    if (option == network_has_changed) {
        // libcurl leaves a cache alone that a share has (multi.c). Transfers that run keep theirs.
        placement_.network_changed();
        return;
    }
    settings_.remember(option, value);
    if (option == resolve_threads)
        look_ups_.limit(static_cast<std::size_t>(std::max<curl_off_t>(value, 1)));
    if (option == CURLMOPT_PIPELINING) {
        multiplexes_ = (value & CURLPIPE_MULTIPLEX) != 0;
        placement_.start_over();
    } else if (limits_connections(option)) {
        placement_.limit(settings_.any(limits_connections));
        close_idle_shards();
    }
}

// libcurl 8.16 ends the connections of a shard in which something runs, as soon as nothing does
// there; below, new transfers pass them by.
void engine::network_changed() noexcept {
    placement_.network_changed();
    for (const auto& each : shards_) {
        const auto tell = [&] {
            return each->setopt(network_has_changed, clear_connections | clear_addresses);
        };
        if (each->running == 0)
            close_shard(*each);
        else if (call_libcurl(tell) != CURLM_OK) // it does not know it
            network_changed_ = std::chrono::steady_clock::now();
    }
    run_deferred(); // asked for by callbacks of connections that were closed
}

bool engine::surplus(const shard& of) noexcept {
    return of.number != 0 && of.running == 0 && of.multi() != nullptr;
}

void engine::close_idle_shards() noexcept {
    for (const auto& each : shards_)
        if (surplus(*each) && (std::exchange(each->rested, true) || placement_.limited()))
            close_shard(*each);
    if (std::any_of(shards_.begin(), shards_.end(),
                    [](const auto& each) { return surplus(*each); }))
        look_for_idle_shards();
    run_deferred(); // asked for by callbacks of connections that were closed
}

// For their descriptors, when nothing runs: the next transfer opens them again.
void engine::close_idle_shards_now() noexcept {
    for (const auto& each : shards_)
        close_shard(*each);
}

void engine::look_for_idle_shards() noexcept {
    start_alarm(resting_, placement_.limited() ? std::chrono::seconds(0) : rest_time);
}

void engine::kicked(shard& by) noexcept {
    if (!std::exchange(by.listed, true))
        kicked_.push_back(&by); // there is room for all: open_shard
}

bool engine::drive_kicked() noexcept {
    bool any = false;
    driven_.swap(kicked_);
    // What a callback adds may open a shard, and these vectors grow with that.
    // NOLINTNEXTLINE(modernize-loop-convert)
    for (std::size_t i = 0; i != driven_.size(); ++i) {
        auto& each = *driven_[i];
        if (any && has_had_its_time()) {
            return_kicks(i);
            break;
        }
        each.listed = false;
        if (each.take_kick() && each.multi() != nullptr) {
            each.greets = false;
            if (!each.greeting_later.empty())
                greet_next(each);
            if (each.take_kick_for_all())
                drive_all(each);
            else
                drive(each, CURL_SOCKET_TIMEOUT, 0);
            any = true;
        }
    }
    driven_.clear();
    return any;
}

// Those of the driven that have not come to it, before those that have been kicked since.
[[gnu::noinline]] void engine::return_kicks(std::size_t first) noexcept {
    // There is room for all: open_shard.
    kicked_.insert(kicked_.begin(), driven_.begin() + static_cast<std::ptrdiff_t>(first),
                   driven_.end());
}

void engine::postpone_kicks() noexcept {
    // Without memory for its timer a shard is kicked again.
    driven_.swap(kicked_);
    for (auto* const each : driven_) {
        each->listed = false;
        if (each->kicked())
            each->postpone_kick();
    }
    driven_.clear();
}

} // namespace curlicue::detail
