// SPDX-License-Identifier: MIT
// curlicue.h, as a binding uses it.
#include "support/c_enumeration.hpp"
#include "support/multi_fixture.hpp"
#include "support/scripted_server.hpp"
#include "support/server_process.hpp"
#include "support/temporary_directory.hpp"
#include "support/uv_fixture.hpp"
#include <curlicue/curlicue.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

using namespace curlicue::test;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

struct raw_easy {
    raw_easy() : handle(curl_easy_init()) {}
    raw_easy(const raw_easy&) = delete;
    raw_easy& operator=(const raw_easy&) = delete;
    ~raw_easy() { curl_easy_cleanup(handle); }
    CURL* const handle;
};

struct owned_easy {
    owned_easy() : easy(made()), handle(curlicue_easy_handle(easy)) {}
    owned_easy(const owned_easy&) = delete;
    owned_easy& operator=(const owned_easy&) = delete;
    ~owned_easy() { curlicue_easy_free(easy); }
    static curlicue_easy* made() {
        curlicue_easy* easy = nullptr;
        EXPECT_EQ(curlicue_easy_new(&easy), 0);
        return easy;
    }
    curlicue_easy* const easy;
    CURL* const handle;
};

/// What came of a transfer.
struct outcome {
    int endings = 0;
    int status = -1;
    std::string message;
    CURL* handle = nullptr;
    std::function<void()> then = [] {};

    static void done(void* data, CURL* handle, int status, const char* message) {
        auto& self = *static_cast<outcome*>(data);
        ++self.endings;
        self.handle = handle;
        self.status = status;
        self.message = message;
        self.then();
    }
};

std::size_t append(const char* data, std::size_t, std::size_t size, void* body) {
    static_cast<std::string*>(body)->append(data, size);
    return size;
}

class AMultiForC : public uv_fixture {
protected:
    void SetUp() override {
        uv_fixture::SetUp();
        make(nullptr);
    }
    void TearDown() override {
        curlicue_multi_free(std::exchange(multi, nullptr));
        uv_fixture::TearDown();
    }

    void make(const curlicue_options* options) {
        curlicue_multi_free(multi);
        uv_run(&loop, UV_RUN_DEFAULT);
        ASSERT_EQ(curlicue_multi_new(&loop, options, &multi), 0);
    }
    static void prepare(CURL* handle, const std::string& url, std::string& body) {
        curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
        curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &append);
        curl_easy_setopt(handle, CURLOPT_WRITEDATA, &body);
    }
    int add(CURL* handle, outcome& seen) {
        return curlicue_multi_add(multi, handle, &outcome::done, &seen);
    }
    void run() { uv_run(&loop, UV_RUN_DEFAULT); }

    curlicue_multi* multi = nullptr;
};

TEST_F(AMultiForC, TransfersWithAHandleOfTheCallers) {
    const raw_easy page;
    std::string body;
    outcome seen;
    prepare(page.handle, nginx::shared().http("/hello"), body);
    ASSERT_EQ(add(page.handle, seen), 0);
    EXPECT_EQ(seen.endings, 0) << "never inside the call";
    EXPECT_EQ(curlicue_multi_size(multi), 1U);
    run();
    EXPECT_EQ(seen.endings, 1);
    EXPECT_EQ(seen.status, CURLICUE_OK);
    EXPECT_EQ(seen.message, "success");
    EXPECT_EQ(seen.handle, page.handle);
    EXPECT_EQ(body, "hello\n");
    EXPECT_EQ(curlicue_multi_size(multi), 0U);
}

TEST_F(AMultiForC, TransfersWithAHandleOfOursAgainAndAgain) {
    const owned_easy page;
    std::string body;
    outcome seen;
    prepare(page.handle, nginx::shared().http("/hello"), body);
    seen.then = [&] {
        if (seen.endings < 10) {
            EXPECT_EQ(add(page.handle, seen), 0) << "a callback may call everything";
        }
    };
    ASSERT_EQ(add(page.handle, seen), 0);
    run();
    EXPECT_EQ(seen.endings, 10);
    EXPECT_EQ(body.size(), 60U);
    long connections = 0;
    curl_easy_getinfo(page.handle, CURLINFO_NUM_CONNECTS, &connections);
    EXPECT_EQ(connections, 0) << "the last one found a connection";
}

