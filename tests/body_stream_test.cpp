// SPDX-License-Identifier: MIT
#include "callback_slots.hpp"
#include "easy_core.hpp"
#include "support/failure.hpp"
#include "support/files.hpp"
#include "support/nginx.hpp"
#include "support/scripted_server.hpp"
#include "support/temporary_directory.hpp"
#include <curlicue/easy.hpp>
#include <curlicue/error.hpp>

#include <cstdio>
#include <memory>
#include <sstream>
#include <streambuf>
#include <system_error>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace curlicue {
namespace {

using test::failure_of;
using test::nginx;
using test::scripted_server;
using testing::HasSubstr;

using file = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

file opened(const std::filesystem::path& path, const char* mode) {
    return file(std::fopen(path.c_str(), mode), &std::fclose);
}

/// What can be read once, and not from the start again.
class one_way_buffer : public std::streambuf {
public:
    explicit one_way_buffer(std::string text) : text_(std::move(text)) {
        setg(text_.data(), text_.data(), text_.data() + text_.size());
    }

private:
    std::string text_;
};

class ABodyThatIsSent : public testing::Test {
protected:
    /// An upload of four bytes to a server that wants them twice.
    easy upload() {
        easy handle(server_.url());
        handle.setopt<CURLOPT_UPLOAD>(true)
            .setopt<CURLOPT_INFILESIZE>(4)
            .setopt<CURLOPT_FOLLOWLOCATION>(true)
            .setopt<CURLOPT_HTTPHEADER>({"Expect:"});
        return handle;
    }

