// SPDX-License-Identifier: MIT
// Servers that are not who they say, or whose TLS is broken.
#include "support/attacked_multi.hpp"
#include "support/files.hpp"
#include "support/python_server.hpp"
#include "support/scripted_server.hpp"
#include "support/temporary_directory.hpp"
#include <curlicue/async_multi.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;
using testing::AnyOf;

namespace {

/// What broken_tls.py says.
std::string whole_body() {
    std::string body;
    for (int i = 0; i < 256 * 64; ++i)
        body += static_cast<char>(i % 256);
    return body;
}

/// A server with a certificate for 127.0.0.1 that vouches for itself.
class certified_server {
public:
    /// @param days how long the certificate is good; none, and it has expired already
    explicit certified_server(int days = 2)
        : server_("broken_tls.py", {certificate(days), directory_ / "key"}) {}

    std::string url(std::string_view path) const { return server_.url("https://127.0.0.1", path); }
    std::string ca_file() const { return directory_ / "certificate"; }

private:
    std::string certificate(int days) const {
        const auto openssl = [this](std::vector<std::string> words) {
            words.insert(words.begin(), "openssl");
            run_program(std::move(words), directory_ / "openssl.log");
        };
        write_file(directory_ / "names", "subjectAltName=IP:127.0.0.1\n");
        openssl({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                 "/CN=127.0.0.1", "-keyout", directory_ / "key", "-out", directory_ / "request"});
        openssl({"x509", "-req", "-in", directory_ / "request", "-signkey", directory_ / "key",
                 "-extfile", directory_ / "names", "-days", std::to_string(days), "-out",
                 directory_ / "certificate"});
        return directory_ / "certificate";
    }

    temporary_directory directory_;
    python_server server_;
};

// X509_V_ERR_… of OpenSSL, which CURLINFO_SSL_VERIFYRESULT tells
constexpr long expired = 10;
constexpr long self_signed = 18;

class ATlsTransfer : public AnAttackedMulti {
protected:
    static const certified_server& server() {
        static const certified_server instance;
        return instance;
    }
    static std::function<void(easy&)> trusting(const std::string& ca_file) {
        return [ca_file](easy& page) {
            page.setopt<CURLOPT_CAINFO>(ca_file);
            page.setopt<CURLOPT_HTTP_VERSION>(CURL_HTTP_VERSION_1_1);
        };
    }

