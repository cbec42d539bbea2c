// SPDX-License-Identifier: MIT
#include "easy_core.hpp"
#include "server_name.hpp"
#include <curlicue/easy.hpp>

#include <string>

#include <gtest/gtest.h>

using namespace curlicue;

namespace {

std::string name_of(const char* url) {
    const easy handle(url);
    detail::server_name name;
    return std::string(name.of(*detail::easy_access::core_of(handle)));
}

TEST(AServerName, IsWhereLibcurlWouldConnectTo) {
    EXPECT_EQ(name_of("http://User:Password@Example.Test/path"), "http://example.test:80");
    EXPECT_EQ(name_of("https://example.test:8443"), "https://example.test:8443");
    EXPECT_EQ(name_of("example.test"), "http://example.test:80");
}

TEST(AServerName, IsGuessedWhereTheUrlHasNoScheme) {
    EXPECT_EQ(name_of("ftp.example.test"), "ftp://ftp.example.test:21");
    EXPECT_EQ(name_of("FTP.example.test/file"), "ftp://ftp.example.test:21");
    EXPECT_EQ(name_of("ftp"), "http://ftp:80");
    EXPECT_EQ(name_of("ftpx.example.test"), "http://ftpx.example.test:80");
}

} // namespace