TEST_F(AMultiForC, TellsWhatLibcurlSays) {
    const reserved_port nobody;
    const raw_easy page;
    std::string body;
    outcome seen;
    prepare(page.handle, "http://" + nobody.address(), body);
    ASSERT_EQ(add(page.handle, seen), 0);
    run();
    EXPECT_EQ(seen.endings, 1);
    EXPECT_EQ(seen.status, CURLE_COULDNT_CONNECT);
    EXPECT_FALSE(seen.message.empty());
}

TEST_F(AMultiForC, KeepsTheEasyThatItHas) {
    auto page = std::make_unique<owned_easy>();
    std::string body;
    outcome seen;
    prepare(page->handle, nginx::shared().http("/hello"), body);
    ASSERT_EQ(add(page->handle, seen), 0);
    page.reset();
    run();
    EXPECT_EQ(seen.status, CURLICUE_OK);
    EXPECT_EQ(body, "hello\n");
}

// What is set by curl_easy_setopt. ----------------------------------------------------------------

TEST_F(AMultiForC, LeavesAHandleOfOursTheShareOfItsUser) {
    // No resolver knows this name: its first label is too long for one.
    const std::string name = std::string(70, 'x') + ".invalid";
    const auto server = nginx::shared().http("");
    const auto port = server.substr(server.rfind(':') + 1);
    const auto url = "http://" + name + ":" + port + "/hello";
    const std::unique_ptr<CURLSH, CURLSHcode (*)(CURLSH*)> share(curl_share_init(),
                                                                 &curl_share_cleanup);
    curl_share_setopt(share.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    const std::unique_ptr<curl_slist, void (*)(curl_slist*)> known(
        curl_slist_append(nullptr, (name + ":" + port + ":127.0.0.1").c_str()),
        &curl_slist_free_all);
    std::string body;
    outcome seen;
    const owned_easy first;
    prepare(first.handle, url, body);
    curl_easy_setopt(first.handle, CURLOPT_SHARE, share.get());
    curl_easy_setopt(first.handle, CURLOPT_RESOLVE, known.get());
    ASSERT_EQ(add(first.handle, seen), 0);
    run();
    EXPECT_EQ(seen.status, CURLICUE_OK);
    const owned_easy second;
    for (int i = 0; i != 2; ++i) {
        prepare(second.handle, url, body);
        curl_easy_setopt(second.handle, CURLOPT_SHARE, share.get());
        curl_easy_setopt(second.handle, CURLOPT_FRESH_CONNECT, 1L);
        ASSERT_EQ(add(second.handle, seen), 0);
        run();
        EXPECT_EQ(seen.status, CURLICUE_OK) << "it finds the address in the share";
    }
    EXPECT_EQ(curl_easy_perform(second.handle), CURLE_OK) << "and has it still";
    curl_easy_setopt(second.handle, CURLOPT_SHARE, nullptr);
    curl_easy_setopt(first.handle, CURLOPT_SHARE, nullptr);
}

TEST_F(AMultiForC, LeavesAHandleOfOursTheAuthoritiesOfItsUser) {
    curlicue_options options;
    curlicue_options_init(&options);
    options.ca_cache = 1;
    make(&options);
    const temporary_directory directory;
    run_program({"openssl", "rehash", (directory / ".").string()}, directory / "log");
    const auto authority = nginx::shared().ca_file();
    std::filesystem::copy(authority, directory / "ca.pem");
    run_program({"openssl", "rehash", (directory / ".").string()}, directory / "log");
    const owned_easy page;
    std::string body;
    outcome seen;
    prepare(page.handle, nginx::shared().https("/hello"), body);
    curl_easy_setopt(page.handle, CURLOPT_CAPATH, (directory / ".").c_str());
    ASSERT_EQ(add(page.handle, seen), 0);
    run();
    EXPECT_EQ(seen.status, CURLICUE_OK);
    const owned_easy cached;
    EXPECT_EQ(curlicue_easy_ca_cache(cached.easy), 0);
    prepare(cached.handle, nginx::shared().https("/hello"), body);
    curl_easy_setopt(cached.handle, CURLOPT_CAINFO, authority.c_str());
    ASSERT_EQ(add(cached.handle, seen), 0);
    EXPECT_EQ(curlicue_easy_ca_cache(cached.easy), CURLICUE_ATTACHED);
    EXPECT_EQ(curlicue_easy_reset(cached.easy), CURLICUE_ATTACHED);
    run();
    EXPECT_EQ(seen.status, CURLICUE_OK);
    make(nullptr);
}

TEST_F(AMultiForC, LeavesAHandleOfOursItsCallbacks) {
    const owned_easy page;
    std::string body;
    outcome seen;
    struct {
        int opened = 0, asked = 0;
    } counts;
    prepare(page.handle, nginx::shared().http("/hello"), body);
    curl_easy_setopt(page.handle, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(page.handle, CURLOPT_PRIVATE, &counts);
    curl_easy_setopt(page.handle, CURLOPT_OPENSOCKETDATA, &counts);
    curl_easy_setopt(page.handle, CURLOPT_OPENSOCKETFUNCTION,
                     static_cast<curl_opensocket_callback>(
                         [](void* data, curlsocktype, curl_sockaddr* address) -> curl_socket_t {
                             ++static_cast<decltype(counts)*>(data)->opened;
                             return ::socket(address->family, address->socktype, address->protocol);
                         }));
    curl_easy_setopt(page.handle, CURLOPT_XFERINFODATA, &counts);
    curl_easy_setopt(page.handle, CURLOPT_XFERINFOFUNCTION,
                     static_cast<curl_xferinfo_callback>(
                         [](void* data, curl_off_t, curl_off_t, curl_off_t, curl_off_t) -> int {
                             ++static_cast<decltype(counts)*>(data)->asked;
                             return 0;
                         }));
    curl_easy_setopt(page.handle, CURLOPT_NOPROGRESS, 0L);
    for (int i = 1; i != 4; ++i) {
        ASSERT_EQ(add(page.handle, seen), 0);
        run();
        EXPECT_EQ(seen.status, CURLICUE_OK);
        EXPECT_EQ(counts.opened, i);
        EXPECT_GT(counts.asked, 0);
    }
    void* mine = nullptr;
    curl_easy_getinfo(page.handle, CURLINFO_PRIVATE, &mine);
    EXPECT_EQ(mine, &counts);
}

// A stalled transfer's callback, which may want to end it, is called by the heartbeat.
TEST_F(AMultiForC, CallsTheProgressCallbackOfAStalledHandleOfOurs) {
    curlicue_options options;
    curlicue_options_init(&options);
    options.heartbeat_ms = 5;
    make(&options);
    const scripted_server silent([](connection& client) { client.hold(); });
    const owned_easy page;
    std::string body;
    outcome seen;
    int asked = 0;
    prepare(page.handle, silent.url(), body);
    curl_easy_setopt(page.handle, CURLOPT_XFERINFODATA, &asked);
    curl_easy_setopt(page.handle, CURLOPT_XFERINFOFUNCTION,
                     static_cast<curl_xferinfo_callback>(
                         [](void* data, curl_off_t, curl_off_t, curl_off_t, curl_off_t) -> int {
                             return ++*static_cast<int*>(data) == 100 ? 1 : 0;
                         }));
    curl_easy_setopt(page.handle, CURLOPT_NOPROGRESS, 0L);
    ASSERT_EQ(add(page.handle, seen), 0);
    run();
    EXPECT_EQ(seen.status, CURLE_ABORTED_BY_CALLBACK);
    make(nullptr);
}

TEST_F(AMultiForC, ReadsNoStandardInput) {
    std::string typed = "typed", body, stored;
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
        ::fmemopen(typed.data(), typed.size(), "r"), &std::fclose);
    const int before = ::dup(STDIN_FILENO);
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    ASSERT_EQ(::write(ends[1], "typed", 5), 5);
    ::close(ends[1]);
    ::dup2(ends[0], STDIN_FILENO);
    ::close(ends[0]);
    const owned_easy page;
    const auto upload = [&](std::FILE* source) {
        outcome seen;
        prepare(page.handle, nginx::shared().http("/upload/from_c"), body);
        curl_easy_setopt(page.handle, CURLOPT_UPLOAD, 1L);
        if (source != nullptr)
            curl_easy_setopt(page.handle, CURLOPT_READDATA, source);
        ASSERT_EQ(add(page.handle, seen), 0);
        run();
        EXPECT_EQ(seen.status, CURLICUE_OK);
        const owned_easy back;
        stored.clear();
        prepare(back.handle, nginx::shared().http("/upload/from_c"), stored);
        ASSERT_EQ(add(back.handle, seen), 0);
        run();
    };
    upload(nullptr);
    EXPECT_EQ(stored, "");
    upload(file.get());
    EXPECT_EQ(stored, "typed") << "the user's own file";
    EXPECT_EQ(curlicue_easy_reset(page.easy), 0);
    upload(nullptr);
    EXPECT_EQ(stored, "");
    ::dup2(before, STDIN_FILENO);
    ::close(before);
}

TEST_F(AMultiForC, RefusesWhatIsWrongAtTheCall) {
    const raw_easy page;
    std::string body;
    outcome seen;
    prepare(page.handle, nginx::shared().http("/slow/16777216"), body);
    EXPECT_EQ(add(nullptr, seen), CURLICUE_NULL_HANDLE);
    EXPECT_EQ(curlicue_multi_add(multi, page.handle, nullptr, nullptr), CURLICUE_NULL_HANDLE);
    EXPECT_EQ(curlicue_multi_post(multi, nullptr, nullptr), CURLICUE_NULL_HANDLE);
    EXPECT_EQ(curlicue_multi_remove(multi, page.handle), CURLICUE_NOT_ADDED);
    EXPECT_EQ(curlicue_multi_pause(multi, page.handle, CURLPAUSE_ALL), CURLICUE_OK);
    ASSERT_EQ(add(page.handle, seen), 0);
    EXPECT_EQ(add(page.handle, seen), CURLICUE_ALREADY_ADDED);
    EXPECT_EQ(curlicue_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, 0), CURLICUE_BAD_OPTION);
    EXPECT_EQ(curlicue_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 5), 0);
    EXPECT_EQ(seen.endings, 0);
    curlicue_multi* none = multi;
    EXPECT_EQ(curlicue_multi_new(nullptr, nullptr, &none), CURLICUE_NULL_HANDLE);
    EXPECT_EQ(none, nullptr);
    EXPECT_EQ(curlicue_multi_new(&loop, nullptr, nullptr), CURLICUE_NULL_HANDLE);
    curlicue_options options;
    curlicue_options_init(&options);
    put(99, options.hold);
    EXPECT_EQ(curlicue_multi_new(&loop, &options, &none), CURLICUE_MALFORMED);
    EXPECT_THAT(curlicue_last_refusal(), HasSubstr("hold"));
    ASSERT_EQ(curlicue_multi_close(multi, nullptr, nullptr), 0);
    EXPECT_EQ(add(page.handle, seen), CURLICUE_CLOSED);
    EXPECT_EQ(curlicue_multi_post(
                  multi, [](void*) {}, nullptr),
              CURLICUE_CLOSED);
    run();
    EXPECT_EQ(seen.endings, 1);
    EXPECT_EQ(seen.status, CURLICUE_CANCELLED);
}

