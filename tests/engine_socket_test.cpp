// SPDX-License-Identifier: MIT
// Which descriptors are watched, for what, and until when.
#include "known_faults.hpp"
#include "open_sockets.hpp"
#include "support/fake_curl/engine_fixture.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <map>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/eventfd.h>

using namespace curlicue;
using namespace curlicue::test;
using testing::Contains;
using testing::Each;
using testing::Not;

namespace {

constexpr int idle = 0; // a poll handle that watches for nothing

// What libcurl is told of a socket that is ready: nothing, if it read a paused transfer's then.
int told(int mask) { return has(detail::fault::reads_while_paused) ? 0 : mask; }

class AWatch : public engine_fixture {
protected:
    void SetUp() override {
        engine_fixture::SetUp();
        begin();
    }
    void TearDown() override {
        over = {};
        engine_fixture::TearDown();
    }
    void begin() {
        over = multi->add_handle(handle);
        turn();
        curl->actions.clear();
    }
    void announce(int fd, int what) {
        inside(handle, [&](fake_multi& multi) { multi.announce(fd, what); });
        turn(); // the kick that follows
        curl->actions.clear();
    }
    std::size_t actions_on(int fd) const {
        return static_cast<std::size_t>(std::ranges::count(
            curl->actions, fd, [](const fake_curl::action& each) { return each.socket; }));
    }
    void complete() {
        inside(handle, [](fake_multi& multi) { multi.complete_all(); });
        EXPECT_EQ(outcome(std::move(over)), std::error_code());
    }

