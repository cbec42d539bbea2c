// SPDX-License-Identifier: MIT
// The bodies of responses.
#include "support/fetch_fixture.hpp"
#include "support/temporary_directory.hpp"
#include <curlicue/combinators.hpp>
#include <curlicue/sleep.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <sys/resource.h>
#include <zlib.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

class ABody : public AFetch {
protected:
    std::size_t read_away(body_stream& stream) {
        std::size_t size = 0;
        for (auto piece = run(stream.read()); !piece.empty(); piece = run(stream.read()))
            size += piece.size();
        return size;
    }
    /// Whatever may come while nobody reads has come.
    void rest() {
        const auto until = std::chrono::steady_clock::now() + 150ms;
        while (std::chrono::steady_clock::now() < until)
            uv_run(&loop, UV_RUN_NOWAIT);
    }
    static std::string compressed(const std::string& text) {
        std::string packed(compressBound(text.size()), '\0');
        auto size = packed.size();
        compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
                  reinterpret_cast<const Bytef*>(text.data()), text.size(), 9);
        packed.resize(size);
        return packed;
    }
    /// Says this after a head, and holds the connection, or ends it.
    static scripted_server saying(std::string text, bool holds = false) {
        return scripted_server([text = std::move(text), holds](connection& client) {
            client.read_request_head();
            client.write(text);
            if (holds)
                client.hold();
        });
    }
};

TEST_F(ABody, IsStreamed) {
    response one = run(made->get(url("/bytes/16777216")));
    auto stream = one.body();
    std::string all;
    for (std::string piece = run(stream.read()); !piece.empty(); piece = run(stream.read()))
        all += piece;
    EXPECT_TRUE(all == bytes(1 << 24));
    EXPECT_EQ(run(stream.read()), "");
    EXPECT_EQ(run(stream.line()), std::nullopt);
}

TEST_F(ABody, IsGivenInOneFormOnly) {
    response one = run(made->get(url("/hello")));
    auto text = one.text();
    for (const auto& take : std::vector<std::function<void()>>{
             [&] { static_cast<void>(one.text()); }, [&] { static_cast<void>(one.body()); },
             [&] { static_cast<void>(one.to_file("/none")); },
             [&] { static_cast<void>(one.discard()); },
             [&] { static_cast<void>(one.into([](const std::string&) {})); }})
        EXPECT_EQ(failure_of(take), errc::already_retrieved);
    EXPECT_EQ(run(std::move(text)), "hello\n");
}

TEST_F(ABody, HasOneReadPendingAtATime) {
    const auto silent = saying("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", true);
    response one = run(made->get(silent.url()));
    auto stream = one.body();
    auto first = stream.read();
    EXPECT_EQ(failure_of([&] { static_cast<void>(stream.read()); }), errc::already_reading);
    EXPECT_EQ(failure_of([&] { static_cast<void>(stream.line()); }), errc::already_reading);
    EXPECT_THROW(static_cast<void>(stream.read(0)), std::invalid_argument);
    first.cancel();
    EXPECT_EQ(failure_of([&] { run(std::move(first)); }), errc::cancelled);
    run_until_idle();
    EXPECT_EQ(failure_of([&] { run(stream.read()); }), errc::cancelled) << "the same for ever";
    EXPECT_EQ(failure_of([&] { run(stream.read()); }), errc::cancelled);
}