TEST_F(AMultiForC, RefusesLoopBoundCallsElsewhere) {
    const raw_easy page;
    std::thread([&] {
        EXPECT_EQ(curlicue_multi_remove(multi, page.handle), CURLICUE_WRONG_THREAD);
        EXPECT_EQ(curlicue_multi_ref(multi), CURLICUE_WRONG_THREAD);
        EXPECT_EQ(curlicue_multi_unref(multi), CURLICUE_WRONG_THREAD);
        EXPECT_EQ(curlicue_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 5), CURLICUE_WRONG_THREAD);
    }).join();
}

TEST_F(AMultiForC, RemovesATransfer) {
    const raw_easy page;
    std::string body;
    outcome seen;
    prepare(page.handle, nginx::shared().http("/slow/16777216"), body);
    ASSERT_EQ(add(page.handle, seen), 0);
    ASSERT_EQ(curlicue_multi_remove(multi, page.handle), 0);
    run();
    EXPECT_EQ(seen.endings, 1);
    EXPECT_EQ(seen.status, CURLICUE_CANCELLED);
    EXPECT_EQ(seen.message, curlicue_strerror(CURLICUE_CANCELLED));
}

TEST_F(AMultiForC, PausesATransferAndLetsItGoOn) {
    const raw_easy page;
    std::string body;
    outcome seen;
    prepare(page.handle, nginx::shared().http("/bytes/1048576"), body);
    ASSERT_EQ(add(page.handle, seen), 0);
    while (curlicue_multi_pause(multi, page.handle, CURLPAUSE_ALL) !=
           0) // not before it is connected
        uv_run(&loop, UV_RUN_ONCE);
    for (int turns = 0; turns != 20; ++turns)
        uv_run(&loop, UV_RUN_NOWAIT);
    EXPECT_EQ(seen.endings, 0);
    EXPECT_LT(body.size(), 1U << 20);
    ASSERT_EQ(curlicue_multi_pause(multi, page.handle, CURLPAUSE_CONT), 0);
    run();
    EXPECT_EQ(seen.status, CURLICUE_OK);
    EXPECT_EQ(body.size(), 1U << 20);
}