    easy handle;
    future<easy> over;
    socket_pair pair;
};

TEST_F(AWatch, FollowsEveryMaskThatLibcurlAsksFor) {
    const std::map<int, int> masks = {{CURL_POLL_IN, UV_READABLE},
                                      {CURL_POLL_OUT, UV_WRITABLE},
                                      {CURL_POLL_INOUT, UV_READABLE | UV_WRITABLE},
                                      {CURL_POLL_NONE, idle}};
    for (const auto& [from, before] : masks)
        for (const auto& [to, after] : masks) {
            announce(pair.fd(), from);
            EXPECT_EQ(watched(pair.fd()).value_or(idle), before) << from;
            announce(pair.fd(), to);
            EXPECT_EQ(watched(pair.fd()).value_or(idle), after) << from << " to " << to;
        }
    announce(pair.fd(), CURL_POLL_REMOVE);
    EXPECT_EQ(watched(pair.fd()), std::nullopt);
}

TEST_F(AWatch, TellsLibcurlWhatTheDescriptorIsReadyFor) {
    curl->on_action = [&](fake_multi& multi, curl_socket_t socket, int) {
        if (socket == pair.fd())
            multi.announce(socket, CURL_POLL_REMOVE);
    };
    using action = fake_curl::action;
    announce(pair.fd(), CURL_POLL_OUT);
    EXPECT_EQ(watched(pair.fd()), std::nullopt) << "it is writable at once, and then removed";
    pair.make_readable();
    inside(handle, [&](fake_multi& multi) { multi.announce(pair.fd(), CURL_POLL_IN); });
    turn();
    EXPECT_THAT(curl->actions, Contains(action{pair.fd(), told(CURL_CSELECT_IN)}));
    curl->actions.clear();
    inside(handle, [&](fake_multi& multi) { multi.announce(pair.fd(), CURL_POLL_INOUT); });
    turn();
    EXPECT_THAT(curl->actions,
                Contains(action{pair.fd(), told(CURL_CSELECT_IN | CURL_CSELECT_OUT)}));
}

TEST_F(AWatch, StaysWhileLibcurlWantsNone) {
    announce(pair.fd(), CURL_POLL_IN);
    announce(pair.fd(), CURL_POLL_NONE);
    pair.make_readable();
    turn(3);
    EXPECT_EQ(actions_on(pair.fd()), 0u);
    EXPECT_EQ(watched(pair.fd()), idle);
    EXPECT_EQ(multi->stats().sockets, 1u);
    announce(pair.fd(), CURL_POLL_IN);
    turn();
    EXPECT_GT(actions_on(pair.fd()), 0u);
}

// libcurl >= 8.20 names the eventfd of curl_multi_wakeup when a first transfer runs, and takes it
// back when the last one ends.
TEST_F(AWatch, OfWhatWakesLibcurlStaysAsLongAsTheMultiHandle) {
    const int waker = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    announce(waker, CURL_POLL_IN);
    announce(waker, CURL_POLL_REMOVE);
    EXPECT_EQ(watched(waker), UV_READABLE);
    ASSERT_EQ(::eventfd_write(waker, 1), 0);
    turn(3);
    EXPECT_EQ(actions_on(waker), 0u) << "libcurl did not want to hear of it";
    EXPECT_EQ(watched(waker), idle);
    announce(waker, CURL_POLL_IN);
    turn();
    EXPECT_GT(actions_on(waker), 0u);
    EXPECT_EQ(multi->stats().sockets, 0u) << "it is none";
    complete();
    curl->on_cleanup = [&](fake_multi&) {
        EXPECT_EQ(watched(waker), std::nullopt);
        ::close(waker);
    };
    multi->run_until(multi->close());
    EXPECT_EQ(::fcntl(waker, F_GETFD), -1) << "its multi handle was cleaned up";
}

TEST_F(AWatch, SurvivesEveryDisorderOfRemove) {
    announce(pair.fd(), CURL_POLL_REMOVE); // never named
    announce(pair.fd(), CURL_POLL_INOUT);
    announce(pair.fd(), CURL_POLL_REMOVE);
    announce(pair.fd(), CURL_POLL_REMOVE); // doubled
    announce(CURL_SOCKET_BAD, CURL_POLL_IN);
    announce(CURL_SOCKET_BAD, CURL_POLL_REMOVE);
    announce(-5, CURL_POLL_IN);
    announce(-5, CURL_POLL_REMOVE);
    announce(1 << 30, CURL_POLL_REMOVE); // no such descriptor; room for it would be gigabytes
    EXPECT_EQ(multi->stats().sockets, 0u);
    EXPECT_EQ(multi->stats().rebuilds, 0u);
    announce(pair.fd(), CURL_POLL_IN);
    EXPECT_EQ(watched(pair.fd()), UV_READABLE);
    complete();
}

TEST_F(AWatch, OfADescriptorThatWasReopenedWithoutRemoveWatchesTheNewOne) {
    for (const int mask : {CURL_POLL_IN, CURL_POLL_INOUT}) {
        announce(pair.fd(), CURL_POLL_IN);
        const socket_pair other;
        inside(handle, [&](fake_multi& multi) {
            ASSERT_EQ(::dup2(other.fd(), pair.fd()), pair.fd()); // closes the old one
            multi.announce(pair.fd(), mask);
        });
        turn();
        curl->actions.clear();
        other.make_readable();
        turn();
        EXPECT_GT(actions_on(pair.fd()), 0u) << mask;
        other.drain();
        announce(pair.fd(), CURL_POLL_REMOVE);
    }
}

TEST_F(AWatch, TakesZeroForADescriptorLikeAnyOther) {
    const int input = ::dup(0);
    ASSERT_EQ(::dup2(pair.fd(), 0), 0);
    announce(0, CURL_POLL_IN);
    pair.make_readable();
    turn();
    EXPECT_GT(actions_on(0), 0u);
    announce(0, CURL_POLL_REMOVE);
    EXPECT_EQ(watched(0), std::nullopt);
    if (input < 0) {
        ::close(0);
    } else {
        ::dup2(input, 0);
        ::close(input);
    }
}

TEST_F(AWatch, MayBeReplacedWithinOneCall) {
    announce(pair.fd(), CURL_POLL_OUT);
    inside(handle, [&](fake_multi& multi) {
        for (int i = 0; i < 5; ++i) {
            multi.announce(pair.fd(), CURL_POLL_REMOVE);
            multi.announce(pair.fd(), CURL_POLL_IN);
        }
    });
    EXPECT_EQ(watched(pair.fd()), UV_READABLE);
    pair.make_readable();
    turn();
    EXPECT_EQ(multi->stats().sockets, 1u);
    EXPECT_GT(actions_on(pair.fd()), 0u);
}

TEST_F(AWatch, MayEndInItsOwnCallback) {
    announce(pair.fd(), CURL_POLL_IN);
    curl->on_action = [&](fake_multi& multi, curl_socket_t socket, int) {
        if (socket != pair.fd())
            return;
        multi.announce(socket, CURL_POLL_REMOVE);
        pair.close();
        multi.complete_all();
    };
    pair.make_readable();
    run_to([&] { return over.ready(); });
    EXPECT_EQ(outcome(std::move(over)), std::error_code());
}

// Both are ready in the same turn of the loop; whoever comes first ends both.
TEST_F(AWatch, ThatEndedWhileItsCallbackWasDueIsNotHeard) {
    const socket_pair second;
    announce(pair.fd(), CURL_POLL_IN);
    announce(second.fd(), CURL_POLL_IN);
    curl->on_action = [&](fake_multi& multi, curl_socket_t socket, int) {
        if (socket == CURL_SOCKET_TIMEOUT)
            return;
        multi.announce(pair.fd(), CURL_POLL_REMOVE);
        multi.announce(second.fd(), CURL_POLL_REMOVE);
    };
    pair.make_readable();
    second.make_readable();
    turn(3);
    EXPECT_EQ(actions_on(pair.fd()) + actions_on(second.fd()), 1u);
}

TEST_F(AWatch, NeitherBeginsNorStaysWhileItsMultiCloses) {
    announce(pair.fd(), CURL_POLL_IN);
    const socket_pair second;
    curl->on_cleanup = [&](fake_multi& multi) {
        EXPECT_EQ(watched(pair.fd()), std::nullopt) << "libcurl closes it now";
        multi.announce(second.fd(), CURL_POLL_IN);
        multi.set_timer(0);
        multi.set_timer(1);
        EXPECT_EQ(watched(second.fd()), std::nullopt);
    };
    pair.make_readable();
    second.make_readable();
    auto closed = multi->close();
    EXPECT_EQ(watched(second.fd()), std::nullopt);
    run_to([&] { return closed.ready(); });
    EXPECT_TRUE(over.cancelled());
    EXPECT_THAT(curl->actions, testing::IsEmpty());
}

// Connections that tell of their close. -----------------------------------------------------------

class AWatchOfAConnection : public AWatch {
protected:
    static int open(easy& handle) {
        curl_sockaddr address{};
        address.family = AF_INET;
        address.socktype = SOCK_DGRAM;
        auto* const core = detail::easy_access::core_of(handle).get();
        return detail::open_socket(core, CURLSOCKTYPE_IPCXN, &address);
    }
};

// The host's own, of a descriptor whose number was a connection's.
struct host_watch {
    host_watch(uv_loop_t& loop, int fd) : fd_(fd) {
        EXPECT_EQ(::dup2(other.fd(), fd), fd);
        poll_.data = &heard;
        EXPECT_EQ(uv_poll_init(&loop, &poll_, fd), 0);
        uv_poll_start(&poll_, UV_READABLE, [](uv_poll_t* poll, int, int) {
            ++*static_cast<int*>(poll->data);
            uv_poll_stop(poll);
        });
    }
    void end() {
        uv_close(reinterpret_cast<uv_handle_t*>(&poll_), nullptr);
        ::close(fd_);
    }

