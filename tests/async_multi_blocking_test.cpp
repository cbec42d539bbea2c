// SPDX-License-Identifier: MIT
// Protocols for which libcurl stops the loop, and where they are refused.
#include "support/async_fixture.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/url.hpp>
#include <curlicue/version.hpp>

#include <memory>
#include <string>
#include <thread>

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using testing::HasSubstr;
using testing::Not;

namespace {

class WhatStopsTheLoop : public async_fixture {
protected:
    void refuse_blocking() { multi.emplace(&loop, async_multi_options{.refuse_blocking = true}); }
    /// What it is told, and that nothing has changed then.
    errc refused(const easy& handle) {
        const auto code = refusal([&] { static_cast<void>(multi->add_handle(handle)); });
        EXPECT_FALSE(multi->contains(handle));
        EXPECT_EQ(multi->size(), 0u);
        EXPECT_EQ(multi->stats().pending, 0u);
        return code;
    }
    void expect_failure(const easy& handle) {
        EXPECT_NE(failure_of([&] { run(multi->add_handle(handle)); }), errc::would_block);
    }
};

TEST_F(WhatStopsTheLoop, IsRefusedWhereThatIsAskedFor) {
    refuse_blocking();
    for (const auto* url : {"telnet://127.0.0.1:1/", "TELNET://127.0.0.1:1", "file:///etc/hostname",
                            "file:/etc/hostname", "File:///etc/hostname", "rtmp://127.0.0.1:1/a",
                            "rtmps://127.0.0.1:1/a", "RTMPTE://127.0.0.1:1/a"})
        EXPECT_EQ(refused(quiet(url)), errc::would_block) << url;
    EXPECT_EQ(refused(quiet("").setopt<CURLOPT_CURLU>(curlicue::url("file:///etc/hostname"))),
              errc::would_block);
}

TEST_F(WhatStopsTheLoop, IsRefusedOfABorrowedHandle) {
    refuse_blocking();
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> raw(curl_easy_init(),
                                                                  &curl_easy_cleanup);
    curl_easy_setopt(raw.get(), CURLOPT_URL, "file:///etc/hostname");
    EXPECT_EQ(refused(easy::borrow(raw.get())), errc::would_block);
}

TEST_F(WhatStopsTheLoop, IsRefusedOnAnotherThreadToo) {
    refuse_blocking();
    std::thread([&] {
        EXPECT_EQ(refused(quiet("file:///etc/hostname")), errc::would_block);
    }).join();
}

TEST_F(WhatStopsTheLoop, MayBeWhatAUrlWithoutASchemeMeans) {
    refuse_blocking();
    for (const auto* url : {"localhost/etc", "localhost?a=file://"})
        EXPECT_EQ(refused(quiet(url).setopt<CURLOPT_DEFAULT_PROTOCOL>("file")), errc::would_block);
    std::string body;
    easy page = get("/hello", body);
    page.setopt<CURLOPT_DEFAULT_PROTOCOL>("file");
    run(multi->add_handle(page));
    EXPECT_EQ(body, "hello\n");
}

TEST_F(WhatStopsTheLoop, IsNothingElse) {
    refuse_blocking();
    std::string body;
    run(multi->add_handle(get("/hello", body)));
    EXPECT_EQ(body, "hello\n");
    for (const auto* url :
         {"ftp://127.0.0.1:1/file", "127.0.0.1:1/telnet://", "dict.invalid:1", ""})
        expect_failure(quiet(url));
}

TEST_F(WhatStopsTheLoop, IsCarriedOutOtherwise) {
    std::string body;
    easy file = quiet("file:///proc/self/status");
    file.setopt<CURLOPT_WRITEDATA>(body);
    run(multi->add_handle(file));
    EXPECT_NE(body, "");
}

TEST_F(WhatStopsTheLoop, IsNamed) {
    EXPECT_EQ(multi->diagnostics().find("stops the loop: file") != std::string::npos,
              has_protocol("file"));
    EXPECT_THAT(multi->diagnostics(), HasSubstr("loop_thread or loop_pool"));
    EXPECT_THAT(multi->diagnostics(), Not(HasSubstr("(refused)")));
    refuse_blocking();
    EXPECT_THAT(multi->diagnostics(), HasSubstr("(refused)"));
}

} // namespace