TEST_F(AMultiForC, RunsPostsOfOtherThreadsOnItsLoop) {
    ASSERT_EQ(curlicue_multi_ref(multi), 0);
    struct {
        curlicue_multi* multi;
        std::thread::id ran;
    } seen{multi, {}};
    std::thread poster([&] {
        EXPECT_EQ(curlicue_multi_post(
                      multi,
                      [](void* data) {
                          auto& self = *static_cast<decltype(seen)*>(data);
                          self.ran = std::this_thread::get_id();
                          EXPECT_EQ(curlicue_multi_unref(self.multi), 0);
                      },
                      &seen),
                  0);
    });
    run();
    poster.join();
    EXPECT_EQ(seen.ran, std::this_thread::get_id());
}

TEST_F(AMultiForC, TellsOfItsCloseWhenNothingIsLeft) {
    struct {
        uv_loop_t* loop;
        int left;
    } seen{&loop, -1};
    ASSERT_EQ(curlicue_multi_close(
                  multi,
                  [](void* data) {
                      auto& self = *static_cast<decltype(seen)*>(data);
                      self.left = 0;
                      uv_walk(
                          self.loop, [](uv_handle_t*, void* left) { ++*static_cast<int*>(left); },
                          &self.left);
                  },
                  &seen),
              0);
    EXPECT_EQ(seen.left, -1);
    run();
    EXPECT_EQ(seen.left, 0);
}

