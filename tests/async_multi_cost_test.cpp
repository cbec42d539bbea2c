// SPDX-License-Identifier: MIT
// What a transfer costs, in allocations and in calls of the system.
#include "support/allocations.hpp"
#include "support/async_fixture.hpp"
#include "support/scripted_server.hpp"
#include "support/server_process.hpp"
#include "support/temporary_directory.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/version.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdarg>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace curlicue;
using namespace curlicue::test;

namespace {

enum system_call { epoll_change, epoll_sleep, control, receive, transmit, look, other, kinds };
std::array<std::atomic<int>, kinds> calls{};
std::atomic<std::size_t> largest_receive{0};
std::atomic<int> authorities_looked_for{0};
std::atomic<int> bundles_opened{0};

template <class Result, class... Args> Result counted(system_call kind, long number, Args... args) {
    ++calls[kind];
    return static_cast<Result>(::syscall(number, args...));
}

// OpenSSL looks an authority up in a directory by a name that ends in ".0".
int look_at(const char* path, struct stat* status, int flags) noexcept {
    if (std::string_view(path).ends_with(".0"))
        ++authorities_looked_for;
    return static_cast<int>(::syscall(SYS_newfstatat, AT_FDCWD, path, status, flags));
}

using open_file = FILE*(const char*, const char*);

// The bundle of authorities that libcurl was built with.
FILE* open_seen(const char* name, const char* path, const char* mode) {
    const char* const bundle = curl_version_info(CURLVERSION_NOW)->cainfo;
    if (bundle != nullptr && std::string_view(path) == bundle)
        ++bundles_opened;
    return reinterpret_cast<open_file*>(::dlsym(RTLD_NEXT, name))(path, mode);
}

} // namespace

// The calls of libuv, libcurl and its TLS library come here, since a program's own symbols go
// before those of its libraries.
extern "C" {

int epoll_ctl(int epoll, int operation, int descriptor, epoll_event* event) noexcept {
    return counted<int>(epoll_change, SYS_epoll_ctl, epoll, operation, descriptor, event);
}
int epoll_wait(int epoll, epoll_event* events, int most, int timeout) {
    return counted<int>(epoll_sleep, SYS_epoll_pwait, epoll, events, most, timeout, nullptr, 8);
}
int epoll_pwait(int epoll, epoll_event* events, int most, int timeout, const sigset_t* mask) {
    return counted<int>(epoll_sleep, SYS_epoll_pwait, epoll, events, most, timeout, mask, 8);
}
int ioctl(int descriptor, unsigned long request, ...) noexcept {
    std::va_list arguments;
    va_start(arguments, request);
    void* const argument = va_arg(arguments, void*);
    va_end(arguments);
    return counted<int>(control, SYS_ioctl, descriptor, request, argument);
}
ssize_t recv(int socket, void* buffer, std::size_t size, int flags) {
    largest_receive = std::max(largest_receive.load(), size);
    return counted<ssize_t>(receive, SYS_recvfrom, socket, buffer, size, flags, nullptr, nullptr);
}
ssize_t send(int socket, const void* data, std::size_t size, int flags) {
    return counted<ssize_t>(transmit, SYS_sendto, socket, data, size, flags, nullptr, 0);
}
int poll(pollfd* descriptors, nfds_t size, int timeout) {
    return counted<int>(look, SYS_poll, descriptors, size, timeout);
}
ssize_t read(int descriptor, void* buffer, std::size_t size) {
    return counted<ssize_t>(other, SYS_read, descriptor, buffer, size);
}
ssize_t write(int descriptor, const void* data, std::size_t size) {
    return counted<ssize_t>(other, SYS_write, descriptor, data, size);
}

// Under other names, because the headers may redirect these.
int seen_stat(const char* path, struct stat* status) noexcept __asm__("stat");
int seen_lstat(const char* path, struct stat* status) noexcept __asm__("lstat");

FILE* seen_fopen(const char* path, const char* mode) __asm__("fopen");
FILE* seen_fopen64(const char* path, const char* mode) __asm__("fopen64");

FILE* seen_fopen(const char* path, const char* mode) { return open_seen("fopen", path, mode); }
FILE* seen_fopen64(const char* path, const char* mode) { return open_seen("fopen64", path, mode); }
int seen_stat(const char* path, struct stat* status) noexcept { return look_at(path, status, 0); }
int seen_lstat(const char* path, struct stat* status) noexcept {
    return look_at(path, status, AT_SYMLINK_NOFOLLOW);
}
}

