// SPDX-License-Identifier: MIT
// What a process does beside its transfers: it forks, has SIGPIPE at its default, and no standard
// input. Each in a process of its own.
#include "support/async_fixture.hpp"
#include "support/faults/in_child.hpp"
#include "support/files.hpp"
#include "support/nginx.hpp"
#include "support/scripted_server.hpp"
#include <curlicue/async_multi.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

using namespace curlicue;
using namespace curlicue::test;

namespace {

/// Of a process: a loop, and a multi on it. For processes that end without a word, so that what is
/// wrong is thrown.
class world {
public:
    world() {
        if (uv_loop_init(&loop) != 0)
            throw std::runtime_error("uv_loop_init");
        multi.emplace(&loop);
    }
    world(const world&) = delete;
    world& operator=(const world&) = delete;
    ~world() = default;

    std::string fetch(const std::string& address, bool fresh = false) {
        std::string body;
        easy page(address);
        page.setopt<CURLOPT_WRITEDATA>(body).setopt<CURLOPT_FRESH_CONNECT>(fresh);
        multi->run_until(multi->perform(page));
        return body;
    }
    void run_to(const std::function<bool()>& reached) {
        while (!reached() && uv_run(&loop, UV_RUN_ONCE) != 0)
            continue;
    }
    /// @returns the complaint
    std::string end() {
        multi->run_until(multi->close());
        multi.reset();
        uv_run(&loop, UV_RUN_DEFAULT);
        return uv_loop_close(&loop) == 0 ? "" : "handles are open";
    }

    uv_loop_t loop{};
    std::optional<async_multi> multi;
};

std::string url(std::string_view path) { return nginx::shared().http(path); }

class AProcess : public ::testing::Test {
protected:
    static void SetUpTestSuite() { nginx::shared(); }

    static void expect_well(const std::function<std::string()>& body) {
        const auto end = in_child(body);
        EXPECT_TRUE(end.well()) << "it " << end.text();
    }