    const socket_pair other;
    int heard = 0;

private:
    uv_poll_t poll_{};
    const int fd_;
};

TEST_F(AWatchOfAConnection, StaysBetweenTwoTransfersUntilItCloses) {
    const int fd = open(handle);
    announce(fd, CURL_POLL_INOUT);
    announce(fd, CURL_POLL_REMOVE);
    EXPECT_EQ(watched(fd), UV_READABLE) << "writable it always is";
    announce(fd, CURL_POLL_IN);
    EXPECT_EQ(watched(fd), UV_READABLE);
    announce(fd, CURL_POLL_REMOVE);
    inside(handle, [&](fake_multi&) { detail::close_socket(nullptr, fd); });
    EXPECT_EQ(watched(fd).value_or(idle), idle) << "its poll handle may serve the next";
    turn();
    EXPECT_EQ(watched(fd), std::nullopt);
    EXPECT_EQ(multi->stats().sockets, 0u);
}

TEST_F(AWatchOfAConnection, StaysThoughWhatItIsToldOfWasReadInTheTurnOfAnother) {
    const int fd = open(handle);
    ASSERT_EQ(::dup2(pair.fd(), fd), fd);
    announce(fd, CURL_POLL_IN);
    announce(fd, CURL_POLL_REMOVE);
    const socket_pair other;
    announce(other.fd(), CURL_POLL_IN);
    curl->on_action = [&](fake_multi&, curl_socket_t, int) {
        other.drain();
        pair.drain();
    };
    other.make_readable();
    pair.make_readable();
    turn();
    EXPECT_EQ(actions_on(other.fd()), 1u);
    EXPECT_EQ(watched(fd), UV_READABLE) << "or a reset of it would not be heard";
    pair.make_readable();
    turn();
    EXPECT_EQ(watched(fd), idle) << "or it would be told of that again and again";
    inside(handle, [&](fake_multi&) { detail::close_socket(nullptr, fd); });
}

TEST_F(AWatchOfAConnection, UsesThePollHandleOfAnEarlierOneOfItsNumber) {
#ifdef __SANITIZE_THREAD__
    GTEST_SKIP() << "to this sanitizer it is a race if another thread opens the number";
#endif
    const int fd = open(handle);
    announce(fd, CURL_POLL_INOUT);
    announce(fd, CURL_POLL_REMOVE);
    inside(handle, [&](fake_multi& multi) {
        for (int i = 0; i != 3; ++i) {
            const auto* const before = poll_of(fd);
            detail::close_socket(nullptr, fd);
            ASSERT_EQ(open(handle), fd);
            multi.announce(fd, CURL_POLL_INOUT);
            EXPECT_EQ(poll_of(fd), before);
            EXPECT_EQ(watched(fd), UV_READABLE | UV_WRITABLE);
        }
    });
    turn();
    EXPECT_GT(actions_on(fd), 0u);
}

// Its number may be that of a pipe, or of a socket that never tells.
TEST_F(AWatchOfAConnection, LeavesItsPollHandleToNoneThatDoesNotTell) {
    const int fd = open(handle);
    announce(fd, CURL_POLL_INOUT);
    const socket_pair other;
    inside(handle, [&](fake_multi& multi) {
        const auto* const before = poll_of(fd);
        detail::close_socket(nullptr, fd);
        ASSERT_EQ(::dup2(other.fd(), fd), fd);
        multi.announce(fd, CURL_POLL_IN);
        EXPECT_NE(poll_of(fd), before);
    });
    other.make_readable();
    turn();
    EXPECT_EQ(watched(fd), UV_READABLE);
    EXPECT_GT(actions_on(fd), 0u);
    announce(fd, CURL_POLL_REMOVE);
    EXPECT_EQ(watched(fd), std::nullopt);
    ::close(fd);
}

// libuv's close of a poll handle makes the loop's epoll forget the number, whoever has it by then.
TEST_F(AWatchOfAConnection, IsGoneBeforeTheHostWatchesItsNumber) {
    const int fd = open(handle);
    announce(fd, CURL_POLL_INOUT);
    announce(fd, CURL_POLL_REMOVE);
    inside(handle, [&](fake_multi&) { detail::close_socket(nullptr, fd); });
    host_watch own(loop, fd);
    turn();
    complete();
    multi->run_until(multi->close());
    own.other.make_readable();
    turn();
    EXPECT_EQ(own.heard, 1);
    own.end();
    turn();
}

TEST_F(AWatchOfAConnection, IsGoneBeforeTheHostWatchesItsNumberInALoopWithinTheLoop) {
    const int fd = open(handle);
    announce(fd, CURL_POLL_INOUT);
    std::optional<host_watch> own;
    inside(handle, [&](fake_multi&) {
        detail::close_socket(nullptr, fd);
        own.emplace(loop, fd);
        turn();
    });
    turn();
    own->other.make_readable();
    turn();
    EXPECT_EQ(own->heard, 1);
    own->end();
    turn();
}

// Before libcurl 8.2.
bool closes_without_a_word() { return curl_version_info(CURLVERSION_NOW)->version_num < 0x080200; }

TEST_F(AWatchOfAConnection, EndsAtItsRemoveIfItWasNeverConnected) {
    if (!closes_without_a_word())
        GTEST_SKIP() << "this libcurl tells of every close";
    const int fd = open(handle);
    announce(fd, CURL_POLL_OUT);
    announce(fd, CURL_POLL_REMOVE);
    EXPECT_EQ(watched(fd), std::nullopt);
    inside(handle, [&](fake_multi&) { detail::close_socket(nullptr, fd); });
}

// libcurl 7.88 closes a socket whose connect failed without a word; the number may then be that of
// one that never tells.
TEST_F(AWatchOfAConnection, BelievesNoLongerThatItsNumberTellsOnceItWasClosedWithoutAWord) {
    if (!closes_without_a_word())
        GTEST_SKIP() << "this libcurl tells of every close";
    const int fd = open(handle);
    announce(fd, CURL_POLL_OUT);
    announce(fd, CURL_POLL_REMOVE);
    const socket_pair other;
    ASSERT_EQ(::dup2(other.fd(), fd), fd);
    announce(fd, CURL_POLL_INOUT);
    announce(fd, CURL_POLL_REMOVE);
    EXPECT_EQ(watched(fd), std::nullopt);
    ::close(fd);
}

TEST_F(AWatchOfAConnection, IgnoresWhatOthersThreadsDoWithItsEasyLater) {
    complete();
    std::thread([&] {
        const int fd = open(handle); // as curl_easy_perform would
        detail::close_socket(nullptr, fd);
    }).join();
    multi->run_until(multi->close());
    std::thread([&] {
        const int fd = open(handle);
        detail::close_socket(nullptr, fd);
    }).join();
}

// Of FTP, for whose control connection libcurl may not ask: over TLS, and before the data flow.
class AWatchOfFtp : public AWatchOfAConnection {
protected:
    void SetUp() override {
        using namespace std::chrono_literals;
        AWatchOfAConnection::SetUp();
        if (!has(detail::fault::asks_for_too_little))
            GTEST_SKIP() << "this libcurl asks for all that it needs";
        over = {};
        restart({.sharding = shards::one, .heartbeat = 0ms, .upkeep = false});
        curl->infos = {{CURLINFO_SCHEME, reinterpret_cast<curl_off_t>("FTP")},
                       {CURLINFO_TLS_SSL_PTR, reinterpret_cast<curl_off_t>(&session)},
                       {CURLINFO_PRETRANSFER_TIME_T, 0}};
        handle.setopt<CURLOPT_URL>("ftp://one/");
        begin();
    }
    struct state {
        bool begun, over_tls;
        std::ptrdiff_t calls; // for all transfers, each time
    };
    static constexpr std::array<state, 4> states{
        {{false, false, 1}, {true, false, 0}, {false, true, 1}, {true, true, 1}}};
    void enter(const state& next) {
        curl->infos[CURLINFO_PRETRANSFER_TIME_T] = next.begun ? 1 : 0;
        session.internals = next.over_tls ? this : nullptr;
    }
    void ask_for(int fd, int what) {
        inside(handle,
               [&](fake_multi& multi) { multi.announce(fd, what, handle.native_handle()); });
    }
    /// In a turn of the loop.
    std::ptrdiff_t calls_for_all() {
        curl->actions.clear();
        turn();
        return std::ranges::count(curl->actions, true, &fake_curl::action::for_all);
    }