namespace {

/// A number of keep-alive transfers at a time, each followed by the next on its easy.
class ACost : public async_fixture {
protected:
    struct spent {
        int allocations, requests;
        std::array<int, kinds> calls;
        int beside_waits() const {
            int sum = -calls[epoll_sleep];
            for (const int each : calls)
                sum += each;
            return sum;
        }
    };

    void SetUp() override {
        async_fixture::SetUp();
        page = quiet(url("/hello"));
    }

    /// With more at a time first: how many are over in one turn is chance, and no memory is to be
    /// asked for later because of it.
    spent measure(int concurrency, const std::function<void()>& transfers) {
        for (const int at_a_time : {4 * concurrency, concurrency}) {
            pages.clear();
            for (int i = 0; i != at_a_time; ++i)
                pages.push_back(page.duphandle());
            started = done = 0;
            transfers();
        }
        return result();
    }
    int most() const { return warm + measured + 256; }
    bool next() { return started++ < most(); }
    /// Counts one that is over.
    void over() {
        ++done;
        if (done == warm)
            begin_ = now();
        if (done == warm + measured)
            end_ = now();
    }
    spent now() const {
        spent all{allocations(), done, {}};
        for (std::size_t i = 0; i != kinds; ++i)
            all.calls[i] = calls[i];
        return all;
    }
    spent result() {
        EXPECT_EQ(done, most());
        spent all{end_.allocations - begin_.allocations, end_.requests - begin_.requests, {}};
        for (std::size_t i = 0; i != kinds; ++i)
            all.calls[i] = end_.calls[i] - begin_.calls[i];
        return all;
    }

    task<int> one_after_another(const easy& handle) {
        while (next()) {
            co_await multi->add_handle(handle);
            over();
        }
        co_return 0;
    }
    spent awaited(int concurrency) {
        return measure(concurrency, [&] {
            std::vector<future<int>> all;
            for (const easy& each : pages)
                all.push_back(co_spawn(multi->executor(), one_after_another(each)));
            for (auto& each : all)
                run(std::move(each));
        });
    }

    void continue_with(const easy& handle) {
        if (next())
            multi->add_handle(handle)
                .then([this, &handle](easy&&) {
                    over();
                    continue_with(handle);
                })
                .detach([](const std::exception_ptr&) { ADD_FAILURE(); });
    }
    spent continued(int concurrency) {
        return measure(concurrency, [&] {
            for (const easy& each : pages)
                continue_with(each);
            run_to([&] { return done == most(); });
        });
    }

    /// What libcurl 8.10 to 8.14 call beside: 5.7 to 6 calls a request in all, by measurement.
    static double one_more(const spent& all) {
        const auto version = curl_version_info(CURLVERSION_NOW)->version_num;
        return 0x080a00 <= version && version < 0x080f00 ? 1.3 * all.requests : 0;
    }

