// SPDX-License-Identifier: MIT
#include "easy_core.hpp"
#include "support/files.hpp"
#include "support/ftp_server.hpp"
#include "support/nginx.hpp"
#include "support/scripted_server.hpp"
#include <curlicue/easy.hpp>
#include <curlicue/share.hpp>

#include <memory>
#include <set>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace curlicue {
namespace {

using test::ftp_server;
using test::nginx;
using test::scripted_server;
using testing::HasSubstr;

struct thrown_by_callback {
    int number;
};

std::size_t swallow(std::span<const char> data) { return data.size(); }

/// An easy whose every callback but the tested one lets the transfer pass.
easy quiet(const std::string& url) {
    easy handle(url);
    handle.setopt<CURLOPT_WRITEFUNCTION>(swallow);
    return handle;
}

/// Does the exception of a callback come out of perform, whatever its type, and the easy still
/// work?
void expect_exception_from(easy handle) {
    EXPECT_THROW(handle.perform(), thrown_by_callback);
    EXPECT_FALSE(handle.attached());
}

// Every callable is called, with what libcurl tells. ----------------------------------------------

TEST(ACallable, GetsBodyAndHeaders) {
    easy handle(nginx::shared().http("/bytes/1048576"));
    std::string body;
    std::vector<std::string> headers;
    handle.setopt<CURLOPT_WRITEFUNCTION>([&](std::span<const char> data) {
        body.append(data.data(), data.size());
        return data.size();
    });
    handle.setopt<CURLOPT_HEADERFUNCTION>([&](std::string_view line) {
        headers.emplace_back(line);
        return line.size();
    });
    handle.perform();
    EXPECT_EQ(body, test::bytes(1048576));
    EXPECT_EQ(headers.front(), "HTTP/1.1 200 OK\r\n");
    EXPECT_EQ(headers.back(), "\r\n");
}

TEST(ACallable, MayBeAFunctionAMoveOnlyObjectOrTakeTheEasy) {
    auto handle = quiet(nginx::shared().http("/hello"));
    handle.perform();
    handle.setopt<CURLOPT_WRITEFUNCTION>(
        [counter = std::make_unique<std::size_t>(0)](std::span<const char> data) mutable {
            return *counter = data.size();
        });
    handle.perform();
    handle.setopt<CURLOPT_WRITEFUNCTION>([&](easy& self, std::span<const char> data) {
        EXPECT_EQ(self, handle);
        return data.size();
    });
    handle.perform();
}

TEST(ACallable, OfTheProgressSwitchesItOnAndOff) {
    auto handle = quiet(nginx::shared().http("/bytes/1048576"));
    curl_off_t most = 0;
    handle.setopt<CURLOPT_XFERINFOFUNCTION>(
        [&](curl_off_t, curl_off_t dlnow, curl_off_t, curl_off_t) {
            most = std::max(most, dlnow);
            return 0;
        });
    handle.perform();
    EXPECT_EQ(most, 1048576);
    most = 0;
    handle.unset<CURLOPT_XFERINFOFUNCTION>();
    handle.perform();
    EXPECT_EQ(most, 0);
}

TEST(ACallable, OfTheOldProgressWorksToo) {
    auto handle = quiet(nginx::shared().http("/hello"));
    double most = 0;
    handle.setopt<detail::function_number(56)>([&](double, double dlnow, double, double) {
        most = std::max(most, dlnow);
        return 0;
    });
    handle.perform();
    EXPECT_EQ(most, 6);
}

TEST(ACallable, OfTheDebugOutputGetsAllOfIt) {
    auto handle = quiet(nginx::shared().http("/hello"));
    std::set<curl_infotype> seen;
    handle.setopt<CURLOPT_VERBOSE>(true).setopt<CURLOPT_DEBUGFUNCTION>(
        [&](curl_infotype type, std::span<const char>) { seen.insert(type); });
    handle.perform();
    EXPECT_EQ(seen.size(), 4U);
}

TEST(ACallable, ReadsAndSeeksTheUpload) {
    int posts = 0;
    std::string received;
    scripted_server server([&](test::connection& client) {
        while (!client.read_request_head().empty()) {
            received = client.read(4);
            client.write(posts++ == 0
                             ? "HTTP/1.1 307 Again\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"
                             : "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
    });
    easy handle(server.url());
    std::size_t offset = 0;
    int seeks = 0;
    handle.setopt<CURLOPT_UPLOAD>(true)
        .setopt<CURLOPT_INFILESIZE_LARGE>(4)
        .setopt<CURLOPT_FOLLOWLOCATION>(true)
        .setopt<CURLOPT_READFUNCTION>([&](std::span<char> buffer) {
            const auto count = std::string_view("abcd").copy(buffer.data(), buffer.size(), offset);
            offset += count;
            return count;
        })
        .setopt<CURLOPT_SEEKFUNCTION>([&](curl_off_t to, int origin) {
            ++seeks;
            offset = static_cast<std::size_t>(to);
            return origin == SEEK_SET ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
        })
        .perform();
    EXPECT_EQ(seeks, 1);
    EXPECT_EQ(received, "abcd");
}

TEST(ACallable, SeesTheSocketThroughItsLife) {
    std::vector<std::string> life;
    {
        auto handle = quiet(nginx::shared().http("/hello"));
        handle
            .setopt<CURLOPT_OPENSOCKETFUNCTION>([&](curlsocktype, curl_sockaddr& address) {
                life.emplace_back("open");
                return ::socket(address.family, address.socktype, address.protocol);
            })
            .setopt<CURLOPT_SOCKOPTFUNCTION>([&](curl_socket_t, curlsocktype) {
                life.emplace_back("sockopt");
                return CURL_SOCKOPT_OK;
            })
            .setopt<CURLOPT_PREREQFUNCTION>([&](std::string_view primary_ip, std::string_view,
                                                int primary_port, int local_port) {
                life.emplace_back(primary_ip);
                EXPECT_GT(primary_port, 0);
                EXPECT_GT(local_port, 0);
                return CURL_PREREQFUNC_OK;
            })
            .setopt<CURLOPT_CLOSESOCKETFUNCTION>([&](curl_socket_t socket) {
                life.emplace_back("close");
                return ::close(socket);
            })
            .perform();
    }
    EXPECT_THAT(life, testing::ElementsAre("open", "sockopt", "127.0.0.1", "close"));
}

TEST(ACallable, SendsTrailers) {
    std::string received;
    scripted_server server([&](test::connection& client) {
        client.read_request_head();
        received = client.read(std::string("1\r\nx\r\n0\r\nX-Sum: 1\r\n\r\n").size());
        client.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    easy handle(server.url());
    handle.setopt<CURLOPT_UPLOAD>(true)
        .setopt<CURLOPT_HTTPHEADER>({"Transfer-Encoding: chunked", "Trailer: X-Sum", "Expect:"})
        .setopt<CURLOPT_READDATA>("x")
        .setopt<CURLOPT_TRAILERFUNCTION>([] { return std::vector<std::string>{"X-Sum: 1"}; })
        .perform();
    EXPECT_THAT(received, HasSubstr("X-Sum: 1"));
}

TEST(ACallable, IsAskedBeforeNamesAreResolved) {
    auto handle = quiet("http://localhost:1/");
    int asked = 0;
    handle.setopt<CURLOPT_RESOLVER_START_FUNCTION>([&](void*) {
        ++asked;
        return 1;
    });
    EXPECT_THROW(handle.perform(), transfer_error);
    EXPECT_EQ(asked, 1);
}

TEST(ACallable, GetsTheTlsContext) {
    auto handle = quiet(nginx::shared().https("/hello"));
    handle.setopt<CURLOPT_CAINFO>(nginx::shared().ca_file());
    void* context = nullptr;
    handle.setopt<CURLOPT_SSL_CTX_FUNCTION>([&](void* given) {
        context = given;
        return CURLE_OK;
    });
    handle.perform();
    EXPECT_NE(context, nullptr);
}

TEST(ACallable, ReadsAndWritesTheHstsCache) {
    std::vector<std::string> written;
    {
        auto handle = quiet(nginx::shared().http("/hello"));
        bool given = false;
        handle.setopt<CURLOPT_HSTS_CTRL>(CURLHSTS_ENABLE)
            .setopt<CURLOPT_HSTSREADFUNCTION>([&]() -> std::optional<hsts_entry> {
                if (std::exchange(given, true))
                    return std::nullopt;
                return hsts_entry{"example.com", "20991231 23:59:59", true};
            })
            .setopt<CURLOPT_HSTSWRITEFUNCTION>(
                [&](easy& self, const hsts_entry& entry, std::size_t index, std::size_t) {
                    EXPECT_TRUE(self.closed()); // the easy is being cleaned up
                    EXPECT_EQ(index, written.size());
                    written.push_back(entry.host);
                    return CURLSTS_OK;
                })
            .perform();
    }
    EXPECT_THAT(written, testing::ElementsAre("example.com"));
}

TEST(ACallable, ChoosesAmongTheFilesOfAWildcard) {
    auto handle = quiet(ftp_server::shared().url("/10*"));
    std::vector<std::string> matched;
    std::vector<std::string> begun;
    int ended = 0;
    handle.setopt<CURLOPT_WILDCARDMATCH>(true)
        .setopt<CURLOPT_FNMATCH_FUNCTION>([&](std::string_view pattern, std::string_view name) {
            EXPECT_EQ(pattern, "10*");
            matched.emplace_back(name);
            return name == "1024" ? CURL_FNMATCHFUNC_MATCH : CURL_FNMATCHFUNC_NOMATCH;
        })
        .setopt<CURLOPT_CHUNK_BGN_FUNCTION>([&](const curl_fileinfo& file, int) {
            begun.emplace_back(file.filename);
            return CURL_CHUNK_BGN_FUNC_OK;
        })
        .setopt<CURLOPT_CHUNK_END_FUNCTION>([&] {
            ++ended;
            return CURL_CHUNK_END_FUNC_OK;
        })
        .perform();
    EXPECT_THAT(matched, testing::Contains("1048576"));
    EXPECT_THAT(begun, testing::ElementsAre("1024"));
    EXPECT_EQ(ended, 1);
}

TEST(ACallable, IsReleasedWhenReplacedAndWhenTakenBack) {
    const auto token = std::make_shared<int>(0);
    const auto holder = [token](std::span<const char> data) { return data.size(); };
    const auto uses = token.use_count();
    easy handle;
    handle.setopt<CURLOPT_WRITEFUNCTION>(holder);
    EXPECT_EQ(token.use_count(), uses + 1);
    handle.setopt<CURLOPT_WRITEFUNCTION>(swallow);
    EXPECT_EQ(token.use_count(), uses);
    handle.setopt<CURLOPT_WRITEFUNCTION>(holder);
    handle.unset<CURLOPT_WRITEFUNCTION>();
    EXPECT_EQ(token.use_count(), uses);
    handle.setopt<CURLOPT_WRITEFUNCTION>(holder);
    std::string body;
    handle.setopt<CURLOPT_WRITEDATA>(body); // takes its place
    EXPECT_EQ(token.use_count(), uses);
}

TEST(ACallable, StaysWhenADataPointerIsTakenBack) {
    easy handle(nginx::shared().http("/hello"));
    std::size_t size = 0;
    handle
        .setopt<CURLOPT_WRITEFUNCTION>([&](std::span<const char> data) {
            size += data.size();
            return data.size();
        })
        .unset<CURLOPT_WRITEDATA>()
        .perform();
    EXPECT_EQ(size, 6U);
}

TEST(ACallable, DoesNotGetADataPointerThatWasMeantForACFunction) {
    easy handle(nginx::shared().http("/hello"));
    std::size_t size = 0;
    int nothing = 0;
    handle
        .setopt<CURLOPT_WRITEFUNCTION>([&](std::span<const char> data) {
            size += data.size();
            return data.size();
        })
        .setopt<CURLOPT_WRITEDATA>(&nothing)
        .setopt<CURLOPT_HEADERDATA>(&nothing)
        .perform();
    EXPECT_EQ(size, 6U);
}

TEST(ACallable, DoesNotShareDataWithACFunction) {
    easy handle;
    const auto c_function = static_cast<curl_chunk_end_callback>([](void*) { return 0L; });
    handle.setopt<CURLOPT_CHUNK_BGN_FUNCTION>([](const curl_fileinfo&, int) { return 0L; });
    EXPECT_THROW(handle.setopt<CURLOPT_CHUNK_END_FUNCTION>(c_function), std::system_error);
    handle.unset<CURLOPT_CHUNK_BGN_FUNCTION>();
    handle.setopt<CURLOPT_CHUNK_END_FUNCTION>(c_function);
    EXPECT_THROW(
        handle.setopt<CURLOPT_CHUNK_BGN_FUNCTION>([](const curl_fileinfo&, int) { return 0L; }),
        std::system_error);
}

// Exceptions. -------------------------------------------------------------------------------------

template <CURLoption Option> struct throwing {
    template <class Signature> struct of;
    template <class R, class... Args> struct of<R(Args...)> {
        R operator()(Args...) const { throw thrown_by_callback{Option}; }
    };
    using type = of<detail::signature_of<Option>>;
};

template <CURLoption Option> easy with_throwing(easy handle) {
    handle.setopt<Option>(typename throwing<Option>::type());
    return handle;
}

/// Is it refused only where this libcurl was built without what it is for?
template <CURLoption Option> void expect_settable() {
    easy handle;
    try {
        handle.setopt<Option>(typename throwing<Option>::type());
        handle.duphandle().template unset<Option>();
        handle.template unset<Option>();
    } catch (const std::system_error& error) {
        EXPECT_TRUE(error.code() == CURLE_UNKNOWN_OPTION || error.code() == CURLE_NOT_BUILT_IN)
            << error.what();
    } catch (const thrown_by_callback& exception) {
        EXPECT_EQ(exception.number, CURLOPT_HSTSREADFUNCTION); // duphandle calls it
    }
}

template <std::size_t... Slots> void expect_all_settable(std::index_sequence<Slots...>) {
    (expect_settable<detail::function_options[Slots].function>(), ...);
}

TEST(ACallable, FitsEveryFunctionOption) {
    expect_all_settable(std::make_index_sequence<detail::function_options.size()>());
}

TEST(AnExceptionInACallback, ComesOutOfPerform) {
    const auto url = nginx::shared().http("/bytes/1048576");
    expect_exception_from(with_throwing<CURLOPT_WRITEFUNCTION>(easy(url)));
    expect_exception_from(with_throwing<CURLOPT_HEADERFUNCTION>(quiet(url)));
    expect_exception_from(with_throwing<CURLOPT_XFERINFOFUNCTION>(quiet(url)));
    expect_exception_from(with_throwing<detail::function_number(56)>(quiet(url)));
    expect_exception_from(with_throwing<CURLOPT_SOCKOPTFUNCTION>(quiet(url)));
    expect_exception_from(with_throwing<CURLOPT_OPENSOCKETFUNCTION>(quiet(url)));
    expect_exception_from(with_throwing<CURLOPT_PREREQFUNCTION>(quiet(url)));
    expect_exception_from(
        with_throwing<CURLOPT_RESOLVER_START_FUNCTION>(quiet("http://localhost:1/")));
}

TEST(AnExceptionInACallback, ComesOutOfPerformOfAnUpload) {
    const auto upload = [] {
        auto handle = quiet(nginx::shared().http("/upload/never"));
        handle.setopt<CURLOPT_UPLOAD>(true)
            .setopt<CURLOPT_READDATA>("x")
            .setopt<CURLOPT_HTTPHEADER>({"Transfer-Encoding: chunked", "Expect:"});
        return handle;
    };
    expect_exception_from(with_throwing<CURLOPT_READFUNCTION>(upload()));
    expect_exception_from(with_throwing<CURLOPT_TRAILERFUNCTION>(upload()));
}

TEST(AnExceptionInACallback, ComesOutOfPerformOfATlsTransfer) {
    expect_exception_from(
        with_throwing<CURLOPT_SSL_CTX_FUNCTION>(quiet(nginx::shared().https("/hello"))));
}

TEST(AnExceptionInACallback, ComesOutOfPerformOfAWildcardTransfer) {
    const auto wildcard = [] {
        auto handle = quiet(ftp_server::shared().url("/10*"));
        handle.setopt<CURLOPT_WILDCARDMATCH>(true);
        return handle;
    };
    expect_exception_from(with_throwing<CURLOPT_FNMATCH_FUNCTION>(wildcard()));
    expect_exception_from(with_throwing<CURLOPT_CHUNK_BGN_FUNCTION>(wildcard()));
    expect_exception_from(with_throwing<CURLOPT_CHUNK_END_FUNCTION>(wildcard()));
}

TEST(AnExceptionInACallback, ThatCannotAbortComesOutAfterTheTransfer) {
    auto handle = quiet(nginx::shared().http("/hello"));
    handle.setopt<CURLOPT_VERBOSE>(true);
    expect_exception_from(with_throwing<CURLOPT_DEBUGFUNCTION>(handle));
}

TEST(AnExceptionInACallback, IsTheFirstOne) {
    easy handle(nginx::shared().http("/hello"));
    handle.setopt<CURLOPT_HEADERFUNCTION>(
        [](std::string_view) -> std::size_t { throw thrown_by_callback{1}; });
    handle.setopt<CURLOPT_VERBOSE>(true).setopt<CURLOPT_DEBUGFUNCTION>(
        [headers = 0](curl_infotype type, std::span<const char>) mutable {
            if (type == CURLINFO_HEADER_IN && ++headers > 1)
                throw thrown_by_callback{2};
        });
    try {
        handle.perform();
        FAIL();
    } catch (const thrown_by_callback& exception) {
        EXPECT_EQ(exception.number, 1);
    }
}

TEST(AnExceptionInACallback, IsForgottenByTheNextTransfer) {
    auto handle = with_throwing<CURLOPT_WRITEFUNCTION>(easy(nginx::shared().http("/hello")));
    EXPECT_THROW(handle.perform(), thrown_by_callback);
    handle.setopt<CURLOPT_WRITEFUNCTION>(swallow).perform();
    EXPECT_EQ(handle.error(), "");
}

TEST(AnExceptionInACallback, OfDuphandleComesOutOfIt) {
    easy handle;
    handle.setopt<CURLOPT_HSTS_CTRL>(CURLHSTS_ENABLE);
    handle.setopt<CURLOPT_HSTSREADFUNCTION>(throwing<CURLOPT_HSTSREADFUNCTION>::type());
    EXPECT_THROW((void)handle.duphandle(), thrown_by_callback);
}

TEST(ACallback, ThatSaysNoEndsTheTransferInLibcurlsWords) {
    easy handle(nginx::shared().http("/hello"));
    handle.setopt<CURLOPT_WRITEFUNCTION>([](std::span<const char>) { return std::size_t{0}; });
    try {
        handle.perform();
        FAIL();
    } catch (const transfer_error& error) {
        EXPECT_EQ(error.code(), CURLE_WRITE_ERROR);
    }
}

// Sockets that outlive their easy. ----------------------------------------------------------------

class recording_observer final : public detail::socket_observer {
public:
    void opened(curl_socket_t socket) noexcept override { open_.insert(socket); }
    void closing(curl_socket_t socket) noexcept override {
        open_.erase(socket);
        ++closed_;
    }
    void callback_failed(std::exception_ptr) noexcept override { ++failed_; }

    std::set<curl_socket_t> open_;
    int closed_ = 0;
    int failed_ = 0;
};

detail::easy_core& core_of(const easy& handle) { return *detail::easy_access::core_of(handle); }

class ASocketObserver : public testing::Test {
protected:
    void transfer(const easy& handle) {
        curl_multi_add_handle(multi_, handle.native_handle());
        int running = 1;
        while (running != 0) {
            curl_multi_perform(multi_, &running);
            curl_multi_poll(multi_, nullptr, 0, 100, nullptr);
        }
        curl_multi_remove_handle(multi_, handle.native_handle());
    }
    ~ASocketObserver() override { end(); }
    void end() {
        if (multi_ != nullptr)
            curl_multi_cleanup(std::exchange(multi_, nullptr));
    }

    CURLM* multi_ = curl_multi_init();
    detail::intrusive_ptr<recording_observer> observer_ =
        detail::make_intrusive<recording_observer>();
};

TEST_F(ASocketObserver, IsToldOfEverySocketEvenAfterItsEasy) {
    {
        auto handle = quiet(nginx::shared().http("/hello"));
        core_of(handle).observe_sockets(observer_.get());
        transfer(handle);
        EXPECT_EQ(observer_->open_.size(), 1U);
        core_of(handle).observe_sockets(nullptr);
    }
    EXPECT_EQ(observer_->closed_, 0);
    end();
    EXPECT_EQ(observer_->closed_, 1);
    EXPECT_TRUE(observer_->open_.empty());
}

TEST_F(ASocketObserver, IsChainedWithTheUsersCallables) {
    int opened = 0;
    int closed = 0;
    auto handle = quiet(nginx::shared().http("/hello"));
    handle
        .setopt<CURLOPT_OPENSOCKETFUNCTION>([&](easy&, curlsocktype, curl_sockaddr& address) {
            ++opened;
            return ::socket(address.family, address.socktype, address.protocol);
        })
        .setopt<CURLOPT_CLOSESOCKETFUNCTION>([&](easy& self, curl_socket_t socket) {
            EXPECT_TRUE(self.closed());
            EXPECT_FALSE(observer_->open_.contains(socket)); // told before
            ++closed;
            return ::close(socket);
        });
    core_of(handle).observe_sockets(observer_.get());
    transfer(handle);
    EXPECT_EQ(observer_->open_.size(), 1U);
    handle.close();
    end();
    EXPECT_EQ(opened, 1);
    EXPECT_EQ(closed, 1);
    EXPECT_EQ(observer_->closed_, 1);
}

curl_socket_t open_and_count(void* count, curlsocktype, curl_sockaddr* address) {
    ++*static_cast<int*>(count);
    return ::socket(address->family, address->socktype, address->protocol);
}

std::size_t count_data(char*, std::size_t, std::size_t size, void* count) {
    ++*static_cast<int*>(count);
    return size;
}

TEST_F(ASocketObserver, LeavesADuplicateOfABorrowedEasyItsCFunction) {
    int opened = 0;
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> raw(curl_easy_init(),
                                                                  &curl_easy_cleanup);
    curl_easy_setopt(raw.get(), CURLOPT_URL, nginx::shared().http("/hello").c_str());
    curl_easy_setopt(raw.get(), CURLOPT_NOBODY, 1L);
    curl_easy_setopt(raw.get(), CURLOPT_OPENSOCKETFUNCTION, &open_and_count);
    curl_easy_setopt(raw.get(), CURLOPT_OPENSOCKETDATA, &opened);
    const auto copy = easy::borrow(raw.get()).duphandle();
    core_of(copy).observe_sockets(observer_.get());
    transfer(copy);
    EXPECT_EQ(opened, 1);
    EXPECT_TRUE(observer_->open_.empty());
}

TEST(ACFunction, HasTheDataThatIsSetAfterIt) {
    int opened = 0, written = 0;
    easy handle(nginx::shared().http("/hello"));
    handle.setopt<CURLOPT_OPENSOCKETFUNCTION>(&open_and_count)
        .setopt<CURLOPT_OPENSOCKETDATA>(static_cast<void*>(&opened))
        .setopt<CURLOPT_WRITEFUNCTION>(&count_data)
        .setopt<CURLOPT_WRITEDATA>(static_cast<void*>(&written));
    handle.perform();
    EXPECT_EQ(opened, 1);
    EXPECT_EQ(written, 1);
}

std::size_t expect_nothing(char*, std::size_t, std::size_t size, void* data) {
    EXPECT_EQ(data, nullptr);
    return size;
}

TEST(ACFunction, HasNothingOnceItsDataAreTakenBack) {
    int mine = 0;
    easy handle(nginx::shared().http("/hello"));
    handle.setopt<CURLOPT_WRITEFUNCTION>(&expect_nothing)
        .setopt<CURLOPT_WRITEDATA>(static_cast<void*>(&mine))
        .unset<CURLOPT_WRITEDATA>();
    handle.perform();
}

TEST_F(ASocketObserver, IsNotToldOfASocketThatTheUserRefused) {
    auto handle = quiet(nginx::shared().http("/hello"));
    handle.setopt<CURLOPT_OPENSOCKETFUNCTION>(
        [](curlsocktype, curl_sockaddr&) { return CURL_SOCKET_BAD; });
    core_of(handle).observe_sockets(observer_.get());
    transfer(handle);
    EXPECT_TRUE(observer_->open_.empty());
}

TEST_F(ASocketObserver, IsNotUsedWhereConnectionsAreShared) {
    const share connections{CURL_LOCK_DATA_CONNECT};
    auto handle = quiet(nginx::shared().http("/hello"));
    handle.setopt<CURLOPT_SHARE>(connections);
    core_of(handle).observe_sockets(observer_.get());
    transfer(handle);
    EXPECT_TRUE(observer_->open_.empty());
    EXPECT_EQ(core_of(handle).observer(), nullptr);
    end();
}

TEST_F(ASocketObserver, DoesNotFollowADuplicate) {
    auto handle = quiet(nginx::shared().http("/hello"));
    core_of(handle).observe_sockets(observer_.get());
    const auto copy = handle.duphandle();
    handle.close();
    transfer(copy);
    EXPECT_TRUE(observer_->open_.empty());
}

TEST_F(ASocketObserver, StaysWithTheConnectionItWasOpenedWith) {
    const auto other = detail::make_intrusive<recording_observer>();
    auto handle = quiet(nginx::shared().http("/hello"));
    core_of(handle).observe_sockets(observer_.get());
    transfer(handle);
    core_of(handle).observe_sockets(other.get());
    transfer(handle); // over the same connection
    EXPECT_EQ(handle.getinfo<CURLINFO_NUM_CONNECTS>(), 0);
    end();
    EXPECT_EQ(observer_->closed_, 1);
    EXPECT_TRUE(other->open_.empty());
}

TEST_F(ASocketObserver, HearsOfACloseCallbackThatThrewWhenNoTransferIsLeft) {
    {
        auto handle = quiet(nginx::shared().http("/hello"));
        handle.setopt<CURLOPT_CLOSESOCKETFUNCTION>([](curl_socket_t socket) -> int {
            ::close(socket);
            throw thrown_by_callback{0};
        });
        core_of(handle).observe_sockets(observer_.get());
        transfer(handle);
    }
    end();
    EXPECT_EQ(observer_->failed_, 1);
}

TEST_F(ASocketObserver, SurvivesTheDataConnectionsOfFtp) {
    auto handle = quiet(ftp_server::shared().url("/1024"));
    core_of(handle).observe_sockets(observer_.get());
    transfer(handle);
    auto second = quiet(ftp_server::shared().url("/1048576")); // the first one's control connection
    core_of(second).observe_sockets(observer_.get());
    handle.close();
    transfer(second);
    second.setopt<CURLOPT_FTPPORT>("-"); // now the server connects to us
    transfer(second);
    end();
    EXPECT_TRUE(observer_->open_.empty());
}

TEST_F(ASocketObserver, LeavesNoDescriptorBehind) {
    const auto before = test::open_descriptors();
    for (int round = 0; round < 20; ++round) {
        auto handle = quiet("http://127.0.0.1:1/");
        core_of(handle).observe_sockets(observer_.get());
        transfer(handle);
    }
    EXPECT_EQ(test::open_descriptors(), before);
}

TEST(ASocketCallback, OfCLivesAsLongAsItsConnection) {
    static int closed = 0;
    std::string target;
    easy handle(nginx::shared().http("/hello"));
    handle.setopt<CURLOPT_WRITEDATA>(target)
        .setopt<CURLOPT_CLOSESOCKETDATA>(&target)
        .setopt<CURLOPT_CLOSESOCKETFUNCTION>(
            static_cast<curl_closesocket_callback>([](void* data, curl_socket_t socket) {
                EXPECT_EQ(*static_cast<std::string*>(data), "hello\n");
                ++closed;
                return ::close(socket);
            }));
    handle.perform();
    handle.close();
    EXPECT_EQ(closed, 1);
}

} // namespace
} // namespace curlicue
