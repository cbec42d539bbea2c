// SPDX-License-Identifier: MIT
#pragma once

#include "support/multi_driver.hpp"
#include "support/nginx.hpp"
#include "support/odd_server.hpp"
#include "support/scripted_server.hpp"
#include "support/uv_fixture.hpp"
#include <curlicue/curlicue.h>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace curlicue::test {

/// A fetch, with callbacks that are in C++, and what came of it. Those that are empty are not there
/// for C either.
class c_fetch {
public:
    explicit c_fetch(std::string url) : url_(std::move(url)) {
        request.size = sizeof request;
        request.url = url_.c_str();
        request.data = this;
        request.on_done = [](void* data, curlicue_call*, const curlicue_outcome* outcome) {
            static_cast<c_fetch*>(data)->has_ended(*outcome);
        };
    }
    c_fetch(const c_fetch&) = delete;
    c_fetch& operator=(const c_fetch&) = delete;
    ~c_fetch() { curlicue_fetch_free(call); }

    int start(curlicue_multi* multi, curlicue_client* client = nullptr) {
        if (on_head)
            request.on_head = [](void* data, curlicue_call* of, const curlicue_head* head) {
                return static_cast<c_fetch*>(data)->on_head(of, *head);
            };
        if (on_body)
            request.on_body = [](void* data, curlicue_call* of, const char* bytes, size_t size) {
                auto& self = *static_cast<c_fetch*>(data);
                self.body.append(bytes, size);
                return self.on_body(of);
            };
        if (read)
            request.read = [](void* data, curlicue_call*, char* into, size_t room, size_t* count) {
                return static_cast<c_fetch*>(data)->read(into, room, *count);
            };
        if (tweak)
            request.tweak = [](void* data, curlicue_call*, CURL* handle) {
                return static_cast<c_fetch*>(data)->tweak(handle);
            };
        if (allow_address)
            request.allow_address = [](void* data, const sockaddr* address) {
                return static_cast<c_fetch*>(data)->allow_address(*address) ? 1 : 0;
            };
        if (resolve)
            request.resolve_redirect = [](void* data, const char* from, const char* location,
                                          char* into, size_t room) {
                return static_cast<c_fetch*>(data)->resolve(from, location, into, room);
            };
        return curlicue_fetch(multi, client, &request, &call);
    }
    int cancel() const { return curlicue_fetch_cancel(call); }

    curlicue_request request{};
    std::function<int(curlicue_call*, const curlicue_head&)> on_head;
    std::function<int(curlicue_call*)> on_body;
    std::function<int(char*, std::size_t, std::size_t&)> read;
    std::function<int(CURL*)> tweak;
    std::function<bool(const sockaddr&)> allow_address;
    std::function<int(std::string_view from, std::string_view location, char*, std::size_t)>
        resolve;
    std::function<void()> then = [] {};
    curlicue_call* call = nullptr;

    int endings = 0;
    int status = -1;
    std::string message, body, type;
    int answer = 0; ///< its status
    curlicue_phase phase = CURLICUE_PHASE_NONE;
    curlicue_time_limit limit = CURLICUE_LIMIT_NONE;
    unsigned attempts = 0;
    int cause = -1;

private:
    void has_ended(const curlicue_outcome& outcome) {
        ++endings;
        status = outcome.status;
        message = outcome.message;
        phase = outcome.phase;
        limit = outcome.limit;
        attempts = outcome.attempts;
        cause = outcome.cause;
        if (outcome.body != nullptr)
            body.assign(outcome.body, outcome.body_size);
        if (outcome.head != nullptr) {
            answer = outcome.head->status;
            const auto* const found = curlicue_head_get(outcome.head, "content-TYPE");
            type = found == nullptr ? "" : found;
        }
        then();
    }

    const std::string url_;
};

/// Fetches for C, beside real servers.
class AFetchForC : public uv_fixture {
protected:
    void SetUp() override {
        uv_fixture::SetUp();
        ASSERT_EQ(curlicue_multi_new(&loop, nullptr, &multi), 0);
    }
    void TearDown() override {
        curlicue_client_free(std::exchange(client, nullptr));
        curlicue_multi_free(std::exchange(multi, nullptr));
        uv_fixture::TearDown();
    }

    static std::string url(std::string_view path) { return nginx::shared().http(path); }

    /// One of the defaults, after `change(options)`.
    template <class Change> void make_client(Change change) {
        curlicue_client_options options{};
        options.size = sizeof options;
        change(options);
        curlicue_client_free(std::exchange(client, nullptr));
        ASSERT_EQ(curlicue_client_new(multi, &options, &client), 0) << curlicue_last_refusal();
    }
    void make_client() {
        make_client([](auto&) {});
    }
    /// Starts it, and runs the loop to its end.
    void run(c_fetch& one) {
        ASSERT_EQ(one.start(multi, client), 0) << curlicue_last_refusal();
        EXPECT_EQ(one.endings, 0) << "never inside the call";
        uv_run(&loop, UV_RUN_DEFAULT);
        EXPECT_EQ(one.endings, 1);
    }
    void run_to(const std::function<bool()>& reached) {
        const patience patience;
        while (!reached()) {
            patience.check();
            uv_run(&loop, UV_RUN_ONCE);
        }
    }
    void turn(int times) {
        for (int i = 0; i != times; ++i)
            uv_run(&loop, UV_RUN_NOWAIT);
    }

    curlicue_multi* multi = nullptr;
    curlicue_client* client = nullptr;
};

} // namespace curlicue::test
