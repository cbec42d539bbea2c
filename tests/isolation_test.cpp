// SPDX-License-Identifier: MIT
// What one transfer leaves to the next, and to others: nothing that they have not asked for.
#include "support/async_fixture.hpp"
#include "support/python_server.hpp"
#include "support/scripted_server.hpp"
#include "support/server_process.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/easy_pool.hpp>
#include <curlicue/share.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <dlfcn.h>
#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;

namespace {

CURLcode code_of(const std::error_code& failure) { return static_cast<CURLcode>(failure.value()); }

// TLS. --------------------------------------------------------------------------------------------

/// How an application looks at certificates itself, by libcurl's manual.
using verifier = int (*)(void* store, void* argument);

template <class Function> Function* function_of_openssl(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_DEFAULT, name));
}

void set_verifier(void* context, verifier verify, void* argument) {
    function_of_openssl<void(void*, verifier, void*)>("SSL_CTX_set_cert_verify_callback")(
        context, verify, argument);
}

void set_verdict(void* store, bool accepts) {
    constexpr int refused = 50; // X509_V_ERR_APPLICATION_VERIFICATION
    function_of_openssl<void(void*, int)>("X509_STORE_CTX_set_error")(store, accepts ? 0 : refused);
}

class AnEasyOverTls : public async_fixture {
protected:
    void SetUp() override {
        async_fixture::SetUp();
        if (function_of_openssl<void()>("SSL_CTX_set_cert_verify_callback") == nullptr)
            GTEST_SKIP() << "libcurl has another TLS library than OpenSSL";
    }

    static const python_server& server() {
        const auto directory = nginx::shared().ca_file().parent_path();
        static const python_server instance(
            "resuming_tls.py",
            {(directory / "server.pem").string(), (directory / "server.key").string()});
        return instance;
    }
    static std::string tls(std::string_view path) {
        return server().url("https://127.0.0.1", path);
    }

    static easy page() {
        easy handle = quiet(tls("/"));
        handle.setopt<CURLOPT_HTTP_VERSION>(CURL_HTTP_VERSION_1_1)
            .setopt<CURLOPT_FRESH_CONNECT>(true);
        return handle;
    }
    static easy trusting() {
        easy handle = page();
        handle.setopt<CURLOPT_CAINFO>(nginx::shared().ca_file().string());
        return handle;
    }
    /// Trusts whom it is told to, and has an answer of its own.
    easy& answering(easy& handle, int answer) {
        answer_ = answer;
        handle.setopt<CURLOPT_SSL_CTX_FUNCTION>([this](void* context) {
            set_verifier(
                context,
                [](void* store, void* self) {
                    auto& test = *static_cast<AnEasyOverTls*>(self);
                    ++test.asked;
                    set_verdict(store, test.answer_ != 0);
                    return test.answer_;
                },
                this);
            return CURLE_OK;
        });
        return handle;
    }
    /// How many of so many new connections at once, of an easy each, need no full handshake.
    int resumed(std::size_t count) {
        while (easies_.size() < count) {
            easies_.push_back(trusting());
            easies_.back().setopt<CURLOPT_SSLVERSION>(
                CURL_SSLVERSION_MAX_TLSv1_2); // a session is for once above
        }
        std::vector<std::string> told(count);
        std::vector<future<easy>> all;
        for (std::size_t i = 0; i != count; ++i)
            all.push_back(multi->add_handle(easies_[i].setopt<CURLOPT_WRITEDATA>(told[i])));
        run(gather(std::move(all)));
        return static_cast<int>(std::ranges::count(told, "resumed"));
    }
    CURLcode outcome(easy handle) {
        try {
            run(multi->add_handle(std::move(handle)));
            return CURLE_OK;
        } catch (const transfer_error& error) {
            return code_of(error.code());
        }
    }

    int asked = 0;

private:
    int answer_ = 0;
    std::vector<easy> easies_;
};

TEST_F(AnEasyOverTls, UsesItsSessionAgain) {
    easy handle = trusting();
    std::string told;
    handle.setopt<CURLOPT_WRITEDATA>(told);
    EXPECT_EQ(outcome(handle), CURLE_OK);
    EXPECT_EQ(outcome(handle), CURLE_OK);
    EXPECT_EQ(told, "newresumed");
}

// Below libcurl 8.12 each easy has its own.
TEST_F(AnEasyOverTls, UsesTheSessionOfAnotherWhateverItsShard) {
    const bool in_common = curl_version_info(CURLVERSION_NOW)->version_num >= 0x080c00;
    EXPECT_EQ(resumed(1), 0);
    EXPECT_EQ(resumed(96), in_common ? 96 : 1);
    EXPECT_GT(multi->stats().shards, 1u);
}

TEST_F(AnEasyOverTls, UsesItsSessionAgainWhateverItsShard) {
    EXPECT_EQ(resumed(1), 0); // now it is known that the server does not multiplex
    resumed(96);
    EXPECT_GT(multi->stats().shards, 1u);
    EXPECT_EQ(resumed(96), 96);
}