    static constexpr int warm = 640;
    int measured = 3200; // many beside those that run at the ends
    int started = 0, done = 0;
    easy page;
    std::list<easy> pages;

private:
    spent begin_{}, end_{};
};

// Allocations. ------------------------------------------------------------------------------------

TEST_F(ACost, OfATransferThatIsAwaitedIsNoAllocation) {
    if (!uses_memory_again(multi->executor()))
        GTEST_SKIP() << "nothing is used again under this sanitizer";
    EXPECT_EQ(awaited(64).allocations, 0);
}

TEST_F(ACost, OfATransferWithAContinuationIsNoAllocation) {
    if (!uses_memory_again(multi->executor()))
        GTEST_SKIP() << "nothing is used again under this sanitizer";
    EXPECT_EQ(continued(64).allocations, 0);
}

TEST_F(ACost, OfTimeoutsThatAreCancelledTogetherIsNoAllocation) {
    if (!uses_memory_again(multi->executor()))
        GTEST_SKIP() << "nothing is used again under this sanitizer";
    std::deque<promise<int>> sources;
    std::deque<future<int>> limited;
    int allocated = 0;
    for (int round = 0; round != 2; ++round) {
        const int before = allocations();
        for (int i = 0; i != 8; ++i) {
            sources.emplace_back(multi->executor());
            limited.push_back(sources.back().get_future().timeout(std::chrono::hours(1)));
        }
        for (auto& each : limited)
            each.cancel();
        uv_run(&loop, UV_RUN_NOWAIT);
        sources.clear();
        limited.clear();
        allocated = allocations() - before;
    }
    EXPECT_EQ(allocated, 0);
}

// Calls of the system. ----------------------------------------------------------------------------

TEST_F(ACost, OfATransferOnAKeptConnectionIsNoChangeOfAWatch) {
    const auto spent = awaited(64);
    EXPECT_LE(spent.calls[epoll_change], spent.requests / 20);
    EXPECT_EQ(spent.calls[control], 0);
    // libcurl 8 reads twice.
    const bool reads_once = curl_version_info(CURLVERSION_NOW)->version_num < 0x080000;
    EXPECT_LE(spent.beside_waits(), (reads_once ? 4.2 : 5) * spent.requests + one_more(spent));
}

/// A server in the thread of the test, with one client: it answers when it is told to.
class server_by_hand {
public:
    server_by_hand() {
        listen(listener_, 1);
        socklen_t size = sizeof address_;
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address_), &size);
    }
    server_by_hand(const server_by_hand&) = delete;
    server_by_hand& operator=(const server_by_hand&) = delete;
    ~server_by_hand() {
        close(listener_);
        close(client_);
    }

    std::string url() const {
        return "http://127.0.0.1:" + std::to_string(ntohs(address_.sin_port)) + "/";
    }
    bool has_new_client() {
        const int client = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
        if (client >= 0)
            client_ = client;
        return client >= 0;
    }
    bool has_request() {
        char request[1000];
        return ::recv(client_, request, sizeof request, 0) > 0;
    }
    void answer() {
        constexpr std::string_view response = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        EXPECT_EQ(::send(client_, response.data(), response.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(response.size()));
    }

private:
    int listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int client_ = -1;
    sockaddr_in address_{};
};

// Where the host holds the loop up, libcurl learns of the connection by its timer: it sends the
// request and reads the response in one, and never asks to read from the socket.
TEST_F(ACost, OfATransferIsNoChangeOfAWatchThoughTheFirstResponseWasThereAtOnce) {
    server_by_hand server;
    page.setopt<CURLOPT_URL>(server.url());
    uv_check_t host;
    host.data = &server;
    uv_check_init(&loop, &host);
    uv_check_start(&host, [](uv_check_t* self) {
        auto& served = *static_cast<server_by_hand*>(self->data);
        if (!served.has_new_client())
            return;
        served.answer();
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
    });
    run(multi->add_handle(page));
    uv_close(reinterpret_cast<uv_handle_t*>(&host), nullptr);
    server.has_request();
    for (int i = 0; i != 3; ++i) {
        const int before = calls[epoll_change];
        auto next = multi->add_handle(page);
        run_to([&] { return server.has_request(); });
        server.answer();
        run(std::move(next));
        EXPECT_LE(calls[epoll_change], before + (i == 0 ? 1 : 0)) << "newer ones name it only now";
    }
}

TEST_F(ACost, OfATransferAloneIsOneWait) {
    const auto spent = continued(1);
    EXPECT_LE(spent.calls[epoll_sleep], 1.1 * spent.requests);
    EXPECT_LE(spent.calls[epoll_change], spent.requests / 20);
    // We let 8.5.0 look for itself whether it may read, which it does by a poll.
    const bool looks = curl_version_info(CURLVERSION_NOW)->version_num == 0x080500;
    EXPECT_LE(spent.beside_waits(), (looks ? 5.5 : 4.5) * spent.requests + one_more(spent));
}

// On the poll handle of one that was closed: a new one would make three calls more.
TEST_F(ACost, OfANewConnectionIsNoPollHandle) {
    measured = 640; // ports are few
    page.setopt<CURLOPT_FORBID_REUSE>(true);
    const auto spent = continued(8);
    EXPECT_LE(spent.calls[control], spent.requests / 10) << "uv_poll_init makes one";
    EXPECT_LE(spent.calls[epoll_change], 5.5 * spent.requests);
}

