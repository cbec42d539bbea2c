// SPDX-License-Identifier: MIT
// Clients for C, and what curlicue_fetch refuses.
#include "support/c_enumeration.hpp"
#include "support/c_fetch_fixture.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

using namespace curlicue::test;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

const sockaddr& as_address(const sockaddr_in& address) {
    return reinterpret_cast<const sockaddr&>(address);
}

TEST_F(AFetchForC, HasWhatItsClientSays) {
    const auto odd = make_odd_server();
    const auto base = odd.url("/echo/");
    const curlicue_header given{"X-Client", "yes"};
    make_client([&](auto& options) {
        options.base = base.c_str();
        options.headers = &given;
        options.header_count = 1;
        options.user_agent = "me";
    });
    c_fetch page("deeper");
    run(page);
    EXPECT_THAT(page.body,
                AllOf(StartsWith("GET /echo/deeper "), HasSubstr("\r\nX-Client: yes\r\n"),
                      HasSubstr("\r\nUser-Agent: me\r\n")));
}

TEST_F(AFetchForC, TrustsWhomItsClientTrusts) {
    const auto authority = nginx::shared().ca_file().string();
    make_client([&](auto& options) {
        options.version = CURLICUE_HTTP_2;
        options.ca_file = authority.c_str();
    });
    c_fetch page(nginx::shared().https("/hello"));
    page.on_head = [](curlicue_call*, const curlicue_head& head) {
        EXPECT_EQ(head.version, CURLICUE_HTTP_2);
        return 0;
    };
    run(page);
    EXPECT_EQ(page.body, "hello\n") << page.message;
}

TEST_F(AFetchForC, HeedsServersForTlsAlone) {
    const auto authority = nginx::shared().ca_file().string();
    make_client([&](auto& options) {
        options.ca_file = authority.c_str();
        options.hsts = "";
    });
    auto secure = nginx::shared().https("/hsts");
    secure.replace(secure.find("127.0.0.1"), 9, "localhost"); // it is for names
    c_fetch first(secure), second("http" + secure.substr(5));
    run(first);
    EXPECT_EQ(first.answer, 200) << first.message;
    run(second);
    EXPECT_EQ(second.answer, 200) << "400 is for plain text";
}

TEST_F(AFetchForC, FollowsRedirectsAsItsClientDoes) {
    make_client([](auto& options) { options.redirects.mode = CURLICUE_REDIRECT_MANUAL; });
    c_fetch first(url("/redirect")), second(url("/redirect"));
    run(first);
    EXPECT_EQ(first.answer, 302);
    second.request.redirects.mode = CURLICUE_REDIRECT_FOLLOW;
    run(second);
    EXPECT_EQ(second.answer, 200) << "unless it says otherwise";
}

TEST_F(AFetchForC, SaysAtOnceWhatLibcurlCannot) {
    if ((curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP3) != 0)
        GTEST_SKIP() << "this one can";
    curlicue_client_options options{};
    options.size = sizeof options;
    options.version = CURLICUE_HTTP_3_ONLY;
    EXPECT_EQ(curlicue_client_new(multi, &options, &client), CURLICUE_TOO_OLD);
    EXPECT_THAT(curlicue_last_refusal(), HasSubstr("HTTP/3"));
}

