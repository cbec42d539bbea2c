// SPDX-License-Identifier: MIT
#include "support/failure.hpp"
#include "support/files.hpp"
#include "support/nginx.hpp"
#include "support/scripted_server.hpp"
#include "support/temporary_directory.hpp"
#include <curlicue/easy.hpp>
#include <curlicue/mime.hpp>
#include <curlicue/share.hpp>
#include <curlicue/url.hpp>
#include <curlicue/version.hpp>

#include <chrono>
#include <memory>
#include <sstream>
#include <thread>
#include <unordered_set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace curlicue {
namespace {

using namespace std::chrono_literals;
using test::failure_of;
using test::nginx;
using test::scripted_server;
using testing::HasSubstr;
using testing::StartsWith;

template <class Call> std::error_code usage_of(Call call) {
    try {
        call();
    } catch (const usage_error& error) {
        return error.code();
    }
    return {};
}

std::string body_of(easy handle) {
    std::string body;
    handle.setopt<CURLOPT_WRITEDATA>(body).perform();
    handle.unset<CURLOPT_WRITEDATA>();
    return body;
}

struct raw_handle {
    CURL* handle = curl_easy_init();
    raw_handle() = default;
    raw_handle(const raw_handle&) = delete;
    raw_handle& operator=(const raw_handle&) = delete;
    ~raw_handle() { curl_easy_cleanup(handle); }
};

TEST(AnEasy, FetchesOverHttp) {
    EXPECT_EQ(body_of(easy(nginx::shared().http("/hello"))), "hello\n");
}

TEST(AnEasy, FetchesOverHttps) {
    easy handle(nginx::shared().https("/bytes/1048576"));
    handle.setopt<CURLOPT_CAINFO>(nginx::shared().ca_file());
    EXPECT_EQ(body_of(handle), test::bytes(1048576));
}

TEST(AnEasy, VerifiesAsLibcurlDoes) {
    easy handle(nginx::shared().https("/hello"));
    try {
        handle.perform();
        FAIL();
    } catch (const transfer_error& error) {
        EXPECT_EQ(error.code(), CURLE_PEER_FAILED_VERIFICATION);
    }
}

TEST(AnEasy, SucceedsWhateverTheStatus) {
    easy handle(nginx::shared().http("/status/404"));
    EXPECT_EQ(body_of(handle), "404\n");
    EXPECT_EQ(handle.getinfo<CURLINFO_RESPONSE_CODE>(), 404);
    EXPECT_EQ(handle.error(), "");
}

// Handles and their copies. -----------------------------------------------------------------------

TEST(AnEasy, IsWhatItsCopiesAre) {
    easy handle;
    const easy copy = handle;
    EXPECT_EQ(handle, copy);
    EXPECT_EQ(handle.native_handle(), copy.native_handle());
    EXPECT_NE(handle, easy());
    EXPECT_TRUE((std::unordered_set<easy>{handle, copy}.size() == 1));
    handle.close();
    EXPECT_TRUE(copy.closed());
    EXPECT_EQ(copy.native_handle(), nullptr);
}

TEST(AnEasy, ThatWasMovedFromIsAsOneClosed) {
    easy handle;
    const easy taken = std::move(handle);
    EXPECT_TRUE(handle.closed()); // NOLINT(bugprone-use-after-move)
    EXPECT_FALSE(handle.attached());
    EXPECT_EQ(handle.error(), "");
    EXPECT_EQ(handle.native_handle(), nullptr);
    EXPECT_EQ(usage_of([&] { handle.perform(); }), errc::closed);
    handle.close();
    handle = taken;
    EXPECT_EQ(handle, taken);
}

TEST(AnEasy, RefusesEveryUseOnceClosed) {
    easy handle;
    handle.close();
    handle.close();
    char byte = 0;
    EXPECT_EQ(usage_of([&] { handle.setopt<CURLOPT_TIMEOUT>(1); }), errc::closed);
    EXPECT_EQ(usage_of([&] { handle.setopt(CURLOPT_TIMEOUT, 1); }), errc::closed);
    EXPECT_EQ(usage_of([&] { handle.unset<CURLOPT_URL>(); }), errc::closed);
    EXPECT_EQ(usage_of([&] { handle.getinfo<CURLINFO_RESPONSE_CODE>(); }), errc::closed);
    EXPECT_EQ(usage_of([&] { handle.perform(); }), errc::closed);
    EXPECT_EQ(usage_of([&] { handle.reset(); }), errc::closed);
    EXPECT_EQ(usage_of([&] { (void)handle.duphandle(); }), errc::closed);
    EXPECT_EQ(usage_of([&] { handle.pause(CURLPAUSE_ALL); }), errc::closed);
    EXPECT_EQ(usage_of([&] { handle.unpause(); }), errc::closed);
    EXPECT_EQ(usage_of([&] { handle.send("x"); }), errc::closed);
    EXPECT_EQ(usage_of([&] { handle.recv({&byte, 1}); }), errc::closed);
    EXPECT_EQ(usage_of([&] { handle.upkeep(); }), errc::closed);
    EXPECT_EQ(usage_of([&] { (void)handle.header("a"); }), errc::closed);
    EXPECT_EQ(usage_of([&] { (void)handle.nextheader(); }), errc::closed);
    EXPECT_EQ(usage_of([&] { handle.ws_send("x", CURLWS_TEXT); }), errc::closed);
    EXPECT_EQ(usage_of([&] { handle.ws_recv({&byte, 1}); }), errc::closed);
    EXPECT_EQ(usage_of([&] { (void)handle.ws_meta(); }), errc::closed);
}

TEST(AnEasy, ClosesWithItsLastCopyAndReleasesWhatItKept) {
    auto token = std::make_shared<int>(0);
    {
        easy handle;
        handle.setopt<CURLOPT_WRITEFUNCTION>(
            [token](std::span<const char> data) { return data.size(); });
        const easy copy = handle;
        handle = easy();
        EXPECT_EQ(token.use_count(), 2);
    }
    EXPECT_EQ(token.use_count(), 1);
}

TEST(AnEasy, LivesOnWhileItPerformsThoughTheLastCopyGoes) {
    auto handle = std::make_unique<easy>(nginx::shared().http("/hello"));
    std::size_t size = 0;
    handle->setopt<CURLOPT_WRITEFUNCTION>([&](std::span<const char> data) {
        handle.reset();
        size += data.size();
        return data.size();
    });
    auto& performing = *handle;
    performing.perform();
    EXPECT_EQ(size, 6U);
}

// Options that are kept. --------------------------------------------------------------------------

TEST(AnEasy, KeepsWhatTheCallerThrowsAwayAtOnce) {
    easy handle;
    {
        std::string address = nginx::shared().http("/request");
        std::vector<std::string> headers{"X-Test: kept"};
        auto agent = std::make_unique<std::string>("agent");
        handle.setopt<CURLOPT_URL>(address)
            .setopt<CURLOPT_HTTPHEADER>(headers)
            .setopt<CURLOPT_USERAGENT>(*agent);
        address.assign(address.size(), 'x');
        headers.front().assign(headers.front().size(), 'x');
    }
    const auto body = body_of(handle);
    EXPECT_THAT(body, HasSubstr("kept"));
    EXPECT_THAT(body, HasSubstr("agent"));
}

TEST(AnEasy, TakesListsInBraces) {
    easy handle(nginx::shared().http("/request"));
    handle.setopt<CURLOPT_HTTPHEADER>({"Accept: text/plain", "X-Test: first"});
    EXPECT_THAT(body_of(handle), HasSubstr("first"));
    handle.setopt<CURLOPT_HTTPHEADER>({"X-Test: second"});
    EXPECT_THAT(body_of(handle), HasSubstr("second"));
    handle.unset<CURLOPT_HTTPHEADER>();
    EXPECT_THAT(body_of(handle), testing::Not(HasSubstr("second")));
    handle.setopt(CURLOPT_HTTPHEADER, {"X-Test: one"});
    EXPECT_THAT(body_of(handle), HasSubstr("one")) << "at run time, one alone is a list too";
    handle.setopt(CURLOPT_HTTPHEADER, {"Accept: text/plain", "X-Test: two"});
    EXPECT_THAT(body_of(handle), HasSubstr("two"));
}

/// What a POST of `handle` puts on the wire after the head.
std::string posted(easy handle, std::size_t size) {
    std::string received;
    scripted_server server([&](test::connection& client) {
        client.read_request_head();
        received = client.read(size);
        client.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    });
    handle.setopt<CURLOPT_URL>(server.url()).perform();
    return received;
}

TEST(AnEasy, PostsBytesWithTheirLength) {
    easy handle;
    handle.setopt<CURLOPT_POSTFIELDS>(std::string("a\0b", 3));
    EXPECT_EQ(posted(handle, 3), std::string("a\0b", 3));
    handle.setopt<CURLOPT_POSTFIELDS>("text");
    EXPECT_EQ(posted(handle, 4), "text");
    handle.setopt<CURLOPT_COPYPOSTFIELDS>(std::vector<std::byte>(5, std::byte{'x'}));
    EXPECT_EQ(posted(handle, 5), "xxxxx");
    const auto copy = handle.duphandle();
    handle.setopt<CURLOPT_POSTFIELDS>("longer than that");
    EXPECT_EQ(posted(handle, 16), "longer than that");
    EXPECT_EQ(posted(copy, 5), "xxxxx");
}

TEST(AnEasy, PostsAsMuchAsTheUserSays) {
    easy handle;
    handle.setopt<CURLOPT_POSTFIELDSIZE>(2).setopt<CURLOPT_POSTFIELDS>("text");
    EXPECT_EQ(posted(handle, 2), "te");
    handle.unset<CURLOPT_POSTFIELDSIZE>();
    EXPECT_EQ(posted(handle, 4), "text");
}

TEST(AnEasy, DoesNotPostMoreThanThereIs) {
    easy handle;
    handle.setopt<CURLOPT_POSTFIELDS>("text");
    EXPECT_THROW(handle.setopt<CURLOPT_POSTFIELDSIZE>(5), std::system_error);
    EXPECT_THROW(handle.setopt<CURLOPT_POSTFIELDSIZE_LARGE>(5), std::system_error);
    EXPECT_EQ(posted(handle, 4), "text");
    easy other;
    other.setopt<CURLOPT_POSTFIELDSIZE>(5);
    EXPECT_THROW(other.setopt<CURLOPT_POSTFIELDS>("text"), std::system_error);
    EXPECT_THROW(other.setopt<CURLOPT_COPYPOSTFIELDS>("text"), std::system_error);
}

TEST(AnEasy, ReadsItsBodyFromStreamsTextAndFiles) {
    const auto put = [](easy handle) {
        handle.setopt<CURLOPT_UPLOAD>(true)
            .setopt<CURLOPT_INFILESIZE>(4)
            .setopt<CURLOPT_HTTPHEADER>({"Expect:"});
        return posted(handle, 4);
    };
    easy handle;
    std::istringstream stream("abcd");
    handle.setopt<CURLOPT_READDATA>(stream);
    EXPECT_EQ(put(handle), "abcd");
    handle.setopt<CURLOPT_READDATA>(std::string("efgh"));
    EXPECT_EQ(put(handle), "efgh");
    const test::temporary_directory directory;
    test::write_file(directory / "body", "ijkl");
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
        std::fopen((directory / "body").c_str(), "r"), &std::fclose);
    handle.setopt<CURLOPT_READDATA>(file.get());
    EXPECT_EQ(put(handle), "ijkl");
}