TEST_F(ACost, OfANewConnectionIsNoAllocation) {
    if (!uses_memory_again(multi->executor()))
        GTEST_SKIP() << "nothing is used again under this sanitizer";
    measured = 640;
    page.setopt<CURLOPT_FORBID_REUSE>(true);
    EXPECT_EQ(continued(8).allocations, 0);
}

// The receive buffer. -----------------------------------------------------------------------------

class AReceiveBuffer : public async_fixture {
protected:
    std::size_t used_by(const easy& page) {
        largest_receive = 0;
        run(multi->add_handle(page));
        return largest_receive;
    }
    /// One for all, which a multi handle has.
    static bool shared() { return curl_version_info(CURLVERSION_NOW)->version_num >= 0x080700; }
    static std::size_t size() { return shared() ? 512 << 10 : 112 << 10; }
};

TEST_F(AReceiveBuffer, IsLargeUnlessTheUserSaysOtherwise) {
    easy page = quiet(url("/bytes/16777216"));
    EXPECT_EQ(used_by(page), size());
    EXPECT_EQ(used_by(page.duphandle()), size());
    page.setopt<CURLOPT_BUFFERSIZE>(20000);
    EXPECT_EQ(used_by(page), 20000u);
    EXPECT_EQ(used_by(page.duphandle()), 20000u);
    page.reset();
    page.setopt<CURLOPT_URL>(url("/bytes/16777216"));
    page.setopt<CURLOPT_WRITEFUNCTION>([](std::span<const char> data) { return data.size(); });
    EXPECT_EQ(used_by(page), size());
}

TEST_F(AReceiveBuffer, IsSmallerWhereManyTransfersHaveOneEach) {
    scripted_server server([](connection& client) { client.hold(); });
    std::vector<future<easy>> under_way;
    const auto used_beside = [&](std::size_t count) {
        while (under_way.size() != count)
            under_way.push_back(multi->add_handle(easy(server.url())));
        return used_by(quiet(url("/bytes/16777216")));
    };
    EXPECT_EQ(used_beside(63), size());
    EXPECT_EQ(used_beside(64), shared() ? size() : std::size_t{16} << 10);
    EXPECT_EQ(used_beside(1024), shared() ? size() : std::size_t{8} << 10);
    for (const auto& each : under_way)
        each.cancel();
    EXPECT_EQ(used_beside(1024), size());
}

TEST_F(AReceiveBuffer, OfABorrowedHandleIsItsOwners) {
    const std::unique_ptr<CURL, void (*)(CURL*)> handle(curl_easy_init(), &curl_easy_cleanup);
    curl_easy_setopt(handle.get(), CURLOPT_URL, url("/bytes/1048576").c_str());
    curl_easy_setopt(handle.get(), CURLOPT_BUFFERSIZE, 20000L);
    curl_easy_setopt(
        handle.get(), CURLOPT_WRITEFUNCTION,
        +[](char*, std::size_t, std::size_t size, void*) { return size; });
    EXPECT_EQ(used_by(easy::borrow(handle.get())), 20000u);
}

// CA certificates. --------------------------------------------------------------------------------

class ACacheOfAuthorities : public async_fixture {
protected:
    void SetUp() override {
        uv_fixture::SetUp();
        multi.emplace(&loop, async_multi_options{.ca_cache = true});
    }
    static easy page() { return quiet(nginx::shared().https("/hello")); }
    static CURLcode code_of(async_multi& by, const easy& handle) {
        try {
            by.run_until(by.add_handle(handle));
            return CURLE_OK;
        } catch (const transfer_error& error) {
            return static_cast<CURLcode>(error.code().value());
        }
    }
    /// A directory in which OpenSSL finds the authority of our server.
    static std::filesystem::path authorities(const temporary_directory& in) {
        std::filesystem::copy(nginx::shared().ca_file(), in / "ca.pem");
        run_program({"openssl", "rehash", in / ""}, in / "log");
        return in / "";
    }
    static bool is_openssl() {
        return std::string_view(curl_version_info(CURLVERSION_NOW)->ssl_version)
            .starts_with("OpenSSL");
    }
};

TEST_F(ACacheOfAuthorities, RefusesAnUnknownServerAllTheSame) {
    EXPECT_EQ(code_of(*multi, page()), CURLE_PEER_FAILED_VERIFICATION);
}

