// SPDX-License-Identifier: MIT
// Every public call from every callback of libcurl's and from every continuation, and what becomes
// of exceptions.
#include "support/async_fixture.hpp"
#include "support/callback_kinds.hpp"
#include "support/files.hpp"
#include <curlicue/async_multi.hpp>

#include <chrono>
#include <functional>
#include <new>
#include <ostream>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

class ACallbackOnALoop : public async_fixture, public ::testing::WithParamInterface<callback_kind> {
protected:
    /// A page, with `look` in the callback that is being tested.
    easy observed(probe look) {
        easy page = get("/hello", body);
        page.setopt<CURLOPT_DNS_CACHE_TIMEOUT>(0); // a sibling may have filled it
        GetParam().install(page, [this, look = std::move(look)] {
            ++calls;
            look();
        });
        return page;
    }

    std::string body;
    int calls = 0;
};

INSTANTIATE_TEST_SUITE_P(Of, ACallbackOnALoop, ::testing::ValuesIn(callback_kinds()),
                         [](const auto& tested) { return tested.param.name; });

TEST_P(ACallbackOnALoop, MayAskItsMultiAnything) {
    const auto sibling = multi->add_handle(slow());
    easy page = observed([&] {
        EXPECT_FALSE(multi->closed());
        EXPECT_EQ(multi->loop(), &loop);
        EXPECT_EQ(multi->size(), multi->futures().size());
        EXPECT_FALSE(multi->contains(quiet(url("/hello"))));
        EXPECT_NE(multi->diagnostics(), "");
        EXPECT_GT(multi->stats().pending, 0u);
        multi->ref();
        multi->unref();
        static_cast<void>(multi->post([] {}));
    });
    const easy same = page;
    run(multi->add_handle(page));
    EXPECT_GE(same.getinfo<CURLINFO_RESPONSE_CODE>(), 200);
    EXPECT_GT(calls, 0);
    EXPECT_FALSE(sibling.ready());
    close();
}

TEST_P(ACallbackOnALoop, MayAddATransfer) {
    std::string other_body;
    future<easy> other;
    run(multi->add_handle(observed([&] {
        if (other.valid())
            return;
        other = multi->add_handle(get("/bytes/1024", other_body));
        EXPECT_EQ(other_body, "") << "it begins when libcurl has returned";
    })));
    ASSERT_GT(calls, 0);
    run(std::move(other));
    EXPECT_TRUE(other_body == bytes(1 << 10));
}

TEST_P(ACallbackOnALoop, MayRemoveItsOwnTransfer) {
    easy page;
    future<easy> outcome;
    int calls_after = 0;
    page = observed([&] {
        if (outcome.cancelled()) {
            ++calls_after;
            return;
        }
        if (!multi->contains(page))
            return;
        multi->remove_handle(page);
        EXPECT_FALSE(multi->contains(page));
        EXPECT_TRUE(page.attached()) << "libcurl is still at it";
        EXPECT_EQ(refusal([&] { multi->remove_handle(page); }), errc::not_added);
    });
    outcome = multi->add_handle(page);
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ASSERT_GT(calls, 0);
    EXPECT_TRUE(outcome.ready());
    EXPECT_FALSE(page.attached());
    page.close();
}

TEST_P(ACallbackOnALoop, MayCancelItsOwnTransfer) {
    future<easy> outcome;
    bool cancels = false;
    easy page = observed([&] {
        const bool fixed = outcome.cancel();
        cancels = cancels || fixed;
        EXPECT_TRUE(!fixed || !outcome.ready()) << "ready means that libcurl has let go";
    });
    outcome = multi->add_handle(page);
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ASSERT_GT(calls, 0);
    EXPECT_TRUE(outcome.ready());
    EXPECT_EQ(outcome.cancelled(), cancels);
    EXPECT_FALSE(page.attached());
}

TEST_P(ACallbackOnALoop, MayEndAnotherTransfer) {
    const easy removed = slow();
    easy closed = slow();
    auto first = multi->add_handle(removed);
    auto second = multi->add_handle(closed);
    auto third = multi->add_handle(slow());
    run(multi->add_handle(observed([&] {
        if (!multi->contains(removed))
            return;
        multi->remove_handle(removed);
        closed.close();
        third.cancel();
        EXPECT_FALSE(multi->contains(removed) || multi->contains(closed));
    })));
    ASSERT_GT(calls, 0);
    EXPECT_EQ(multi->size(), 0u);
    EXPECT_TRUE(first.cancelled() && first.ready());
    EXPECT_TRUE(second.cancelled() && second.ready());
    EXPECT_TRUE(third.cancelled() && third.ready());
    EXPECT_TRUE(closed.closed());
    EXPECT_FALSE(removed.attached());
}

