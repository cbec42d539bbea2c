// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/async_multi.hpp>

#include <system_error>

#include <curl/curl.h>
#include <unistd.h>
#include <uv.h>

/// What libcurl hides behind an easy that performs, and keeps with its connections until the easy
/// is cleaned up: here an `async_multi`, on a loop of its own.
class hidden_multi {
public:
    /// @throws std::system_error, std::bad_alloc
    hidden_multi() {
        // One transfer at a time has none to stall.
        multi_.setopt<CURLMOPT_PIPELINING>(CURLPIPE_MULTIPLEX);
    }
    hidden_multi(const hidden_multi&) = delete;
    hidden_multi& operator=(const hidden_multi&) = delete;
    ~hidden_multi() { multi_.run_until(multi_.close()); }

    /// Whether this process is a child of the one whose connections these are.
    bool inherited() const noexcept { return process_ != ::getpid(); }

    /// @param connections how many it keeps at most
    /// @throws transfer_error; multi_error if libcurl refuses
    void perform(const curlicue::easy& lent, long connections) {
        // As a post: this may be another thread than the last time.
        multi_.run_until(multi_.post([&] {
            multi_.setopt<CURLMOPT_MAXCONNECTS>(connections);
            return multi_.perform(lent);
        }));
    }

private:
    struct own_loop : uv_loop_t {
        own_loop() : uv_loop_t{} {
            if (const int status = uv_loop_init(this); status != 0)
                throw std::system_error(status, curlicue::uv_category());
        }
        own_loop(const own_loop&) = delete;
        own_loop& operator=(const own_loop&) = delete;
        ~own_loop() {
            uv_run(this, UV_RUN_DEFAULT); // has something to do where no multi could be made
            uv_loop_close(this);
        }
    };

    const pid_t process_ = ::getpid();
    own_loop loop_;
    curlicue::async_multi multi_{&loop_};
};