TEST(AnEasy, WritesIntoStringsStreamsAndFiles) {
    easy handle(nginx::shared().http("/hello"));
    std::string headers;
    std::ostringstream stream;
    handle.setopt<CURLOPT_WRITEDATA>(stream).setopt<CURLOPT_HEADERDATA>(headers).perform();
    EXPECT_EQ(stream.str(), "hello\n");
    EXPECT_THAT(headers, StartsWith("HTTP/1.1 200"));
    const test::temporary_directory directory;
    {
        const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
            std::fopen((directory / "body").c_str(), "w"), &std::fclose);
        handle.setopt<CURLOPT_WRITEDATA>(file.get()).perform();
    }
    EXPECT_EQ(test::read_file(directory / "body"), "hello\n");
    stream.setstate(std::ios::badbit);
    handle.setopt<CURLOPT_WRITEDATA>(stream);
    EXPECT_THROW(handle.perform(), transfer_error);
}

TEST(AnEasy, KeepsItsUrlObject) {
    easy handle;
    {
        url address(nginx::shared().http("/nowhere"));
        address.set(CURLUPART_PATH, "/hello");
        handle.setopt<CURLOPT_CURLU>(address);
        address.set(CURLUPART_PATH, "/elsewhere");
    }
    EXPECT_EQ(body_of(handle.duphandle()), "hello\n");
    EXPECT_EQ(body_of(handle), "hello\n");
    handle.unset<CURLOPT_CURLU>();
}