TEST_P(ACallbackOnALoop, MayPauseAndUnpauseTransfers) {
    std::string other_body;
    easy other = get("/bytes/1048576", other_body);
    auto sibling = multi->add_handle(other);
    easy page;
    page = observed([&] {
        if (page.attached()) {
            page.pause(CURLPAUSE_ALL);
            page.unpause();
        }
        if (other.attached()) {
            other.pause(CURLPAUSE_ALL);
            other.unpause();
        }
    });
    run(multi->add_handle(page));
    run(std::move(sibling));
    ASSERT_GT(calls, 0);
    EXPECT_TRUE(other_body == bytes(1 << 20));
    page.close();
}

TEST_P(ACallbackOnALoop, MayCloseItsEasy) {
    easy page;
    page = observed([&] { page.close(); });
    auto outcome = multi->add_handle(page);
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ASSERT_GT(calls, 0);
    EXPECT_TRUE(outcome.ready());
    EXPECT_TRUE(page.closed());
}

TEST_P(ACallbackOnALoop, MayCloseItsMulti) {
    auto sibling = multi->add_handle(slow());
    future<void> closed;
    easy page = observed([&] {
        closed = multi->close();
        EXPECT_TRUE(multi->closed());
        EXPECT_FALSE(closed.ready());
        EXPECT_EQ(refusal([&] { static_cast<void>(multi->add_handle(slow())); }), errc::closed);
    });
    auto outcome = multi->add_handle(page);
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ASSERT_GT(calls, 0);
    EXPECT_TRUE(closed.ready());
    EXPECT_TRUE(outcome.ready());
    EXPECT_TRUE(sibling.cancelled());
    EXPECT_FALSE(page.attached());
}

TEST_P(ACallbackOnALoop, MayDestroyItsMulti) {
    auto sibling = multi->add_handle(slow());
    easy page = observed([&] { multi.reset(); });
    auto outcome = multi->add_handle(page);
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ASSERT_GT(calls, 0);
    EXPECT_TRUE(outcome.ready());
    EXPECT_TRUE(sibling.cancelled());
    EXPECT_FALSE(page.attached());
}

TEST_P(ACallbackOnALoop, MayDrainItsMulti) {
    future<void> drained;
    run(multi->add_handle(observed([&] {
        if (!drained.valid())
            drained = multi->drain(1h);
    })));
    run(std::move(drained));
    EXPECT_GT(calls, 0);
}

TEST_P(ACallbackOnALoop, EndsItsTransferWithWhatItThrows) {
    std::string other_body;
    auto sibling = multi->add_handle(get("/bytes/1048576", other_body));
    const easy page = observed([] { throw std::domain_error("from the callback"); });
    EXPECT_THROW(run(multi->add_handle(page)), std::domain_error);
    EXPECT_EQ(multi->stats().failed, 1u);
    EXPECT_FALSE(page.attached());
    run(std::move(sibling));
    EXPECT_TRUE(other_body == bytes(1 << 20)) << "the others go on";
}

TEST_P(ACallbackOnALoop, MayThrowWhatIsNoStandardException) {
    EXPECT_THROW(run(multi->add_handle(observed([] { throw 42; }))), int);
    EXPECT_THROW(run(multi->add_handle(observed([] { throw std::bad_alloc(); }))), std::bad_alloc);
}

class ACallbackWithoutAnAnswer : public async_fixture {};

TEST_F(ACallbackWithoutAnAnswer, EndsItsTransferAtOnceWithWhatItThrows) {
    std::size_t came = 0;
    easy page(url("/bytes/16777216"));
    page.setopt<CURLOPT_VERBOSE>(true)
        .setopt<CURLOPT_DEBUGFUNCTION>([](curl_infotype type, std::span<const char>) {
            if (type == CURLINFO_HEADER_IN)
                throw std::domain_error("from the callback");
        })
        .setopt<CURLOPT_WRITEFUNCTION>([&](std::span<const char> data) {
            came += data.size();
            return data.size();
        });
    EXPECT_THROW(run(multi->add_handle(page)), std::domain_error);
    EXPECT_LT(came, 16777216u);
}

// ---- continuations

/// Where a continuation comes from.
struct continuation_kind {
    std::string name;
    std::function<void(async_multi&, easy, std::function<void()>)> attach;
    friend void PrintTo(const continuation_kind& kind, std::ostream* out) { *out << kind.name; }
};

void ignore(const std::exception_ptr&) {}

