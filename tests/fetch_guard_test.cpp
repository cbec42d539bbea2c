// SPDX-License-Identifier: MIT
// Where a client may connect to, and what it does of itself.
#include "support/fetch_fixture.hpp"
#include "support/temporary_directory.hpp"
#include <curlicue/share.hpp>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

using namespace curlicue;
using namespace curlicue::test;

namespace {

bool is_public(const std::string& text) {
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    v4.sin_family = AF_INET;
    v6.sin6_family = AF_INET6;
    if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1)
        return public_addresses_only(reinterpret_cast<const sockaddr&>(v4));
    EXPECT_EQ(inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr), 1) << text;
    return public_addresses_only(reinterpret_cast<const sockaddr&>(v6));
}

TEST(AnAddress, IsPublicOrNot) {
    for (const char* text :
         {"1.1.1.1",        "9.255.255.255",    "11.0.0.0",        "100.63.255.255",
          "100.128.0.0",    "126.255.255.255",  "128.0.0.0",       "169.253.0.1",
          "169.255.0.1",    "172.15.255.255",   "172.32.0.0",      "192.0.1.0",
          "192.167.0.1",    "192.169.0.1",      "198.17.255.255",  "198.20.0.0",
          "203.0.114.0",    "223.255.255.255",  "2606:4700::1111", "2a00::1",
          "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1"})
        EXPECT_TRUE(is_public(text)) << text;
    for (const char* text :
         {"0.0.0.0", "0.1.2.3", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255",
          "127.0.0.1", "127.255.255.255", "169.254.169.254", "172.16.0.0", "172.31.255.255",
          "192.0.0.1", "192.0.2.1", "192.168.0.1", "198.18.0.0", "198.19.255.255", "198.51.100.1",
          "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
          // IPv6, and forms of IPv4 in it
          "::", "::1", "fe80::1", "febf::1", "fc00::1", "fdff::1", "fec0::1", "ff02::1",
          "2001:db8::1", "3fff::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
          "::127.0.0.1", "::10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::a00:1",
          "2002:7f00:1::1", "2002:a00:1::1", "2001:0:7f00:1::1",
          "2001:0:4136:e378:8000:63bf:3fff:fdd2"})
        EXPECT_FALSE(is_public(text)) << text;
    sockaddr local{};
    local.sa_family = AF_UNIX;
    EXPECT_FALSE(public_addresses_only(local));
}

TEST_F(AFetch, AsksBeforeItConnects) {
    int asked = 0;
    const auto before = odd.accepted();
    const client guarded(*multi, {.allow_address = [&](const sockaddr& address) {
        ++asked;
        return address.sa_family != AF_INET;
    }});
    const auto error = error_of([&] { run(guarded.get(odd.url("/echo"))); });
    EXPECT_EQ(error.code(), errc::address_refused);
    EXPECT_EQ(error.phase(), fetch_phase::connect);
    EXPECT_EQ(asked, 1);
    EXPECT_EQ(odd.accepted(), before);
    const client strict(*multi, {.allow_address = &public_addresses_only});
    EXPECT_EQ(error_of([&] { run(strict.get(url("/hello"))); }).code(), errc::address_refused);
}

TEST_F(AFetch, ConnectsToAnAddressThatIsAllowed) {
    const auto at = odd.url("");
    const auto port = at.substr(at.rfind(':') + 1);
    const client guarded(
        *multi, {.resolve = {"somewhere.test:" + port + ":127.0.0.2,127.0.0.1"},
                 .allow_address = [](const sockaddr& address) {
                     return reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr ==
                            htonl(INADDR_LOOPBACK);
                 }});
    response one = run(guarded.get("http://somewhere.test:" + port + "/echo"));
    EXPECT_EQ(one.remote_address(), "127.0.0.1");
}

TEST_F(AFetch, AsksItsRequestsGuardToo) {
    const auto refuses = [](const sockaddr&) { return false; };
    int asked = 0;
    const client guarded(*multi, {.allow_address = [&](const sockaddr&) { return ++asked > 0; }});
    for (const auto* one : {&guarded, &std::as_const(*made)})
        EXPECT_EQ(error_of([&] {
                      run(one->fetch({.url = odd.url("/echo"), .allow_address = refuses}));
                  }).code(),
                  errc::address_refused);
    EXPECT_EQ(asked, 1);
    EXPECT_EQ(odd.accepted(), 0u);
    const client by_socket(*multi, {.unix_socket = "/tmp/nowhere"});
    EXPECT_THROW(
        static_cast<void>(by_socket.fetch({.url = url("/hello"), .allow_address = refuses})),
        std::invalid_argument);
}