    /// Forks in the middle of a transfer; `child` is what the new process does before it ends. The
    /// transfer goes on in the old one.
    static std::string fork_halfway(const std::function<int()>& child) {
        world here;
        std::string body;
        easy page(url("/bytes/16777216"));
        page.setopt<CURLOPT_WRITEDATA>(body);
        auto over = here.multi->perform(page);
        here.run_to([&] { return !body.empty(); });
        const pid_t pid = ::fork();
        if (pid == 0) {
            ::alarm(10);
            ::_exit(child());
        }
        here.multi->run_until(std::move(over));
        int status = 0;
        ::waitpid(pid, &status, 0);
        if (status != 0)
            return "the child failed";
        if (body != bytes(1 << 24))
            return "the transfer is not what it was";
        if (here.fetch(url("/hello")) != "hello\n")
            return "the next transfer is not right";
        return here.end();
    }
};

// Forks. ------------------------------------------------------------------------------------------

TEST_F(AProcess, MayForkInTheMiddleOfATransferForAChildThatEnds) {
    expect_well([] { return fork_halfway([] { return 0; }); });
}

TEST_F(AProcess, MayForkForAChildThatHasAMultiOfItsOwn) {
    expect_well([] {
        return fork_halfway([] {
            world own;
            const bool right = own.fetch(url("/hello")) == "hello\n";
            return right && own.end().empty() ? 0 : 1;
        });
    });
}

/// What a program that this process runs sees open, as a word of a shell.
constexpr auto open_there = "$(ls /proc/self/fd | wc -l)";

// libcurl 7.88 makes the pair of sockets that wakes a multi handle up without SOCK_CLOEXEC
// (multi.c, wakeup_create).
constexpr int handed_on_by_libcurl = 2;

TEST_F(AProcess, HandsNoSocketOfATransferToAProgramThatItRuns) {
    expect_well([] {
        const int status = std::system((std::string("exit ") + open_there).c_str());
        const auto most = std::to_string(WEXITSTATUS(status) + handed_on_by_libcurl);
        return fork_halfway([test = std::string("test ") + open_there + " -le " + most] {
            ::execl("/bin/sh", "sh", "-c", test.c_str(), nullptr);
            return 127;
        });
    });
}

// SIGPIPE. ----------------------------------------------------------------------------------------

TEST_F(AProcess, SurvivesAServerThatResetsAnUpload) {
    expect_well([] {
        std::signal(SIGPIPE, SIG_DFL);
        scripted_server server([](connection& client) {
            client.read_request_head();
            client.reset();
        });
        world here;
        for (int i = 0; i != 20; ++i) {
            easy page = quiet(server.url());
            page.setopt<CURLOPT_POSTFIELDS>(bytes(1 << 20));
            try {
                here.multi->run_until(here.multi->perform(page));
                return std::string("the upload was no failure");
            } catch (const transfer_error&) {
            }
        }
        return here.end();
    });
}

TEST_F(AProcess, SurvivesATlsServerThatDiesInAnUpload) {
    expect_well([] {
        std::signal(SIGPIPE, SIG_DFL);
        world here;
        std::optional<nginx> server;
        server.emplace();
        std::size_t sent = 0;
        easy page = quiet(server->https("/upload/halfway"));
        page.setopt<CURLOPT_CAINFO>(server->ca_file().string()).setopt<CURLOPT_UPLOAD>(true);
        page.setopt<CURLOPT_READFUNCTION>([&](std::span<char> space) {
            if ((sent += space.size()) > 1 << 20)
                server.reset();
            std::ranges::fill(space, 'x');
            return space.size();
        });
        try {
            here.multi->run_until(here.multi->perform(page));
            return std::string("the upload was no failure");
        } catch (const transfer_error&) {
        }
        return here.end();
    });
}

TEST_F(AProcess, SurvivesTheShutdownOfTlsConnectionsWhoseServerIsDead) {
    expect_well([] {
        std::signal(SIGPIPE, SIG_DFL);
        world here;
        std::optional<nginx> server;
        server.emplace();
        std::vector<easy> pages;
        std::vector<future<easy>> all;
        for (int i = 0; i != 4; ++i) {
            pages.push_back(quiet(server->https("/hello")));
            pages.back().setopt<CURLOPT_CAINFO>(server->ca_file().string());
            all.push_back(here.multi->perform(pages.back()));
        }
        for (auto& each : all)
            here.multi->run_until(std::move(each));
        server.reset();
        return here.end(); // closes them
    });
}

// Descriptor 0. -----------------------------------------------------------------------------------

TEST_F(AProcess, TransfersOnTheDescriptorOfItsStandardInput) {
    expect_well([] {
        world here;
        here.fetch(url("/hello"));
        ::close(STDIN_FILENO);
        curl_socket_t used = CURL_SOCKET_BAD;
        std::string body;
        easy page(url("/bytes/1048576"));
        page.setopt<CURLOPT_WRITEDATA>(body).setopt<CURLOPT_FRESH_CONNECT>(true);
        page.setopt<CURLOPT_SOCKOPTFUNCTION>([&](curl_socket_t socket, curlsocktype) {
            used = socket;
            return CURL_SOCKOPT_OK;
        });
        here.multi->run_until(here.multi->perform(page));
        if (used != STDIN_FILENO)
            return std::string("the socket is another descriptor");
        if (body != bytes(1 << 20))
            return std::string("the transfer is not right");
        if (here.fetch(url("/hello")) != "hello\n")
            return std::string("the next transfer is not right");
        return here.end();
    });
}

TEST_F(AProcess, LeavesDescriptorZeroToAHandleOfItsOwn) {
    expect_well([] {
        std::array<int, 2> ends{};
        if (::pipe(ends.data()) != 0 || ::dup2(ends[0], STDIN_FILENO) != STDIN_FILENO)
            return std::string("no pipe");
        world here;
        int heard = 0;
        uv_poll_t own;
        uv_poll_init(&here.loop, &own, STDIN_FILENO);
        own.data = &heard;
        uv_poll_start(&own, UV_READABLE, [](uv_poll_t* poll, int, int) {
            char byte = 0;
            *static_cast<int*>(poll->data) += ::read(STDIN_FILENO, &byte, 1) == 1 ? 1 : 0;
        });
        for (int i = 0; i != 5; ++i) {
            static_cast<void>(!::write(ends[1], "x", 1));
            here.fetch(url("/hello"), true);
            here.run_to([&] { return heard == i + 1; });
        }
        uv_close(reinterpret_cast<uv_handle_t*>(&own), nullptr);
        const auto complaint = here.end();
        return heard == 5 ? complaint : "the handle was not heard";
    });
}

} // namespace
