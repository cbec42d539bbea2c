// SPDX-License-Identifier: MIT
// Habits of libcurl's that a loop cannot have.
#include "support/async_fixture.hpp"
#include "support/multi_driver.hpp"
#include "support/scripted_server.hpp"
#include "support/temporary_directory.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/multi.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <curl/curl.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

using namespace curlicue;
using namespace curlicue::test;

namespace {

// The standard input. -----------------------------------------------------------------------------

/// Somebody has typed something.
class typed {
public:
    explicit typed(std::string_view text) : before_(::dup(STDIN_FILENO)) {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe(ends.data()), 0);
        EXPECT_EQ(::write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
        ::close(ends[1]);
        ::dup2(ends[0], STDIN_FILENO);
        ::close(ends[0]);
        std::clearerr(stdin);
    }
    typed(const typed&) = delete;
    typed& operator=(const typed&) = delete;
    ~typed() {
        ::dup2(before_, STDIN_FILENO);
        ::close(before_);
        std::clearerr(stdin);
    }

private:
    const int before_;
};

/// Stores what comes, and tells what that was.
class AnUploadWithoutABody : public async_fixture {
protected:
    easy upload() {
        path_ = "/upload/nothing" + std::to_string(++count_);
        easy handle = quiet(url(path_));
        handle.setopt<CURLOPT_UPLOAD>(true);
        return handle;
    }
    std::string stored() const {
        std::string body;
        get(path_, body).perform();
        return body;
    }