TEST_F(AFetch, AsksAgainBeforeItSends) {
    std::vector<std::string> asked;
    const client guarded(*multi, {.allow_address = [&](const sockaddr& address) {
        EXPECT_EQ(address.sa_family, AF_INET);
        const auto port = ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
        asked.push_back(":" + std::to_string(port) + "/");
        return true;
    }});
    EXPECT_EQ(run(guarded.get(odd.url("/echo"))).status(), 200);
    ASSERT_EQ(asked.size(), 2u) << "as it opens a socket, and as it sends";
    for (const auto& port : asked)
        EXPECT_TRUE(has(odd.url(), port)) << port;
}

TEST_F(AFetch, AsksAgainOfAConnectionThatIsKept) {
    const auto before = odd.accepted();
    const auto first = text_of(odd.url("/echo"));
    const client guarded(*multi, {.allow_address = [](const sockaddr&) { return false; }});
    std::string seen;
    EXPECT_EQ(error_of([&] { run(guarded.get(odd.url("/echo"))); }).code(), errc::address_refused);
    EXPECT_EQ(odd.accepted(), before + 1) << "it was refused on the connection that was kept";
    EXPECT_EQ(text_of(odd.url("/echo")), first);
}

TEST_F(AFetch, AsksAtEachHop) {
    int asked = 0;
    const client guarded(*multi, {.allow_address = [&](const sockaddr& address) {
        EXPECT_EQ(address.sa_family, AF_INET);
        return ++asked <= 2; // the first hop only
    }});
    const scripted_server away(for_each_request([&](connection& client, const std::string&) {
        return client.write("HTTP/1.1 302 Found\r\nLocation: " + odd.url("/echo") +
                            "\r\nContent-Length: 0\r\n\r\n");
    }));
    EXPECT_EQ(error_of([&] { run(guarded.get(away.url())); }).code(), errc::address_refused);
}

TEST_F(AFetch, LetsTweakUndoTheGuardForOneRequest) {
    const client guarded(*multi, {.allow_address = [](const sockaddr&) { return false; }});
    response one = run(guarded.fetch({.url = url("/hello"), .tweak = [](easy& handle) {
                                          handle.unset<CURLOPT_OPENSOCKETFUNCTION>();
                                          handle.unset<CURLOPT_PREREQFUNCTION>();
                                      }}));
    EXPECT_EQ(run(one.text()), "hello\n");
    EXPECT_EQ(error_of([&] { run(guarded.get(url("/hello"))); }).code(), errc::address_refused);
}

TEST_F(AFetch, SpeaksHttpAlone) {
    for (const char* where :
         {"ftp://127.0.0.1/", "file:///etc/hosts", "ws://127.0.0.1/", "gopher://a/"})
        EXPECT_THROW(static_cast<void>(made->get(where)), std::invalid_argument) << where;
}

TEST_F(AFetch, VerifiesTheServer) {
    const auto error = error_of([&] { run(fetch(*multi, nginx::shared().https("/hello"))); });
    EXPECT_EQ(error.code(), CURLE_PEER_FAILED_VERIFICATION);
    EXPECT_EQ(error.phase(), fetch_phase::tls);
    const client pinned(*multi,
                        {.tls = {.ca_file = nginx::shared().ca_file().string(),
                                 .pins = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}});
    EXPECT_EQ(error_of([&] { run(pinned.get(nginx::shared().https("/hello"))); }).code(),
              CURLE_SSL_PINNEDPUBKEYNOTMATCH);
}

/// Sets a variable of the environment, for a while.
class environment {
public:
    environment(const char* name, const std::string& value) : name_(name) {
        setenv(name, value.c_str(), 1);
    }
    ~environment() { unsetenv(name_); }
    environment(const environment&) = delete;
    environment& operator=(const environment&) = delete;

private:
    const char* name_;
};

TEST_F(AFetch, HasNoProxyFromTheEnvironment) {
    {
        const environment proxy("http_proxy", "http://127.0.0.1:1");
        EXPECT_EQ(text_of(url("/hello")), "hello\n");
    }
    const scripted_server proxy(for_each_request([](connection& client, const std::string& head) {
        return client.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(head.size()) +
                            "\r\n\r\n" + head);
    }));
    const environment none("no_proxy", "*");
    const client behind(*multi,
                        {.proxy = {.url = proxy.url(), .user = "me", .password = "secret"}});
    response one = run(behind.get("http://somewhere.test/path"));
    const auto head = run(one.text());
    EXPECT_TRUE(head.starts_with("GET http://somewhere.test/path HTTP/1.1\r\n")) << head;
    EXPECT_TRUE(has(head, "Proxy-Authorization: Basic ")) << head;
    const client beside(*multi, {.proxy = {.url = proxy.url(), .no_proxy = "127.0.0.1"}});
    response direct = run(beside.get(url("/hello")));
    EXPECT_EQ(run(direct.text()), "hello\n");
}

