// SPDX-License-Identifier: MIT
// Protocols for which libcurl asks the loop for too little, or for too much.
#include "support/async_fixture.hpp"
#include "support/pingpong_server.hpp"
#include "support/python_server.hpp"
#include "support/relay.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/url.hpp>
#include <curlicue/version.hpp>

#include <list>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

// Without a heartbeat, which would help in the end. -----------------------------------------------

class WithoutAHeartbeat : public async_fixture {
protected:
    void SetUp() override {
        async_fixture::SetUp();
        multi.emplace(&loop, async_multi_options{.heartbeat = 0ms});
    }
    /// One that is forgotten ends all the same, and not well.
    easy limited(const std::string& url) {
        easy made = quiet(url);
        made.setopt<CURLOPT_TIMEOUT>(30s);
        made.setopt<CURLOPT_CAINFO>(nginx::shared().ca_file().string());
        made.setopt<CURLOPT_WRITEDATA>(bodies.emplace_back());
        return made;
    }
    void fetch(const std::string& url, int times, curl_usessl tls = CURLUSESSL_NONE) {
        std::vector<future<easy>> all;
        for (int i = 0; i != times; ++i)
            all.push_back(multi->add_handle(limited(url).setopt<CURLOPT_USE_SSL>(tls)));
        for (const auto& outcome : run(when_all(std::move(all))))
            EXPECT_TRUE(outcome.has_value()) << outcome.error().message();
    }

    std::list<std::string> bodies;
};

std::vector<std::string> certified(const char* milliseconds) {
    return {milliseconds, nginx::shared().certificate_file(), nginx::shared().key_file()};
}

TEST_F(WithoutAHeartbeat, ALateAnswerToABindIsHeard) {
    if (!has_protocol("ldap"))
        GTEST_SKIP() << "this libcurl speaks no LDAP";
    const python_server server("ldap_server.py", {"300"});
    fetch(server.url("ldap://127.0.0.1", "/dc=x"), 5);
    for (const auto& body : bodies)
        EXPECT_EQ(body, "DN: dc=x\n\n");
    close();
}

TEST_F(WithoutAHeartbeat, LdapOverTlsGoesOn) {
    if (!has_protocol("ldaps"))
        GTEST_SKIP() << "this libcurl speaks no LDAPS";
    const python_server server("ldap_server.py", certified("50"));
    const relay far(server.port(), {110ms}); // later than what libcurl has a timer for
    fetch(far.url(server.url("ldaps://127.0.0.1", "/dc=x")), 5);
    for (const auto& body : bodies)
        EXPECT_EQ(body, "DN: dc=x\n\n");
    close();
}

TEST_F(WithoutAHeartbeat, FtpOverTlsGoesOn) {
    const pingpong_server server("ftps");
    for (int i = 0; i != 2; ++i) // the second time over the same control connections
        fetch(server.url("/1"), 20);
    for (const auto& body : bodies)
        EXPECT_EQ(body, "hello\n");
    close();
}

TEST_F(WithoutAHeartbeat, FtpThatAsksForTlsGoesOn) {
    const pingpong_server server("ftp");
    for (int i = 0; i != 2; ++i)
        fetch(server.url("/1"), 20, CURLUSESSL_ALL);
    for (const auto& body : bodies)
        EXPECT_EQ(body, "hello\n");
    close();
}

// As from a server nearby, when the loop has been busy.
TEST_F(WithoutAHeartbeat, FtpGoesOnWhereAnAnswerIsThereAtOnce) {
    const pingpong_server server("ftp");
    for (int i = 0; i != 2; ++i) {
        easy one = limited(server.url("/1"));
        one.setopt<CURLOPT_VERBOSE>(true).setopt<CURLOPT_DEBUGFUNCTION>(
            [](curl_infotype kind, std::span<const char> text) {
                if (kind == CURLINFO_HEADER_OUT && text.front() == 'E') // EPSV
                    std::this_thread::sleep_for(50ms);
            });
        run(multi->add_handle(one));
    }
    EXPECT_THAT(bodies, testing::Each("hello\n"));
    close();
}

// Connections that must not be used again. --------------------------------------------------------

class LdapOverTls : public async_fixture {
protected:
    void SetUp() override {
        async_fixture::SetUp();
        if (!has_protocol("ldaps") || libcurl_version().found >= version_number{8, 5, 0})
            GTEST_SKIP() << "this libcurl uses its connections again, and well";
    }
    easy search() const {
        easy made = quiet(address());
        made.setopt<CURLOPT_CAINFO>(nginx::shared().ca_file().string());
        made.setopt<CURLOPT_TIMEOUT>(30s);
        return made;
    }
    std::string address() const { return server.url("ldaps://127.0.0.1", "/dc=x"); }

    const python_server server{"ldap_server.py", certified("0")};
};

TEST_F(LdapOverTls, HasAConnectionForEachSearch) {
    easy named = search();
    easy parsed = search().setopt<CURLOPT_CURLU>(curlicue::url(address()));
    for (int i = 0; i != 2; ++i)
        for (easy* each : {&named, &parsed})
            EXPECT_EQ(run(multi->add_handle(*each)).getinfo<CURLINFO_NUM_CONNECTS>(), 1);
    easy copy = named.duphandle();
    EXPECT_EQ(run(multi->add_handle(copy)).getinfo<CURLINFO_NUM_CONNECTS>(), 1);
    for (int i = 0; i != 2; ++i) {
        copy.perform();
        EXPECT_EQ(copy.getinfo<CURLINFO_NUM_CONNECTS>(), 1);
    }
}

TEST_F(LdapOverTls, HasThemAfterAnotherProtocolToo) {
    easy handle = search().setopt<CURLOPT_URL>(async_fixture::url("/hello"));
    run(multi->add_handle(handle));
    handle.setopt<CURLOPT_URL>(address());
    for (int i = 0; i != 3; ++i)
        EXPECT_EQ(run(multi->add_handle(handle)).getinfo<CURLINFO_NUM_CONNECTS>(), 1);
}

TEST_F(LdapOverTls, LeavesOtherProtocolsTheirs) {
    easy handle = search();
    run(multi->add_handle(handle));
    handle = handle.duphandle();
    handle.setopt<CURLOPT_URL>(async_fixture::url("/hello"));
    for (const long connections : {1, 0, 0})
        EXPECT_EQ(run(multi->add_handle(handle)).getinfo<CURLINFO_NUM_CONNECTS>(), connections);
}

} // namespace
