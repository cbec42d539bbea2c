// SPDX-License-Identifier: MIT
#include "support/manual_executor.hpp"
#include <curlicue/easy.hpp>
#include <curlicue/error.hpp>
#include <curlicue/future.hpp>
#include <curlicue/mime.hpp>
#include <curlicue/multi.hpp>
#include <curlicue/share.hpp>
#include <curlicue/url.hpp>

#include <cerrno>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

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

/// The rows of the README's table: the names of conditions, and of the codes that equal them.
std::map<std::string, std::set<std::string>> rows_of_the_readme() {
    std::ifstream readme(README);
    std::map<std::string, std::set<std::string>> rows;
    for (std::string line; std::getline(readme, line) && !line.starts_with("| `std::errc::");) {
    }
    for (std::string line; std::getline(readme, line) && line.starts_with('|');) {
        std::istringstream names(line.substr(0, line.find("; also")));
        std::string before, name, condition;
        while (std::getline(names, before, '`') && std::getline(names, name, '`'))
            condition.empty() ? void(condition = name) : void(rows[condition].insert(name));
    }
    return rows;
}

TEST(ACodeOfLibcurl, EqualsWhatTheReadmeSays) {
    const std::map<std::string, std::pair<CURLcode, std::errc>> codes = {
#define EQUALS(code, condition)                                                                    \
    {                                                                                              \
#code "/" #condition, { CURLE_##code, std::errc::condition }                               \
    }
        EQUALS(OPERATION_TIMEDOUT, timed_out),
        EQUALS(FTP_ACCEPT_TIMEOUT, timed_out),
        EQUALS(ABORTED_BY_CALLBACK, operation_canceled),
        EQUALS(COULDNT_CONNECT, connection_refused),
        EQUALS(SEND_ERROR, connection_reset),
        EQUALS(RECV_ERROR, connection_reset),
        EQUALS(GOT_NOTHING, connection_reset),
        EQUALS(LOGIN_DENIED, permission_denied),
        EQUALS(AUTH_ERROR, permission_denied),
        EQUALS(REMOTE_ACCESS_DENIED, permission_denied),
        EQUALS(TFTP_PERM, permission_denied),
        EQUALS(REMOTE_FILE_NOT_FOUND, no_such_file_or_directory),
        EQUALS(FILE_COULDNT_READ_FILE, no_such_file_or_directory),
        EQUALS(TFTP_NOTFOUND, no_such_file_or_directory),
        EQUALS(REMOTE_FILE_EXISTS, file_exists),
        EQUALS(FILESIZE_EXCEEDED, file_too_large),
        EQUALS(REMOTE_DISK_FULL, no_space_on_device),
        EQUALS(OUT_OF_MEMORY, not_enough_memory),
        EQUALS(TOO_MANY_REDIRECTS, too_many_links),
        EQUALS(WEIRD_SERVER_REPLY, protocol_error),
        EQUALS(HTTP2, protocol_error),
        EQUALS(HTTP2_STREAM, protocol_error),
        EQUALS(HTTP3, protocol_error),
        EQUALS(UNSUPPORTED_PROTOCOL, protocol_not_supported),
        EQUALS(NOT_BUILT_IN, not_supported),
        EQUALS(URL_MALFORMAT, invalid_argument),
        EQUALS(BAD_FUNCTION_ARGUMENT, invalid_argument),
        EQUALS(UNKNOWN_OPTION, invalid_argument),
        EQUALS(SETOPT_OPTION_SYNTAX, invalid_argument),
        EQUALS(AGAIN, operation_would_block),
#undef EQUALS
    };
    std::set<std::string> told;
    std::set<int> equal;
    for (const auto& [condition, names] : rows_of_the_readme())
        for (const auto& name : names)
            told.insert(name + "/" + condition);
    for (const auto& [name, each] : codes) {
        EXPECT_EQ(told.count(name), 1U) << name;
        EXPECT_EQ(make_error_code(each.first), each.second) << name;
        equal.insert(each.first);
    }
    EXPECT_EQ(told.size(), codes.size());
    for (int code = 1; code != CURL_LAST; ++code) {
        const std::error_code error(code, easy_category());
        EXPECT_EQ(error.default_error_condition().category() == std::generic_category(),
                  equal.count(code) == 1)
            << error.message();
    }
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
        EXPECT_EQ(error.what(), error.error_buffer());
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

TEST(ATransferError, IsWhatAPromiseMakesOfACodeOfATransfer) {
    test::manual_executor loop;
    promise<easy> source(loop);
    auto transfer = source.get_future();
    EXPECT_TRUE(source.set_error(CURLE_OPERATION_TIMEDOUT));
    try {
        static_cast<void>(transfer.get());
        FAIL();
    } catch (const transfer_error& error) {
        EXPECT_EQ(error.code(), CURLE_OPERATION_TIMEDOUT);
        EXPECT_STREQ(error.what(), curl_easy_strerror(CURLE_OPERATION_TIMEDOUT));
        EXPECT_TRUE(error.error_buffer().empty());
        EXPECT_EQ(error.os_error(), 0);
        EXPECT_TRUE(error.handle().closed());
        EXPECT_THROW(static_cast<void>(error.handle().getinfo<CURLINFO_RESPONSE_CODE>()),
                     usage_error);
    }
    const failure refused(transfer_error(CURLE_COULDNT_CONNECT, "", easy(), ENOENT).code());
    try {
        std::rethrow_exception(refused.exception());
    } catch (const transfer_error& error) {
        EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
    }
    const failure undriven(std::error_code(CURLM_BAD_SOCKET, multi_category()));
    EXPECT_THROW(std::rethrow_exception(undriven.exception()), multi_error);
}

TEST(AMultiError, IsAnErrorOfItsCategory) {
    const multi_error error(CURLM_BAD_SOCKET, "multi::assign");
    EXPECT_EQ(error.code().category(), multi_category());
    EXPECT_NE(std::string(error.what()).find("multi::assign"), std::string::npos);
}

// ---- what() of each type, as a person reads it

/// Three words in a row that stand in `text` twice.
std::string said_twice(const std::string& text) {
    std::vector<std::string> words;
    std::istringstream stream(text);
    for (std::string word; stream >> word; words.push_back(word))
        while (!word.empty() && std::string_view(":;,.").find(word.back()) != std::string::npos)
            word.pop_back();
    const auto phrase = [&](std::size_t from) {
        return words[from] + ' ' + words[from + 1] + ' ' + words[from + 2];
    };
    for (std::size_t i = 0; i + 3 <= words.size(); ++i)
        for (std::size_t j = i + 1; j + 3 <= words.size(); ++j)
            if (phrase(i) == phrase(j))
                return phrase(i);
    return {};
}

struct refused_call {
    std::string says;
    std::function<void()> call;
};

TEST(AnyError, SaysWhatItHasToSayOnce) {
    const easy handle, added;
    multi driver;
    driver.add_handle(added);
    const std::string nul("a\0b", 3);
    const std::vector<refused_call> table = {
        {curl_easy_strerror(CURLE_GOT_NOTHING),
         [&] { throw transfer_error(CURLE_GOT_NOTHING, "", handle); }},
        {"Empty reply from server: it said nothing",
         [&] {
             throw transfer_error(CURLE_GOT_NOTHING, "Empty reply from server: it said nothing",
                                  handle);
         }},
        {"multi::assign: " + std::string(curl_multi_strerror(CURLM_BAD_SOCKET)),
         [] { throw multi_error(CURLM_BAD_SOCKET, "multi::assign"); }},
        {"cancelled", [] { throw cancelled(); }},
        {"timed out", [] { throw timed_out(); }},
        {"the promise was destroyed without an outcome, or a body_writer without end()",
         [] { throw future_error(errc::broken_promise); }},
        {"future: it is empty: moved from, or its value was taken",
         [] { static_cast<void>(future<int>().get()); }},
        {"CURLOPT_URL: the string has a NUL byte inside, where libcurl would cut it",
         [&] { easy().setopt<CURLOPT_URL>(nul); }},
        {"multi::add_handle: the easy is added already; wait for its future, remove it, or add a "
         "duphandle()",
         [&] { driver.add_handle(added); }},
        {"easy::borrow: the handle is null", [] { static_cast<void>(easy::borrow(nullptr)); }},
        {"", [] { easy("http://127.0.0.1:1/").perform(); }},
        {"", [] { easy("http:///").perform(); }},
        {"", [] { easy("gopherus://127.0.0.1:1/").perform(); }},
        {"", [] { easy().perform(); }},
        {"", [] { easy().setopt<CURLOPT_PROXYTYPE>(12345L); }},
        {"", [] { easy().setopt<CURLOPT_TIMEOUT_MS>(std::chrono::milliseconds(-1)); }},
        {"", [] { static_cast<void>(url("gopherus://x/")); }},
        {"", [] { static_cast<void>(url("no scheme")); }},
        {"",
         [&] { easy(handle).close(), static_cast<void>(handle.getinfo<CURLINFO_TOTAL_TIME>()); }},
        {"", [&] { multi().remove_handle(added); }},
        {"", [&] { driver.setopt(static_cast<CURLMoption>(9), 1); }},
        {"", [] { share().setopt(CURLSHOPT_SHARE, CURL_LOCK_DATA_LAST); }},
        {"", [] { easy().send(std::string_view("x")); }},
    };
    for (const auto& each : table) {
        try {
            each.call();
            ADD_FAILURE() << "nothing is thrown where one says " << each.says;
        } catch (const std::exception& error) {
            if (!each.says.empty()) {
                EXPECT_EQ(error.what(), each.says);
            }
            EXPECT_STRNE(error.what(), "");
            EXPECT_EQ(said_twice(error.what()), "") << error.what();
        }
    }
}

TEST(AnyUsageError, NamesTheCallAndSaysWhatToDoOnce) {
    for (int code = 1; code <= static_cast<int>(errc::no_code); ++code) {
        const usage_error alone(static_cast<errc>(code));
        const usage_error named(static_cast<errc>(code), "easy::setopt");
        EXPECT_EQ(alone.what(), alone.code().message());
        EXPECT_EQ(named.what(), "easy::setopt: " + alone.code().message());
        EXPECT_EQ(said_twice(named.what()), "") << named.what();
    }
}

} // namespace
} // namespace curlicue
