// SPDX-License-Identifier: MIT
#include <curlicue/error.hpp>
#include <curlicue/url.hpp>

#include <string>

#include <gtest/gtest.h>

namespace curlicue {
namespace {

TEST(AUrl, ComesApart) {
    const url address("https://me:secret@example.com:8443/a/b?c=d#e");
    EXPECT_EQ(address.get(CURLUPART_SCHEME), "https");
    EXPECT_EQ(address.get(CURLUPART_USER), "me");
    EXPECT_EQ(address.get(CURLUPART_PASSWORD), "secret");
    EXPECT_EQ(address.get(CURLUPART_HOST), "example.com");
    EXPECT_EQ(address.get(CURLUPART_PORT), "8443");
    EXPECT_EQ(address.get(CURLUPART_PATH), "/a/b");
    EXPECT_EQ(address.get(CURLUPART_QUERY), "c=d");
    EXPECT_EQ(address.get(CURLUPART_FRAGMENT), "e");
    EXPECT_EQ(url("http://a/").get(CURLUPART_PORT), std::nullopt);
    EXPECT_EQ(url("http://a/").get(CURLUPART_PORT, CURLU_DEFAULT_PORT), "80");
}

TEST(AUrl, IsPutTogether) {
    url address;
    address.set(CURLUPART_SCHEME, "http")
        .set(CURLUPART_HOST, "example.com")
        .set(CURLUPART_PATH, "/a b", CURLU_URLENCODE)
        .set(CURLUPART_QUERY, "x=1")
        .set(CURLUPART_QUERY, "y=&", CURLU_APPENDQUERY | CURLU_URLENCODE);
    EXPECT_EQ(address.to_string(), "http://example.com/a%20b?x=1&y=%26");
    address.unset(CURLUPART_QUERY);
    EXPECT_EQ(address.to_string(), "http://example.com/a%20b");
}

TEST(AUrl, FollowsRelativeOnes) {
    url address("http://example.com/a/b");
    address.set(CURLUPART_URL, "../c");
    EXPECT_EQ(address.to_string(), "http://example.com/c");
}

TEST(AUrl, IsAValue) {
    const url original("http://example.com/");
    url copy = original;
    EXPECT_EQ(copy, original);
    copy.set(CURLUPART_HOST, "example.org");
    EXPECT_NE(copy, original);
    const url moved = std::move(copy);
    EXPECT_EQ(moved.get(CURLUPART_HOST), "example.org");
    copy = original;
    EXPECT_EQ(copy, original);
}

TEST(AUrl, IsCopiedWithTheZoneOfItsAddress) {
    const url original("http://[fe80::1%25eth0]/");
    ASSERT_EQ(original.get(CURLUPART_ZONEID), "eth0");
    const url copy = original;
    EXPECT_EQ(copy.get(CURLUPART_ZONEID), "eth0");
    EXPECT_EQ(copy, original);
}

TEST(AUrl, KeepsItsZoneWhereANewHostIsRefused) {
    url address("http://[fe80::1%25eth0]/");
    EXPECT_THROW(address.set(CURLUPART_HOST, "no host"), std::system_error);
    EXPECT_EQ(address.get(CURLUPART_ZONEID), "eth0");
    address.set(CURLUPART_HOST, "example.com");
    EXPECT_EQ(address.get(CURLUPART_ZONEID), std::nullopt);
}

TEST(AUrl, StaysAsItIsWhenItIsLookedAt) {
    url address("http://example.com/");
    try {
        address.set(CURLUPART_HOST, "a%b");
    } catch (const std::system_error&) {
        GTEST_SKIP() << "this libcurl takes no such host";
    }
    const auto host = address.get(CURLUPART_HOST);
    const auto text = address.to_string();
    EXPECT_EQ(address.get(CURLUPART_URL), text);
    EXPECT_EQ(address.to_string(), text);
    EXPECT_EQ(address.get(CURLUPART_HOST), host);
}

TEST(AUrl, IsTheSameWithItsDefaultPort) {
    EXPECT_EQ(url("https://example.com:443/"), url("https://example.com/"));
    EXPECT_NE(url("https://example.com:444/"), url("https://example.com/"));
}

TEST(AUrl, ThatIsNoneIsRefusedWithAdviceAndWithoutBeingShown) {
    try {
        const url address("nope://secret@example.com/");
        FAIL();
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code(), CURLUE_UNSUPPORTED_SCHEME);
        EXPECT_NE(std::string(error.what()).find("CURLU_NON_SUPPORT_SCHEME"), std::string::npos);
        EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos);
    }
    EXPECT_THROW(url("http://example.com:99999/"), std::system_error);
    EXPECT_THROW((void)url().to_string(), std::system_error);
}

TEST(AUrl, KeepsItsPartsWhenANewOneIsRefused) {
    url address("http://example.com/");
    EXPECT_THROW(address.set(CURLUPART_PORT, "none"), std::system_error);
    EXPECT_EQ(address.to_string(), "http://example.com/");
}

// libcurl 7.88 crashes on some of these (urlapi.c, curl_url_set), and has no text for others.
TEST(AUrl, EncodesWhatIsEmpty) {
    url address("http://:@example.com/?a");
    EXPECT_EQ(address.get(CURLUPART_PASSWORD, CURLU_URLENCODE), "");
    address.set(CURLUPART_HOST, "", CURLU_URLENCODE | CURLU_NO_AUTHORITY);
    EXPECT_EQ(address.get(CURLUPART_HOST), "");
    address.set(CURLUPART_QUERY, "", CURLU_URLENCODE | CURLU_APPENDQUERY);
    EXPECT_EQ(address.get(CURLUPART_QUERY), "a&");
}

TEST(AUrl, RefusesANulInside) {
    EXPECT_THROW(url(std::string_view("http://a\0b/", 11)), usage_error);
    url address("http://a/");
    EXPECT_THROW(address.set(CURLUPART_PATH, std::string_view("/b\0c", 4)), usage_error);
    EXPECT_EQ(address.to_string(), "http://a/");
}

} // namespace
} // namespace curlicue
