// SPDX-License-Identifier: MIT
// What samples/preload takes over, and what it leaves alone.
#include "support/python_server.hpp"
#include "support/under_preload.hpp"

#include <string>

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace curlicue::test;
using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

/// What a program that uses libcurl alone gets, with and without: the same.
class AProgramUnderThePreload : public ::testing::Test {
protected:
    static deed expect_same(const std::string& script) {
        const auto expected = run_without_preload(script);
        auto done = run_under_preload(script);
        EXPECT_EQ(expected.status, 0) << expected.err;
        EXPECT_EQ(done.status, expected.status);
        EXPECT_EQ(done.out, expected.out);
        EXPECT_EQ(done.err, expected.err);
        EXPECT_EQ(done.files, expected.files);
        return done;
    }
};

TEST_F(AProgramUnderThePreload, PerformsOnALoop) {
    const std::string script = R"(under "$PROGRAM" loop "$HTTP/hello")";
    EXPECT_THAT(run_without_preload(script).out, StartsWith("no loop\ncode 0"));
    EXPECT_THAT(run_under_preload(script).out, StartsWith("a loop\ncode 0"));
}

TEST_F(AProgramUnderThePreload, PerformsNoNullHandle) {
    EXPECT_EQ(expect_same(R"(under "$PROGRAM" null "$HTTP")").out, "43\n");
}

TEST_F(AProgramUnderThePreload, MayNotPerformInACallbackOfTheSameEasy) {
    // CURLE_FAILED_INIT, and in newer ones CURLE_RECURSIVE_API_CALL
    EXPECT_THAT(expect_same(R"(under "$PROGRAM" itself "$HTTP/hello")").out,
                AnyOf(StartsWith("code 2, "), StartsWith("code 93, ")));
}

TEST_F(AProgramUnderThePreload, MayPerformInACallbackOfAnother) {
    expect_same(R"(under "$PROGRAM" another "$HTTP/hello" "$HTTP/bytes/1024")");
}

TEST_F(AProgramUnderThePreload, MayNotPerformWhatItHasInAMulti) {
    EXPECT_THAT(expect_same(R"(under "$PROGRAM" added "$HTTP/hello")").out,
                StartsWith("code 2, 0 new connections, 0 bytes: easy handle already used"));
}

TEST_F(AProgramUnderThePreload, KeepsConnectionsWithAnEasyToItsCleanup) {
    EXPECT_THAT(expect_same(R"(under "$PROGRAM" again "$HTTP/hello")").out, HasSubstr("0, 0 new"));
}

TEST_F(AProgramUnderThePreload, KeepsAsManyConnectionsAsItSays) {
    expect_same(R"(under "$PROGRAM" pool "$HTTP/hello" "$ODD/echo")");
}

TEST_F(AProgramUnderThePreload, SendsAndReceivesOnWhatIsOnlyConnected) {
    EXPECT_THAT(expect_same(R"(under "$PROGRAM" connect_only "$HTTP/hello")").out,
                HasSubstr("0 HTTP/1.1 200 OK\n"));
}

TEST_F(AProgramUnderThePreload, MayPerformOnAnyThread) {
    EXPECT_THAT(expect_same(R"(under "$PROGRAM" threads "$HTTP/hello")").out,
                StartsWith("40 good\n"));
}

TEST_F(AProgramUnderThePreload, MayForkAndPerformOnBothSides) {
    EXPECT_THAT(run_under_preload(R"(under "$PROGRAM" child "$HTTP/hello")").out,
                HasSubstr("the child is well\ncode 0, 0 new connections, 12 bytes"));
}

TEST_F(AProgramUnderThePreload, HasNothingOpenAfterTheCleanup) {
    EXPECT_THAT(expect_same(R"(under "$PROGRAM" descriptors "$HTTP/hello")").out,
                HasSubstr("\n0 descriptors more\n"));
}

TEST_F(AProgramUnderThePreload, PerformsOnceThereAreDescriptorsForALoop) {
    const auto done =
        run_under_preload(R"(ulimit -n 40; under "$PROGRAM" few_descriptors "$HTTP/hello")");
    EXPECT_THAT(done.out, HasSubstr("code 0, 1 new connections, 6 bytes")) << done.err;
}

TEST_F(AProgramUnderThePreload, MayEndATransferThatStalls) {
    EXPECT_THAT(expect_same(R"(under "$PROGRAM" stalled "$ODD/half")").out,
                StartsWith("code 42, "));
}

TEST_F(AProgramUnderThePreload, MayPauseAndGoOn) {
    EXPECT_THAT(expect_same(R"(under "$PROGRAM" paused "$HTTP/bytes/1048576")").out,
                HasSubstr(" 1048576 bytes"));
}

TEST_F(AProgramUnderThePreload, MayExitInACallback) {
    EXPECT_EQ(run_under_preload(R"(under "$PROGRAM" leaves "$HTTP/hello")").status, 3);
}

TEST_F(AProgramUnderThePreload, MayBeCMake) {
    EXPECT_THAT(expect_same(R"(cat >script.cmake <<'END'
file(DOWNLOAD $ENV{HTTP}/bytes/1048576 got STATUS got)
file(DOWNLOAD http://$ENV{REFUSED} none STATUS none)
file(UPLOAD got $ENV{HTTP}/upload/cmake STATUS put)
message("${got} ${none} ${put}")
END
under cmake -P script.cmake
)")
                    .err,
                HasSubstr("0;\"No error\" 7;\"Could"));
}

// PycURL's Debian package uses the GnuTLS flavour of libcurl: it is another library, whose handles
// ours must not touch.
TEST_F(AProgramUnderThePreload, IsLeftAloneWithAnotherFlavourOfLibcurl) {
    if (!python_has("pycurl"))
        GTEST_SKIP() << "no pycurl here";
    void* const libcurl = ::dlopen("libcurl.so.4", RTLD_LAZY);
    if (libcurl == nullptr || ::dlvsym(libcurl, "curl_easy_perform", "CURL_OPENSSL_4") == nullptr)
        GTEST_SKIP() << "this libcurl was built without versions: it cannot be told apart";
    EXPECT_THAT(expect_same(R"(under /usr/bin/python3 - <<'END'
import os, pycurl, sys
easy = pycurl.Curl()
easy.setopt(pycurl.WRITEFUNCTION, sys.stdout.buffer.write)
easy.setopt(pycurl.URL, os.environ["HTTP"] + "/hello")
easy.perform()
print("GnuTLS" in pycurl.version)
END
)")
                    .out,
                "hello\nTrue\n");
}

} // namespace