    curl_tlssessioninfo session{CURLSSLBACKEND_NONE, nullptr};
};

TEST_F(AWatchOfFtp, CallsForAllWhenItChangesWhereThatMayBeNeeded) {
    for (const auto& each : states) {
        enter(each);
        for (const int what : {CURL_POLL_IN, CURL_POLL_OUT, CURL_POLL_REMOVE}) {
            ask_for(pair.fd(), what);
            const auto at_rest = what == CURL_POLL_OUT && !each.begun ? 1 : 0; // as it is writable
            EXPECT_EQ(calls_for_all(), each.calls + at_rest) << each.begun << each.over_tls << what;
        }
    }
}

TEST_F(AWatchOfFtp, CallsForAllWhenUnaskedForItHearsWhereThatMayBeNeeded) {
    const int fd = open(handle);
    ASSERT_EQ(::dup2(pair.fd(), fd), fd);
    for (const auto& each : states) {
        enter(each);
        ask_for(fd, CURL_POLL_IN);
        ask_for(fd, CURL_POLL_REMOVE);
        turn();
        pair.make_readable();
        EXPECT_EQ(calls_for_all(), each.calls) << each.begun << each.over_tls;
        pair.drain();
    }
    inside(handle, [&](fake_multi&) { detail::close_socket(nullptr, fd); });
}

// An answer that is there at once leaves it without a socket or a time that it waits for.
TEST_F(AWatchOfFtp, CallsForAllAfterACallThatMayHaveLeftItAtRest) {
    ask_for(pair.fd(), CURL_POLL_IN);
    turn(2);
    for (const bool begun : {false, true}) {
        const std::ptrdiff_t calls = begun ? 0 : 1;
        enter({.begun = begun, .over_tls = true, .calls = calls});
        pair.make_readable();
        EXPECT_EQ(calls_for_all(), calls) << "what its server says";
        pair.drain();
        inside(handle, [](fake_multi& multi) { multi.set_timer(0); });
        EXPECT_EQ(calls_for_all(), calls) << "its time has come";
    }
}

// Errors. -----------------------------------------------------------------------------------------

class AWatchWithAnError : public AWatch {
protected:
    // Writing to a pipe that nobody reads: an error that stays.
    void SetUp() override {
        AWatch::SetUp();
        ASSERT_EQ(::pipe2(pipe_, O_CLOEXEC | O_NONBLOCK), 0);
        ::close(pipe_[0]);
    }
    void TearDown() override {
        AWatch::TearDown();
        ::close(pipe_[1]);
    }
    int fd() const noexcept { return pipe_[1]; }