TEST(AnEasy, KeepsTheEasyItDependsOn) {
    easy handle(nginx::shared().http("/hello"));
    {
        easy parent;
        try {
            handle.setopt<static_cast<CURLoption>(10240)>(parent); // STREAM_DEPENDS
        } catch (const std::system_error&) {
            GTEST_SKIP() << "a libcurl without HTTP/2 has no such option";
        }
    }
    EXPECT_EQ(body_of(handle), "hello\n");
}

TEST(AnEasy, LeavesThePrivatePointerToTheUser) {
    easy handle;
    int mine = 0;
    handle.setopt<CURLOPT_PRIVATE>(&mine);
    EXPECT_EQ(handle.getinfo<CURLINFO_PRIVATE>(), &mine);
}

// Duplicates and resets. --------------------------------------------------------------------------

TEST(ADuphandle, IsAnEasyOfItsOwnWithTheSameOptions) {
    easy handle(nginx::shared().http("/request"));
    handle.setopt<CURLOPT_HTTPHEADER>({"X-Test: both"});
    const auto copy = handle.duphandle();
    EXPECT_NE(copy, handle);
    handle.close();
    EXPECT_THAT(body_of(copy), HasSubstr("both"));
}

TEST(ADuphandle, GivesItsCallbacksTheCopy) {
    easy handle(nginx::shared().http("/hello"));
    CURL* called_with = nullptr;
    handle.setopt<CURLOPT_WRITEFUNCTION>([&](easy& self, std::span<const char> data) {
        called_with = self.native_handle();
        return data.size();
    });
    auto copy = handle.duphandle();
    copy.perform();
    EXPECT_EQ(called_with, copy.native_handle());
    handle.perform();
    EXPECT_EQ(called_with, handle.native_handle());
}

