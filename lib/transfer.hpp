// SPDX-License-Identifier: MIT
#pragma once

#include "active_socket.hpp"
#include "easy_core.hpp"
#include <curlicue/detail/state.hpp>
#include <curlicue/easy.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

namespace curlicue::detail {

class engine;
class shard;
struct origin;
class transfer;

/// What an engine does with a transfer as soon as it may: it hands it to libcurl, or tells libcurl
/// what has been asked for since.
enum class transfer_step { start, attend };

/// Such a step, queued with a reference: a base of its transfer, which it finds without a pointer.
template <transfer_step Step> class queued_step : public work {
public:
    void run() noexcept override;

protected:
    ~queued_step() = default;
};

/// One `add_handle`: the state of its future, and the claim on its easy until libcurl has let go.
///
/// Cancelling it, from whatever thread, fixes the outcome; the engine then takes it from libcurl,
/// at once where it may and else as soon as it can, and settles it.
class transfer final : public state<easy>,
                       public attachment,
                       private queued_step<transfer_step::start>,
                       private queued_step<transfer_step::attend> {
public:
    transfer(engine& owner, easy handle);

    engine& owner() const noexcept { return *owner_; }
    const easy& handle() const noexcept { return handle_; }
    easy_core& core() const noexcept { return *easy_access::core_of(handle_); }
    CURL* curl() const noexcept { return core().handle(); }

    /// Not `contains`ed any more: removed, cancelled, or about to be.
    bool leaving() const noexcept { return leaving_.load(std::memory_order_acquire); }
    /// Queues the engine's step that adds it to libcurl. Thread-safe.
    void submit() noexcept;
    /// Puts that step into a queue of the engine's, for later.
    void submit_later(work_queue& queue) noexcept;
    /// Sees to it that the engine lets go of it, now or soon. Thread-safe, idempotent.
    void leave() noexcept;

    /// The outcome, unless there is one. Settling is the engine's, once libcurl has let go.
    bool fix_outcome(result<easy>&& outcome) noexcept;
    bool has_outcome() const noexcept { return fixed(); }
    void settle() noexcept { state<easy>::settle(); }
    /// Likewise, the one that libcurl's code means: the easy, what a callback threw, or an error.
    void fix_outcome(CURLcode code) noexcept;

    // attachment
    void remove(easy_core& core) override;
    void pause(easy_core& core, int bitmask) override;
    void callback_failed(easy_core& core) noexcept override;
    void enter_libcurl() noexcept override;
    void leave_libcurl() noexcept override;
    future<void> wait_for_socket(ready_for what) override;

    // The engine's own, on the loop's thread.
    shard* home = nullptr;                 ///< where libcurl has it; null: not (yet, or any more)
    origin* server = nullptr;              ///< while libcurl has it
    std::uint64_t socket_news = 0;         ///< of all transfers, before libcurl got this one
    bool listed = false;                   ///< the engine's list holds a reference
    bool lingers = false;                  ///< over, but its connection is still to be used
    std::unique_ptr<active_socket> socket; ///< that connection's, once somebody waits for it
    bool waited = false;                   ///< for a descriptor or a name
    bool asked = false;                    ///< waits for a look-up, or has done so until now
    bool looks_up = false;                 ///< the name of its server, as far as libcurl has told
    std::optional<int> pending_pause;      ///< asked for before libcurl could be told
    /// When we end it, should libcurl forget to.
    std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
    /// Likewise, while it waits.
    std::chrono::steady_clock::time_point waits_until =
        std::chrono::steady_clock::time_point::max();
    // The heartbeat's own.
    curl_off_t bytes = 0; ///< that had come and gone at its last look
    unsigned still = 0;   ///< looks in a row at which there were no more
    transfer* previous = nullptr;
    transfer* next = nullptr;
    transfer* next_in_bucket = nullptr;

private:
    template <transfer_step> friend class queued_step;

    failure failure_of(CURLcode code) noexcept;
    void attend() noexcept;
    void attend_later() noexcept;
    /// The step, which now holds a reference.
    template <transfer_step Step> work& retained() noexcept;
    intrusive_ptr<state_base> cancel_requested() noexcept override;

    const intrusive_ptr<engine> owner_;
    const easy handle_;
    std::atomic<bool> leaving_{false};
    std::atomic<bool> attending_{false}; // it is queued
};

} // namespace curlicue::detail
