// SPDX-License-Identifier: MIT
#pragma once

#include "support/fake_curl/fake_curl.hpp"
#include "support/uv_fixture.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/error.hpp>

#include <array>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace curlicue::test {

/// Two connected sockets: the one that libcurl has, and its peer.
class socket_pair {
public:
    explicit socket_pair(int type = SOCK_STREAM) {
        if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends_.data()) != 0)
            throw std::system_error(errno, std::generic_category(), "socketpair");
    }
    socket_pair(const socket_pair&) = delete;
    socket_pair& operator=(const socket_pair&) = delete;
    ~socket_pair() {
        close();
        ::close(ends_[1]);
    }

    int fd() const noexcept { return ends_[0]; }
    int peer() const noexcept { return ends_[1]; }
    void make_readable() const { ASSERT_EQ(::write(peer(), "x", 1), 1); }
    void drain() const {
        std::array<char, 64> bytes{};
        while (::read(fd(), bytes.data(), bytes.size()) > 0)
            continue;
    }
    /// As libcurl does, without a word.
    void close() {
        if (!std::exchange(closed_, true))
            ::close(fd());
    }

private:
    std::array<int, 2> ends_{};
    bool closed_ = false;
};

/// How a ready future came out: no error, or the code of its failure.
inline std::error_code outcome(future<easy> over) {
    if (!over.ready())
        throw std::logic_error("the transfer is not over");
    try {
        over.get();
        return {};
    } catch (const std::system_error& error) {
        return error.code();
    } catch (const usage_error& error) {
        return error.code();
    }
}

/// An async_multi on a libuv loop, with a fake libcurl under it.
class engine_fixture : public uv_fixture {
protected:
    void SetUp() override {
        uv_fixture::SetUp();
        restart({.sharding = shards::one});
    }
    void TearDown() override {
        curl->on_add = curl->on_remove = curl->on_pause = nullptr; // what they refer to is gone
        curl->on_action = nullptr;
        curl->on_cleanup = nullptr;
        multi.reset();
        uv_fixture::TearDown();
        curl.reset();
    }
    /// With other options.
    void restart(async_multi_options options) {
        multi.reset();
        uv_run(&loop, UV_RUN_DEFAULT);
        curl.emplace();
        multi.emplace(&loop, std::move(options));
    }

    /// So many turns of the loop, which do not wait for anything.
    void turn(int count = 1) {
        while (count-- > 0)
            uv_run(&loop, UV_RUN_NOWAIT);
    }
    /// Turns of the loop, which wait, until `reached()`.
    void run_to(const std::function<bool()>& reached) {
        for (int turns = 0; !reached(); ++turns) {
            if (turns > 100'000)
                throw std::logic_error("it does not happen");
            if (uv_run(&loop, UV_RUN_ONCE) == 0 && !reached())
                throw std::logic_error("the loop has nothing to wait for");
        }
    }
    /// Runs `script` inside a call that the engine makes for `handle`. It drives libcurl
    /// afterwards.
    void inside(easy& handle, std::function<void(fake_multi&)> script) {
        const auto before = std::exchange(
            curl->on_pause,
            [&, script = std::move(script)](fake_multi& multi, CURL*) { script(multi); });
        handle.unpause();
        curl->on_pause = before;
    }

    /// The poll handle of a descriptor, or null.
    uv_poll_t* poll_of(int fd) {
        struct search {
            int fd;
            uv_poll_t* found;
        } search{fd, nullptr};
        uv_walk(
            &loop,
            [](uv_handle_t* handle, void* arg) {
                auto& search = *static_cast<struct search*>(arg);
                auto* const poll = reinterpret_cast<uv_poll_t*>(handle);
                // The library's own field: nothing public tells.
                if (handle->type == UV_POLL && uv_is_closing(handle) == 0 &&
                    poll->io_watcher.fd == search.fd)
                    search.found = poll;
            },
            &search);
        return search.found;
    }
    /// What libuv watches a descriptor for; nothing if it has no poll handle.
    std::optional<int> watched(int fd) {
        const auto* const poll = poll_of(fd);
        if (poll == nullptr)
            return std::nullopt;
        const auto events = poll->io_watcher.pevents;
        return ((events & POLLIN) != 0 ? UV_READABLE : 0) |
               ((events & POLLOUT) != 0 ? UV_WRITABLE : 0);
    }
    /// In how many milliseconds the engine's timer, which holds no loop, is due.
    std::optional<std::uint64_t> timer_due() {
        std::optional<std::uint64_t> due;
        uv_walk(
            &loop,
            [](uv_handle_t* handle, void* arg) {
                if (handle->type == UV_TIMER && uv_is_active(handle) != 0 &&
                    uv_has_ref(handle) == 0)
                    *static_cast<std::optional<std::uint64_t>*>(arg) =
                        uv_timer_get_due_in(reinterpret_cast<uv_timer_t*>(handle));
            },
            &due);
        return due;
    }

    static std::error_code multi_code(CURLMcode code) { return {code, multi_category()}; }

    std::optional<fake_curl> curl;
    std::optional<async_multi> multi;
};

} // namespace curlicue::test