TEST(ADuphandle, SharesMoveOnlyCallables) {
    easy handle(nginx::shared().http("/hello"));
    handle.setopt<CURLOPT_WRITEFUNCTION>(
        [calls = std::make_unique<int>(0)](std::span<const char> data) {
            ++*calls;
            return data.size();
        });
    auto copy = handle.duphandle();
    handle.close();
    copy.perform();
}

TEST(ADuphandle, HasItsOwnErrorBuffer) {
    easy handle("http://127.0.0.1:1/");
    auto copy = handle.duphandle();
    EXPECT_THROW(copy.perform(), transfer_error);
    EXPECT_FALSE(copy.error().empty());
    EXPECT_TRUE(handle.error().empty());
}

TEST(AReset, ForgetsOptionsAndReleasesWhatWasKept) {
    auto token = std::make_shared<int>(0);
    easy handle(nginx::shared().http("/hello"));
    handle.setopt<CURLOPT_WRITEFUNCTION>(
        [token](std::span<const char> data) { return data.size(); });
    handle.setopt<CURLOPT_HTTPHEADER>({"X-Test: gone"});
    handle.reset();
    EXPECT_EQ(token.use_count(), 1);
    EXPECT_THROW(handle.perform(), transfer_error); // no URL
    EXPECT_FALSE(handle.error().empty());           // into the buffer, which is set again
    handle.setopt<CURLOPT_URL>(nginx::shared().http("/request"));
    EXPECT_THAT(body_of(handle), testing::Not(HasSubstr("gone")));
}