TEST_F(AFetch, ShowsNoHeadOfAProxysTunnel) {
    const scripted_server proxy([](connection& client) {
        EXPECT_TRUE(client.read_request_head().starts_with("CONNECT somewhere.test:80 "));
        client.write("HTTP/1.1 200 Established\r\nX-Proxy: 1\r\n\r\n");
        EXPECT_TRUE(client.read_request_head().starts_with("GET / "));
        client.write("HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok");
    });
    const client behind(*multi, {.proxy = {.url = proxy.url()}});
    response one = run(behind.fetch({.url = "http://somewhere.test/", .tweak = [](easy& handle) {
                                         handle.setopt<CURLOPT_HTTPPROXYTUNNEL>(true);
                                     }}));
    EXPECT_EQ(one.status(), 202);
    EXPECT_FALSE(one.headers().contains("X-Proxy"));
    EXPECT_EQ(run(one.text()), "ok");
}

TEST_F(AFetch, HasCookiesOnlyWithAShareOfThem) {
    static_cast<void>(run(made->get(url("/cookie"))));
    EXPECT_FALSE(has(text_of(url("/request")), "taste"));
    const client with(*multi, {.share = std::make_shared<share>(
                                   std::initializer_list<curl_lock_data>{CURL_LOCK_DATA_COOKIE})});
    static_cast<void>(run(with.get(url("/cookie"))));
    response one = run(with.get(url("/request")));
    EXPECT_TRUE(has(run(one.text()), "taste=sweet"));
}

// What says so is heeded over TLS alone (RFC 6797 8.1), and not from an address without a name.
class AServerForTlsAlone : public AFetch {
protected:
    void SetUp() override {
        AFetch::SetUp();
        secure = nginx::shared().https("/hsts");
        secure.replace(secure.find("127.0.0.1"), 9, "localhost");
        plain = "http" + secure.substr(5);
    }
    client heeding(std::string file = "") {
        return client(*multi, {.tls = {.ca_file = nginx::shared().ca_file().string()},
                               .hsts = std::move(file)});
    }
    std::string secure, plain;
};

TEST_F(AServerForTlsAlone, IsAskedOverTlsOnceItHasSaidSo) {
    const auto one = heeding();
    EXPECT_EQ(run(one.get(plain)).status(), 400) << "plain text to a port for TLS";
    EXPECT_EQ(run(one.get(secure)).status(), 200);
    response upgraded = run(one.get(plain));
    EXPECT_EQ(upgraded.status(), 200);
    EXPECT_EQ(upgraded.url(), secure);
    EXPECT_EQ(run(heeding().get(plain)).status(), 400) << "of another client nobody knows";
    EXPECT_EQ(run(made->get(plain)).status(), 400);
}

TEST_F(AServerForTlsAlone, IsRememberedInAFile) {
    const temporary_directory directory;
    const auto file = (directory / "hsts").string();
    {
        const auto one = heeding(file);
        EXPECT_EQ(run(one.get(secure)).status(), 200);
        run(one.close());
    }
    turn(3); // of the close something is left on the loop
    EXPECT_TRUE(has(read_file(file), "localhost"));
    EXPECT_EQ(run(heeding(file).get(plain)).status(), 200);
}

TEST_F(AServerForTlsAlone, LeadsNowhereElse) {
    const auto one = heeding();
    EXPECT_EQ(run(one.get(secure)).status(), 200);
    plain.replace(plain.find("/hsts"), 5, "/hsts/to/http");
    EXPECT_EQ(error_of([&] { run(one.get(plain)); }).code(), errc::redirect_refused)
        << "from what has become https";
}

TEST_F(AFetch, HasOneShareAlone) {
    const auto mine =
        std::make_shared<share>(std::initializer_list<curl_lock_data>{CURL_LOCK_DATA_DNS});
    EXPECT_THROW(client(*multi, {.share = mine, .hsts = ""}), std::invalid_argument);
}

TEST_F(AFetch, SaysAtOnceWhatLibcurlCannot) {
    const auto features = curl_version_info(CURLVERSION_NOW)->features;
    for (const auto version : {http_version::http3, http_version::http3_only}) {
        if ((features & CURL_VERSION_HTTP3) != 0)
            EXPECT_NO_THROW(client(*multi, {.version = version}));
        else
            EXPECT_EQ(failure_of([&] { client(*multi, {.version = version}); }), errc::too_old);
    }
}

TEST_F(AFetch, MayGoToAUnixSocket) {
    const client local(*multi, {.unix_socket = nginx::shared().unix_socket().string()});
    response one = run(local.get("http://somewhere.test/hello"));
    EXPECT_EQ(run(one.text()), "hello\n");
}

TEST_F(AFetch, ResolvesAsItIsTold) {
    const auto at = odd.url("");
    const auto port = at.substr(at.rfind(':') + 1, at.find('/', 7) - at.rfind(':') - 1);
    const client told(*multi, {.resolve = {"somewhere.test:" + port + ":127.0.0.1"}});
    response one = run(told.get("http://somewhere.test:" + port + "/echo"));
    EXPECT_TRUE(has(run(one.text()), "Host: somewhere.test"));
}

} // namespace