    std::string received_;
    scripted_server server_{[this](test::connection& client) {
        for (int posts = 0; !client.read_request_head().empty(); ++posts) {
            received_ += client.read(4);
            client.write(posts == 0
                             ? "HTTP/1.1 307 Again\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"
                             : "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
    }};
};

TEST_F(ABodyThatIsSent, IsReadFromTheStartAgainOfAStream) {
    std::istringstream stream("abcd");
    auto handle = upload();
    handle.setopt<CURLOPT_READDATA>(stream);
    handle.perform();
    EXPECT_EQ(received_, "abcdabcd");
}

TEST_F(ABodyThatIsSent, IsReadFromTheStartAgainOfAText) {
    auto handle = upload();
    handle.setopt<CURLOPT_READDATA>(std::string("abcd"));
    handle.perform();
    EXPECT_EQ(received_, "abcdabcd");
}

TEST_F(ABodyThatIsSent, IsReadFromTheStartAgainOfAFile) {
    const test::temporary_directory directory;
    test::write_file(directory / "body", "abcd");
    const auto source = opened(directory / "body", "r");
    auto handle = upload();
    handle.setopt<CURLOPT_READDATA>(source.get());
    handle.perform();
    EXPECT_EQ(received_, "abcdabcd");
}

/// What libcurl says then: 8.10 the second.
const auto cannot_go_back =
    testing::AnyOf(std::error_code(CURLE_SEND_FAIL_REWIND), std::error_code(CURLE_READ_ERROR));

TEST_F(ABodyThatIsSent, EndsTheTransferWhereAStreamCannotGoBack) {
    one_way_buffer buffer("abcd");
    std::istream stream(&buffer);
    auto handle = upload();
    handle.setopt<CURLOPT_READDATA>(stream);
    EXPECT_THAT(failure_of([&] { handle.perform(); }), cannot_go_back);
    EXPECT_EQ(received_, "abcd");
}

TEST_F(ABodyThatIsSent, EndsTheTransferWhereAFileCannotGoBack) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    ASSERT_EQ(::write(ends[1], "abcd", 4), 4);
    ::close(ends[1]);
    const file source(::fdopen(ends[0], "r"), &std::fclose);
    auto handle = upload();
    handle.setopt<CURLOPT_READDATA>(source.get());
    EXPECT_THAT(failure_of([&] { handle.perform(); }), cannot_go_back);
    EXPECT_EQ(received_, "abcd");
}

TEST_F(ABodyThatIsSent, EndsTheTransferWhereItCannotBeRead) {
    std::istringstream stream("abcd");
    stream.setstate(std::ios::badbit);
    auto handle = upload();
    handle.setopt<CURLOPT_READDATA>(stream);
    EXPECT_EQ(failure_of([&] { handle.perform(); }), CURLE_ABORTED_BY_CALLBACK);
    const test::temporary_directory directory;
    const auto source = opened(directory / "body", "w");
    handle.setopt<CURLOPT_READDATA>(source.get());
    EXPECT_EQ(failure_of([&] { handle.perform(); }), CURLE_ABORTED_BY_CALLBACK);
}

/// What libcurl would say: version 7.88 asks for places from the start only, and may yet ask for
/// others (CURLOPT_SEEKFUNCTION(3)).
int seek(const easy& handle, curl_off_t to, int origin) {
    const auto function =
        reinterpret_cast<curl_seek_callback>(detail::trampoline_of(CURLOPT_SEEKFUNCTION));
    return function(detail::easy_access::core_of(handle).get(), to, origin);
}

TEST(ASeekInAStream, GoesWhereItIsTold) {
    std::istringstream stream("abcdef");
    easy handle;
    handle.setopt<CURLOPT_READDATA>(stream);
    EXPECT_EQ(seek(handle, 2, SEEK_SET), CURL_SEEKFUNC_OK);
    EXPECT_EQ(stream.tellg(), 2);
    EXPECT_EQ(seek(handle, 1, SEEK_CUR), CURL_SEEKFUNC_OK);
    EXPECT_EQ(stream.tellg(), 3);
    EXPECT_EQ(seek(handle, -1, SEEK_END), CURL_SEEKFUNC_OK);
    EXPECT_EQ(stream.tellg(), 5);
    EXPECT_EQ(seek(handle, -1, SEEK_SET), CURL_SEEKFUNC_CANTSEEK);
}

TEST(ASeekInAText, StaysInsideIt) {
    easy handle;
    handle.setopt<CURLOPT_READDATA>(std::string("abc"));
    EXPECT_EQ(seek(handle, 3, SEEK_SET), CURL_SEEKFUNC_OK);
    EXPECT_EQ(seek(handle, 4, SEEK_SET), CURL_SEEKFUNC_CANTSEEK);
    EXPECT_EQ(seek(handle, -1, SEEK_SET), CURL_SEEKFUNC_CANTSEEK);
    EXPECT_EQ(seek(handle, 0, SEEK_CUR), CURL_SEEKFUNC_CANTSEEK);
}

TEST(AResponse, GoesIntoFilesAndStreamsWithItsHeaders) {
    const test::temporary_directory directory;
    std::ostringstream headers;
    easy handle(nginx::shared().http("/hello"));
    {
        const auto body = opened(directory / "body", "w");
        const auto head = opened(directory / "head", "w");
        handle.setopt<CURLOPT_WRITEDATA>(body.get()).setopt<CURLOPT_HEADERDATA>(head.get());
        handle.perform();
        handle.setopt<CURLOPT_HEADERDATA>(headers).perform();
    }
    EXPECT_EQ(test::read_file(directory / "body"), "hello\nhello\n");
    EXPECT_EQ(test::read_file(directory / "head").substr(0, 12), "HTTP/1.1 200");
    EXPECT_THAT(headers.str(), HasSubstr("Content-Length: 6"));
}

TEST(AResponse, GoesIntoAFileOfABorrowedEasyByLibcurlsOwnHand) {
    const test::temporary_directory directory;
    const std::unique_ptr<CURL, void (*)(CURL*)> raw(curl_easy_init(), &curl_easy_cleanup);
    {
        const auto body = opened(directory / "body", "w");
        auto handle = easy::borrow(raw.get());
        handle.setopt<CURLOPT_URL>(nginx::shared().http("/hello"))
            .setopt<CURLOPT_WRITEDATA>(body.get())
            .perform();
    }
    EXPECT_EQ(test::read_file(directory / "body"), "hello\n");
}

TEST(AFile, ForLibcurlsOwnWordsIsLibcurls) {
    const test::temporary_directory directory;
    easy handle(nginx::shared().http("/hello"));
    std::string body;
    {
        const auto words = opened(directory / "words", "w");
        handle.setopt<CURLOPT_STDERR>(words.get())
            .setopt<CURLOPT_VERBOSE>(true)
            .setopt<CURLOPT_WRITEDATA>(body)
            .perform();
        handle.setopt<CURLOPT_VERBOSE>(false).close();
    }
    EXPECT_THAT(test::read_file(directory / "words"), HasSubstr("GET /hello"));
}

} // namespace
} // namespace curlicue
