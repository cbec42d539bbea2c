// SPDX-License-Identifier: MIT
#pragma once

#include "goodbyes.hpp"
#include "multi_handle.hpp"
#include <curlicue/detail/executor_link.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace curlicue::detail {

class engine;

/// One multi handle of an engine, and what libcurl has asked for on it: a time to be called again,
/// or to be called at once (a *kick*). It tells its engine about sockets.
/// @threading loop-bound
class shard final : public multi_events, private timed_work {
public:
    shard(engine& owner, std::size_t place) noexcept : number(place), owner_(owner) {}
    shard(const shard&) = delete;
    shard& operator=(const shard&) = delete;
    ~shard();

    /// Null before `open` and after `close`.
    multi_handle* multi() const noexcept { return multi_.get(); }
    /// Makes the multi handle, unless there is one.
    /// @throws std::bad_alloc
    void open(const remembered_options& settings);
    /// Cleans it up; libcurl calls back meanwhile. The engine has ended its watches before.
    void close() noexcept;

    CURLMcode setopt(CURLMoption option, curl_off_t value) noexcept;
    /// In its pool, for the connections of all that run here.
    void make_room() noexcept;

    /// libcurl is to be called with its timeout in the next turn, whatever it asks for until then.
    void kick() noexcept;
    /// Likewise, for all of its transfers.
    void kick_all() noexcept;
    bool take_kick_for_all() noexcept { return std::exchange(kicked_for_all_, false); }
    bool kicked() const noexcept { return kicked_ || due_; }
    bool take_kick() noexcept {
        driven = true;
        const bool due = std::exchange(due_, false);
        return std::exchange(kicked_, false) || due;
    }
    /// Too many kicks for one turn: the rest comes after a moment.
    void postpone_kick() noexcept;

    /// libcurl, or we for lack of memory, cannot go on with this multi handle.
    void poison(CURLMcode code) noexcept { poison_ = code; }
    CURLMcode take_poison() noexcept { return std::exchange(poison_, CURLM_OK); }

    const std::size_t number;   ///< among the engine's shards
    std::size_t running = 0;    ///< transfers that libcurl holds here
    std::size_t looking_up = 0; ///< of these, how many look a name up
    std::size_t waiting = 0;    ///< of these, for how many libcurl may ask for too little
    std::size_t sockets = 0;    ///< of its connections that are watched, idle ones too
    bool greets = false;        ///< a TLS handshake is to begin with the next call for what is due
    work_queue greeting_later;  ///< starts of transfers, for after that call
    unsigned effects = 0;       ///< of calls of libcurl's: callbacks and completions
    /// Likewise, but for those that only tell when to call again.
    unsigned moves() const noexcept { return effects - times_; }
    // The heartbeat's own.
    bool driven = false;    ///< libcurl was called since the last one
    bool beaten = false;    ///< by that one, and nothing was heard of it
    bool moved = false;     ///< bytes have come or gone before this one
    bool wants_all = false; ///< somebody may need to be called for
    bool listed = false;    ///< among those that were kicked
    bool rested = false;    ///< nothing ran at the last look for idle shards
    goodbyes idle;          ///< connections

private:
    friend class invariants;
    int on_socket(CURL* easy, curl_socket_t socket, int what, void* socketp) noexcept override;
    int on_timer(long timeout_ms) noexcept override;
    void on_notify(unsigned, CURL*) noexcept override {}
    void expired() noexcept override;

    engine& owner_;
    std::unique_ptr<multi_handle> multi_;
    void set_due(bool due) noexcept;

    unsigned times_ = 0; // of the effects
    bool due_ = false;   // libcurl's timer
    bool kicked_ = false;
    bool kicked_for_all_ = false;
    std::size_t pool_ = 0; // how many connections libcurl may keep; 0: the user has said
    CURLMcode poison_ = CURLM_OK;
};

} // namespace curlicue::detail