    int pipe_[2] = {};
};

TEST_F(AWatchWithAnError, LetsLibcurlFindOutItselfAndTriesAgainLaterAndLater) {
    using namespace std::chrono_literals;
    std::vector<int> masks;
    curl->on_action = [&](fake_multi&, curl_socket_t socket, int mask) {
        if (socket == fd())
            masks.push_back(mask);
    };
    const auto begun = std::chrono::steady_clock::now();
    inside(handle, [&](fake_multi& multi) { multi.announce(fd(), CURL_POLL_OUT); });
    run_to([&] { return masks.size() >= 8; });
    // 1, 2, 4 … milliseconds lie between them.
    EXPECT_GE(std::chrono::steady_clock::now() - begun, 100ms);
    EXPECT_THAT(masks, Each(0));
    announce(fd(), CURL_POLL_REMOVE);
    masks.clear();
    turn(3);
    EXPECT_THAT(masks, Each(Not(0)));
    complete();
}

TEST_F(AWatchWithAnError, IsArmedAgainOnceTheErrorIsGone) {
    int errors = 0;
    curl->on_action = [&](fake_multi& multi, curl_socket_t socket, int mask) {
        if (socket != fd())
            return;
        if (mask == 0 && ++errors == 1) {
            ASSERT_EQ(::dup2(pair.fd(), fd()), fd()); // works from now on
        } else if (mask == told(CURL_CSELECT_OUT)) {
            multi.announce(fd(), CURL_POLL_REMOVE);
            multi.complete_all();
        }
    };
    inside(handle, [&](fake_multi& multi) { multi.announce(fd(), CURL_POLL_OUT); });
    run_to([&] { return over.ready(); });
    EXPECT_EQ(outcome(std::move(over)), std::error_code());
    EXPECT_GE(errors, 1);
}

// libuv ends the process when it is to watch a descriptor that is closed (uv__io_poll, 1.44).
TEST_F(AWatchWithAnError, IsNotArmedOnADescriptorThatWasClosedMeanwhile) {
    int calls = 0;
    curl->on_action = [&](fake_multi& multi, curl_socket_t socket, int) {
        if (socket != fd())
            return;
        if (++calls == 1) {
            ::close(fd());
        } else if (calls == 4) {
            multi.announce(fd(), CURL_POLL_REMOVE);
            multi.complete_all();
        }
    };
    inside(handle, [&](fake_multi& multi) { multi.announce(fd(), CURL_POLL_OUT); });
    run_to([&] { return over.ready(); });
    EXPECT_EQ(calls, 4);
    ASSERT_EQ(::dup2(pair.fd(), fd()), fd()); // for TearDown to close
}

// What libuv refuses. -----------------------------------------------------------------------------

TEST_F(AWatch, ThatLibuvRefusesIsDrivenAtIntervalsAndHarmsNoOther) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), &std::fclose);
    const int regular = ::fileno(file.get()); // epoll takes no regular file: EPERM
    int calls = 0;
    bool other = false;
    curl->on_action = [&](fake_multi& multi, curl_socket_t socket, int mask) {
        if (socket == pair.fd()) {
            other = true;
            multi.announce(pair.fd(), CURL_POLL_REMOVE);
        }
        if (socket == regular) {
            EXPECT_EQ(mask, 0);
            if (++calls == 5) {
                multi.announce(regular, CURL_POLL_REMOVE);
                multi.complete_all();
            }
        }
    };
    pair.make_readable();
    inside(handle, [&](fake_multi& multi) {
        multi.announce(regular, CURL_POLL_IN);
        multi.announce(pair.fd(), CURL_POLL_IN);
    });
    run_to([&] { return over.ready(); });
    EXPECT_EQ(outcome(std::move(over)), std::error_code());
    EXPECT_TRUE(other);
    EXPECT_EQ(multi->stats().rebuilds, 0u);
}

