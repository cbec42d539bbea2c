// SPDX-License-Identifier: MIT
// libcurl's notifications, which are hints: late, doubled, for handles of libcurl's own, or with
// none.
#include "support/fake_curl/engine_fixture.hpp"
#include "support/multi_fixture.hpp"
#include <curlicue/multi.hpp>

#include <cstdint>
#include <set>
#include <vector>

#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;

namespace {

constexpr unsigned info_read = 0; // CURLMNOTIFY_INFO_READ
constexpr unsigned easy_done = 1; // CURLMNOTIFY_EASY_DONE

TEST(AMultiThatIsNotified, HearsOfItsEasiesAndOfNoStrangers) {
    fake_curl curl;
    multi transfers;
    std::vector<bool> named;
    transfers.setopt<detail::multiopt_notifyfunction>(
        [&](unsigned, const easy* handle) { named.push_back(handle != nullptr); });
    transfers.notify_enable(info_read, easy_done);
    EXPECT_EQ(curl.multi().notifications, (std::set<unsigned>{info_read, easy_done}));
    easy handle;
    transfers.add_handle(handle);
    curl.on_action = [&](fake_multi& multi, curl_socket_t, int) {
        multi.notify(info_read, nullptr);
        multi.notify(info_read,
                     reinterpret_cast<CURL*>(std::uintptr_t{0x5a5a})); // its admin handle
        multi.notify(easy_done, handle.native_handle());
        multi.notify(easy_done, handle.native_handle());
    };
    transfers.perform();
    EXPECT_EQ(named, (std::vector<bool>{false, false, true, true}));
    transfers.notify_disable(info_read);
    EXPECT_EQ(curl.multi().notifications, (std::set<unsigned>{easy_done}));
}

TEST(AMultiThatIsNotified, NeitherAddsNorRemovesWhileItIsTold) {
    fake_curl curl;
    multi transfers;
    easy handle;
    easy other;
    int told = 0;
    transfers.setopt<detail::multiopt_notifyfunction>([&](unsigned, const easy*) {
        ++told;
        EXPECT_EQ(refusal([&] { transfers.add_handle(other); }), errc::inside_callback);
        EXPECT_EQ(refusal([&] { transfers.remove_handle(handle); }), errc::inside_callback);
    });
    transfers.notify_enable(info_read);
    transfers.add_handle(handle);
    curl.on_action = [](fake_multi& multi, curl_socket_t, int) {
        multi.notify(info_read, nullptr);
    };
    transfers.perform();
    EXPECT_EQ(told, 1);
    EXPECT_TRUE(transfers.contains(handle));
    EXPECT_FALSE(other.attached());
}

TEST(AMultiThatIsNotified, HearsNothingOnceItIsClosed) {
    fake_curl curl;
    multi transfers;
    int heard = 0;
    transfers.setopt<detail::multiopt_notifyfunction>([&](unsigned, const easy*) { ++heard; });
    transfers.notify_enable(info_read);
    easy handle;
    transfers.add_handle(handle);
    curl.on_cleanup = [](fake_multi& multi) { multi.notify(info_read, nullptr); };
    transfers.close();
    EXPECT_TRUE(transfers.closed());
    EXPECT_LE(heard, 1);
}

} // namespace
