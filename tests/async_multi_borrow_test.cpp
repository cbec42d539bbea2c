// SPDX-License-Identifier: MIT
// Somebody else's CURL* on a loop.
#include "support/async_fixture.hpp"
#include "support/files.hpp"
#include "support/scripted_server.hpp"
#include "support/server_process.hpp"
#include <curlicue/async_multi.hpp>

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;

namespace {

std::size_t append(char* data, std::size_t, std::size_t size, void* body) {
    static_cast<std::string*>(body)->append(data, size);
    return size;
}

int end_after_a_second(void* begun, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    const auto now = std::chrono::steady_clock::now();
    return now - *static_cast<decltype(now)*>(begun) > std::chrono::seconds(1);
}

class ABorrowedHandle : public async_fixture {
protected:
    ~ABorrowedHandle() override { curl_easy_cleanup(handle); }

    void SetUp() override {
        async_fixture::SetUp();
        curl_easy_setopt(handle, CURLOPT_URL, url("/bytes/1048576").c_str());
        curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &append);
        curl_easy_setopt(handle, CURLOPT_WRITEDATA, &body);
    }

    CURL* handle = curl_easy_init();
    std::string body;
};

TEST_F(ABorrowedHandle, TransfersForItsOwner) {
    EXPECT_EQ(run(multi->add_handle(easy::borrow(handle))).native_handle(), handle);
    EXPECT_TRUE(body == bytes(1 << 20));
    close();
}

TEST_F(ABorrowedHandle, IsLetGoOfWhenItsFutureIsReady) {
    for (int i = 0; i < 3; ++i) {
        body.clear();
        run(multi->add_handle(easy::borrow(handle)));
        EXPECT_TRUE(body == bytes(1 << 20));
    }
    auto cut = multi->add_handle(easy::borrow(handle));
    uv_run(&loop, UV_RUN_ONCE);
    cut.cancel();
    ASSERT_TRUE(cut.ready());
    curl_easy_reset(handle);
    curl_easy_setopt(handle, CURLOPT_URL, url("/hello").c_str());
    EXPECT_EQ(curl_easy_setopt(handle, CURLOPT_NOBODY, 1L), CURLE_OK);
    EXPECT_EQ(curl_easy_perform(handle), CURLE_OK) << "in nobody's hands but its owner's";
    curl_easy_cleanup(std::exchange(handle, nullptr));
    close();
}

TEST_F(ABorrowedHandle, IsKnownByItsNumber) {
    auto running = multi->add_handle(easy::borrow(handle));
    const easy same = easy::borrow(handle);
    EXPECT_TRUE(multi->contains(same));
    EXPECT_EQ(refusal([&] { static_cast<void>(multi->add_handle(same)); }), errc::already_added);
    EXPECT_TRUE(multi->futures(std::span(&same, 1)).at(0) == running);
    multi->remove_handle(same);
    EXPECT_TRUE(running.cancelled());
}

TEST_F(ABorrowedHandle, FailsWithLibcurlsOwnCode) {
    const reserved_port nobody;
    curl_easy_setopt(handle, CURLOPT_URL, ("http://" + nobody.address()).c_str());
    try {
        run(multi->add_handle(easy::borrow(handle)));
        ADD_FAILURE() << "nobody listens there";
    } catch (const transfer_error& error) {
        EXPECT_EQ(error.code(), CURLE_COULDNT_CONNECT);
        EXPECT_EQ(error.handle().error(), curl_easy_strerror(CURLE_COULDNT_CONNECT));
    }
}

TEST_F(ABorrowedHandle, MayEndInItsProgressCallbackThoughNothingComes) {
    const scripted_server silent([](connection& client) { client.hold(); });
    const auto begun = std::chrono::steady_clock::now();
    curl_easy_setopt(handle, CURLOPT_URL, silent.url().c_str());
    curl_easy_setopt(handle, CURLOPT_TIMEOUT, 20L);
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, &end_after_a_second);
    curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &begun);
    EXPECT_EQ(failure_of([&] { run(multi->add_handle(easy::borrow(handle))); }),
              CURLE_ABORTED_BY_CALLBACK);
}

class AnEasyOfOurs : public async_fixture {};

