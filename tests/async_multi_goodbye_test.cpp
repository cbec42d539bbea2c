// SPDX-License-Identifier: MIT
// What libcurl says to a server when it lets go of a transfer or a connection: it waits for the
// answer, and the loop would with it.
#include "support/async_fixture.hpp"
#include "support/files.hpp"
#include "support/pingpong_server.hpp"
#include <curlicue/async_multi.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

// Longer than anything takes, and shorter than libcurl waits for an answer (two minutes).
constexpr auto watchdog = 60s;

// Mails that are called off. ----------------------------------------------------------------------

enum class way { cancel, timeout, remove_handle, close, close_easy, drain };
struct called_off {
    const char* scheme;
    way how;
    bool paused = false;
    bool borrowed = false;

    // All bytes of it, which googletest prints else, are not there.
    friend void PrintTo(const called_off& tested, std::ostream* to) { *to << tested.scheme; }
};

std::string name_of(const testing::TestParamInfo<called_off>& tested) {
    constexpr std::array ways{"Cancel", "Timeout", "RemoveHandle", "Close", "CloseEasy", "Drain"};
    std::string name(tested.param.scheme);
    name += ways.at(static_cast<std::size_t>(tested.param.how));
    return name + (tested.param.paused ? "Paused" : "") + (tested.param.borrowed ? "Borrowed" : "");
}

class ACalledOffMail : public async_fixture, public testing::WithParamInterface<called_off> {
protected:
    static constexpr curl_off_t whole = 64'000'000;

    static std::size_t fill(char* room, std::size_t size) {
        for (std::size_t i = 0; i != size; ++i)
            room[i] = i % 64 == 62 ? '\r' : i % 64 == 63 ? '\n' : 'm';
        return size;
    }
    static std::size_t read(char* room, std::size_t, std::size_t size, void* test) noexcept {
        return static_cast<ACalledOffMail*>(test)->give(room, size);
    }
    std::size_t give(char* room, std::size_t size) {
        if (given > 1'000'000 && GetParam().paused)
            return CURL_READFUNC_PAUSE;
        given += static_cast<curl_off_t>(size);
        return fill(room, size);
    }
    void prepare(CURL* raw) {
        const bool imap = std::string_view(GetParam().scheme).starts_with("imap");
        curl_easy_setopt(raw, CURLOPT_URL, server.url(imap ? "/INBOX" : "/me").c_str());
        curl_easy_setopt(raw, CURLOPT_MAIL_FROM, "<a@example.org>");
        recipients.reset(curl_slist_append(nullptr, "<b@example.org>"));
        curl_easy_setopt(raw, CURLOPT_MAIL_RCPT, recipients.get());
        curl_easy_setopt(raw, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(raw, CURLOPT_INFILESIZE_LARGE, whole);
        curl_easy_setopt(raw, CURLOPT_READFUNCTION, &ACalledOffMail::read);
        curl_easy_setopt(raw, CURLOPT_READDATA, this);
        curl_easy_setopt(raw, CURLOPT_CAINFO, nginx::shared().ca_file().c_str());
        curl_easy_setopt(raw, CURLOPT_NOSIGNAL, 1L);
    }

    const pingpong_server server{GetParam().scheme};
    std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> recipients{nullptr,
                                                                           &curl_slist_free_all};
    std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> raw{curl_easy_init(), &curl_easy_cleanup};
    curl_off_t given = 0;
};

TEST_P(ACalledOffMail, IsDeliveredToNobody) {
    const auto how = GetParam().how;
    easy mail = GetParam().borrowed ? easy::borrow(raw.get()) : easy();
    prepare(mail.native_handle());
    auto sent = multi->add_handle(mail);
    run_to([this] { return given > 1'000'000; });
    if (GetParam().paused) {
        int turns = 0;
        host_timer host(loop, [&] { ++turns; });
        run_to([&] { return turns == 20; });
    }
    switch (how) {
    case way::cancel:
        sent.cancel();
        break;
    case way::timeout:
        EXPECT_EQ(failure_of([&] { run(std::move(sent).timeout(1ms)); }), std::errc::timed_out);
        break;
    case way::remove_handle:
        multi->remove_handle(mail);
        break;
    case way::close:
        run(multi->close());
        break;
    case way::close_easy:
        mail.close();
        break;
    case way::drain:
        run(multi->drain(1ms));
        break;
    }
    EXPECT_EQ(server.count("accepted", 1), 0u) << server.log();
    EXPECT_LT(multi->stats().libcurl_longest, watchdog);
}

INSTANTIATE_TEST_SUITE_P(
    All, ACalledOffMail,
    testing::Values(called_off{"smtp", way::cancel}, called_off{"smtp", way::timeout},
                    called_off{"smtp", way::remove_handle}, called_off{"smtp", way::close},
                    called_off{"smtp", way::close_easy}, called_off{"smtp", way::drain},
                    called_off{"smtps", way::cancel}, called_off{"imap", way::cancel},
                    called_off{"imap", way::close}, called_off{"imaps", way::cancel},
                    called_off{"smtp", way::cancel, true},
                    called_off{"smtp", way::cancel, false, true},
                    called_off{"smtp", way::cancel, true, true}),
    name_of);

// Connections that are kept. ----------------------------------------------------------------------

struct kept {
    const char* scheme;
    bool borrowed = false;

