// SPDX-License-Identifier: MIT
#include "shard.hpp"

#include "engine.hpp"
#include "known_faults.hpp"
#include <curlicue/detail/clock.hpp>

#include <new>

namespace curlicue::detail {
namespace {

constexpr std::size_t smallest_pool = 128;

} // namespace

shard::~shard() { close(); }

[[gnu::noinline]] void shard::open(const remembered_options& settings) {
    if (multi_)
        return;
    multi_ = std::make_unique<multi_handle>(*this);
    if (has(fault::stalls_streams))
        multi_->setopt(CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    setopt(CURLMOPT_MAXCONNECTS, 0);
    for (const auto& [option, value] : settings)
        setopt(option, value);
    multi_->listen_sockets(true);
    multi_->listen_timer(true);
}

void shard::close() noexcept {
    if (!multi_)
        return;
    multi_->cleanup();
    multi_.reset();
    kicked_ = kicked_for_all_ = false;
    on_timer(-1); // also what libcurl asked for meanwhile
    poison_ = CURLM_OK;
}

// Left alone, libcurl keeps four connections for each transfer that runs, and from 8.0 on closes
// good ones while a batch of finished transfers is read.
CURLMcode shard::setopt(CURLMoption option, curl_off_t value) noexcept {
    if (option != CURLMOPT_MAXCONNECTS)
        return multi_->setopt(option, value);
    pool_ = value == 0 ? smallest_pool : 0;
    return multi_->setopt(option, value == 0 ? static_cast<curl_off_t>(pool_) : value);
}

void shard::make_room() noexcept {
    if (pool_ != 0 && 2 * running > pool_)
        multi_->setopt(CURLMOPT_MAXCONNECTS, static_cast<curl_off_t>(pool_ *= 2));
}

void shard::kick() noexcept {
    kicked_ = true;
    owner_.kicked(*this);
}

void shard::kick_all() noexcept {
    kicked_for_all_ = true;
    kick();
}

void shard::set_due(bool due) noexcept {
    due_ = due;
    if (due)
        owner_.kicked(*this);
}

void shard::postpone_kick() noexcept {
    kicked_ = false;
    on_timer(1);
}

// Both always answer 0: -1 makes libcurl give up every transfer of the multi, and crash at the
// next call in some versions (7.88 to 8.14, multi_done with a null connection).
[[gnu::flatten]] int shard::on_socket(CURL* easy, curl_socket_t socket, int what, void*) noexcept {
    // In its cleanup 8.10 to 8.20 name sockets that they close at once.
    if (multi_->get() != nullptr) {
        owner_.watch(*this, easy, socket, what);
        if (waiting + looking_up != 0)
            owner_.may_go_on(*this, easy);
    }
    ++effects;
    return 0;
}

int shard::on_timer(long timeout_ms) noexcept {
    ++effects;
    ++times_;
    // Each replaces the one before.
    set_due(timeout_ms == 0);
    if (timeout_ms > 0) {
        try {
            owner_.timers().start(*this, deadline_after(std::chrono::milliseconds(timeout_ms)));
        } catch (const std::bad_alloc&) {
            set_due(true); // early is allowed, never is not
        }
    } else if (armed) {
        owner_.timers().stop(*this);
    }
    return 0;
}

void shard::expired() noexcept { set_due(true); }

} // namespace curlicue::detail