TEST_F(AMultiForC, MayBeFreedInACallback) {
    const raw_easy page, other;
    std::string body;
    outcome seen, cancelled;
    prepare(page.handle, nginx::shared().http("/hello"), body);
    prepare(other.handle, nginx::shared().http("/slow/16777216"), body);
    ASSERT_EQ(add(page.handle, seen), 0);
    ASSERT_EQ(add(other.handle, cancelled), 0);
    seen.then = [&] { curlicue_multi_free(std::exchange(multi, nullptr)); };
    run();
    EXPECT_EQ(seen.endings, 1);
    EXPECT_EQ(cancelled.endings, 1);
    EXPECT_EQ(cancelled.status, CURLICUE_CANCELLED);
}

TEST_F(AMultiForC, CallsTheHooksOfItsHost) {
    curlicue_options options;
    curlicue_options_init(&options);
    std::vector<int> calls;
    options.arg = &calls;
    options.enter = [](void* arg) -> void* {
        static_cast<std::vector<int>*>(arg)->push_back(1);
        return arg;
    };
    options.leave = [](void* arg, void* token) {
        EXPECT_EQ(arg, token);
        static_cast<std::vector<int>*>(arg)->push_back(2);
    };
    make(&options);
    ASSERT_EQ(curlicue_multi_post(
                  multi, [](void*) {}, nullptr),
              0);
    uv_run(&loop, UV_RUN_ONCE);
    EXPECT_THAT(calls, ElementsAre(1, 2));
    make(nullptr);
}

TEST_F(AMultiForC, HoldsItsLoopAsItIsAsked) {
    curlicue_options options;
    curlicue_options_init(&options);
    EXPECT_EQ(uv_loop_alive(&loop), 0);
    options.hold = CURLICUE_HOLD_ALWAYS;
    make(&options);
    EXPECT_NE(uv_loop_alive(&loop), 0);
    options.hold = CURLICUE_HOLD_NEVER;
    make(&options);
    const raw_easy page;
    std::string body;
    outcome seen;
    prepare(page.handle, nginx::shared().http("/slow/16777216"), body);
    ASSERT_EQ(add(page.handle, seen), 0);
    EXPECT_EQ(uv_loop_alive(&loop), 0);
    make(nullptr);
    EXPECT_EQ(seen.status, CURLICUE_CANCELLED);
}

