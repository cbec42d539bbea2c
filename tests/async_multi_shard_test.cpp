// SPDX-License-Identifier: MIT
// Many transfers on several multi handles of libcurl's.
#include "support/async_fixture.hpp"
#include "support/files.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/share.hpp>

#include <algorithm>
#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;

namespace {

bool has_feature_http2() {
    return (curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2) != 0;
}

class AnAsyncMultiWithShards : public async_fixture {
protected:
    std::size_t open() const { return multi->stats().shards; }

    /// No resolver knows this name: its first label is too long for one.
    const std::string name = std::string(70, 'x') + ".invalid";
    std::string port() const {
        const auto server = url("");
        return server.substr(server.rfind(':') + 1);
    }
    std::string named(std::string_view path) const {
        return "http://" + name + ":" + port() + std::string(path);
    }
    /// An easy that knows where the name is, and tells the cache that it uses.
    easy introduction() const {
        easy handle = quiet(named("/hello"));
        handle.setopt<CURLOPT_RESOLVE>({name + ":" + port() + ":127.0.0.1"});
        return handle;
    }
    /// One that has to look the name up.
    easy question() const {
        easy handle = quiet(named("/hello"));
        handle.setopt<CURLOPT_FRESH_CONNECT>(true);
        return handle;
    }
    static CURLcode code_of(const easy& handle) {
        try {
            easy(handle).perform();
            return CURLE_OK;
        } catch (const transfer_error& error) {
            return static_cast<CURLcode>(error.code().value());
        }
    }
    CURLcode code_of(future<easy> transfer) {
        try {
            run(std::move(transfer));
            return CURLE_OK;
        } catch (const transfer_error& error) {
            return static_cast<CURLcode>(error.code().value());
        }
    }
};

TEST_F(AnAsyncMultiWithShards, TransfersHundredsAtATime) {
    std::list<std::string> bodies;
    std::vector<future<easy>> pages;
    for (int i = 0; i != 300; ++i)
        pages.push_back(multi->add_handle(
            get(i % 10 == 0 ? "/bytes/1048576" : "/bytes/1024", bodies.emplace_back())));
    EXPECT_EQ(open(), 10u);
    EXPECT_EQ(multi->stats().running, 300u);
    const auto pending = multi->futures();
    ASSERT_EQ(pending.size(), pages.size());
    for (std::size_t i = 0; i != pages.size(); ++i)
        EXPECT_TRUE(pending[i] == pages[i]) << i;
    for (auto& each : run(when_all(std::move(pages))))
        EXPECT_TRUE(each);
    const std::string big = bytes(1 << 20), small = bytes(1 << 10);
    int i = 0;
    for (const std::string& body : bodies)
        EXPECT_TRUE(body == (i++ % 10 == 0 ? big : small)) << i;
    EXPECT_EQ(multi->stats().completed, 300u);
    EXPECT_EQ(multi->stats().running, 0u);
    EXPECT_EQ(multi->stats().rebuilds, 0u);
    close();
    EXPECT_EQ(open(), 0u);
}

// HTTPS. ------------------------------------------------------------------------------------------

TEST_F(AnAsyncMultiWithShards, KeepsWhatMultiplexesOnOneConnection) {
    if (!has_feature_http2() || curl_version_info(CURLVERSION_NOW)->version_num < 0x080400)
        GTEST_SKIP() << "this libcurl does not multiplex soundly";
    std::vector<future<easy>> pages;
    for (int i = 0; i != 64; ++i) {
        easy page = quiet(nginx::shared().https("/hello"));
        page.setopt<CURLOPT_CAINFO>(nginx::shared().ca_file().string());
        page.setopt<CURLOPT_PIPEWAIT>(true);
        pages.push_back(multi->add_handle(page));
    }
    EXPECT_EQ(open(), 1u);
    long connections = 0;
    for (auto& each : run(when_all(std::move(pages))))
        connections += each.value().getinfo<CURLINFO_NUM_CONNECTS>();
    EXPECT_EQ(connections, 1);
    close();
}

TEST_F(AnAsyncMultiWithShards, SpreadsAServerThatTurnsOutNotToMultiplex) {
    multi->setopt<CURLMOPT_PIPELINING>(CURLPIPE_MULTIPLEX);
    const auto add = [&](int count, std::string_view path) {
        std::vector<future<easy>> pages;
        for (int i = 0; i != count; ++i) {
            easy page = quiet(nginx::shared().https(path));
            page.setopt<CURLOPT_CAINFO>(nginx::shared().ca_file().string());
            page.setopt<CURLOPT_HTTP_VERSION>(CURL_HTTP_VERSION_1_1);
            pages.push_back(multi->add_handle(page));
        }
        return pages;
    };
    run(gather(add(2, "/hello")));
    const auto pages = add(40, "/slow/16777216");
    run_to([&] { return multi->stats().running == 40; });
    EXPECT_EQ(open(), 2u);
    close();
}

// What shards have in common. ---------------------------------------------------------------------

TEST_F(AnAsyncMultiWithShards, KnowsTheNamesOfHostsInAllOfThem) {
    run(multi->add_handle(introduction()));
    std::vector<future<easy>> running;
    for (int i = 0; i != 32; ++i)
        running.push_back(multi->add_handle(quiet(named("/slow/16777216"))));
    run_to([&] { return multi->stats().running == 32; }); // the first of them has looked it up
    EXPECT_EQ(open(), 1u);
    auto later = multi->add_handle(quiet(named("/hello")));
    EXPECT_EQ(open(), 2u);
    EXPECT_EQ(code_of(std::move(later)), CURLE_OK);
}

TEST_F(AnAsyncMultiWithShards, TakesWhatItLentBackAfterTheTransfer) {
    easy page = introduction();
    run(multi->add_handle(page));
    EXPECT_EQ(code_of(multi->add_handle(question())), CURLE_OK);
    page.setopt<CURLOPT_RESOLVE>(nullptr);
    page.setopt<CURLOPT_FRESH_CONNECT>(true);
    EXPECT_EQ(code_of(page), CURLE_COULDNT_RESOLVE_HOST) << "it has no cache of ours any more";
    page.setopt<CURLOPT_URL>(url("/hello"));
    page.setopt<CURLOPT_SHARE>(share{CURL_LOCK_DATA_DNS});
    EXPECT_EQ(code_of(page), CURLE_OK);
    curlicue::multi others;
    others.add_handle(page);
    EXPECT_EQ(curlicue::test::run(others).succeeded.size(), 1u);
    others.remove_handle(page);
    run(multi->add_handle(page));
}

TEST_F(AnAsyncMultiWithShards, TakesItBackFromATransferThatIsCutShort) {
    run(multi->add_handle(introduction()));
    easy page = quiet(named("/slow/16777216"));
    auto cut = multi->add_handle(page);
    uv_run(&loop, UV_RUN_ONCE);
    cut.cancel();
    ASSERT_TRUE(cut.ready());
    page.setopt<CURLOPT_FRESH_CONNECT>(true);
    EXPECT_EQ(code_of(page), CURLE_COULDNT_RESOLVE_HOST);
}

TEST_F(AnAsyncMultiWithShards, LeavesAnEasyTheShareOfItsUser) {
    const share data{CURL_LOCK_DATA_DNS};
    easy page = introduction();
    page.setopt<CURLOPT_SHARE>(data);
    run(multi->add_handle(page));
    EXPECT_EQ(code_of(multi->add_handle(question())), CURLE_COULDNT_RESOLVE_HOST)
        << "ours has not heard of it";
    easy other = quiet(named("/hello"));
    other.setopt<CURLOPT_SHARE>(data);
    EXPECT_EQ(code_of(other), CURLE_OK);
    page.setopt<CURLOPT_RESOLVE>(nullptr);
    page.setopt<CURLOPT_FRESH_CONNECT>(true);
    EXPECT_EQ(code_of(page), CURLE_OK) << "it still uses the share";
}

// Ends. -------------------------------------------------------------------------------------------

TEST_F(AnAsyncMultiWithShards, MayEndBeforeItsEasies) {
    std::vector<easy> pages;
    for (int i = 0; i != 100; ++i) {
        pages.push_back(quiet(url("/bytes/1048576")));
        multi->add_handle(pages.back()).detach([](const std::exception_ptr&) {});
    }
    for (int i = 0; i != 5; ++i)
        uv_run(&loop, UV_RUN_ONCE);
    multi.reset();
    uv_run(&loop, UV_RUN_DEFAULT);
    for (easy& each : pages)
        EXPECT_FALSE(each.attached());
    pages.front().setopt<CURLOPT_URL>(url("/hello"));
    EXPECT_EQ(code_of(pages.front()), CURLE_OK);
    multi.emplace(&loop);
    pages.back().setopt<CURLOPT_URL>(url("/hello"));
    run(multi->add_handle(pages.back()));
}

TEST_F(AnAsyncMultiWithShards, MayOutliveItsEasies) {
    std::list<std::string> bodies;
    for (int i = 0; i != 100; ++i)
        multi->add_handle(get("/bytes/1024", bodies.emplace_back()))
            .detach([](const std::exception_ptr&) { ADD_FAILURE(); });
    run_to([&] { return multi->stats().completed == 100; });
    for (const std::string& body : bodies)
        EXPECT_TRUE(body == bytes(1 << 10));
    EXPECT_EQ(open(), 4u) << "with their idle connections";
}

TEST_F(AnAsyncMultiWithShards, DrainsAllOfThem) {
    std::list<std::string> bodies;
    for (int i = 0; i != 100; ++i)
        multi->add_handle(get("/bytes/1024", bodies.emplace_back()))
            .detach([](const std::exception_ptr&) { ADD_FAILURE(); });
    run(multi->drain(std::chrono::hours(1)));
    EXPECT_EQ(multi->stats().completed, 100u);
    EXPECT_EQ(uv_loop_alive(&loop), 0);
}

TEST_F(AnAsyncMultiWithShards, ClosesIdleOnesWithTheirConnectionsWhenItIsLimited) {
    std::vector<future<easy>> pages;
    for (int i = 0; i != 64; ++i)
        pages.push_back(multi->add_handle(quiet(url("/hello"))));
    run(when_all(std::move(pages)));
    const auto descriptors = open_descriptors();
    multi->setopt<CURLMOPT_MAX_TOTAL_CONNECTIONS>(8);
    EXPECT_EQ(open(), 1u);
    EXPECT_LT(open_descriptors(), descriptors);
    run(multi->add_handle(quiet(url("/hello"))));
    EXPECT_EQ(open(), 1u);
}

} // namespace