// Whose turn it is. -------------------------------------------------------------------------------

TEST(AnEasy, RefusesToBeChangedWhileItPerforms) {
    easy handle(nginx::shared().http("/hello"));
    int checked = 0;
    handle.setopt<CURLOPT_WRITEFUNCTION>([&](easy& self, std::span<const char> data) {
        EXPECT_TRUE(self.attached());
        EXPECT_EQ(usage_of([&] { self.setopt<CURLOPT_TIMEOUT>(1); }), errc::attached);
        EXPECT_EQ(usage_of([&] { self.reset(); }), errc::attached);
        EXPECT_EQ(usage_of([&] { self.perform(); }), errc::attached);
        EXPECT_EQ(usage_of([&] { (void)self.duphandle(); }), errc::attached);
        EXPECT_EQ(usage_of([&] { self.close(); }), errc::inside_callback);
        EXPECT_EQ(self.getinfo<CURLINFO_RESPONSE_CODE>(), 200);
        ++checked;
        return data.size();
    });
    handle.perform();
    EXPECT_EQ(checked, 1);
    EXPECT_FALSE(handle.attached());
}

TEST(AnEasy, IsNobodyElsesWhileItPerforms) {
    easy handle(nginx::shared().http("/hello"));
    handle.setopt<CURLOPT_WRITEFUNCTION>([&](std::span<const char> data) {
        std::thread([&] {
            EXPECT_EQ(usage_of([&] { handle.getinfo<CURLINFO_RESPONSE_CODE>(); }),
                      errc::wrong_thread);
            EXPECT_EQ(usage_of([&] { handle.unpause(); }), errc::wrong_thread);
        }).join();
        return data.size();
    });
    handle.perform();
}

TEST(AnEasy, PausesAndResumesInsideItsOwnPerform) {
    easy handle(nginx::shared().http("/bytes/1048576"));
    std::string body;
    bool paused = false;
    handle.setopt<CURLOPT_WRITEFUNCTION>([&](std::span<const char> data) -> std::size_t {
        if (!paused) {
            paused = true;
            return CURL_WRITEFUNC_PAUSE;
        }
        body.append(data.data(), data.size());
        return data.size();
    });
    handle.setopt<CURLOPT_XFERINFOFUNCTION>(
        [&](easy& self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
            if (paused)
                self.unpause();
            return 0;
        });
    handle.perform();
    EXPECT_EQ(body, test::bytes(1048576));
}

TEST(AnEasy, HasNothingToPauseUnlessItTransfers) {
    EXPECT_NO_THROW(easy().pause(CURLPAUSE_ALL));
    EXPECT_NO_THROW(easy().unpause(easy::direction::send));
}

// Somebody else's handle. -------------------------------------------------------------------------

TEST(ABorrowedEasy, IsTheHandleItWasGiven) {
    const raw_handle raw;
    const auto first = easy::borrow(raw.handle);
    EXPECT_EQ(first, easy::borrow(raw.handle));
    EXPECT_EQ(first.native_handle(), raw.handle);
    const easy owned;
    EXPECT_EQ(easy::borrow(owned.native_handle()), owned);
}

TEST(ABorrowedEasy, MayNotBeNull) {
    EXPECT_EQ(usage_of([] { (void)easy::borrow(nullptr); }), errc::null_handle);
}