TEST_F(AFetchForC, WaitsItsTurnByPriority) {
    make_client([](auto& options) {
        options.per_origin = 1;
        options.most_waiting = 2;
    });
    std::vector<int> order;
    std::vector<std::unique_ptr<c_fetch>> all;
    for (const int priority : {0, 1, 2}) {
        all.push_back(std::make_unique<c_fetch>(url("/hello")));
        all.back()->request.priority = priority;
        all.back()->then = [&order, priority] { order.push_back(priority); };
        ASSERT_EQ(all.back()->start(multi, client), 0);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT_THAT(order, testing::AnyOf(ElementsAre(0, 2, 1), ElementsAre(2, 1, 0)));
    order.clear();
    int refused = 0;
    for (int i = 0; i != 4; ++i) {
        all.push_back(std::make_unique<c_fetch>(url("/hello")));
        auto& one = *all.back();
        one.then = [&] { refused += one.status == CURLICUE_QUEUE_FULL ? 1 : 0; };
        ASSERT_EQ(one.start(multi, client), 0);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT_EQ(refused, 1);
}

TEST_F(AFetchForC, GoesWhereItsClientAllowsIt) {
    std::vector<std::string> asked;
    make_client([&](auto& options) {
        options.data = &asked;
        options.allow_address = [](void* data, const sockaddr* address) {
            const auto& four = reinterpret_cast<const sockaddr_in&>(*address);
            static_cast<std::vector<std::string>*>(data)->emplace_back(inet_ntoa(four.sin_addr));
            return 1;
        };
    });
    c_fetch allowed(url("/hello"));
    run(allowed);
    EXPECT_EQ(allowed.body, "hello\n");
    EXPECT_THAT(asked, ElementsAre("127.0.0.1", "127.0.0.1"));
    make_client([](auto& options) { options.allow_address = &curlicue_public_addresses_only; });
    c_fetch refused(url("/hello"));
    run(refused);
    EXPECT_EQ(refused.status, CURLICUE_ADDRESS_REFUSED);
    EXPECT_EQ(refused.phase, CURLICUE_PHASE_CONNECT);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    inet_aton("8.8.8.8", &address.sin_addr);
    EXPECT_EQ(curlicue_public_addresses_only(nullptr, &as_address(address)), 1);
}

TEST_F(AFetchForC, GoesWhereItAndItsClientAllowIt) {
    bool client_allows = true, request_allows = true;
    make_client([&](auto& options) {
        options.data = &client_allows;
        options.allow_address = [](void* data, const sockaddr*) {
            return *static_cast<bool*>(data) ? 1 : 0;
        };
    });
    const auto status = [&] {
        c_fetch page(url("/hello"));
        page.allow_address = [&](const sockaddr& address) {
            EXPECT_EQ(address.sa_family, AF_INET);
            return request_allows;
        };
        run(page);
        return page.status;
    };
    EXPECT_EQ(status(), CURLICUE_OK);
    request_allows = false;
    EXPECT_EQ(status(), CURLICUE_ADDRESS_REFUSED);
    request_allows = true, client_allows = false;
    EXPECT_EQ(status(), CURLICUE_ADDRESS_REFUSED);
}

TEST_F(AFetchForC, IsCancelledByTheCloseOfItsClient) {
    make_client();
    c_fetch page(url("/slow/16777216")), other(url("/hello"));
    ASSERT_EQ(page.start(multi, client), 0);
    ASSERT_EQ(other.start(multi), 0);
    bool closed = false;
    EXPECT_EQ(curlicue_client_close(
                  client, [](void* data) { *static_cast<bool*>(data) = true; }, &closed),
              0);
    EXPECT_EQ(c_fetch(url("/hello")).start(multi, client), CURLICUE_CLOSED);
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT_TRUE(closed);
    EXPECT_EQ(page.status, CURLICUE_CANCELLED);
    EXPECT_EQ(other.status, CURLICUE_OK) << "of another client";
}

TEST_F(AFetchForC, LeavesConnectionsOfANetworkThatHasChanged) {
    const scripted_server server([](connection& client) {
        while (!client.read_request_head().empty())
            client.write("HTTP/1.1 204 None\r\n\r\n");
    });
    make_client();
    const auto get = [&] {
        c_fetch page(server.url());
        ASSERT_EQ(page.start(multi, client), 0);
        uv_run(&loop, UV_RUN_DEFAULT);
        EXPECT_EQ(page.status, CURLICUE_OK);
    };
    get();
    get();
    EXPECT_EQ(server.accepted(), 1u);
    EXPECT_EQ(curlicue_client_network_changed(client), 0);
    get();
    EXPECT_EQ(server.accepted(), 2u);
}

TEST_F(AFetchForC, MayEndWhileItsClientDrains) {
    make_client();
    c_fetch page(url("/hello"));
    ASSERT_EQ(page.start(multi, client), 0);
    bool closed = false;
    const auto told = [](void* data) { *static_cast<bool*>(data) = true; };
    EXPECT_EQ(curlicue_client_drain(client, 60'000, told, &closed), 0);
    EXPECT_EQ(c_fetch(url("/hello")).start(multi, client), CURLICUE_CLOSED);
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT_TRUE(closed);
    EXPECT_EQ(page.status, CURLICUE_OK);
}

TEST_F(AFetchForC, MayEndWhileItsMultiDrainsButForItsPatience) {
    c_fetch page(url("/hello")), endless(url("/slow/16777216"));
    ASSERT_EQ(page.start(multi), 0);
    ASSERT_EQ(endless.start(multi), 0);
    bool closed = false;
    const auto told = [](void* data) { *static_cast<bool*>(data) = true; };
    EXPECT_EQ(curlicue_multi_drain(multi, 500, told, &closed), 0);
    EXPECT_EQ(c_fetch(url("/hello")).start(multi), CURLICUE_CLOSED);
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT_TRUE(closed);
    EXPECT_EQ(page.status, CURLICUE_OK);
    EXPECT_EQ(endless.status, CURLICUE_CANCELLED);
}

TEST_F(AFetchForC, OutlivesItsClient) {
    make_client();
    c_fetch page(url("/hello"));
    ASSERT_EQ(page.start(multi, client), 0);
    curlicue_client_free(std::exchange(client, nullptr));
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT_EQ(page.body, "hello\n");
    make_client();
    curlicue_multi_free(std::exchange(multi, nullptr)); // and then the client, in TearDown
}

TEST_F(AFetchForC, RefusesAtTheCallWhatIsMalformed) {
    const auto refused = [&](const char* words, auto change) {
        c_fetch page(url("/hello"));
        change(page.request);
        EXPECT_EQ(page.start(multi), CURLICUE_MALFORMED) << words;
        EXPECT_THAT(curlicue_last_refusal(), HasSubstr(words));
        EXPECT_EQ(page.call, nullptr);
        EXPECT_EQ(page.endings, 0);
    };
    static const curlicue_header broken{"X", "a\r\nb"}, nameless{nullptr, "a"}, framing{"TE", "a"};
    static const auto header = [](const curlicue_header& one) {
        return [&one](curlicue_request& what) {
            what.headers = &one;
            what.header_count = 1;
        };
    };
    refused("scheme", [](auto& what) { what.url = "nowhere"; });
    refused("scheme", [](auto& what) { what.url = "ftp://there/"; });
    refused("method", [](auto& what) { what.method = "GET /"; });
    refused("header", header(broken));
    refused("null name", header(nameless));
    refused("TE", header(framing));
    refused("more than one", [](auto& what) { what.body = what.body_file = "body"; });
    refused("body_size", [](auto& what) { what.body_size = 5; });
    refused("body_size", [](auto& what) { what.body = "body", what.body_size = -1; });
    refused("total", [](auto& what) { what.limits.total_ms = -5; });
    refused("retry_policy", [](auto& what) {
        what.retries.attempts = 2;
        what.retries.budget = -1;
    });
    refused("mode", [](auto& what) { put(99, what.redirects.mode); });
    refused("size", [](auto& what) { what.size = 0; });
    c_fetch page(url("/hello"));
    page.request.on_done = nullptr;
    EXPECT_EQ(page.start(multi), CURLICUE_NULL_HANDLE);
    EXPECT_EQ(curlicue_fetch(multi, nullptr, nullptr, nullptr), CURLICUE_NULL_HANDLE);
    EXPECT_THAT(curlicue_last_refusal(), HasSubstr("curlicue_fetch"));
    EXPECT_EQ(curlicue_client_new(multi, nullptr, nullptr), CURLICUE_NULL_HANDLE);
    curlicue_client_options options{};
    options.size = sizeof options;
    options.lowest_tls = "1.1";
    EXPECT_EQ(curlicue_client_new(multi, &options, &client), CURLICUE_MALFORMED);
    EXPECT_EQ(client, nullptr);
    EXPECT_THAT(curlicue_last_refusal(), HasSubstr("tls.lowest"));
    options.lowest_tls = nullptr;
    put(99, options.version);
    EXPECT_EQ(curlicue_client_new(multi, &options, &client), CURLICUE_MALFORMED);
    EXPECT_THAT(curlicue_last_refusal(), HasSubstr("there is no such version"));
    curlicue_multi* other = nullptr;
    ASSERT_EQ(curlicue_multi_new(&loop, nullptr, &other), 0);
    make_client();
    EXPECT_EQ(c_fetch(url("/hello")).start(other, client), CURLICUE_MALFORMED);
    curlicue_multi_free(other);
}

TEST_F(AFetchForC, TakesTheRequestsOfCallersThatKnowMoreOrLess) {
    struct later {
        curlicue_request known;
        void* more = nullptr;
    };
    c_fetch page(url("/hello"));
    ASSERT_EQ(page.start(multi), 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    later newer{page.request};
    newer.known.size = sizeof newer;
    EXPECT_EQ(curlicue_fetch(multi, nullptr, &newer.known, nullptr), 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT_EQ(page.endings, 2);
    newer.more = &newer;
    EXPECT_EQ(curlicue_fetch(multi, nullptr, &newer.known, nullptr), CURLICUE_MALFORMED);
    EXPECT_THAT(curlicue_last_refusal(), HasSubstr("version"));
    make_client([](auto& options) {
        options.size = offsetof(curlicue_client_options, lowest_tls);
        options.lowest_tls = "nonsense"; // which whoever is that old does not know
    });
}

} // namespace