TEST_F(AnEasyOverTls, IsNotLetInByTheSessionOfAnother) {
    EXPECT_EQ(outcome(trusting()), CURLE_OK);
    easy strict = trusting();
    EXPECT_EQ(outcome(answering(strict, 0)), CURLE_PEER_FAILED_VERIFICATION);
    EXPECT_EQ(asked, 1);
}

TEST_F(AnEasyOverTls, IsNotLetInByTheSessionOfAnotherInALaterShard) {
    EXPECT_EQ(outcome(trusting()), CURLE_OK);
    EXPECT_EQ(outcome(trusting()), CURLE_OK); // now it is known that the server does not multiplex
    std::vector<future<easy>> running;
    for (int i = 0; i != 32; ++i) {
        easy slow = trusting();
        slow.setopt<CURLOPT_URL>(tls("/hold"));
        running.push_back(multi->add_handle(slow));
    }
    easy strict = trusting();
    auto refused = multi->add_handle(answering(strict, 0));
    EXPECT_EQ(failure_of([&] { run(std::move(refused)); }), CURLE_PEER_FAILED_VERIFICATION);
    EXPECT_EQ(multi->stats().shards, 2u);
    EXPECT_EQ(asked, 1);
}

TEST_F(AnEasyOverTls, LetsNobodyInByItsSession) {
    easy lax = page();
    EXPECT_EQ(outcome(answering(lax, 1)), CURLE_OK);
    EXPECT_EQ(asked, 1);
    EXPECT_EQ(outcome(page()), CURLE_PEER_FAILED_VERIFICATION);
    EXPECT_EQ(asked, 1);
}

TEST_F(AnEasyOverTls, IsNotLetInByItsOwnSessionOfBefore) {
    easy handle = trusting();
    EXPECT_EQ(outcome(handle), CURLE_OK);
    EXPECT_EQ(outcome(answering(handle, 0)), CURLE_PEER_FAILED_VERIFICATION);
    handle.unset<CURLOPT_SSL_CTX_FUNCTION>();
    EXPECT_EQ(outcome(handle), CURLE_OK);
    handle.reset();
    handle.setopt<CURLOPT_URL>(tls("/")).setopt<CURLOPT_FRESH_CONNECT>(true).setopt<CURLOPT_CAINFO>(
        nginx::shared().ca_file().string());
    EXPECT_EQ(outcome(answering(handle, 0)), CURLE_PEER_FAILED_VERIFICATION);
    EXPECT_EQ(asked, 2);
}