TEST_F(AWatch, OfADescriptorThatTheHostWatchesLeavesTheHostItsOwn) {
    uv_poll_t host{};
    int heard = 0;
    host.data = &heard;
    ASSERT_EQ(uv_poll_init_socket(&loop, &host, pair.fd()), 0);
    uv_poll_start(&host, UV_READABLE,
                  [](uv_poll_t* poll, int, int) { ++*static_cast<int*>(poll->data); });
    int calls = 0;
    curl->on_action = [&](fake_multi& multi, curl_socket_t socket, int mask) {
        if (socket != pair.fd())
            return;
        ++calls;
        if (calls == 3)
            uv_close(reinterpret_cast<uv_handle_t*>(&host), nullptr); // ours from now on
        if (calls > 3 && mask == told(CURL_CSELECT_IN)) {
            multi.announce(socket, CURL_POLL_REMOVE);
            multi.complete_all();
        }
    };
    pair.make_readable();
    inside(handle, [&](fake_multi& multi) { multi.announce(pair.fd(), CURL_POLL_IN); });
    run_to([&] { return over.ready(); });
    EXPECT_EQ(outcome(std::move(over)), std::error_code());
    EXPECT_GT(heard, 0);
    EXPECT_GE(calls, 4);
}

// The loop inside libcurl. ------------------------------------------------------------------------