const std::vector<continuation_kind> continuation_kinds{
    {"Then",
     [](async_multi& multi, easy page, std::function<void()> look) {
         multi.add_handle(page).then([look](easy&&) { look(); }).detach(ignore);
     }},
    {"ThenResult",
     [](async_multi& multi, easy page, std::function<void()> look) {
         multi.add_handle(page).then_result([look](result<easy>&&) { look(); }).detach(ignore);
     }},
    {"CatchError",
     [](async_multi& multi, easy page, std::function<void()> look) {
         page.setopt<CURLOPT_FAILONERROR>(true);
         page.setopt<CURLOPT_URL>(nginx::shared().http("/status/404"));
         multi.add_handle(page)
             .catch_error([look, page](const std::exception_ptr&) {
                 look();
                 return page;
             })
             .detach(ignore);
     }},
    {"Finally",
     [](async_multi& multi, easy page, std::function<void()> look) {
         multi.add_handle(page).finally(look).detach(ignore);
     }},
    {"FinallyOfACancelled",
     [](async_multi& multi, easy page, std::function<void()> look) {
         auto running = multi.add_handle(page).share();
         running.finally(look).detach(ignore);
         running.cancel();
     }},
    {"Post",
     [](async_multi& multi, easy, std::function<void()> look) { multi.post(look).detach(ignore); }},
    {"Coroutine",
     [](async_multi& multi, easy page, std::function<void()> look) {
         auto body = [](async_multi& multi, easy page, std::function<void()> look) -> task<> {
             co_await multi.perform(page);
             look();
         };
         co_spawn(multi.executor(), body(multi, page, look)).detach(ignore);
     }},
    {"Timeout",
     [](async_multi& multi, easy, std::function<void()> look) {
         multi.add_handle(quiet(nginx::shared().http("/slow/16777216")))
             .timeout(1ms)
             .catch_error([look](const std::exception_ptr& why) -> easy {
                 look();
                 std::rethrow_exception(why);
             })
             .detach(ignore);
     }},
};

class AContinuation : public async_fixture,
                      public ::testing::WithParamInterface<continuation_kind> {
protected:
    void observe(std::function<void()> look) {
        GetParam().attach(*multi, page, [this, look = std::move(look)] {
            ++calls;
            look();
        });
        EXPECT_EQ(calls, 0) << "never inside the call";
    }

    easy page = quiet(url("/hello"));
    int calls = 0;
};

INSTANTIATE_TEST_SUITE_P(Of, AContinuation, ::testing::ValuesIn(continuation_kinds),
                         [](const auto& tested) { return tested.param.name; });

TEST_P(AContinuation, MayCallEverything) {
    std::string body;
    future<easy> added, removed;
    easy running = slow();
    future<easy> cut = multi->add_handle(running);
    run_to([&] { return multi->stats().sockets == 1; });
    observe([&] {
        const easy gone = slow();
        removed = multi->add_handle(gone);
        multi->remove_handle(gone);
        EXPECT_TRUE(removed.ready()) << "nothing of libcurl is on the stack";
        added = multi->add_handle(get("/bytes/1024", body));
        EXPECT_EQ(multi->futures().size(), multi->size());
        if (running.attached()) {
            running.pause(CURLPAUSE_ALL);
            running.unpause();
        }
        EXPECT_TRUE(cut.cancel());
        EXPECT_TRUE(cut.ready());
        multi->setopt<CURLMOPT_MAXCONNECTS>(10);
        multi->ref();
        multi->unref();
        static_cast<void>(multi->post([] {}));
    });
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    EXPECT_EQ(calls, 1);
    ASSERT_TRUE(added.ready());
    EXPECT_TRUE(body == bytes(1 << 10));
    EXPECT_TRUE(removed.cancelled());
}

TEST_P(AContinuation, MayCloseItsMulti) {
    auto sibling = multi->add_handle(slow());
    future<void> closed;
    observe([&] {
        closed = multi->close();
        EXPECT_TRUE(sibling.ready());
    });
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    EXPECT_EQ(calls, 1);
    EXPECT_TRUE(closed.ready());
}

TEST_P(AContinuation, MayDestroyItsMulti) {
    auto sibling = multi->add_handle(slow());
    observe([&] { multi.reset(); });
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    EXPECT_EQ(calls, 1);
    EXPECT_TRUE(sibling.cancelled() && sibling.ready());
}

TEST_P(AContinuation, MayThrow) {
    observe([] { throw std::domain_error("ours"); });
    EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    EXPECT_EQ(calls, 1);
    std::string body;
    run(multi->add_handle(get("/hello", body)));
    EXPECT_EQ(body, "hello\n");
}

} // namespace
