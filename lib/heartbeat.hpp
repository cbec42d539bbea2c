// SPDX-License-Identifier: MIT
#pragma once

#include "shard.hpp"
#include "timeout.hpp"
#include "transfer_list.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

namespace curlicue::detail {

/// While transfers run, now and then, a look at all of them, and then a call of libcurl for those
/// shards that may need one: where nothing else has called it since the last beat, and for all
/// transfers where somebody may be stuck. The look also finds transfers whose time is over, for
/// which alone it comes where there is no heartbeat.
///
/// It is a round of small steps, one a turn of the loop, however many transfers there are.
/// @threading loop-bound
class heartbeat final : private timed_work {
public:
    using clock = timeout::clock;

    class owner {
    public:
        virtual timeout& timers() noexcept = 0;
        /// The time of a transfer is over.
        virtual void is_late(transfer& item) noexcept = 0;
        /// Calls libcurl for the transfers of a shard that have waited for a time, or for all.
        virtual void call(shard& of, bool all) noexcept = 0;
        /// A call that nothing but a beat was the reason for has moved something.
        virtual void beat_helped() noexcept = 0;

    protected:
        ~owner() = default;
    };
    using shard_list = std::vector<std::unique_ptr<shard>>;

    /// @param interval 0 or less: none, but for the ends of transfers' times
    heartbeat(owner& told, transfer_list& transfers, const shard_list& shards,
              std::chrono::milliseconds interval) noexcept
        : owner_(told), transfers_(transfers), shards_(shards), interval_(interval) {}

    /// A transfer has begun to run, or to wait; its time is over at `end`, should nobody end it.
    void follow(clock::time_point end) noexcept {
        if (end < earliest_)
            earliest_ = end;
        else if (armed)
            return;
        arm();
    }
    /// Whether there is a round of which steps are left.
    bool under_way() const noexcept { return stage_ != stage::none; }
    /// A few transfers looked at, or one call of libcurl.
    /// @param behind there are sockets that the loop has not come to yet: who waits for that is not
    ///               stuck, and a call for all would come to all of them at once
    void step(bool behind) noexcept;
    /// For good.
    void stop() noexcept;

private:
    enum class stage : unsigned char { none, looking, beating };

    void arm() noexcept;
    void expired() noexcept override;
    void look() noexcept;
    bool look_at(transfer& item) noexcept;
    bool beat(shard& of) noexcept;
    void end_round() noexcept;

    owner& owner_;
    transfer_list& transfers_;
    const shard_list& shards_;
    const std::chrono::milliseconds interval_;
    stage stage_ = stage::none;
    bool stopped_ = false;
    bool beats_ = false;         // this round, after its look
    bool running_ = false;       // there are transfers, by this round's look
    std::size_t next_shard_ = 0; // of this round
    unsigned put_off_ = 0;       // turns in a row in which its calls had to wait
    clock::time_point now_;      // of this round
    clock::time_point next_beat_ = clock::time_point::max();
    clock::time_point next_look_ = clock::time_point::min(); // not sooner
    clock::time_point earliest_ = clock::time_point::max();  // end of a transfer's time
};

} // namespace curlicue::detail
