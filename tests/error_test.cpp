// SPDX-License-Identifier: MIT
#include <curlicue/easy.hpp>
#include <curlicue/error.hpp>
#include <curlicue/share.hpp>
#include <curlicue/url.hpp>

#include <cerrno>
#include <string>

#include <gtest/gtest.h>

namespace curlicue {
namespace {

TEST(ACodeOfLibcurl, EqualsThePortableConditionOfTheSameMeaning) {
    EXPECT_EQ(make_error_code(CURLE_OPERATION_TIMEDOUT), std::errc::timed_out);
    EXPECT_EQ(make_error_code(CURLE_COULDNT_CONNECT), std::errc::connection_refused);
    EXPECT_NE(make_error_code(CURLE_COULDNT_RESOLVE_HOST), std::errc::host_unreachable);
    EXPECT_EQ(make_error_code(CURLE_OUT_OF_MEMORY), std::errc::not_enough_memory);
    EXPECT_EQ(make_error_code(CURLE_ABORTED_BY_CALLBACK), std::errc::operation_canceled);
    EXPECT_EQ(make_error_code(CURLE_LOGIN_DENIED), std::errc::permission_denied);
    EXPECT_EQ(make_error_code(CURLE_UNSUPPORTED_PROTOCOL), std::errc::protocol_not_supported);
    EXPECT_EQ(make_error_code(CURLE_FILESIZE_EXCEEDED), std::errc::file_too_large);
    EXPECT_EQ(make_error_code(CURLE_RECV_ERROR), std::errc::connection_reset);
    EXPECT_EQ(make_error_code(CURLSHE_IN_USE), std::errc::device_or_resource_busy);
    EXPECT_EQ(make_error_code(CURLUE_BAD_PORT_NUMBER), std::errc::invalid_argument);
    EXPECT_EQ(std::error_code(CURLM_BAD_HANDLE, multi_category()), std::errc::invalid_argument);
}

TEST(ACodeOfLibcurl, ThatMeansNothingPortableEqualsOnlyItself) {
    const std::error_code code = CURLE_FTP_WEIRD_PASV_REPLY;
    EXPECT_NE(code, std::errc::invalid_argument);
    EXPECT_EQ(code, make_error_code(CURLE_FTP_WEIRD_PASV_REPLY));
    EXPECT_EQ(code.default_error_condition().category(), easy_category());
}

TEST(ACodeOfLibcurl, SpeaksInLibcurlsWords) {
    EXPECT_EQ(make_error_code(CURLE_COULDNT_CONNECT).message(),
              curl_easy_strerror(CURLE_COULDNT_CONNECT));
    EXPECT_EQ(std::error_code(CURLM_BAD_SOCKET, multi_category()).message(),
              curl_multi_strerror(CURLM_BAD_SOCKET));
    EXPECT_EQ(make_error_code(CURLSHE_IN_USE).message(), curl_share_strerror(CURLSHE_IN_USE));
    EXPECT_EQ(make_error_code(CURLUE_BAD_HOSTNAME).message(),
              curl_url_strerror(CURLUE_BAD_HOSTNAME));
}

TEST(AnyCode, HasWords) {
    for (const auto* const category : {&curlicue_category(), &easy_category(), &multi_category(),
                                       &share_category(), &url_category(), &uv_category()}) {
        EXPECT_FALSE(std::string(category->name()).empty());
        for (int code = -150; code != 150; ++code) {
            const std::error_code error(code, *category);
            EXPECT_FALSE(error.message().empty()) << category->name() << ' ' << code;
            // What is portable is so by one of the standard's conditions.
            const auto portable = error.default_error_condition();
            EXPECT_TRUE(portable.category() == *category ||
                        portable.category() == std::generic_category())
                << category->name() << ' ' << code;
        }
    }
}

TEST(ACodeOfAUrl, SaysWhatToDo) {
    EXPECT_NE(make_error_code(CURLUE_UNSUPPORTED_SCHEME).message().find("NON_SUPPORT_SCHEME"),
              std::string::npos);
}

TEST(ATransferError, HasCodeWordsAndHandle) {
    easy handle("http://127.0.0.1:1/");
    try {
        handle.perform();
        FAIL();
    } catch (const transfer_error& error) {
        EXPECT_EQ(error.code(), CURLE_COULDNT_CONNECT);
        EXPECT_EQ(error.code(), std::errc::connection_refused);
        EXPECT_FALSE(error.error_buffer().empty());
        EXPECT_EQ(error.handle(), handle);
        EXPECT_NE(std::string(error.what()).find(error.error_buffer()), std::string::npos);
    }
    EXPECT_FALSE(handle.error().empty());
}

std::error_code code_of(easy handle, int os_error) {
    try {
        handle.perform();
    } catch (const transfer_error& error) {
        EXPECT_EQ(error.os_error(), os_error);
        EXPECT_TRUE(is_easy_error(error.code()));
        EXPECT_EQ(error.code(), CURLE_COULDNT_CONNECT);
        EXPECT_EQ(error.code().message(), curl_easy_strerror(CURLE_COULDNT_CONNECT));
        EXPECT_EQ(error.code().category().name(), easy_category().name());
        return error.code();
    }
    return {};
}

TEST(ATransferError, EqualsTheReasonOfTheSystem) {
    EXPECT_EQ(code_of(easy("http://127.0.0.1:1/"), ECONNREFUSED), std::errc::connection_refused);
    easy missing("http://localhost/");
    missing.setopt<CURLOPT_UNIX_SOCKET_PATH>("/nonexistent/socket");
    const auto nobody = code_of(missing, ENOENT);
    EXPECT_EQ(nobody, std::errc::no_such_file_or_directory);
    EXPECT_NE(nobody, std::errc::connection_refused);
}

TEST(ATransferError, EqualsEachReasonOfTheSystemAlone) {
    const easy handle;
    const auto code = [&](CURLcode code, int os_error) {
        return transfer_error(code, "", handle, os_error).code();
    };
    const std::errc reasons[] = {std::errc::connection_refused, std::errc::host_unreachable,
                                 std::errc::network_unreachable, std::errc::timed_out,
                                 std::errc::too_many_files_open};
    for (const auto reason : reasons)
        for (const auto other : reasons)
            EXPECT_EQ(code(CURLE_COULDNT_CONNECT, static_cast<int>(reason)) == other,
                      reason == other);
    for (const auto other : reasons)
        EXPECT_NE(code(CURLE_COULDNT_CONNECT, 0), other);
    EXPECT_EQ(code(CURLE_RECV_ERROR, 0), std::errc::connection_reset);
    EXPECT_EQ(code(CURLE_RECV_ERROR, ETIMEDOUT), std::errc::timed_out);
    EXPECT_EQ(code(CURLE_SSL_CONNECT_ERROR, ECONNRESET), std::errc::connection_reset);
    EXPECT_EQ(code(CURLE_HTTP_RETURNED_ERROR, ECONNREFUSED), CURLE_HTTP_RETURNED_ERROR);
    EXPECT_NE(code(CURLE_HTTP_RETURNED_ERROR, ECONNREFUSED), std::errc::connection_refused);
    EXPECT_NE(code(CURLE_COULDNT_CONNECT, 100'000), std::errc::connection_refused);
    EXPECT_FALSE(is_easy_error(std::make_error_code(std::errc::connection_refused)));
}

TEST(ATransferError, OfAFailedLookUpSaysNothingOfRoutes) {
    try {
        easy("http://" + std::string(70, 'x') + ".invalid/").perform();
        FAIL();
    } catch (const transfer_error& error) {
        EXPECT_EQ(error.code(), CURLE_COULDNT_RESOLVE_HOST);
        EXPECT_EQ(error.os_error(), 0);
        EXPECT_NE(error.code(), std::errc::host_unreachable);
        EXPECT_NE(error.code(), std::errc::connection_refused);
    }
}

TEST(ATransferError, OutlivesItsEasy) {
    std::exception_ptr kept;
    try {
        easy("http://127.0.0.1:1/").perform();
    } catch (const transfer_error&) {
        kept = std::current_exception();
    }
    try {
        std::rethrow_exception(kept);
    } catch (const transfer_error& error) {
        EXPECT_EQ(error.handle().getinfo<CURLINFO_EFFECTIVE_URL>(), "http://127.0.0.1:1/");
    }
}

TEST(AMultiError, IsAnErrorOfItsCategory) {
    const multi_error error(CURLM_BAD_SOCKET, "multi::assign");
    EXPECT_EQ(error.code().category(), multi_category());
    EXPECT_NE(std::string(error.what()).find("multi::assign"), std::string::npos);
}

} // namespace
} // namespace curlicue