TEST_F(AMultiForC, RefusesWhatStopsItsLoopWhereThatIsAskedFor) {
    curlicue_options options;
    curlicue_options_init(&options);
    options.refuse_blocking = 1;
    make(&options);
    const raw_easy file;
    std::string body;
    outcome seen;
    prepare(file.handle, "file:///etc/hostname", body);
    EXPECT_EQ(add(file.handle, seen), CURLICUE_WOULD_BLOCK);
    prepare(file.handle, nginx::shared().http("/hello"), body);
    ASSERT_EQ(add(file.handle, seen), 0);
    run();
    EXPECT_EQ(seen.endings, 1);
    EXPECT_EQ(body, "hello\n");
}

TEST_F(AMultiForC, TakesTheOptionsOfACallerThatKnowsFewer) {
    curlicue_options options;
    curlicue_options_init(&options);
    options.size = offsetof(curlicue_options, enter);
    options.hold = CURLICUE_HOLD_ALWAYS;
    options.enter = [](void*) -> void* {
        ADD_FAILURE() << "not among the options that it was made with";
        return nullptr;
    };
    make(&options);
    EXPECT_NE(uv_loop_alive(&loop), 0);
    ASSERT_EQ(curlicue_multi_post(
                  multi, [](void*) {}, nullptr),
              0);
    uv_run(&loop, UV_RUN_ONCE);
}

TEST_F(AMultiForC, TellsItsDiagnosticsInWhatRoomThereIs) {
    const int length = curlicue_multi_diagnostics(multi, nullptr, 0);
    ASSERT_GT(length, 10);
    std::string all(static_cast<std::size_t>(length), '\0'), part(5, 'x');
    EXPECT_EQ(curlicue_multi_diagnostics(multi, all.data(), all.size() + 1), length);
    EXPECT_THAT(all, HasSubstr("libcurl"));
    EXPECT_EQ(curlicue_multi_diagnostics(multi, part.data(), part.size()), length);
    EXPECT_EQ(part, all.substr(0, 4) + '\0');
}

TEST(AStatus, HasWordsWhoeverIsItsAuthor) {
    EXPECT_STREQ(curlicue_strerror(0), "success");
    EXPECT_THAT(curlicue_strerror(CURLE_COULDNT_RESOLVE_HOST), HasSubstr("resolve"));
    EXPECT_THAT(curlicue_strerror(CURLICUE_MULTI_STATUS + CURLM_BAD_EASY_HANDLE),
                HasSubstr("easy handle"));
    EXPECT_STREQ(curlicue_strerror(-EBADF), uv_strerror(UV_EBADF));
    EXPECT_STREQ(curlicue_strerror(CURLICUE_CANCELLED), "cancelled");
    EXPECT_THAT(curlicue_strerror(CURLICUE_BAD_OPTION), HasSubstr("option"));
    EXPECT_STRNE(curlicue_strerror(CURLICUE_FAILED), "");
    EXPECT_STRNE(curlicue_strerror(123456), "");
    EXPECT_STRNE(curlicue_version(), "");
}

TEST(AThreadForC, TransfersForAProgramWithoutALoop) {
    curlicue_thread* background = nullptr;
    ASSERT_EQ(curlicue_thread_new(nullptr, &background), 0);
    const owned_easy page;
    std::string body;
    std::promise<int> over;
    curl_easy_setopt(page.handle, CURLOPT_URL, nginx::shared().http("/hello").c_str());
    curl_easy_setopt(page.handle, CURLOPT_WRITEFUNCTION, &append);
    curl_easy_setopt(page.handle, CURLOPT_WRITEDATA, &body);
    EXPECT_EQ(curlicue_multi_add(
                  curlicue_thread_multi(background), page.handle,
                  [](void* data, CURL*, int status, const char*) {
                      static_cast<std::promise<int>*>(data)->set_value(status);
                  },
                  &over),
              0);
    EXPECT_EQ(over.get_future().get(), CURLICUE_OK);
    EXPECT_EQ(body, "hello\n");
    curlicue_thread_free(background);
    curlicue_thread_free(nullptr);
    curlicue_multi_free(nullptr);
    curlicue_easy_free(nullptr);
}

} // namespace