    const typed input{"what was typed"};

private:
    std::string path_;
    int count_ = 0;
};

TEST_F(AnUploadWithoutABody, HasNone) {
    run(multi->add_handle(upload()));
    EXPECT_EQ(stored(), "");
    upload().perform();
    EXPECT_EQ(stored(), "");
    curlicue::multi others;
    const easy handle = upload();
    others.add_handle(handle);
    EXPECT_EQ(curlicue::test::run(others).succeeded.size(), 1u);
    EXPECT_EQ(stored(), "");
}

TEST_F(AnUploadWithoutABody, HasNoneAfterOneThatHadOne) {
    easy handle = upload();
    std::istringstream source("a body");
    handle.setopt<CURLOPT_READDATA>(source).perform();
    EXPECT_EQ(stored(), "a body");
    handle.unset<CURLOPT_READDATA>().perform();
    EXPECT_EQ(stored(), "");
    handle.setopt<CURLOPT_READFUNCTION>([](std::span<char>) { return 0; });
    handle.unset<CURLOPT_READFUNCTION>().perform();
    EXPECT_EQ(stored(), "");
    handle.duphandle().perform();
    EXPECT_EQ(stored(), "");
    handle.reset();
    const easy again = upload();
    handle.setopt<CURLOPT_URL>(again.getinfo<CURLINFO_EFFECTIVE_URL>().value_or(""));
    handle.setopt<CURLOPT_UPLOAD>(true).perform();
    EXPECT_EQ(stored(), "");
}

TEST_F(AnUploadWithoutABody, OfABorrowedHandleIsItsOwners) {
    std::string body = "a body";
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
        ::fmemopen(body.data(), body.size(), "r"), &std::fclose);
    const std::unique_ptr<CURL, void (*)(CURL*)> handle(curl_easy_init(), &curl_easy_cleanup);
    const easy like = upload();
    curl_easy_setopt(handle.get(), CURLOPT_URL,
                     std::string(like.getinfo<CURLINFO_EFFECTIVE_URL>().value_or("")).c_str());
    curl_easy_setopt(handle.get(), CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(handle.get(), CURLOPT_READDATA, file.get());
    easy copy = easy::borrow(handle.get()).duphandle();
    copy.perform();
    EXPECT_EQ(stored(), "a body") << "a copy has it too";
}

TEST_F(AnUploadWithoutABody, CanBeSentAgain) {
    scripted_server server([](connection& client) {
        for (;;) {
            const auto head = client.read_request_head();
            if (head.empty())
                return;
            if (head.find("chunked") != std::string::npos) {
                EXPECT_EQ(client.read(5), "0\r\n\r\n");
            }
            client.write(head.find(" /again") == std::string::npos
                             ? "HTTP/1.1 307 Again\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n"
                             : "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
    });
    easy handle = quiet(server.url());
    handle.setopt<CURLOPT_POST>(true)
        .setopt<CURLOPT_HTTPHEADER>({"Expect:"})
        .setopt<CURLOPT_FOLLOWLOCATION>(true);
    run(multi->add_handle(handle));
    EXPECT_EQ(handle.getinfo<CURLINFO_RESPONSE_CODE>(), 200);
    EXPECT_EQ(handle.getinfo<CURLINFO_REDIRECT_COUNT>(), 1);
}

// The receive buffer. -----------------------------------------------------------------------------

std::string compressed(std::size_t size) {
    z_stream stream{};
    deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
    std::string zeros(1 << 20, '\0'), result(size / 500 + 1024, '\0');
    stream.next_out = reinterpret_cast<Bytef*>(result.data());
    stream.avail_out = static_cast<uInt>(result.size());
    for (std::size_t left = size; left != 0; left -= zeros.size()) {
        stream.next_in = reinterpret_cast<Bytef*>(zeros.data());
        stream.avail_in = static_cast<uInt>(zeros.size());
        deflate(&stream, left == zeros.size() ? Z_FINISH : Z_NO_FLUSH);
    }
    result.resize(stream.total_out);
    deflateEnd(&stream);
    return result;
}

TEST_F(AnAsyncMulti, MayPauseABodyThatIsHighlyCompressed) {
    constexpr std::size_t size = 200 << 20;
    const auto body = compressed(size);
    scripted_server server([&](connection& client) {
        client.read_request_head();
        client.write("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: " +
                     std::to_string(body.size()) + "\r\n\r\n" + body);
    });
    for (const bool first : {true, false}) {
        easy page(server.url());
        std::size_t got = 0;
        bool paused = false;
        if (first)
            page.setopt<CURLOPT_ACCEPT_ENCODING>("gzip");
        page.setopt<CURLOPT_WRITEFUNCTION>([&](easy& self, std::span<const char> data) {
            if (!std::exchange(paused, true)) {
                multi->post([self]() mutable { self.unpause(); })
                    .detach([](const std::exception_ptr&) {});
                return std::size_t{CURL_WRITEFUNC_PAUSE};
            }
            got += data.size();
            return data.size();
        });
        if (!first)
            page.setopt(CURLOPT_ACCEPT_ENCODING, "gzip");
        run(multi->add_handle(page));
        EXPECT_EQ(got, size);
    }
}

TEST_F(AnAsyncMulti, KeepsToALimitOfTheSpeed) {
    const std::string much(16 << 20, 'x');
    std::atomic<bool> sending = false;
    scripted_server server([&](connection& client) {
        client.read_request_head();
        sending = true;
        client.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(much.size()) +
                     "\r\n\r\n" + much);
    });
    easy page(server.url());
    std::size_t got = 0;
    page.setopt<CURLOPT_MAX_RECV_SPEED_LARGE>(50'000).setopt<CURLOPT_WRITEFUNCTION>(
        [&](std::span<const char> data) {
            got += data.size();
            return data.size();
        });
    auto over = multi->add_handle(page);
    while (!sending)
        uv_run(&loop, UV_RUN_NOWAIT);
    std::this_thread::sleep_for(std::chrono::milliseconds(100)); // for a server that is faster
    host_timer timer(loop);
    run_to([&] { return got != 0 && timer.ticks() >= 20; });
    EXPECT_LT(got, std::size_t{2} << 20) << "a hundred buffers, to begin with";
    over.cancel();
}

// The socket of an easy that connects only. -------------------------------------------------------

TEST_F(AnAsyncMulti, LeavesTheSocketOfAnEasyThatConnectsOnlyToTheHost) {
    scripted_server server([](connection& client) {
        if (client.read(5) == "hello")
            client.write("world");
        client.hold();
    });
    for (int i = 0; i != 2; ++i) {
        easy line(server.url());
        line.setopt<CURLOPT_CONNECT_ONLY>(1);
        run(multi->add_handle(line));
        std::array<char, 16> buffer{};
        EXPECT_EQ(line.recv(buffer), std::nullopt);
        uv_poll_t poll;
        ASSERT_EQ(uv_poll_init_socket(&loop, &poll, line.getinfo<CURLINFO_ACTIVESOCKET>()), 0);
        bool readable = false;
        poll.data = &readable;
        uv_poll_start(&poll, UV_READABLE, [](uv_poll_t* poll, int, int) {
            *static_cast<bool*>(poll->data) = true;
            uv_poll_stop(poll);
        });
        EXPECT_EQ(line.send("hello"), 5u);
        run(multi->add_handle(quiet(url("/hello")))); // meanwhile others go on
        run_to([&] { return readable; });
        EXPECT_EQ(line.recv(buffer), 5u);
        EXPECT_EQ(std::string_view(buffer.data(), 5), "world");
        uv_close(reinterpret_cast<uv_handle_t*>(&poll), nullptr);
        uv_run(&loop, UV_RUN_NOWAIT);
        if (i == 0)
            multi->remove_handle(line);
        else
            line.close();
    }
}

// A network that has changed. ---------------------------------------------------------------------

TEST_F(AnAsyncMulti, ForgetsAddressesWhenTheNetworkHasChanged) {
    constexpr auto network_changed = static_cast<CURLMoption>(CURLOPTTYPE_LONG + 17);
    if (curl_version_info(CURLVERSION_NOW)->version_num < 0x081000)
        GTEST_SKIP() << "libcurl below 8.16";
    // No resolver knows this name: its first label is too long for one.
    const std::string name = std::string(70, 'x') + ".invalid";
    const auto server = url("");
    const auto port = server.substr(server.rfind(':') + 1);
    const auto named = [&](std::string_view path) {
        easy handle = quiet("http://" + name + ":" + port + std::string(path));
        handle.setopt<CURLOPT_FRESH_CONNECT>(true);
        return handle;
    };
    easy known = named("/hello");
    known.setopt<CURLOPT_RESOLVE>({name + ":" + port + ":127.0.0.1"});
    auto slow = named("/slow/16777216");
    run(multi->add_handle(known));
    auto running = multi->add_handle(slow);
    run(multi->add_handle(named("/hello")));
    multi->setopt(network_changed, 4L); // CURLMNWC_CLEAR_DNS
    EXPECT_EQ(failure_of([&] { run(multi->add_handle(named("/hello"))); }),
              CURLE_COULDNT_RESOLVE_HOST);
    EXPECT_FALSE(running.ready()) << "what runs goes on";
    known.setopt<CURLOPT_RESOLVE>({name + ":" + port + ":127.0.0.1"});
    run(multi->add_handle(known));
    run(multi->add_handle(named("/hello")));
}

} // namespace