    friend void PrintTo(const kept& tested, std::ostream* to) { *to << tested.scheme; }
};

class AKeptConnection : public async_fixture, public testing::WithParamInterface<kept> {
protected:
    easy transfer() {
        raw.emplace_back(curl_easy_init(), &curl_easy_cleanup);
        easy made = GetParam().borrowed ? easy::borrow(raw.back().get()) : easy();
        CURL* const handle = made.native_handle();
        const bool mail = std::string_view(GetParam().scheme).starts_with("smtp");
        curl_easy_setopt(handle, CURLOPT_URL, server.url(mail ? "/me" : "/1").c_str());
        curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &ignore);
        curl_easy_setopt(handle, CURLOPT_CAINFO, nginx::shared().ca_file().c_str());
        curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
        if (mail)
            curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, "NOOP");
        return made;
    }
    static std::size_t ignore(char*, std::size_t, std::size_t size, void*) noexcept { return size; }

    const pingpong_server server{GetParam().scheme};
    std::vector<std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>> raw;
};

TEST_P(AKeptConnection, IsLeftWithoutAWordAtTheEnd) {
    run(multi->add_handle(transfer()));
    close();
    const auto descriptors = open_descriptors(); // with those that a first transfer opens for all
    multi.emplace(&loop);
    std::vector<future<easy>> all;
    for (int i = 0; i != 3; ++i)
        all.push_back(multi->add_handle(transfer()));
    run(gather(std::move(all)));
    run(multi->add_handle(transfer())); // over one of those three
    close();
    EXPECT_EQ(server.count("goodbye", 4), 0u) << server.log();
    EXPECT_LT(multi->stats().libcurl_longest, watchdog);
    EXPECT_LE(open_descriptors(), descriptors);
}

TEST_P(AKeptConnection, IsUsedAgain) {
    const long each = std::string_view(GetParam().scheme) == "ftp" ? 1 : 0; // for the data
    for (int i = 0; i != 3; ++i) {
        const easy done = run(multi->add_handle(transfer()));
        EXPECT_EQ(done.getinfo<CURLINFO_NUM_CONNECTS>(), each + (i == 0 ? 1 : 0));
    }
    // One that is called off takes nobody else's connection with it.
    auto unwanted = multi->add_handle(transfer());
    unwanted.cancel();
    run(multi->add_handle(transfer()));
    close();
}

INSTANTIATE_TEST_SUITE_P(All, AKeptConnection,
                         testing::Values(kept{"ftp"}, kept{"smtp"}, kept{"imap"}, kept{"pop3"},
                                         kept{"imaps"}, kept{"pop3s"}, kept{"ftp", true}),
                         [](const auto& tested) {
                             return std::string(tested.param.scheme) +
                                    (tested.param.borrowed ? "Borrowed" : "");
                         });

// So curl keeps its connections between its transfers. Of a borrowed handle only libcurl knows.
class AConnectionOfAShare : public AKeptConnection {};

TEST_P(AConnectionOfAShare, IsLeftToIt) {
    const std::unique_ptr<CURLSH, decltype(&curl_share_cleanup)> shared(curl_share_init(),
                                                                        &curl_share_cleanup);
    curl_share_setopt(shared.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT);
    const auto connections_of_one = [&] {
        easy made = transfer();
        curl_easy_setopt(made.native_handle(), CURLOPT_SHARE, shared.get());
        const long count = run(multi->add_handle(std::move(made))).getinfo<CURLINFO_NUM_CONNECTS>();
        raw.back().reset();
        return count;
    };
    const long first = connections_of_one();
    close();
    multi.emplace(&loop);
    EXPECT_EQ(connections_of_one(), first - 1);
    EXPECT_EQ(server.count("goodbye", 0), 0u);
    close();
    raw.clear();
}

INSTANTIATE_TEST_SUITE_P(All, AConnectionOfAShare,
                         testing::Values(kept{"ftp", true}, kept{"pop3", true},
                                         kept{"imaps", true}),
                         [](const auto& tested) { return std::string(tested.param.scheme); });

// What is left of a burst is closed while others run.
class AnIdleShardOfFtp : public async_fixture {};

TEST_F(AnIdleShardOfFtp, IsClosedWithoutAWord) {
    const pingpong_server server("ftp");
    std::vector<future<easy>> all;
    for (int i = 0; i != 40; ++i)
        all.push_back(multi->add_handle(quiet(server.url("/1"))));
    run(gather(std::move(all)));
    EXPECT_EQ(multi->stats().shards, 2u);
    multi->setopt<CURLMOPT_MAXCONNECTS>(100); // which one multi handle has to keep
    run_to([this] { return multi->stats().shards == 1; });
    EXPECT_EQ(server.count("goodbye", 8), 0u);
    EXPECT_LT(multi->stats().libcurl_longest, watchdog);
}

} // namespace