TEST_F(ACacheOfAuthorities, IsToldByTheDiagnostics) {
    const auto told = [&](const char* words) {
        return multi->diagnostics().find(words) != std::string::npos;
    };
    EXPECT_TRUE(told("CA certificates"));
    EXPECT_FALSE(told("ca_cache avoids that"));
    multi.emplace(&loop);
    const bool directory = curl_version_info(CURLVERSION_NOW)->capath != nullptr;
    const bool is_read_anyway = libcurl_version().found >= version_number{8, 21, 0};
    EXPECT_EQ(told("ca_cache avoids that"), directory && !is_read_anyway);
    EXPECT_EQ(told("this libcurl does not leave it out"), directory && is_read_anyway);
}

TEST_F(ACacheOfAuthorities, HeedsWhatTheUserSays) {
    easy known = page();
    known.setopt<CURLOPT_CAINFO>(nginx::shared().ca_file().string());
    EXPECT_EQ(code_of(*multi, known), CURLE_OK);
    EXPECT_EQ(code_of(*multi, known.duphandle()), CURLE_OK);
    if (!is_openssl())
        GTEST_SKIP() << "this TLS library takes no such directory";
    const temporary_directory directory;
    known = page();
    known.setopt<CURLOPT_CAPATH>(authorities(directory).string());
    EXPECT_EQ(code_of(*multi, known), CURLE_OK);
}

TEST_F(ACacheOfAuthorities, LeavesABorrowedHandleAlone) {
    if (!is_openssl())
        GTEST_SKIP() << "this TLS library takes no such directory";
    const temporary_directory directory;
    const std::unique_ptr<CURL, void (*)(CURL*)> handle(curl_easy_init(), &curl_easy_cleanup);
    curl_easy_setopt(handle.get(), CURLOPT_URL, nginx::shared().https("/hello").c_str());
    curl_easy_setopt(handle.get(), CURLOPT_CAPATH, authorities(directory).c_str());
    curl_easy_setopt(
        handle.get(), CURLOPT_WRITEFUNCTION,
        +[](char*, std::size_t, std::size_t size, void*) { return size; });
    EXPECT_EQ(code_of(*multi, easy::borrow(handle.get())), CURLE_OK);
}

TEST_F(ACacheOfAuthorities, SaysWhetherItLooksIntoADirectory) {
    if (!is_openssl())
        GTEST_SKIP() << "only OpenSSL's look-ups are counted";
    authorities_looked_for = 0;
    EXPECT_EQ(code_of(*multi, page()), CURLE_PEER_FAILED_VERIFICATION);
    const bool left_out = multi->diagnostics().find("bundle file alone") != std::string::npos;
    EXPECT_EQ(left_out, authorities_looked_for == 0);
}

TEST_F(ACacheOfAuthorities, ReadsTheBundleOnceForAllConnections) {
    if (multi->diagnostics().find("parsed once") == std::string::npos)
        GTEST_SKIP() << "this libcurl parses them for each connection";
    bundles_opened = 0;
    for (int i = 0; i != 5; ++i)
        EXPECT_EQ(code_of(*multi, page()), CURLE_PEER_FAILED_VERIFICATION);
    EXPECT_EQ(bundles_opened, 1);
}

TEST_F(ACacheOfAuthorities, LooksIntoNoDirectory) {
    if (curl_version_info(CURLVERSION_NOW)->version_num >= 0x081500)
        GTEST_SKIP() << "a null CURLOPT_CAPATH means the default one (setopt.c)";
    async_multi without(&loop);
    authorities_looked_for = 0;
    EXPECT_EQ(code_of(without, page()), CURLE_PEER_FAILED_VERIFICATION);
    if (authorities_looked_for == 0)
        GTEST_SKIP() << "this libcurl never does";
    authorities_looked_for = 0;
    EXPECT_EQ(code_of(*multi, page()), CURLE_PEER_FAILED_VERIFICATION);
    EXPECT_EQ(authorities_looked_for, 0);
    easy again = page();
    code_of(*multi, again);
    again.reset();
    again.setopt<CURLOPT_URL>(nginx::shared().https("/hello"));
    EXPECT_EQ(code_of(*multi, again), CURLE_PEER_FAILED_VERIFICATION);
    EXPECT_EQ(authorities_looked_for, 0) << "and not after a reset either";
}

} // namespace
