// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/multi.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include <poll.h>

namespace curlicue::test {

/// Moves what one `info_read` told to what all told.
inline void gather(info_batch& all, info_batch more) {
    for (easy& handle : more.succeeded)
        all.succeeded.push_back(std::move(handle));
    for (failed_transfer& failed : more.failed)
        all.failed.push_back(std::move(failed));
    all.remaining = more.remaining;
}

/// No test waits longer than this for its transfers.
class patience {
public:
    void check() const {
        if (std::chrono::steady_clock::now() > end_)
            throw std::runtime_error("the transfers do not end");
    }

private:
    std::chrono::steady_clock::time_point end_ =
        std::chrono::steady_clock::now() + std::chrono::seconds(30);
};

/// `perform` and `poll`, until nothing runs.
inline info_batch run(multi& transfers) {
    const patience patience;
    info_batch all;
    for (;; patience.check()) {
        const int running = transfers.perform();
        gather(all, transfers.info_read());
        if (running == 0)
            return all;
        transfers.poll(std::chrono::milliseconds(100));
    }
}

/// Drives a multi by its socket and timer callables, with poll(2) by hand.
class socket_driver {
public:
    explicit socket_driver(multi& driven) : multi_(driven) {
        multi_.setopt<CURLMOPT_SOCKETFUNCTION>(
            [this](const easy*, curl_socket_t socket, int what, void*) {
                if (what == CURL_POLL_REMOVE)
                    watched.erase(socket);
                else
                    watched[socket] = what;
                masks.push_back(what);
                return 0;
            });
        multi_.setopt<CURLMOPT_TIMERFUNCTION>(
            [this](std::optional<std::chrono::milliseconds> timeout) {
                timers.push_back(timeout);
                deadline_.reset();
                if (timeout)
                    deadline_ = std::chrono::steady_clock::now() + *timeout;
                return 0;
            });
    }

    /// Waits once, and tells libcurl what happened. @returns how many transfers still run
    int step() {
        using namespace std::chrono;
        std::vector<pollfd> descriptors;
        for (const auto& [socket, what] : watched)
            descriptors.push_back({socket, events(what), 0});
        milliseconds wait(100);
        if (deadline_)
            wait = std::clamp(ceil<milliseconds>(*deadline_ - steady_clock::now()), 0ms, wait);
        ::poll(descriptors.data(), descriptors.size(), static_cast<int>(wait.count()));

        int running = 1;
        for (const pollfd& descriptor : descriptors)
            if (descriptor.revents != 0 && watched.contains(descriptor.fd))
                running = multi_.socket_action(descriptor.fd, mask(descriptor.revents));
        if (deadline_ && steady_clock::now() >= *deadline_) {
            deadline_.reset();
            running = multi_.socket_action(CURL_SOCKET_TIMEOUT, 0);
        }
        return running;
    }

    info_batch run() {
        const patience patience;
        while (step() > 0)
            patience.check();
        return multi_.info_read();
    }

    std::map<curl_socket_t, int> watched;
    std::vector<int> masks;                                       // all that was asked for
    std::vector<std::optional<std::chrono::milliseconds>> timers; // likewise

private:
    static short events(int what) {
        return static_cast<short>(((what & CURL_POLL_IN) != 0 ? POLLIN : 0) |
                                  ((what & CURL_POLL_OUT) != 0 ? POLLOUT : 0));
    }
    static int mask(short events) {
        return ((events & POLLIN) != 0 ? CURL_CSELECT_IN : 0) |
               ((events & POLLOUT) != 0 ? CURL_CSELECT_OUT : 0);
    }

    multi& multi_;
    std::optional<std::chrono::steady_clock::time_point> deadline_;
};

} // namespace curlicue::test
