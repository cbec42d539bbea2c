// SPDX-License-Identifier: MIT
// Multis and easies that go in every order, idle and in flight.
#include "support/files.hpp"
#include "support/multi_driver.hpp"
#include "support/multi_fixture.hpp"
#include "support/scripted_server.hpp"
#include <curlicue/multi.hpp>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

/// How far a transfer is when its multi or easy goes.
enum class phase { added, connecting, waiting, in_body, done, read };

constexpr std::array phases{phase::added,   phase::connecting, phase::waiting,
                            phase::in_body, phase::done,       phase::read};

class MultiAndEasy : public multi_fixture, public ::testing::WithParamInterface<phase> {
protected:
    void SetUp() override {
        transfers.emplace();
        page.emplace(server.url(GetParam() >= phase::done ? "/quick" : "/held"));
        page->setopt<CURLOPT_WRITEDATA>(body);
        transfers->add_handle(*page);
        const patience patience;
        while (!reached()) {
            patience.check();
            transfers->perform();
            transfers->poll(5ms);
        }
    }

    bool reached() {
        switch (GetParam()) {
        case phase::added:
            return true;
        case phase::connecting:
            return !transfers->fdset().write.empty() || !transfers->fdset().read.empty();
        case phase::waiting:
            return requested;
        case phase::in_body:
            return !body.empty();
        case phase::done:
            return transfers->info_read(0).remaining == 1;
        case phase::read:
            return transfers->info_read().succeeded.size() == 1;
        }
        return false;
    }

    std::atomic<bool> requested{false};
    scripted_server server{[this](connection& client) {
        const bool quick = client.read_request_head().find("/quick") != std::string::npos;
        requested = true;
        if (!quick && GetParam() < phase::in_body)
            client.hold();
        client.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
        if (quick)
            client.write("llo");
        client.hold();
    }};
    std::string body;
    std::optional<multi> transfers;
    std::optional<easy> page;
};

std::string name_of(const ::testing::TestParamInfo<phase>& tested) {
    constexpr std::array names{"Added", "Connecting", "Waiting", "InBody", "Done", "Read"};
    return names[static_cast<std::size_t>(tested.param)];
}

INSTANTIATE_TEST_SUITE_P(When, MultiAndEasy, ::testing::ValuesIn(phases), name_of);

TEST_P(MultiAndEasy, GoMultiFirst) {
    transfers.reset();
    EXPECT_FALSE(page->attached());
    EXPECT_FALSE(page->closed());
    page.reset();
}

TEST_P(MultiAndEasy, GoEasyFirst) {
    page.reset();
    transfers.reset();
}

TEST_P(MultiAndEasy, CloseMultiFirst) {
    transfers->close();
    EXPECT_FALSE(page->attached());
    EXPECT_FALSE(page->closed());
    page->close();
}

TEST_P(MultiAndEasy, CloseEasyFirst) {
    page->close();
    EXPECT_FALSE(transfers->contains(*page));
    EXPECT_EQ(transfers->perform(), 0);
    transfers->close();
}

TEST_P(MultiAndEasy, PartAndMeetAgain) {
    transfers->remove_handle(*page);
    multi another;
    another.add_handle(*page);
    another.perform();
    another.remove_handle(*page);
    transfers->add_handle(*page);
    transfers->perform();
}

TEST_P(MultiAndEasy, LeaveTheEasyUsable) {
    transfers.reset();
    body.clear();
    page->setopt<CURLOPT_URL>(url("/hello"));
    page->perform();
    EXPECT_EQ(body, "hello\n");
}

TEST_P(MultiAndEasy, LeaveTheMultiUsable) {
    page->close();
    std::string another_body;
    transfers->add_handle(get("/hello", another_body));
    EXPECT_EQ(run(*transfers).succeeded.size(), 1u);
    EXPECT_EQ(another_body, "hello\n");
}

// ---- what they hold

class WhatAMultiHolds : public multi_fixture {
protected:
    /// An easy whose callable holds a token.
    static easy with(std::shared_ptr<int> token) {
        easy page(url("/hello"));
        page.setopt<CURLOPT_WRITEFUNCTION>(
            [token](std::span<const char> data) { return data.size(); });
        return page;
    }

    std::shared_ptr<int> token = std::make_shared<int>();
    std::optional<multi> transfers{std::in_place};
};

TEST_F(WhatAMultiHolds, GoesWithIt) {
    transfers->add_handle(with(token));
    EXPECT_EQ(token.use_count(), 2);
    transfers.reset();
    EXPECT_EQ(token.use_count(), 1);
}

TEST_F(WhatAMultiHolds, GoesWhenItCloses) {
    transfers->add_handle(with(token));
    run(*transfers);
    EXPECT_EQ(token.use_count(), 2);
    transfers->close();
    EXPECT_EQ(token.use_count(), 1);
}

TEST_F(WhatAMultiHolds, GoesWhenItIsRemoved) {
    transfers->add_handle(with(token));
    info_batch told = run(*transfers);
    transfers->remove_handle(told.succeeded.at(0));
    told.succeeded.clear();
    EXPECT_EQ(token.use_count(), 1);
}

TEST_F(WhatAMultiHolds, MayBeItselfUntilItCloses) {
    auto self = std::make_shared<multi>();
    self->setopt<CURLMOPT_TIMERFUNCTION>([self, held = token](auto) { return 0; });
    multi& driven = *self;
    self.reset();
    EXPECT_EQ(token.use_count(), 2);
    driven.close(); // which is its end
    EXPECT_EQ(token.use_count(), 1);
}

TEST_F(WhatAMultiHolds, IsLetGoOfByTheCallThatACallbackDestroyedItIn) {
    easy page = with(token);
    page.setopt<CURLOPT_HEADERFUNCTION>([&](std::string_view header) {
        transfers.reset();
        EXPECT_EQ(token.use_count(), 2);
        return header.size();
    });
    transfers->add_handle(std::move(page));
    const patience patience;
    while (transfers) {
        patience.check();
        multi& driven = *transfers;
        driven.perform();
    }
    EXPECT_EQ(token.use_count(), 1);
}

TEST_F(WhatAMultiHolds, IsNoDescriptorOnceItIsClosed) {
    const auto before = open_descriptors();
    for (int i = 0; i < 20; ++i) {
        multi passing;
        std::string body;
        passing.add_handle(get("/hello", body));
        run(passing);
        EXPECT_EQ(body, "hello\n");
    }
    EXPECT_EQ(open_descriptors(), before);
}

} // namespace