TEST_F(AnEasyOverTls, IsNotLetInByOneThatVerifiesLessOrOtherwise) {
    easy lax = page();
    lax.setopt<CURLOPT_SSL_VERIFYPEER>(false).setopt<CURLOPT_SSL_VERIFYHOST>(0);
    EXPECT_EQ(outcome(lax), CURLE_OK);
    EXPECT_EQ(outcome(trusting()), CURLE_OK);
    EXPECT_EQ(outcome(page()), CURLE_PEER_FAILED_VERIFICATION) << "other authorities";
    easy pinned = trusting();
    pinned.setopt<CURLOPT_PINNEDPUBLICKEY>("sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    EXPECT_EQ(outcome(pinned), CURLE_SSL_PINNEDPUBKEYNOTMATCH);
}

TEST_F(AnEasyOverTls, ComesOutOfAPoolWithoutSessionsAndConnections) {
    easy_pool pool;
    {
        easy first = pool.take(tls("/"));
        first.setopt<CURLOPT_CAINFO>(nginx::shared().ca_file().string())
            .setopt<CURLOPT_WRITEFUNCTION>([](std::span<const char> data) { return data.size(); })
            .perform();
    }
    easy second = pool.take(tls("/"));
    second.setopt<CURLOPT_CAINFO>(nginx::shared().ca_file().string());
    EXPECT_EQ(failure_of([&] { answering(second, 0).perform(); }), CURLE_PEER_FAILED_VERIFICATION);
    EXPECT_EQ(asked, 1);
}

// What failed before. -----------------------------------------------------------------------------

class ATransferAfterOneThatFailed : public async_fixture {
protected:
    const reserved_port nobody;
    easy handle = quiet("http://" + nobody.address());
    std::error_code failure() {
        return failure_of([&] { run(multi->add_handle(handle)); });
    }
    int os_error() {
        try {
            run(multi->add_handle(handle));
        } catch (const transfer_error& error) {
            return error.os_error();
        }
        return -1;
    }
};

TEST_F(ATransferAfterOneThatFailed, TellsOfItsOwnErrorOfTheSystem) {
    EXPECT_EQ(os_error(), ECONNREFUSED);
    EXPECT_EQ(handle.getinfo<CURLINFO_OS_ERRNO>(), ECONNREFUSED);
    EXPECT_EQ(os_error(), ECONNREFUSED) << "again";
    handle.setopt<CURLOPT_URL>("nonsense://127.0.0.1/");
    EXPECT_EQ(os_error(), 0);
    EXPECT_EQ(handle.getinfo<CURLINFO_OS_ERRNO>(), 0);
    handle.setopt<CURLOPT_URL>(url("/hello"));
    run(multi->add_handle(handle));
    EXPECT_EQ(handle.getinfo<CURLINFO_OS_ERRNO>(), 0);
    handle.setopt<CURLOPT_URL>(url("/status/404")).setopt<CURLOPT_FAILONERROR>(true);
    EXPECT_EQ(os_error(), 0);
}

TEST_F(ATransferAfterOneThatFailed, TellsItWithoutALoopToo) {
    EXPECT_EQ(failure_of([&] { handle.perform(); }), std::errc::connection_refused);
    handle.setopt<CURLOPT_URL>(url("/hello")).perform();
    EXPECT_EQ(handle.getinfo<CURLINFO_OS_ERRNO>(), 0);
    handle.setopt<CURLOPT_URL>("http://" + nobody.address());
    EXPECT_THROW(handle.perform(), transfer_error);
    handle.reset();
    EXPECT_EQ(handle.getinfo<CURLINFO_OS_ERRNO>(), 0);
}

/// Answers the first request of a connection, and hangs up at the second if that asks for it.
void hang_up_later(connection& client) {
    bool first = true;
    for (;;) {
        const auto head = client.read_request_head();
        if (head.empty() || (!first && head.find(" /die") != std::string::npos))
            return;
        const auto length = head.find("Content-Length: ");
        if (length != std::string::npos)
            client.read(std::stoul(head.substr(length + 16)));
        client.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        first = false;
    }
}

class AnUploadAfterOneThatCouldNotBeRewound : public async_fixture {
protected:
    scripted_server server{&hang_up_later};

    void upload(easy& handle, const char* path) {
        handle.setopt<CURLOPT_URL>(server.url(path))
            .setopt<CURLOPT_UPLOAD>(true)
            .setopt<CURLOPT_INFILESIZE_LARGE>(5000)
            .setopt<CURLOPT_HTTPHEADER>({"Expect:"})
            .setopt<CURLOPT_WRITEFUNCTION>([](std::span<const char> data) { return data.size(); })
            .setopt<CURLOPT_READFUNCTION>([left = 5000U](std::span<char> buffer) mutable {
                const std::size_t size =
                    std::min<std::size_t>(buffer.size(), std::exchange(left, 0));
                std::memset(buffer.data(), 'u', size);
                return size;
            });
        run(multi->add_handle(handle));
    }
    void fail(easy& handle) {
        upload(handle, "/ok");
        EXPECT_EQ(failure_of([&] { upload(handle, "/die"); }), CURLE_SEND_FAIL_REWIND);
    }
};

TEST_F(AnUploadAfterOneThatCouldNotBeRewound, Works) {
    easy handle;
    fail(handle);
    upload(handle, "/ok");
    EXPECT_EQ(failure_of([&] { upload(handle, "/die"); }), CURLE_SEND_FAIL_REWIND)
        << "it cannot be rewound either";
}

TEST_F(AnUploadAfterOneThatCouldNotBeRewound, WorksAfterAReset) {
    easy handle;
    fail(handle);
    handle.reset();
    upload(handle, "/ok");
    fail(handle);
    handle.reset();
    handle.setopt<CURLOPT_URL>(server.url())
        .setopt<CURLOPT_WRITEFUNCTION>([](std::span<const char> data) { return data.size(); });
    run(multi->add_handle(handle));
}

TEST_F(AnUploadAfterOneThatCouldNotBeRewound, WorksFromAPool) {
    easy_pool pool;
    {
        easy handle = pool.take();
        fail(handle);
    }
    EXPECT_EQ(pool.size(), 1u);
    easy handle = pool.take();
    upload(handle, "/ok");
}

TEST_F(AnUploadAfterOneThatCouldNotBeRewound, RewindsByTheFunctionOfItsUser) {
    easy handle;
    fail(handle);
    std::string body(5000, 'u');
    std::size_t sent = 0;
    int rewound = 0;
    handle
        .setopt<CURLOPT_READFUNCTION>([&](std::span<char> buffer) {
            const auto size = body.copy(buffer.data(), buffer.size(), sent);
            sent += size;
            return size;
        })
        .setopt<CURLOPT_SEEKFUNCTION>([&](curl_off_t to, int) {
            ++rewound;
            sent = static_cast<std::size_t>(to);
            return CURL_SEEKFUNC_OK;
        });
    handle.setopt<CURLOPT_URL>(server.url("/ok"));
    run(multi->add_handle(handle));
    EXPECT_EQ(sent, body.size());
    sent = rewound = 0;
    handle.setopt<CURLOPT_URL>(server.url("/die")); // in the end first on a connection of its own
    run(multi->add_handle(handle));
    EXPECT_EQ(rewound, 1);
}

} // namespace
