// SPDX-License-Identifier: MIT
// What no server of these tests makes libcurl call is called here in its place.
#include "callback_slots.hpp"
#include "easy_core.hpp"
#include <curlicue/easy.hpp>
#include <curlicue/error.hpp>

#include <string>

#include <gtest/gtest.h>

namespace curlicue {
namespace {

template <CURLoption Option> auto trampoline() {
    return reinterpret_cast<detail::c_function_of<Option>>(detail::trampoline_of(Option));
}

class ATrampoline : public testing::Test {
protected:
    /// False where this libcurl was built without what the option is for.
    template <CURLoption Option, class Callable> bool set(Callable callable) {
        try {
            handle_.setopt<Option>(std::move(callable));
            return true;
        } catch (const std::system_error& error) {
            EXPECT_TRUE(error.code() == CURLE_UNKNOWN_OPTION || error.code() == CURLE_NOT_BUILT_IN);
            return false;
        }
    }
    void* core() { return detail::easy_access::core_of(handle_).get(); }

    easy handle_;
};

TEST_F(ATrampoline, HandsOnWhatIsInterleaved) {
    std::string seen;
    if (!set<CURLOPT_INTERLEAVEFUNCTION>([&](std::span<const char> data) {
            seen.assign(data.data(), data.size());
            return data.size();
        }))
        GTEST_SKIP() << "a libcurl without RTSP";
    char data[] = "abcd";
    EXPECT_EQ(trampoline<CURLOPT_INTERLEAVEFUNCTION>()(data, 2, 2, core()), 4U);
    EXPECT_EQ(seen, "abcd");
}

TEST_F(ATrampoline, HandsOnTheKeysOfAnSshServer) {
    const curl_khkey found{"key", 3, CURLKHTYPE_RSA};
    const curl_khkey* known = &found;
    const auto takes_new_ones = [&](const curl_khkey* before, const curl_khkey& now,
                                    curl_khmatch match) {
        known = before;
        return now.len == 3 && match == CURLKHMATCH_MISSING ? CURLKHSTAT_FINE : CURLKHSTAT_REJECT;
    };
    if (!set<CURLOPT_SSH_KEYFUNCTION>(takes_new_ones))
        GTEST_SKIP() << "a libcurl without SSH";
    const auto ask = trampoline<CURLOPT_SSH_KEYFUNCTION>();
    EXPECT_EQ(ask(nullptr, nullptr, &found, CURLKHMATCH_MISSING, core()), CURLKHSTAT_FINE);
    EXPECT_EQ(known, nullptr);
    EXPECT_EQ(ask(nullptr, &found, &found, CURLKHMATCH_MISMATCH, core()), CURLKHSTAT_REJECT);
    EXPECT_EQ(known, &found);
}

TEST_F(ATrampoline, HandsOnTheHostKeyOfAnSshServer) {
    const auto is_abc = [](int, std::string_view key) {
        return key == "abc" ? CURLKHMATCH_OK : CURLKHMATCH_MISMATCH;
    };
    if (!set<CURLOPT_SSH_HOSTKEYFUNCTION>(is_abc))
        GTEST_SKIP() << "a libcurl without libssh2";
    const auto ask = trampoline<CURLOPT_SSH_HOSTKEYFUNCTION>();
    EXPECT_EQ(ask(core(), CURLKHTYPE_RSA, "abcd", 3), CURLKHMATCH_OK);
    EXPECT_EQ(ask(core(), CURLKHTYPE_RSA, "abcd", 4), CURLKHMATCH_MISMATCH);
}

TEST_F(ATrampoline, RefusesAnSshServerWhereTheCallableThrows) {
    const auto throws = [](int, std::string_view) -> int { throw std::runtime_error("no"); };
    if (!set<CURLOPT_SSH_HOSTKEYFUNCTION>(throws))
        GTEST_SKIP() << "a libcurl without libssh2";
    EXPECT_EQ(trampoline<CURLOPT_SSH_HOSTKEYFUNCTION>()(core(), CURLKHTYPE_RSA, "abc", 3),
              CURLKHMATCH_MISMATCH);
}

TEST_F(ATrampoline, HandsOnTheOldWayToRewind) {
    constexpr auto option = detail::function_number(130); // IOCTLFUNCTION
    int command = -1;
    ASSERT_TRUE(set<option>([&](int given) {
        command = given;
        return CURLIOE_OK;
    }));
    EXPECT_EQ(trampoline<option>()(nullptr, CURLIOCMD_RESTARTREAD, core()), CURLIOE_OK);
    EXPECT_EQ(command, CURLIOCMD_RESTARTREAD);
}

TEST_F(ATrampoline, RefusesAnHstsEntryThatDoesNotFit) {
    hsts_entry entry{"host", "20991231 23:59:59", false};
    if (!set<CURLOPT_HSTSREADFUNCTION>([&]() -> std::optional<hsts_entry> { return entry; }))
        GTEST_SKIP() << "a libcurl without HSTS";
    const auto read = trampoline<CURLOPT_HSTSREADFUNCTION>();
    char name[8] = "";
    curl_hstsentry place{};
    place.name = name;
    place.namelen = sizeof name - 1;
    EXPECT_EQ(read(nullptr, &place, core()), CURLSTS_OK);
    EXPECT_STREQ(name, "host");
    EXPECT_STREQ(place.expire, "20991231 23:59:59");
    EXPECT_EQ(place.includeSubDomains, 0U);
    entry.host = "host.of"; // fits, with its end
    EXPECT_EQ(read(nullptr, &place, core()), CURLSTS_OK);
    EXPECT_STREQ(name, "host.of");
    entry.host = "host.of.";
    EXPECT_EQ(read(nullptr, &place, core()), CURLSTS_FAIL);
    entry = {"host", "20991231 23:59:59 ", false}; // longer than its place by the end
    EXPECT_EQ(read(nullptr, &place, core()), CURLSTS_FAIL);
    handle_.unset<CURLOPT_HSTSREADFUNCTION>(); // which would never say that this was all
}

} // namespace
} // namespace curlicue