    /// Twenty transfers at once, which end as one does alone.
    const attempt& twenty_of(std::string_view path) {
        const auto prepare = trusting(server().ca_file());
        for (int i = 0; i < 20; ++i)
            start(server().url(path), prepare);
        finish();
        easy again = quiet(server().url(path));
        prepare(again);
        const std::error_code alone = ended_alone(again);
        for (const attempt& each : attempts)
            EXPECT_EQ(each.code, alone) << each.page.error();
        close();
        return attempts.front();
    }
};

// ---- who it is

TEST_F(ATlsTransfer, AcceptsACertificateThatItKnows) {
    EXPECT_FALSE(twenty_of("/length/notify").code);
}

TEST_F(ATlsTransfer, RefusesASelfSignedCertificate) {
    const attempt& page = fetch(server().url("/length/notify"));
    EXPECT_EQ(page.code, CURLE_PEER_FAILED_VERIFICATION);
    EXPECT_EQ(page.page.getinfo<CURLINFO_SSL_VERIFYRESULT>(), self_signed);
    EXPECT_EQ(page.body, "");
}

TEST_F(ATlsTransfer, RefusesAnExpiredCertificate) {
    const certified_server late(0); // openssl 3.5 refuses fewer
    const attempt& page = fetch(late.url("/length/notify"), trusting(late.ca_file()));
    EXPECT_EQ(page.code, CURLE_PEER_FAILED_VERIFICATION);
    EXPECT_EQ(page.page.getinfo<CURLINFO_SSL_VERIFYRESULT>(), expired);
    EXPECT_EQ(page.body, "");
}

TEST_F(ATlsTransfer, RefusesTheCertificateOfAnotherHost) {
    std::string other = server().url("/length/notify");
    other.replace(other.find("127.0.0.1"), 9, "other.test");
    const attempt& page = fetch(other, [](easy& handle) {
        handle.setopt<CURLOPT_CONNECT_TO>({"other.test::127.0.0.1:"});
        handle.setopt<CURLOPT_CAINFO>(server().ca_file());
    });
    EXPECT_EQ(page.code, CURLE_PEER_FAILED_VERIFICATION);
    EXPECT_EQ(page.body, "");
}

// ---- what it says

TEST_F(ATlsTransfer, RefusesWhatIsNoServerHello) {
    const scripted_server plain([](connection& client) {
        client.write("HTTP/1.1 400 Bad Request\r\n\r\nThis server speaks HTTP, not TLS.\r\n");
        client.hold();
    });
    std::string url = plain.url();
    url.replace(0, 4, "https");
    for (int i = 0; i < 20; ++i)
        start(url, trusting(server().ca_file()));
    finish();
    for (const attempt& each : attempts)
        EXPECT_EQ(each.code, CURLE_SSL_CONNECT_ERROR) << each.page.error();
    close();
}

TEST_F(ATlsTransfer, FailsAtARecordThatNobodyCanDecrypt) {
    for (const char* path : {"/length/record", "/close/record"}) {
        const attempt& page = fetch(server().url(path), trusting(server().ca_file()));
        EXPECT_EQ(page.code, CURLE_RECV_ERROR) << page.page.error();
        EXPECT_EQ(page.body, whole_body().substr(0, page.body.size()));
        EXPECT_LE(page.body.size(), whole_body().size() / 2);
    }
    close();
}

TEST_F(ATlsTransfer, NeedsNoCloseNotifyWhereTheLengthIsKnown) {
    EXPECT_FALSE(twenty_of("/length/silent").code);
    for (const attempt& each : attempts)
        EXPECT_TRUE(each.body == whole_body());
}

TEST_F(ATlsTransfer, EndsWithACloseNotifyWhereTheLengthIsNot) {
    EXPECT_FALSE(twenty_of("/close/notify").code);
    for (const attempt& each : attempts)
        EXPECT_TRUE(each.body == whole_body());
}

// libcurl 7.88 tells OpenSSL 3 to take that for an end (SSL_OP_IGNORE_UNEXPECTED_EOF).
TEST_F(ATlsTransfer, LeavesItToLibcurlWhetherAnEndWithoutCloseNotifyIsOne) {
    EXPECT_THAT(twenty_of("/close/silent").code.value(), AnyOf(CURLE_OK, CURLE_RECV_ERROR));
    for (const attempt& each : attempts)
        EXPECT_TRUE(each.body == whole_body());
}

// ---- where it is cut

class ACutTlsConnection : public ATlsTransfer, public ::testing::WithParamInterface<bool> {
protected:
    static std::string behind(const scripted_server& proxy) {
        std::string url = proxy.url("/hello");
        return url.replace(0, 4, "https");
    }
    static std::uint16_t upstream() {
        const std::string url = nginx::shared().https("");
        return static_cast<std::uint16_t>(std::stoul(url.substr(url.rfind(':') + 1)));
    }
    /// Each with a handshake of its own: one that resumes a session is shorter by a certificate.
    static void prepare(easy& page) {
        trusting(nginx::shared().ca_file())(page);
        page.setopt<CURLOPT_SSL_SESSIONID_CACHE>(false);
        page.setopt<CURLOPT_FRESH_CONNECT>(true).setopt<CURLOPT_FORBID_REUSE>(true);
    }
    /// What the server has said when the transfer is over.
    std::size_t size_of_all() {
        std::atomic<std::size_t> said{0};
        {
            const scripted_server proxy(
                [&](connection& client) { said = client.relay(upstream(), std::string::npos); });
            EXPECT_EQ(fetch(behind(proxy), trusting(nginx::shared().ca_file())).body, "hello\n");
        } // which goes first, or the server might say goodbye to the client's goodbye
        close();
        multi.emplace(&loop);
        return said;
    }
};

TEST_P(ACutTlsConnection, EndsOnceAndWithAnErrorUnlessAllHasCome) {
    constexpr std::size_t step = 8;
    const std::size_t all = size_of_all();
    std::atomic<std::size_t> next{0};
    const scripted_server proxy([&](connection& client) {
        client.relay(upstream(), step * next++);
        if (GetParam())
            client.reset();
    });
    for (std::size_t cut = 0; cut < all; cut += step)
        start(behind(proxy), &prepare);
    finish();
    EXPECT_GT(attempts.size(), 100u);
    std::size_t complete = 0;
    for (const attempt& each : attempts) {
        EXPECT_THAT(each.code.value(),
                    AnyOf(CURLE_OK, CURLE_COULDNT_CONNECT, CURLE_SSL_CONNECT_ERROR,
                          CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING));
        EXPECT_EQ(each.body, each.code ? "" : "hello\n") << "the reply is one record";
        complete += each.code ? 0 : 1;
    }
    EXPECT_LE(complete, 2u) << "a signature is a byte or two longer at times";
    close();
}

INSTANTIATE_TEST_SUITE_P(By, ACutTlsConnection, ::testing::Bool(),
                         [](const auto& info) { return std::string(info.param ? "Rst" : "Fin"); });

} // namespace
