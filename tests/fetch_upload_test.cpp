// SPDX-License-Identifier: MIT
// What a client sends.
#include "support/fetch_fixture.hpp"
#include "support/temporary_directory.hpp"
#include <curlicue/mime.hpp>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

TEST_F(AFetch, SendsForms) {
    const auto form = echo({.body = request_body::form({{"a", "1 2"}, {"b", "&"}})});
    EXPECT_TRUE(has(form, "\r\nContent-Type: application/x-www-form-urlencoded\r\n")) << form;
    EXPECT_TRUE(form.ends_with("\r\n\r\na=1%202&b=%26")) << form;
    mime parts;
    parts.addpart().name("field").data("value");
    const auto multipart = echo({.body = request_body::multipart(parts)});
    EXPECT_TRUE(has(multipart, "multipart/form-data; boundary=")) << multipart;
}

TEST_F(AFetch, SendsWhatIsProduced) {
    int asked = 0;
    const auto pieces = [&]() -> future<std::string> {
        promise<std::string> next(multi->executor());
        auto coming = next.get_future();
        next.set_value(asked++ < 3 ? std::string(100'000, 'x') : std::string());
        return coming;
    };
    response one = run(made->put(url("/upload/produced"), request_body::stream(pieces, 300'000)));
    EXPECT_EQ(one.status() / 100, 2);
    EXPECT_EQ(asked, 3) << "its size says where it ends";
    EXPECT_EQ(text_of(url("/upload/produced")), std::string(300'000, 'x'));
}

TEST_F(AFetch, SendsWhatATaskProduces) {
    int asked = 0;
    const auto pieces = [&]() -> task<std::string> { co_return asked++ == 0 ? "once" : ""; };
    response one = run(made->put(url("/upload/task"), request_body::stream(pieces)));
    EXPECT_EQ(one.status() / 100, 2);
    EXPECT_EQ(text_of(url("/upload/task")), "once");
}

TEST_F(AFetch, FailsWithWhatItsProducerThrows) {
    const auto thrower = []() -> future<std::string> { throw std::range_error("mine"); };
    EXPECT_THROW(run(made->put(url("/upload/never"), request_body::stream(thrower, 10))),
                 std::range_error);
}

TEST_F(AFetch, SendsWhatIsWritten) {
    auto [body, writer] = request_body::pipe();
    auto answer = made->put(url("/upload/written"), body);
    std::size_t waited = 0;
    for (int i = 0; i != 40; ++i) {
        auto written = writer.write(std::string(50'000, static_cast<char>('a' + i % 26)));
        waited += !written.ready();
        run(std::move(written));
    }
    writer.end();
    EXPECT_EQ(run(std::move(answer)).status() / 100, 2);
    EXPECT_GT(waited, 0u);
    EXPECT_EQ(text_of(url("/upload/written")).size(), 2'000'000u);
    EXPECT_EQ(failure_of([&, &writer = writer] { static_cast<void>(writer.write("x")); }),
              errc::closed);
}

TEST_F(AFetch, FailsIfItsWriterGoes) {
    auto [body, writer] = request_body::pipe();
    auto answer = made->put(url("/upload/never"), body);
    { const body_writer gone = std::move(writer); }
    EXPECT_EQ(failure_of([&] { run(std::move(answer)); }), errc::broken_promise);
}

TEST_F(AFetch, SendsAFile) {
    const temporary_directory directory;
    write_file(directory / "body", bytes(1 << 20));
    response one = run(made->put(url("/upload/file"), request_body::file(directory / "body")));
    EXPECT_EQ(one.status() / 100, 2);
    EXPECT_EQ(text_of(url("/upload/file")), bytes(1 << 20));
    EXPECT_THROW(static_cast<void>(request_body::file(directory / "none")),
                 std::filesystem::filesystem_error);
}

TEST_F(AFetch, TakesAOneShotBodyOnce) {
    const auto body = request_body::stream([] { return future<std::string>(); }, 5);
    EXPECT_FALSE(body.replayable());
    EXPECT_TRUE(request_body("x").replayable());
    auto [pipe, writer] = request_body::pipe();
    std::vector<future<response>> both;
    both.push_back(made->put(url("/upload/once"), pipe));
    both.push_back(made->put(url("/upload/once"), pipe));
    run_to([&] { return both[0].ready() || both[1].ready(); });
    const std::size_t late = both[0].ready() ? 0 : 1;
    EXPECT_EQ(failure_of([&] { both[late].get(); }), errc::already_retrieved);
    run(writer.write("once"));
    writer.end();
    EXPECT_EQ(run(std::move(both[1 - late])).status() / 100, 2);
    EXPECT_EQ(text_of(url("/upload/once")), "once");
}

TEST_F(AFetch, SetsATypeWhereItKnowsOneAndNoneWasGiven) {
    EXPECT_FALSE(has(echo({.body = "text"}), "Content-Type"));
    EXPECT_TRUE(
        has(echo({.headers = {{"Content-Type", "mine"}}, .body = request_body::form({{"a", "b"}})}),
            "\r\nContent-Type: mine\r\n"));
    EXPECT_TRUE(has(echo({.headers = {{"content-type", "mine"}}, .body = "text"}),
                    "\r\ncontent-type: mine\r\n"));
}

TEST_F(AFetch, SaysHowLongItsBodyIsOrSendsChunks) {
    const auto pieces = [] {
        return [left = 3]() mutable {
            return make_ready_future(std::string(left-- > 0 ? "piece" : ""));
        };
    };
    const auto sized = echo({.method = "POST", .body = request_body::stream(pieces(), 15)});
    EXPECT_TRUE(has(sized, "\r\nContent-Length: 15\r\n")) << sized;
    EXPECT_TRUE(sized.ends_with("piecepiecepiece")) << sized;
    const auto chunked = echo({.method = "POST", .body = request_body::stream(pieces())});
    EXPECT_TRUE(has(chunked, "\r\nTransfer-Encoding: chunked\r\n")) << chunked;
    EXPECT_FALSE(has(chunked, "Content-Length")) << chunked;
    EXPECT_TRUE(has(echo({.body = ""}), "\r\nContent-Length: 0\r\n"));
    EXPECT_TRUE(has(echo({.method = "PUT"}), "\r\nContent-Length: 0\r\n"));
    EXPECT_FALSE(has(echo({.method = "PATCH"}), "Content-Length"));
    EXPECT_FALSE(has(echo({.method = "DELETE"}), "Content-Length"));
    EXPECT_TRUE(has(echo({.headers = {{"Content-Length", "4"}}, .body = "four"}),
                    "\r\nContent-Length: 4\r\n"));
    EXPECT_TRUE(has(echo({.method = "PATCH", .headers = {{"Content-Length", "0"}}}),
                    "\r\nContent-Length: 0\r\n"));
}

TEST_F(AFetch, FailsWhereItsBodyIsNotAsLongAsItWasSaidToBe) {
    for (const std::string piece : {"short", "much too long for that"}) {
        const auto pieces = [piece, first = true]() mutable {
            return make_ready_future(std::exchange(first, false) ? piece : std::string());
        };
        const auto error = error_of(
            [&] { run(made->put(url("/upload/never"), request_body::stream(pieces, 10))); });
        EXPECT_EQ(error.code(), CURLE_READ_ERROR);
        EXPECT_EQ(error.phase(), fetch_phase::send);
    }
}

TEST_F(AFetch, ExpectsNothingUnlessAskedTo) {
    const std::string large(2 << 20, 'x');
    EXPECT_FALSE(has(echo({.body = large}).substr(0, 1000), "Expect"));
    EXPECT_TRUE(has(echo({.headers = {{"Expect", "100-continue"}}, .body = large}).substr(0, 1000),
                    "\r\nExpect: 100-continue\r\n"));
}

TEST_F(AFetch, AsksItsProducerForNoMoreThanTheServerTakes) {
    std::atomic<bool> takes = false;
    const scripted_server slow([&](connection& client) {
        client.read_request_head();
        while (!takes)
            std::this_thread::sleep_for(1ms);
        client.read(64 << 20);
        client.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    std::size_t asked = 0;
    const auto pieces = [&] {
        return make_ready_future(std::string(asked++ < 64 ? 1 << 20 : 0, 'x'));
    };
    auto answer = made->put(slow.url(), request_body::stream(pieces, 64 << 20));
    const auto until = std::chrono::steady_clock::now() + 150ms;
    run_to([&] { return std::chrono::steady_clock::now() > until; });
    EXPECT_LT(asked, 20u) << "what the kernel takes, and no more";
    EXPECT_GT(asked, 0u);
    takes = true;
    EXPECT_EQ(run(std::move(answer)).status(), 200);
    EXPECT_EQ(asked, 64u);
}

TEST_F(AFetch, NeedsNoMoreOfItsBodyForAnEarlyAnswer) {
    auto [body, writer] = request_body::pipe();
    auto asked = made->put(odd.url("/early"), body);
    run(writer.write("some"));
    response answer = run(std::move(asked)); // and nobody writes more
    EXPECT_EQ(answer.status(), 413);
    EXPECT_EQ(run(answer.text()), "large\n");
    run_until_idle();
}

TEST_F(AFetch, SendsWhatIsWrittenAtTheLengthThatWasSaid) {
    auto [body, writer] = request_body::pipe(8);
    auto answer = made->put(odd.url("/echo"), body);
    run(writer.write("one "));
    run(writer.write("two "));
    writer.end();
    response one = run(std::move(answer));
    const auto text = run(one.text());
    EXPECT_TRUE(has(text, "\r\nContent-Length: 8\r\n")) << text;
    EXPECT_TRUE(text.ends_with("one two ")) << text;
}

TEST_F(AFetch, MakesItsWriterWaitForRoom) {
    auto [body, writer] = request_body::pipe();
    EXPECT_TRUE(writer.write(std::string(200'000, 'a')).ready());
    auto waits = writer.write(std::string(200'000, 'b'));
    EXPECT_FALSE(waits.ready()) << "nobody reads it yet";
    EXPECT_TRUE(writer.write("").ready());
    auto answer = made->put(url("/upload/room"), body);
    run(std::move(waits));
    writer.end();
    EXPECT_EQ(run(std::move(answer)).status() / 100, 2);
    EXPECT_EQ(text_of(url("/upload/room")), std::string(200'000, 'a') + std::string(200'000, 'b'));
}

TEST_F(AFetch, TellsItsWriterHowItFailed) {
    for (const bool waiting : {false, true}) {
        auto [body, writer] = request_body::pipe();
        future<void> waits;
        if (waiting)
            waits = writer.write(std::string(1 << 20, 'x'));
        EXPECT_EQ(
            error_of([&, &body = body] { run(made->put("http://127.0.0.1:1/", body)); }).phase(),
            fetch_phase::connect);
        if (waiting) {
            EXPECT_EQ(error_of([&] { waits.get(); }).phase(), fetch_phase::connect);
        }
        EXPECT_EQ(error_of([&writer = writer] { writer.write("more").get(); }).phase(),
                  fetch_phase::connect);
    }
    auto [unsent, told] = request_body::pipe();
    made->put(url("/upload/never"), unsent).cancel(); // before it has begun
    EXPECT_EQ(failure_of([&, &told = told] { told.write("x").get(); }), errc::cancelled);
    auto [body, writer] = request_body::pipe();
    const scripted_server early([](connection& client) {
        client.read_request_head();
        client.write("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    });
    response answer = run(made->put(early.url(), body));
    EXPECT_EQ(answer.status(), 413);
    { const response dropped = std::move(answer); }
    run_until_idle();
    EXPECT_EQ(failure_of([&, &writer = writer] { run(writer.write("late")); }), errc::closed);
}

TEST_F(AFetch, FailsWithWhatItsWriterFailsWith) {
    auto [body, writer] = request_body::pipe();
    auto answer = made->put(url("/upload/never"), body);
    run(writer.write("begin"));
    writer.fail(std::make_exception_ptr(std::range_error("mine")));
    EXPECT_THROW(run(std::move(answer)), std::range_error);
    EXPECT_EQ(failure_of([&, &writer = writer] { writer.end(); }), errc::closed);
}

TEST_F(AFetch, TellsItsWriterWhatWasWrittenInVain) {
    auto writer = [] {
        auto [body, end] = request_body::pipe();
        return std::move(end);
    }();
    EXPECT_EQ(failure_of([&] { writer.write("x").get(); }), errc::closed) << "the body is gone";
}

TEST_F(AFetch, SendsTheBodyOfAnother) {
    response one = run(made->get(url("/bytes/1048576")));
    const auto size = one.content_length();
    response two = run(made->put(url("/upload/relayed"), request_body::stream(one.body(), size)));
    EXPECT_TRUE(two.ok());
    EXPECT_TRUE(text_of(url("/upload/relayed")) == bytes(1 << 20));
}

TEST_F(AFetch, TellsItsProgress) {
    transfer_progress last;
    response one =
        run(made->fetch({.url = url("/upload/progress"),
                         .method = "PUT",
                         .body = std::string(100'000, 'x'),
                         .progress = [&](const transfer_progress& now) { last = now; }}));
    run(one.discard());
    EXPECT_EQ(last.sent, 100'000u);
    EXPECT_EQ(last.to_send, 100'000u);
    response two =
        run(made->fetch({.url = url("/bytes/1048576"),
                         .progress = [&](const transfer_progress& now) { last = now; }}));
    run(two.discard());
    EXPECT_EQ(last.received, 1u << 20);
    EXPECT_EQ(last.to_receive, 1u << 20);
}

TEST_F(AFetch, SendsWhatItsClientHas) {
    const client mine(*multi, {.base = odd.url("/echo/"),
                               .headers = {{"X-Key", "k"}, {"Accept", "text/plain"}},
                               .user_agent = "mine/1"});
    response one = run(mine.get("a?b=c", {{"Accept", "application/json"}}));
    const auto text = run(one.text());
    EXPECT_TRUE(text.starts_with("GET /echo/a?b=c HTTP/1.1\r\n")) << text;
    EXPECT_TRUE(has(text, "\r\nX-Key: k\r\n")) << text;
    EXPECT_TRUE(has(text, "\r\nUser-Agent: mine/1\r\n")) << text;
    EXPECT_TRUE(has(text, "\r\nAccept: application/json\r\n")) << text;
    EXPECT_FALSE(has(text, "text/plain")) << text;
}

TEST_F(AFetch, SendsEmptyHeadersAndSeveralOfAName) {
    const auto text =
        echo({.headers = {{"X-Blank", "  "}, {"Accept", ""}, {"X-A", "1"}, {"X-A", "2"}}});
    EXPECT_TRUE(has(text, "\r\nX-Blank:")) << text;
    EXPECT_TRUE(has(text, "\r\nAccept:\r\n")) << text;
    EXPECT_FALSE(has(text, "*/*")) << text;
    EXPECT_TRUE(has(text, "\r\nX-A: 1\r\nX-A: 2\r\n")) << text;
}

} // namespace