TEST(ABorrowedEasy, TakesWhatLibcurlCopies) {
    const raw_handle raw;
    std::string body;
    const auto append = [](char* data, std::size_t size, std::size_t count, void* target) {
        static_cast<std::string*>(target)->append(data, size * count);
        return size * count;
    };
    auto handle = easy::borrow(raw.handle);
    handle.setopt<CURLOPT_URL>(nginx::shared().http("/hello"))
        .setopt<CURLOPT_TIMEOUT>(10s)
        .setopt<CURLOPT_WRITEFUNCTION>(append)
        .setopt<CURLOPT_WRITEDATA>(&body)
        .perform();
    EXPECT_EQ(body, "hello\n");
    EXPECT_EQ(handle.getinfo<CURLINFO_RESPONSE_CODE>(), 200);
}

TEST(ABorrowedEasy, RefusesWhatNobodyCouldKeep) {
    const raw_handle raw;
    auto handle = easy::borrow(raw.handle);
    std::string body;
    const auto refused = make_error_code(errc::borrowed);
    EXPECT_EQ(usage_of([&] {
                  handle.setopt<CURLOPT_WRITEFUNCTION>([](std::span<const char>) { return 0; });
              }),
              refused);
    EXPECT_EQ(usage_of([&] { handle.setopt<CURLOPT_WRITEDATA>(body); }), refused);
    EXPECT_EQ(usage_of([&] { handle.setopt<CURLOPT_HTTPHEADER>({"a: b"}); }), refused);
    EXPECT_EQ(usage_of([&] { handle.setopt<CURLOPT_POSTFIELDS>("x"); }), refused);
    EXPECT_EQ(usage_of([&] { handle.setopt<CURLOPT_MIMEPOST>(mime()); }), refused);
    EXPECT_EQ(usage_of([&] { handle.setopt<CURLOPT_SHARE>(share()); }), refused);
    EXPECT_EQ(usage_of([&] { handle.setopt<CURLOPT_CURLU>(url("http://a/")); }), refused);
    handle.setopt<CURLOPT_COPYPOSTFIELDS>("x");
}

TEST(ABorrowedEasy, SaysWhatLibcurlSays) {
    const raw_handle raw;
    auto handle = easy::borrow(raw.handle);
    handle.setopt<CURLOPT_URL>("http://127.0.0.1:1/");
    EXPECT_THROW(handle.perform(), transfer_error);
    EXPECT_EQ(handle.error(), curl_easy_strerror(CURLE_COULDNT_CONNECT));
}

TEST(ABorrowedEasy, LeavesTheHandleToItsOwner) {
    const raw_handle raw;
    std::string body;
    auto handle = easy::borrow(raw.handle);
    handle.close();
    EXPECT_TRUE(handle.closed());
    EXPECT_NE(easy::borrow(raw.handle), handle);
    curl_easy_setopt(raw.handle, CURLOPT_URL, nginx::shared().http("/hello").c_str());
    curl_easy_setopt(raw.handle, CURLOPT_NOBODY, 1L);
    EXPECT_EQ(curl_easy_perform(raw.handle), CURLE_OK);
}

TEST(ABorrowedEasy, DuplicatesIntoAnOwnedOneWithTheSamePointers) {
    std::string body;
    const auto append = [](char* data, std::size_t size, std::size_t count, void* target) {
        static_cast<std::string*>(target)->append(data, size * count);
        return size * count;
    };
    easy copy;
    {
        const raw_handle raw;
        curl_easy_setopt(raw.handle, CURLOPT_URL, nginx::shared().http("/hello").c_str());
        curl_easy_setopt(raw.handle, CURLOPT_WRITEFUNCTION,
                         static_cast<curl_write_callback>(append));
        curl_easy_setopt(raw.handle, CURLOPT_WRITEDATA, &body);
        copy = easy::borrow(raw.handle).duphandle();
    }
    copy.perform();
    EXPECT_EQ(body, "hello\n");
}

TEST(ABorrowedEasy, OfAnAddressThatIsGivenOutAgainIsAnother) {
    // Handles come and go at the same few addresses; an owned one must never be taken for a lent
    // one.
    for (int round = 0; round < 20; ++round) {
        easy lent;
        {
            const raw_handle raw;
            lent = easy::borrow(raw.handle);
        }
        const easy owned;
        EXPECT_NE(lent, owned);
        EXPECT_EQ(easy::borrow(owned.native_handle()), owned);
    }
}

