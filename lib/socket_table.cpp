// SPDX-License-Identifier: MIT
#include "socket_table.hpp"

#include "goodbyes.hpp"
#include "known_faults.hpp"
#include "scheme.hpp"
#include "shard.hpp"

#include <algorithm>
#include <new>

#include <sys/socket.h>

namespace curlicue::detail {
namespace {

// Where 1,024 are ready libuv polls again before it lets anybody else run (uv__io_poll).
constexpr std::size_t most_put_off = 512;

curl_socket_t connection_of(CURL* transfer) noexcept {
    curl_socket_t last = CURL_SOCKET_BAD;
    curl_easy_getinfo(transfer, CURLINFO_ACTIVESOCKET, &last);
    return last;
}

/// Whether it has become the transfer's connection: one whose response was there at once libcurl
/// has never asked to read from, nor has it while it waits for an answer to LDAP's bind.
bool is_connection_of(CURL* transfer, curl_socket_t socket) noexcept {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    return connection_of(transfer) == socket ||
           (speaks(transfer, "ldap") &&
            ::getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) == 0);
}

} // namespace

socket_table::socket_table(uv_loop_t* loop, const executor& home, owner& told,
                           intrusive_ptr<ref_counted> keep)
    : loop_(loop), every_close_is_told_(!has(fault::closes_in_silence)),
      home_(executor_link::of(home)), owner_(told), keep_(std::move(keep)),
      spares_(std::in_place, loop, keep_) {}

socket_table::entry& socket_table::at(curl_socket_t socket) {
    const auto index = static_cast<std::size_t>(socket);
    if (index >= entries_.size())
        grow(index + 1);
    return entries_[index];
}

[[gnu::noinline]] void socket_table::grow(std::size_t least) {
    entries_.resize(std::max(least, 2 * entries_.size()));
}

socket_table::entry* socket_table::find(curl_socket_t socket) noexcept {
    const auto index = static_cast<std::size_t>(socket);
    return index < entries_.size() ? &entries_[index] : nullptr;
}

[[gnu::noinline]] void socket_table::begin(entry& known, shard& of, CURL* by,
                                           curl_socket_t socket) {
    auto spare = spares_->take(socket);
    known.identity.reset();
    if (!known.tells_of_close)
        spare.reset(); // libuv is to look at this one
    known.watch =
        std::make_unique<socket_watch>(loop_, owner_, of, socket, keep_, std::move(spare));
    // libcurl >= 8.20 says of the descriptor that curl_multi_wakeup writes to when it listens to
    // it, which changes with every transfer that runs alone; it closes it with the multi handle.
    known.wakes_libcurl = !known.tells_of_close && !identity_of(socket) && !owner_.is_ours(by);
    if (known.wakes_libcurl)
        return;
    size_.set(size_.value() + 1);
    ++of.sockets;
    if (owner_.begins_with_tls(by))
        known.watch->will_greet();
}

// Either libcurl closes it, or the transfer is paused, or over.
[[gnu::noinline]] void socket_table::leave(entry& known, CURL* by, curl_socket_t socket) noexcept {
    // If it was closed without a word, the number may soon be that of one that never tells.
    known.tells_of_close = false;
    if (known.watch && owner_.is_ours(by) && says_goodbye(by))
        known.identity = identity_of(socket);
    end(known);
}

[[gnu::noinline]] void socket_table::end(entry& known) noexcept {
    if (!known.watch)
        return;
    if (!known.wakes_libcurl) {
        size_.set(size_.value() - 1);
        --known.watch->of().sockets;
    }
    known.watch.reset();
}

bool socket_table::may_stay(const entry& known, CURL* by, curl_socket_t socket) const noexcept {
    if (!known.watch || known.wakes_libcurl)
        return known.watch != nullptr;
    return known.tells_of_close && (every_close_is_told_ || known.watch->connected() ||
                                    (owner_.is_ours(by) && is_connection_of(by, socket)));
}