TEST_F(AnEasyOfOurs, MayEndInItsProgressCallbackThoughNothingComes) {
    const scripted_server silent([](connection& client) { client.hold(); });
    easy owned(silent.url());
    owned.setopt<CURLOPT_TIMEOUT>(20).setopt<CURLOPT_NOPROGRESS>(false);
    auto begun = std::chrono::steady_clock::now();
    const auto progress = [&](double, double, double, double) {
        return end_after_a_second(&begun, 0, 0, 0, 0);
    };
    owned.setopt<CURLOPT_XFERINFOFUNCTION>(progress);
    EXPECT_EQ(failure_of([&] { run(multi->add_handle(owned)); }), CURLE_ABORTED_BY_CALLBACK);
    begun = std::chrono::steady_clock::now();
    owned.unset<CURLOPT_XFERINFOFUNCTION>()
        .setopt<static_cast<CURLoption>(20056)>( // PROGRESSFUNCTION, deprecated
            progress);
    EXPECT_EQ(failure_of([&] { run(multi->add_handle(owned)); }), CURLE_ABORTED_BY_CALLBACK);
}

// libcurl calls for the one beside it all the time, and never for this one.
TEST_F(AnEasyOfOurs, MayEndInItsProgressCallbackThoughAnotherIsBusy) {
    const scripted_server silent([](connection& client) { client.hold(); });
    multi.emplace(&loop, async_multi_options{.sharding = shards::one});
    std::size_t received = 0;
    easy endless(url("/slow/16777216"));
    endless.setopt<CURLOPT_WRITEFUNCTION>([&](std::span<const char> data) {
        received += data.size();
        return data.size();
    });
    const auto busy = multi->add_handle(endless);
    bool ends = false;
    easy stalled(silent.url());
    stalled.setopt<CURLOPT_XFERINFOFUNCTION>([&](auto...) { return ends; });
    auto over = multi->add_handle(stalled);
    run_to([&] { return stalled.getinfo<CURLINFO_REQUEST_SIZE>() > 0 && received > 0; });
    run_to([&, before = received] { return received != before; });
    ends = true;
    run_to([&] { return over.ready() || busy.ready(); });
    EXPECT_FALSE(busy.ready());
    ASSERT_TRUE(over.ready());
    EXPECT_EQ(failure_of([&] { run(std::move(over)); }), CURLE_ABORTED_BY_CALLBACK);
    busy.cancel();
}

TEST_F(ABorrowedHandle, TakesOnlyWhatItCanKeep) {
    easy borrowed = easy::borrow(handle);
    EXPECT_EQ(refusal([&] {
                  borrowed.setopt<CURLOPT_WRITEFUNCTION>(
                      [](std::span<const char> data) { return data.size(); });
              }),
              errc::borrowed);
    EXPECT_EQ(refusal([&] { borrowed.setopt<CURLOPT_HTTPHEADER>({"X-Test: 1"}); }), errc::borrowed);
    EXPECT_EQ(refusal([&] { borrowed.setopt<CURLOPT_POSTFIELDS>("a=b"); }), errc::borrowed);
    borrowed.setopt<CURLOPT_URL>(url("/hello"));
    run(multi->add_handle(borrowed));
    EXPECT_EQ(body, "hello\n");
}

TEST_F(ABorrowedHandle, LeavesNoWatchOnItsConnection) {
    // Nobody tells us when a connection of a borrowed handle is closed.
    run(multi->add_handle(easy::borrow(handle)));
    run(multi->post([] {}));
    EXPECT_EQ(multi->stats().sockets, 0u);
    run(multi->add_handle(easy::borrow(handle)));
    EXPECT_EQ(body.size(), std::size_t{1 << 21});
}

TEST_F(ABorrowedHandle, LeavesNoWatchOnADescriptorThatAnOwnedEasyHadBefore) {
    // libcurl before 8.0 closes a socket that did not connect without a word.
    const reserved_port nobody;
    for (int i = 0; i < 3; ++i)
        EXPECT_THROW(run(multi->add_handle(quiet("http://" + nobody.address()))), transfer_error);
    run(multi->add_handle(easy::borrow(handle)));
    run(multi->post([] {}));
    EXPECT_EQ(multi->stats().sockets, 0u);
}

TEST_F(ABorrowedHandle, UsesConnectionsThatOwnedEasiesOpenedAndTheReverse) {
    std::size_t connections = 0;
    for (int i = 0; i < 6; ++i) {
        easy page = i % 2 == 0 ? easy::borrow(handle) : get("/bytes/1024", body);
        run(multi->add_handle(page));
        connections += static_cast<std::size_t>(page.getinfo<CURLINFO_NUM_CONNECTS>());
    }
    EXPECT_EQ(connections, 1u);
    EXPECT_EQ(body.size(), std::size_t{3 * ((1 << 20) + (1 << 10))});
    close();
}

TEST_F(ABorrowedHandle, MayBeCleanedUpInTheContinuationOfItsFuture) {
    run(multi->add_handle(easy::borrow(handle)).then([&](easy&& done) {
        done = easy();
        curl_easy_cleanup(std::exchange(handle, nullptr));
    }));
    EXPECT_TRUE(body == bytes(1 << 20));
    close();
}

} // namespace