TEST_F(AWatch, IsSuspendedWhileACallbackRunsTheLoopAndResumedAfterwards) {
    announce(pair.fd(), CURL_POLL_IN);
    const socket_pair second;
    announce(second.fd(), CURL_POLL_IN);
    pair.make_readable();
    second.make_readable();
    bool nested = false;
    curl->on_action = [&](fake_multi&, curl_socket_t, int) {
        if (std::exchange(nested, true))
            return;
        turn(3); // a callback of the user's; the fake tells if libcurl is called meanwhile
        EXPECT_EQ(watched(pair.fd()), idle) << "the loop would spin";
        EXPECT_EQ(watched(second.fd()), idle);
    };
    turn();
    EXPECT_EQ(watched(pair.fd()), UV_READABLE);
    EXPECT_EQ(watched(second.fd()), UV_READABLE);
    turn();
    EXPECT_GT(actions_on(pair.fd()), 0u);
    EXPECT_GT(actions_on(second.fd()), 0u);
}

TEST_F(AWatch, ThatEndsWhileItIsSuspendedIsNotResumed) {
    announce(pair.fd(), CURL_POLL_IN);
    pair.make_readable();
    inside(handle, [&](fake_multi& multi) {
        turn(2);
        EXPECT_EQ(watched(pair.fd()), idle);
        multi.announce(pair.fd(), CURL_POLL_REMOVE);
        multi.announce(pair.fd(), CURL_POLL_NONE);
    });
    EXPECT_EQ(watched(pair.fd()), std::nullopt);
}

// A model. ----------------------------------------------------------------------------------------

TEST_F(AWatch, IsWhatTheLastAnnouncementSaidWhateverCameBefore) {
    constexpr int count = 4;
    socket_pair sockets[count];
    std::map<int, int> model; // what libcurl said last
    std::mt19937 random(20);
    const auto any = [&](int end) {
        return static_cast<int>(random() % static_cast<unsigned>(end));
    };
    for (int step = 0; step < 2000; ++step) {
        inside(handle, [&](fake_multi& multi) {
            for (int i = any(4); i-- > 0;) {
                const int fd = sockets[any(count)].fd();
                const int what = any(5); // NONE, IN, OUT, INOUT, REMOVE
                multi.announce(fd, what);
                if (what == CURL_POLL_REMOVE)
                    model.erase(fd);
                else
                    model[fd] = what;
            }
        });
        for (const auto& each : sockets) {
            const auto known = model.find(each.fd());
            if (known == model.end()) {
                ASSERT_EQ(watched(each.fd()), std::nullopt) << "step " << step;
            } else { // libuv's masks have the numbers of libcurl's
                ASSERT_EQ(watched(each.fd()).value_or(idle), known->second) << "step " << step;
            }
        }
        if (any(10) == 0)
            turn();
    }
    turn();
    EXPECT_EQ(multi->stats().sockets, model.size());
}

} // namespace