void socket_table::announce(shard& of, CURL* by, curl_socket_t socket, int what) {
    if (closed_)
        return;
    if (what == CURL_POLL_REMOVE) {
        auto* const known = find(socket);
        if (known != nullptr && known->watch && &known->watch->of() != &of)
            return; // late: the number is another shard's by now
        if (known == nullptr)
            return;
        known->by = by;
        known->announcement = ++announced_;
        if (!(may_stay(*known, by, socket) && known->watch->keep_idle(by)))
            leave(*known, by, socket);
        return;
    }
    if (static_cast<std::ptrdiff_t>(socket) < 0)
        return;
    auto& known = at(socket);
    if (known.watch && &known.watch->of() != &of)
        end(known); // another connection, under a number used again
    if (!known.watch)
        begin(known, of, by, socket);
    known.by = by;
    known.announcement = ++announced_;
    known.watch->want(what, known.tells_of_close || known.wakes_libcurl);
}

void socket_table::nothing_came_of_it(curl_socket_t socket) noexcept {
    if (auto* const known = find(socket); known != nullptr && known->watch)
        known->watch->nothing_came_of_it();
}

void socket_table::suspend(curl_socket_t socket) noexcept {
    if (auto* const known = find(socket); known != nullptr && known->watch)
        known->watch->suspend();
}

void socket_table::stay_idle(curl_socket_t socket) noexcept {
    if (auto* const known = find(socket); known != nullptr && known->watch)
        known->watch->stay_idle();
}

CURL* socket_table::user_of(curl_socket_t socket) noexcept {
    const auto* const known = find(socket);
    return known != nullptr ? known->by : nullptr;
}

void socket_table::hang_up(CURL* by, std::uint64_t since) noexcept {
    for (std::size_t i = 0; i != entries_.size(); ++i) {
        const auto& each = entries_[i];
        const auto socket = static_cast<curl_socket_t>(i);
        if (each.by == by && each.announcement > since &&
            (each.watch || (each.identity && identity_of(socket) == each.identity)))
            ::shutdown(socket, SHUT_RDWR);
    }
}

[[gnu::noinline]] void socket_table::leave_to_user(const easy_core& core) noexcept {
    if (auto* const known = find(connection_of(core.handle())))
        end(*known);
}

bool socket_table::put_off(curl_socket_t socket) noexcept {
    auto* const known = find(socket);
    if (known == nullptr || known->put_off)
        return known != nullptr;
    if (put_off_.size() == most_put_off)
        return false;
    try {
        put_off_.reserve(most_put_off);
        put_off_.push_back(socket);
    } catch (const std::bad_alloc&) {
        return false;
    }
    return known->put_off = true;
}

std::optional<socket_table::watched> socket_table::next_put_off() noexcept {
    while (!put_off_.empty()) {
        const auto socket = put_off_.front();
        put_off_.erase(put_off_.begin());
        auto* const known = find(socket);
        if (known == nullptr)
            return std::nullopt; // closed meanwhile
        known->put_off = false;
        if (!known->watch)
            continue;
        known->watch->may_greet();
        return watched{known->watch->of(), socket};
    }
    return std::nullopt;
}

void socket_table::forget(const shard& of) noexcept {
    for (auto& each : entries_)
        if (each.watch && &each.watch->of() == &of)
            end(each);
}

void socket_table::resume() noexcept {
    for (auto& each : entries_)
        if (each.watch)
            each.watch->resume();
}

void socket_table::close() noexcept {
    entries_.clear();
    put_off_.clear();
    spares_.reset();
    size_.set(0);
    closed_ = true;
    keep_ = nullptr;
}

void socket_table::opened(curl_socket_t socket) noexcept {
    if (!here())
        return;
    try {
        auto& known = at(socket);
        end(known); // of a descriptor that was closed without a word
        known.tells_of_close = true;
    } catch (const std::bad_alloc&) {
        // Then it is watched like one that does not tell of its close.
    }
}

void socket_table::closing(curl_socket_t socket) noexcept {
    if (!here())
        return;
    if (auto* const known = find(socket)) {
        if (known->watch && known->tells_of_close)
            spares_->keep(socket, known->watch->release());
        end(*known);
        known->tells_of_close = false;
    }
}

void socket_table::callback_failed(std::exception_ptr failure) noexcept {
    if (home_->runs_here()) // also while the multi handles are being cleaned up
        owner_.close_callback_failed(std::move(failure));
}

} // namespace curlicue::detail
