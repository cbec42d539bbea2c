// SPDX-License-Identifier: MIT
#pragma once

#include "support/async_fixture.hpp"
#include "support/files.hpp"
#include "support/odd_server.hpp"
#include "support/scripted_server.hpp"
#include <curlicue/error.hpp>
#include <curlicue/fetch.hpp>
#include <curlicue/fetch_error.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

namespace curlicue::test {

/// The failure of a fetch that `call` throws.
template <class Call> fetch_error error_of(Call call) {
    try {
        call();
    } catch (const fetch_error& error) {
        return error;
    }
    ADD_FAILURE() << "no fetch_error";
    return {errc::closed, fetch_phase::url};
}

inline bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

/// A client on an async_multi, beside real servers.
class AFetch : public async_fixture {
protected:
    void SetUp() override {
        async_fixture::SetUp();
        made.emplace(*multi,
                     client_options{.tls = {.ca_file = nginx::shared().ca_file().string()}});
    }
    void TearDown() override {
        made.reset();
        async_fixture::TearDown();
    }

    std::string text_of(std::string_view where) {
        response one = run(made->get(where));
        return run(one.text());
    }
    /// What the server was sent.
    std::string echo(request what) {
        what.url = odd.url("/echo");
        response one = run(made->fetch(std::move(what)));
        return run(one.text());
    }
    void run_until_idle() {
        run_to([&] { return made->stats().running == 0; });
    }
    /// Turns of the loop, for what is to happen if it may.
    void turn(int times) {
        for (int i = 0; i != times; ++i)
            uv_run(&loop, UV_RUN_NOWAIT);
    }

    std::optional<client> made;
    scripted_server odd = make_odd_server();
};

/// Answers each request that comes over a connection.
inline scripted_server::script
for_each_request(std::function<bool(connection&, std::string)> answer) {
    return [answer](connection& client) {
        for (;;) {
            auto head = client.read_request_head();
            if (head.empty() || !answer(client, std::move(head)))
                return;
        }
    };
}

} // namespace curlicue::test
