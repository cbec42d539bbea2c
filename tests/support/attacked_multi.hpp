// SPDX-License-Identifier: MIT
#pragma once

#include "support/async_fixture.hpp"

#include <exception>
#include <functional>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <curl/curl.h>
#include <gtest/gtest.h>

namespace curlicue::test {

/// A transfer from a server that means no good, and what came of it.
struct attempt {
    explicit attempt(easy handle) : page(std::move(handle)) {
        page.setopt<CURLOPT_WRITEDATA>(body);
    }

    easy page;
    std::string body;
    int endings = 0;
    std::error_code code; ///< none: it was a success
};

/// How libcurl's own loop ends a transfer, for what is libcurl's to decide.
inline std::error_code ended_alone(const easy& page) {
    try {
        easy(page).perform();
        return {};
    } catch (const transfer_error& error) {
        return error.code();
    }
}

/// A multi among servers that mean no good. Whatever they do, a transfer ends, and ends once; and
/// the multi serves the next.
class AnAttackedMulti : public async_fixture {
protected:
    void TearDown() override {
        for (const attempt& each : attempts)
            EXPECT_EQ(each.endings, 1) << "a transfer ends once";
        async_fixture::TearDown();
    }

    attempt& start(
        std::string_view url, const std::function<void(easy&)>& prepare = [](easy&) {}) {
        attempt& started = attempts.emplace_back(easy(url));
        prepare(started.page);
        watch(started, multi->add_handle(started.page));
        return started;
    }

    /// Notes how and how often the future is resolved.
    static void watch(attempt& watched, future<easy> running) {
        std::move(running)
            .then_result([&watched](result<easy>&& outcome) {
                ++watched.endings;
                watched.code = outcome.has_value() ? std::error_code() : outcome.error();
            })
            .detach([](const std::exception_ptr&) { ADD_FAILURE() << "this step cannot fail"; });
    }

    /// Runs all that were started to their end, and one from a good server after them.
    void finish() {
        run_to([this] {
            for (const attempt& each : attempts)
                if (each.endings == 0)
                    return false;
            return true;
        });
        EXPECT_EQ(multi->stats().pending, 0u);
        expect_service();
    }

    attempt& fetch(
        std::string_view url, const std::function<void(easy&)>& prepare = [](easy&) {}) {
        attempt& fetched = start(url, prepare);
        finish();
        return fetched;
    }

    void expect_service() {
        std::string body;
        run(multi->add_handle(get("/hello", body)));
        EXPECT_EQ(body, "hello\n");
    }

    std::list<attempt> attempts;
};

} // namespace curlicue::test