// Raw data, headers, infos. -----------------------------------------------------------------------

TEST(AConnectOnlyEasy, SendsAndReceives) {
    scripted_server server([](test::connection& client) {
        client.write(client.read(4) == "ping" ? "pong" : "what?");
    });
    easy handle(server.url());
    handle.setopt<CURLOPT_CONNECT_ONLY>(true).perform();
    EXPECT_NE(handle.getinfo<CURLINFO_ACTIVESOCKET>(), CURL_SOCKET_BAD);
    EXPECT_EQ(handle.send("ping"), 4U);
    std::string received;
    char buffer[16];
    while (true) {
        const auto count = handle.recv(buffer);
        if (!count) {
            std::this_thread::sleep_for(1ms);
            continue;
        }
        if (*count == 0)
            break;
        received.append(buffer, *count);
    }
    EXPECT_EQ(received, "pong");
    handle.upkeep();
}

// Says what it is told: a short frame's payload follows two bytes and, from a client, a mask.
void echo_a_frame(test::connection& client) {
    client.read_request_head();
    client.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                 "Connection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n");
    const std::string head = client.read(2), mask = client.read(4);
    const auto size = static_cast<char>(head[1] & 0x7f);
    std::string payload = client.read(static_cast<std::size_t>(size));
    for (std::size_t i = 0; i < payload.size(); ++i)
        payload[i] = static_cast<char>(payload[i] ^ mask[i % mask.size()]);
    client.write(head.substr(0, 1) + size + payload);
    client.hold();
}

TEST(AConnectOnlyEasy, SpeaksInWebSocketFrames) {
    if (!has_protocol("ws"))
        GTEST_SKIP() << "this libcurl has no WebSocket";
    scripted_server server(echo_a_frame);
    easy handle("ws" + server.url().substr(4));
    handle.setopt<CURLOPT_CONNECT_ONLY>(2L).perform();
    EXPECT_EQ(handle.ws_send("ping", CURLWS_TEXT), 4U);
    char buffer[16];
    auto answer = handle.ws_recv(buffer);
    for (; !answer; answer = handle.ws_recv(buffer))
        std::this_thread::sleep_for(1ms);
    EXPECT_EQ(std::string_view(buffer, answer->size), "ping");
    EXPECT_EQ(answer->frame.flags, CURLWS_TEXT);
    EXPECT_EQ(answer->frame.bytesleft, 0);
    EXPECT_FALSE(handle.ws_recv(buffer));
}

TEST(AnEasy, TellsTheHeadersOfItsResponse) {
    easy handle(nginx::shared().http("/hello"));
    EXPECT_EQ(handle.header("content-length"), nullptr);
    (void)body_of(handle);
    const auto* const length = handle.header("content-length");
    ASSERT_NE(length, nullptr);
    EXPECT_STREQ(length->value, "6");
    EXPECT_EQ(handle.header("content-length", 1), nullptr);
    std::size_t count = 0;
    for (const auto* header = handle.nextheader(); header != nullptr;
         header = handle.nextheader(header))
        ++count;
    EXPECT_GT(count, 2U);
}

TEST(AnEasy, RefusesToLookForHeadersThatNoRequestHas) {
    const easy handle;
    EXPECT_EQ(failure_of([&] { (void)handle.header("a", 0, 0, -1); }), CURLE_BAD_FUNCTION_ARGUMENT);
    EXPECT_EQ(failure_of([&] { (void)handle.header("a", 0, CURLH_HEADER, -2); }),
              CURLE_BAD_FUNCTION_ARGUMENT);
    EXPECT_EQ(handle.nextheader(), nullptr);
}

TEST(AnEasy, HasNothingToSayToASocketItDoesNotHave) {
    easy handle;
    char buffer[4];
    EXPECT_EQ(failure_of([&] { handle.send("x"); }), CURLE_UNSUPPORTED_PROTOCOL);
    EXPECT_EQ(failure_of([&] { handle.recv(buffer); }), CURLE_UNSUPPORTED_PROTOCOL);
}

