// SPDX-License-Identifier: MIT
#include <curlicue/version.hpp>

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace curlicue {
namespace {

TEST(TheVersionOfLibcurl, IsTheOneItTellsItself) {
    EXPECT_THAT(LIBCURL_VERSION, testing::StartsWith(to_string(libcurl_version().compiled)));
    EXPECT_THAT(std::string(curl_version()),
                testing::HasSubstr(to_string(libcurl_version().found)));
}

TEST(AVersionNumber, IsOrdered) {
    EXPECT_LT((version_number{7, 88, 1}), (version_number{8, 0, 0}));
    EXPECT_LT((version_number{8, 9, 9}), (version_number{8, 10, 0}));
}

TEST(TheFeaturesOfLibcurl, AreFoundByName) {
    EXPECT_TRUE(has_protocol("http"));
    EXPECT_TRUE(has_protocol("HTTP"));
    EXPECT_FALSE(has_protocol("nope"));
    EXPECT_THAT(protocols(), testing::Contains("file"));
    EXPECT_FALSE(has_feature("nope"));
    for (const auto& feature : features())
        EXPECT_TRUE(has_feature(feature)) << feature;
}

} // namespace
} // namespace curlicue