TEST_F(ABody, WaitsAtItsHighWaterMark) {
    const client slow(*multi, {.high_water = 100'000});
    response one = run(slow.get(url("/bytes/16777216")));
    rest();
    EXPECT_GE(slow.stats().bytes, 100'000u);
    EXPECT_LE(slow.stats().bytes, 100'000u + CURL_MAX_WRITE_SIZE);
    auto stream = one.body();
    EXPECT_EQ(run(stream.read(10'000)).size(), 10'000u);
    EXPECT_EQ(read_away(stream), (std::size_t{1} << 24) - 10'000);
}

TEST_F(ABody, WaitsCompressedToo) {
    const std::string plain(8 << 20, 'x'); // a thousand times as long as what comes
    const auto packed = compressed(plain);
    const auto dense = saying("HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: " +
                              std::to_string(packed.size()) + "\r\n\r\n" + packed);
    const client slow(*multi, {.high_water = 100'000});
    response one = run(slow.get(dense.url()));
    rest();
    EXPECT_LE(slow.stats().bytes, 100'000u + CURL_MAX_WRITE_SIZE);
    auto stream = one.body();
    EXPECT_EQ(read_away(stream), plain.size());
}

TEST_F(ABody, WaitsForMemoryOfItsClientAndEachGoesOn) {
    constexpr std::size_t count = 40, size = 1 << 20, memory = 1 << 20;
    const client slow(*multi, {.memory = memory});
    std::vector<response> all;
    for (std::size_t i = 0; i != count; ++i)
        all.push_back(run(slow.get(url("/bytes/1048576"))));
    rest();
    EXPECT_LE(slow.stats().bytes, memory + (count + 1) * CURL_MAX_WRITE_SIZE);
    auto& last = all.back();
    auto stream = last.body(); // while nobody reads the others
    EXPECT_EQ(read_away(stream), size);
    for (std::size_t i = 0; i + 1 != count; ++i)
        EXPECT_EQ(run(all[i].text()).size(), size);
}

TEST_F(ABody, LeavesOthersTheirShareOfTheMemory) {
    constexpr std::size_t count = 8, share = 8 * CURL_MAX_WRITE_SIZE;
    const auto silent = saying("HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n", true);
    const client slow(*multi, {.memory = count * share});
    std::vector<response> others;
    for (std::size_t i = 1; i != count; ++i)
        others.push_back(run(slow.get(silent.url())));
    response one = run(slow.get(url("/bytes/1048576")));
    run_to([&] { return slow.stats().bytes >= share - CURL_MAX_WRITE_SIZE; });
    rest();
    EXPECT_LE(slow.stats().bytes, share);
}

TEST_F(ABody, CountsWhatLibcurlKeepsOfItAsMemory) {
    constexpr std::size_t count = 40, piece = CURL_MAX_WRITE_SIZE;
    const client slow(*multi, {.memory = count * 2 * piece});
    std::vector<future<response>> heads;
    for (std::size_t i = 0; i != count; ++i)
        heads.push_back(slow.get(url("/bytes/1048576")));
    auto all = run(gather(std::move(heads)));
    rest();
    // Two of each would fit. Of those that hold two it keeps a third.
    EXPECT_LE(slow.stats().bytes, count * 2 * piece * 15 / 16);
    for (auto& one : all)
        EXPECT_EQ(run(one.text()).size(), 1048576u);
}

TEST_F(ABody, IsNoLongerThanItsReaderAllows) {
    for (const char* path : {"/bytes/1048576", "/gzip/1048576"}) {
        response one = run(made->fetch({.url = url(path), .most_body = 1'000}));
        EXPECT_EQ(error_of([&] { run(one.text()); }).code(), errc::too_large);
    }
    const client modest(*multi, {.most_body = 1 << 20});
    response fits = run(modest.get(url("/bytes/1048576")));
    EXPECT_EQ(run(fits.text()).size(), std::size_t{1} << 20);
    response one = run(modest.get(url("/bytes/16777216")));
    EXPECT_EQ(error_of([&] { run(one.text()); }).code(), errc::too_large);
    response streamed = run(modest.get(url("/bytes/16777216")));
    auto stream = streamed.body();
    EXPECT_EQ(read_away(stream), std::size_t{1} << 24);
}

TEST_F(ABody, IsReadByLinesOfSoManyBytes) {
    const auto lines = saying("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\none\r\n\ntwo\rthree\n" +
                              std::string(100'000, 'x') + "\nlast");
    response one = run(made->get(lines.url()));
    auto stream = one.body();
    EXPECT_EQ(run(stream.line()), "one");
    EXPECT_EQ(run(stream.line()), "");
    EXPECT_EQ(run(stream.read(2)), "tw");
    EXPECT_EQ(run(stream.line()), "o\rthree");
    EXPECT_EQ(run(stream.line()), std::string(100'000, 'x'));
    EXPECT_EQ(run(stream.line()), "last");
    EXPECT_EQ(run(stream.line()), std::nullopt);
    EXPECT_EQ(run(stream.line()), std::nullopt);
    response two = run(made->fetch({.url = lines.url(), .most_body = 10'000}));
    auto bounded = two.body();
    for (int i = 0; i != 3; ++i)
        run(bounded.line());
    EXPECT_EQ(error_of([&] { run(bounded.line()); }).code(), errc::too_large);
    EXPECT_EQ(error_of([&] { run(bounded.line()); }).code(), errc::too_large);
    EXPECT_EQ(error_of([&] { run(bounded.read()); }).code(), errc::too_large);
}

TEST_F(ABody, FailsForEverWhereALineDoes) {
    for (const bool cancelled : {false, true}) {
        const auto cut = saying("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\none\ntw", cancelled);
        auto stream = run(made->get(cut.url())).body();
        EXPECT_EQ(run(stream.line()), "one");
        auto second = stream.line();
        if (cancelled)
            second.cancel();
        const auto code = failure_of([&] { run(std::move(second)); });
        EXPECT_EQ(code, failure_of([&] { run(stream.read()); })) << "not what there is of it";
        EXPECT_EQ(code, failure_of([&] { run(stream.line()); }));
    }
}

TEST_F(ABody, HasEventsByTheRules) {
    const scripted_server events([](connection& client) {
        client.read_request_head();
        client.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                     "Connection: close\r\n\r\n");
        for (const char* piece :
             {"\xEF\xBB", "\xBF", "id: 1\r", "\ndata: a", "\r\ndata:b\r\n", "\r\n", ": nothing\n\n",
              "event: named\ndata\n\n", "retry: 1500\nretry: x\n", "data:  two blanks\n\n",
              "id: a\xFF\ndata: \xE2\x82\n\n", "data: unfinished"}) {
            client.write(piece);
            std::this_thread::sleep_for(2ms);
        }
    });
    response one = run(made->get(events.url()));
    auto stream = one.events();
    const auto expect = [&](const char* type, const std::string& data, const std::string& id) {
        const auto next = run(stream.next());
        ASSERT_TRUE(next);
        EXPECT_EQ(next->type, type);
        EXPECT_EQ(next->data, data);
        EXPECT_EQ(next->id, id);
        EXPECT_EQ(stream.last_event_id(), id);
    };
    expect("message", "a\nb", "1");
    EXPECT_EQ(stream.retry(), std::nullopt);
    expect("named", "", "1");
    expect("message", " two blanks", "1");
    EXPECT_EQ(stream.retry(), 1500ms);
    expect("message", "\xEF\xBF\xBD", "a\xEF\xBF\xBD");
    EXPECT_EQ(run(stream.next()), std::nullopt);
    EXPECT_EQ(run(stream.next()), std::nullopt);
}

TEST_F(ABody, HasEventsOfSoManyBytes) {
    const auto events =
        saying("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
               "Connection: close\r\n\r\ndata: " +
               std::string(5'000, 'x') + "\ndata: " + std::string(6'000, 'x') + "\n\n");
    response one = run(made->fetch({.url = events.url(), .most_body = 10'000}));
    auto stream = one.events();
    EXPECT_EQ(error_of([&] { run(stream.next()); }).code(), errc::too_large);
    response other = run(made->get(url("/hello")));
    EXPECT_THROW(static_cast<void>(other.events()), fetch_error);
}

TEST_F(ABody, IsPouredIntoASink) {
    response one = run(made->get(url("/bytes/1048576")));
    std::string all;
    bool busy = false;
    run(one.into([&](std::string&& piece) -> task<> {
        EXPECT_FALSE(std::exchange(busy, true)) << "the next piece waits";
        auto pause = sleep_for(multi->executor(), 1ms);
        co_await std::move(pause);
        all += piece;
        busy = false;
    }));
    EXPECT_TRUE(all == bytes(1 << 20));
    response two = run(made->get(url("/bytes/1048576")));
    all.clear();
    run(two.into([&](const std::string& piece) { all += piece; }));
    EXPECT_TRUE(all == bytes(1 << 20));
    response three = run(made->get(url("/bytes/16777216")));
    EXPECT_THROW(run(three.into([](const std::string&) { throw std::range_error("mine"); })),
                 std::range_error);
}

// More than waits for its reader, so that each would stay paused for ever.
TEST_F(ABody, WhoseSinkHasEnoughEndsItsTransfer) {
    const auto large = url("/bytes/16777216");
    response thrown = run(made->get(large));
    EXPECT_THROW(run(thrown.into([](const std::string&) { throw std::range_error("mine"); })),
                 std::range_error);
    run_until_idle();
    response failed = run(made->get(large));
    EXPECT_THROW(run(failed.into([](const std::string&) {
                     return make_failed_future<void>(
                         std::make_exception_ptr(std::range_error("mine")));
                 })),
                 std::range_error);
    run_until_idle();
    response called_off = run(made->get(large));
    promise<void> never(multi->executor());
    bool begun = false;
    auto poured = called_off.into([&](const std::string&) {
        begun = true;
        return never.get_future();
    });
    run_to([&] { return begun; });
    EXPECT_TRUE(poured.cancel());
    run_until_idle();
    EXPECT_EQ(made->stats().running, 0u);
}

TEST_F(ABody, IsShownWhereItIs) {
    for (const bool late : {false, true}) {
        response one = run(made->get(url("/bytes/1048576")));
        if (late)
            turn(20); // some of it waits
        std::string all;
        run(one.each_piece([&](std::string_view piece) { all += piece; }));
        EXPECT_EQ(all, bytes(1 << 20));
        EXPECT_EQ(failure_of([&] { static_cast<void>(one.text()); }), errc::already_retrieved);
    }
    response broken = run(made->get(odd.url("/partial")));
    std::string part;
    EXPECT_EQ(error_of([&] {
                  run(broken.each_piece([&](std::string_view piece) { part += piece; }));
              }).code(),
              CURLE_PARTIAL_FILE);
    EXPECT_EQ(part, "abc");
    for (const char* path : {"/bytes/1048576", "/hello"}) {
        response one = run(made->get(url(path)));
        EXPECT_THROW(run(one.each_piece([](std::string_view) { throw std::range_error("mine"); })),
                     std::range_error);
    }
    run_until_idle();
    response made_one = response::of(200, {}, "a body");
    std::string all;
    made_one.each_piece([&](std::string_view piece) { all += piece; }).get();
    EXPECT_EQ(all, "a body");
}

TEST_F(ABody, IsShownNoMoreOnceThatIsCancelled) {
    response one = run(made->get(odd.url("/half")));
    auto shown = std::make_unique<std::string>();
    auto all = one.each_piece([&](std::string_view piece) { *shown += piece; });
    run_to([&] { return !shown->empty(); });
    all.cancel();
    EXPECT_TRUE(all.ready());
    shown.reset();
    run_until_idle();
}

TEST_F(ABody, EndsWhereItsResponseIsCancelled) {
    response one = run(made->get(odd.url("/half")));
    auto text = one.text();
    turn(3);
    one.cancel();
    EXPECT_EQ(made->stats().running, 1u) << "until it is settled";
    EXPECT_EQ(failure_of([&] { run(std::move(text)); }), errc::cancelled);
    response unread = run(made->get(odd.url("/half")));
    unread.cancel();
    EXPECT_EQ(failure_of([&] { run(unread.text()); }), errc::cancelled);
    response whole = run(made->get(url("/hello")));
    run_until_idle();
    whole.cancel();
    EXPECT_EQ(run(whole.text()), "hello\n") << "it was here";
    response made_one = response::of(200, {}, "a body");
    made_one.cancel();
    EXPECT_EQ(failure_of([&] { made_one.body().read().get(); }), errc::cancelled);
}

TEST_F(ABody, KeepsWhatItIsToldToUntilItsEnd) {
    const auto kept = std::make_shared<int>();
    response half = run(made->get(odd.url("/half")));
    half.keep(kept);
    EXPECT_EQ(kept.use_count(), 2);
    half.cancel();
    run_until_idle();
    EXPECT_EQ(kept.use_count(), 1);
    response whole = run(made->get(url("/hello")));
    run_until_idle();
    whole.keep(kept);
    EXPECT_EQ(kept.use_count(), 1) << "nothing more comes of it";
}

TEST_F(ABody, WaitsAtTheMarkOfItsRequest) {
    const auto taken_for = [&](std::optional<std::size_t> high_water) {
        const auto before = made->stats().bytes;
        response one = run(made->fetch({.url = url("/bytes/1048576"), .high_water = high_water}));
        rest();
        const auto taken = made->stats().bytes - before;
        one.cancel();
        run_until_idle();
        return taken;
    };
    EXPECT_LE(taken_for(1), 65'536u) << "one piece of libcurl's";
    EXPECT_EQ(taken_for(std::nullopt), 1u << 20);
}

TEST_F(ABody, IsReadAway) {
    response one = run(made->get(url("/bytes/16777216")));
    run(one.discard());
    EXPECT_EQ(made->stats().bytes, std::uint64_t{1} << 24);
}

TEST_F(ABody, HasTrailersAtItsEnd) {
    response one = run(made->get(odd.url("/chunked")));
    EXPECT_EQ(run(one.text()), "abc");
    EXPECT_EQ(one.trailers().get("X-End"), "yes");
    response slow = run(made->get(url("/slow/16777216")));
    EXPECT_EQ(failure_of([&] { static_cast<void>(slow.trailers()); }), errc::not_over);
    response decoded = run(made->get(odd.url("/chunked")));
    const auto body = std::make_shared<body_stream>(decoded.body());
    response other = std::move(decoded).with_body([body] { return body->read(); });
    EXPECT_EQ(failure_of([&] { static_cast<void>(other.trailers()); }), errc::not_over);
    EXPECT_EQ(run(other.text()), "abc");
    EXPECT_EQ(other.trailers().get("X-End"), "yes");
}

TEST_F(ABody, ThatEndsTooEarlyFailsTheRead) {
    for (const char* path : {"/partial", "/chunked/cut", "/gzip/bad", "/chunked/bad"}) {
        response one = run(made->get(odd.url(path)));
        const auto error = error_of([&] { run(one.text()); });
        EXPECT_EQ(error.phase(), fetch_phase::body) << path;
        response two = run(made->get(odd.url(path)));
        auto stream = two.body();
        EXPECT_THROW(read_away(stream), fetch_error) << path;
        EXPECT_THROW(run(stream.read()), fetch_error) << path << ": the same for ever";
    }
    EXPECT_EQ(text_of(odd.url("/to/the/end")), "abc");
}

TEST_F(ABody, OutlivesItsResponseAndItsStream) {
    auto text = run(made->get(url("/bytes/1048576"))).text();
    EXPECT_TRUE(run(std::move(text)) == bytes(1 << 20));
    auto piece = run(made->get(url("/bytes/1048576"))).body().read();
    EXPECT_FALSE(run(std::move(piece)).empty());
    const auto late = saying("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", true);
    auto pending = run(made->get(late.url())).body().read();
    turn(20);
    EXPECT_FALSE(pending.ready()) << "it is no end of the body that the stream is gone";
    pending.cancel();
    run_until_idle();
}

TEST_F(ABody, GoesOnWhereItsFutureIsDropped) {
    const temporary_directory directory;
    static_cast<void>(run(made->get(url("/bytes/1048576"))).text());
    static_cast<void>(run(made->get(url("/bytes/1048576"))).to_file(directory / "file"));
    run_to([&] { return std::filesystem::exists(directory / "file"); });
    EXPECT_TRUE(read_file(directory / "file") == bytes(1 << 20));
    run_until_idle();
    EXPECT_EQ(made->stats().bytes, std::uint64_t{2} << 20);
    response one = run(made->get(url("/bytes/1048576")));
    auto stream = one.body();
    static_cast<void>(stream.read(1'000)); // those bytes are lost
    turn(50);
    EXPECT_EQ(read_away(stream), (std::size_t{1} << 20) - 1'000);
}

TEST_F(ABody, ThatNobodyReadsKeepsItsConnectionIfItIsShort) {
    std::atomic<int> requests = 0;
    const scripted_server server(for_each_request([&](connection& client, const std::string&) {
        ++requests;
        client.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" +
                     std::string(50'000, 'x'));
        std::this_thread::sleep_for(5ms);
        return client.write(std::string(50'000, 'x'));
    }));
    const client small(*multi, {.high_water = 10'000});
    for (int i = 0; i != 3; ++i) {
        { const response unread = run(small.get(server.url())); }
        run_to([&] { return small.stats().running == 0; });
    }
    EXPECT_EQ(requests, 3);
    EXPECT_EQ(server.accepted(), 1u);
}

TEST_F(ABody, ThatNobodyReadsEndsIfItIsLongOrLate) {
    { const response one = run(made->get(url("/slow/16777216"))); }
    run_until_idle();
    EXPECT_LT(made->stats().bytes, 2u << 20);
    const auto late = saying("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", true);
    { const response two = run(made->get(late.url())); }
    run_until_idle(); // which it would not be while the server holds the connection
    const scripted_server endless(for_each_request([&](connection& client, const std::string&) {
        client.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        while (client.write("1000\r\n" + std::string(4096, 'x') + "\r\n")) {
        }
        return false;
    }));
    { const response three = run(made->get(endless.url())); }
    run_until_idle();
    static_cast<void>(made->get(url("/hello"))); // a future that is dropped, too
    run_to([&] { return made->stats().requests == 4 && made->stats().running == 0; });
}

TEST_F(ABody, IsCancelledOverHttp2AndTheConnectionLives) {
    const auto where = nginx::shared().https("/bytes/16777216");
    { const response one = run(made->get(where)); }
    run_until_idle();
    response two = run(made->get(nginx::shared().https("/hello")));
    EXPECT_EQ(two.version(), http_version::http2);
    EXPECT_EQ(run(two.text()), "hello\n");
}

TEST_F(ABody, EndsWhereItIsCancelled) {
    auto answer = made->get(url("/slow/16777216"));
    answer.cancel();
    EXPECT_EQ(failure_of([&] { run(std::move(answer)); }), errc::cancelled);
    response one = run(made->get(url("/slow/16777216")));
    auto body = one.text();
    body.cancel();
    EXPECT_EQ(failure_of([&] { run(std::move(body)); }), errc::cancelled);
    run_until_idle();
}

TEST_F(ABody, EndsWhereAnyOfItsFuturesIsCancelled) {
    const temporary_directory directory;
    const auto events = saying("HTTP/1.1 500 OK\r\nContent-Type: text/event-stream\r\n"
                               "Content-Length: 100\r\n\r\ndata: a",
                               true);
    const auto ends = [&](auto take) {
        response one = run(made->get(events.url()));
        auto taken = take(one);
        turn(20);
        EXPECT_FALSE(taken.ready());
        taken.cancel();
        EXPECT_EQ(failure_of([&] { run(std::move(taken)); }), errc::cancelled);
        run_until_idle(); // which it would not be while the server holds the connection
    };
    ends([](response& one) { return one.discard(); });
    ends([](response& one) { return std::move(one).checked(); });
    ends([](response& one) { return one.into([](const std::string&) {}); });
    ends([&](response& one) { return one.to_file(directory / "file"); });
    std::optional<body_stream> lines;
    ends([&](response& one) { return lines.emplace(one.body()).line(); });
    std::optional<event_stream> stream;
    ends([&](response& one) { return stream.emplace(one.events()).next(); });
    EXPECT_EQ(failure_of([&] { run(stream->next()); }), errc::cancelled) << "the same for ever";
}

TEST_F(ABody, IsWrittenToAFile) {
    const temporary_directory directory;
    response one = run(made->get(url("/bytes/1048576")));
    EXPECT_EQ(run(one.to_file(directory / "body")), std::uint64_t{1} << 20);
    EXPECT_TRUE(read_file(directory / "body") == bytes(1 << 20));
    response empty = run(made->get(url("/bytes/0")));
    EXPECT_EQ(run(empty.to_file(directory / "empty")), 0u);
    EXPECT_EQ(read_file(directory / "empty"), "");
    response none = run(made->get(url("/hello")));
    EXPECT_EQ(failure_of([&] { run(none.to_file(directory / "no/such/place")); }),
              std::errc::no_such_file_or_directory);
    run_until_idle();
}

// A file is written in larger blocks than these.
TEST_F(ABody, IsWrittenToAFileHoweverLittleOfItMayWait) {
    const temporary_directory directory;
    for (const auto& options :
         {client_options{.high_water = 1}, client_options{.memory = std::size_t{1} << 16}}) {
        const client small(*multi, options);
        response one = run(small.get(url("/bytes/1048576")));
        response held = run(small.get(url("/bytes/1048576"))); // has its share of the memory
        EXPECT_EQ(run(one.to_file(directory / "body")), std::uint64_t{1} << 20);
        EXPECT_TRUE(read_file(directory / "body") == bytes(1 << 20));
    }
    run_until_idle();
}

TEST_F(ABody, HoldsNothingOnceItsFileMayNotGrow) {
    const temporary_directory directory;
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    const rlimit small{1 << 20, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
    response one = run(made->get(url("/bytes/16777216")));
    EXPECT_EQ(failure_of([&] { run(one.to_file(directory / "body")); }), std::errc::file_too_large);
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, SIG_DFL);
    run_until_idle();
    EXPECT_FALSE(std::filesystem::exists(directory / "body"));
}

TEST_F(ABody, LeavesTheOldFileWhereItBreaksOff) {
    const temporary_directory directory;
    write_file(directory / "body", "old");
    response one = run(made->get(odd.url("/partial")));
    EXPECT_EQ(error_of([&] { run(one.to_file(directory / "body")); }).code(), CURLE_PARTIAL_FILE);
    response two = run(made->get(url("/slow/16777216")));
    auto written = two.to_file(directory / "body");
    turn(50);
    EXPECT_EQ(read_file(directory / "body"), "old");
    written.cancel();
    EXPECT_EQ(failure_of([&] { run(std::move(written)); }), errc::cancelled);
    EXPECT_EQ(read_file(directory / "body"), "old");
    const patience patience; // the thread of files may be on its way
    while (std::distance(std::filesystem::directory_iterator(directory / ""), {}) != 1)
        patience.check();
}

} // namespace