TEST(AnEasy, HasNoFramesWithoutAWebSocket) {
    easy handle;
    char buffer[4];
    EXPECT_TRUE(failure_of([&] { handle.ws_send("x", CURLWS_TEXT); }));
    EXPECT_TRUE(failure_of([&] { handle.ws_recv(buffer); }));
    EXPECT_FALSE(handle.ws_meta());
}

TEST(AnEasy, TellsInfosInTheirTypes) {
    easy handle(nginx::shared().https("/hello"));
    handle.setopt<CURLOPT_CAINFO>(nginx::shared().ca_file())
        .setopt<CURLOPT_CERTINFO>(true)
        .setopt<CURLOPT_COOKIEFILE>("");
    handle.setopt<CURLOPT_COOKIELIST>("Set-Cookie: a=b; domain=example.com");
    (void)body_of(handle);
    EXPECT_EQ(handle.getinfo<CURLINFO_RESPONSE_CODE>(), 200L);
    EXPECT_EQ(handle.getinfo<CURLINFO_SIZE_DOWNLOAD_T>(), curl_off_t{6});
    EXPECT_GT(handle.getinfo<CURLINFO_TOTAL_TIME>(), 0.0);
    EXPECT_GT(handle.getinfo<CURLINFO_TOTAL_TIME_T>(), 0us);
    EXPECT_EQ(handle.getinfo<CURLINFO_RETRY_AFTER>(), 0s);
    EXPECT_EQ(handle.getinfo<CURLINFO_EFFECTIVE_METHOD>(), "GET");
    EXPECT_EQ(handle.getinfo<CURLINFO_REDIRECT_URL>(), std::nullopt);
    EXPECT_EQ(handle.getinfo<CURLINFO_COOKIELIST>().size(), 1U);
    EXPECT_FALSE(handle.getinfo<CURLINFO_CERTINFO>().empty());
    EXPECT_NE(handle.getinfo<CURLINFO_TLS_SSL_PTR>().backend, CURLSSLBACKEND_NONE);
    (void)handle.getinfo<CURLINFO_SSL_ENGINES>();
    EXPECT_EQ(handle.getinfo<CURLINFO_PRIVATE>(), nullptr);
}

template <int Number> void ask_for(const easy& handle) {
    // Each number has one type but for the pairs of a double or long and its curl_off_t.
    const auto ask = [&]<int Range> {
        constexpr auto info = static_cast<CURLINFO>(Range + Number);
        try {
            (void)handle.getinfo<info>();
            return true;
        } catch (const std::system_error& error) {
            EXPECT_TRUE(error.code() == CURLE_UNKNOWN_OPTION ||
                        error.code() == CURLE_BAD_FUNCTION_ARGUMENT)
                << Range + Number << error.what();
            return false;
        }
    };
    const bool known =
        ask.template operator()<CURLINFO_STRING>() || ask.template operator()<CURLINFO_LONG>() ||
        ask.template operator()<CURLINFO_DOUBLE>() || ask.template operator()<CURLINFO_SLIST>() ||
        ask.template operator()<CURLINFO_SOCKET>() || ask.template operator()<CURLINFO_OFF_T>();
    EXPECT_TRUE(known) << Number;
}

template <int... Numbers>
void ask_for_all(const easy& handle, std::integer_sequence<int, Numbers...>) {
    (ask_for<Numbers + 1>(handle), ...);
}

TEST(AnEasy, TellsEveryInfoThatLibcurlKnows) {
    easy handle(nginx::shared().http("/hello"));
    (void)body_of(handle);
    ask_for_all(handle, std::make_integer_sequence<int, CURLINFO_LASTONE>());
}

TEST(AnEasy, RefusesAnInfoThatLibcurlDoesNotKnow) {
    constexpr auto unknown = static_cast<CURLINFO>(CURLINFO_LONG + CURLINFO_MASK);
    EXPECT_THROW((void)easy().getinfo<unknown>(), std::system_error);
}

} // namespace
} // namespace curlicue
