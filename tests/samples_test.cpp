// SPDX-License-Identifier: MIT
// Runs the samples as a reader of the README would, and looks at what they print and store.
#include "support/files.hpp"
#include "support/nginx.hpp"
#include "support/scripted_server.hpp"
#include "support/temporary_directory.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace curlicue::test {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;
using ::testing::UnorderedElementsAreArray;

// The files of the server inside `download`.
constexpr std::pair<const char*, std::size_t> demo_files[] = {
    {"apple.txt", 100000}, {"birch.txt", 400000}, {"cedar.txt", 800000},
    {"date.txt", 1200000}, {"elm.txt", 2000000},  {"fig.txt", 3000000}};

// What they hold.
std::string demo_bytes(std::size_t size) {
    std::string text(size, '\0');
    std::generate(text.begin(), text.end(),
                  [n = 0]() mutable { return static_cast<char>('a' + n++ % 26); });
    return text;
}

class Sample : public ::testing::Test {
protected:
    /// Runs these words of a shell in `files_`; the samples are called by name.
    /// @returns whether that succeeded
    template <class... Words> bool run(const Words&... words) {
        std::string command = "unset CURL_CA_BUNDLE SSL_CERT_FILE http_proxy https_proxy all_proxy;"
                              "PATH=" SAMPLES ":$PATH; cd ";
        command += files_.string() + "; { ";
        ((command.append(words) += ' '), ...);
        return std::system(command.append("\n} >../out 2>../err").c_str()) == 0;
    }
    std::string out() const { return read_file(directory_ / "out"); }
    std::string err() const { return read_file(directory_ / "err"); }
    std::vector<std::string> lines() const {
        std::istringstream text(out());
        std::vector<std::string> lines;
        for (std::string line; std::getline(text, line);)
            lines.push_back(line);
        return lines;
    }

    std::string file(std::string_view name) const { return read_file(files_ / name); }
    /// All files there are, relative to where the sample ran.
    std::vector<std::string> files() const {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(files_))
            if (!entry.is_directory())
                names.push_back(entry.path().lexically_relative(files_));
        return names;
    }

    const nginx& server_ = nginx::shared();
    const reserved_port nobody_;
    const std::string refused_ = "http://" + nobody_.address() + "/";
    const std::string trusting_ = "SSL_CERT_FILE=" + server_.ca_file().string();

private:
    const temporary_directory directory_;

protected:
    const std::filesystem::path files_ = [this] {
        std::filesystem::create_directory(directory_ / "files");
        return directory_ / "files";
    }();
};

TEST_F(Sample, GetPrintsWhatIsThere) {
    EXPECT_TRUE(run("get", server_.http("/bytes/1048576")));
    EXPECT_EQ(out(), bytes(1 << 20));
    EXPECT_EQ(err(), "status 200\n");
}

TEST_F(Sample, GetSaysWhatWentWrong) {
    EXPECT_FALSE(run("get", refused_));
    EXPECT_EQ(out(), "");
    EXPECT_THAT(err(), AllOf(StartsWith("get: "), HasSubstr("connect")));
    EXPECT_FALSE(run("get"));
    EXPECT_EQ(err(), "usage: get URL\n");
}

TEST_F(Sample, FetchTellsHowLongBodiesAreAndWhatWentWrong) {
    EXPECT_TRUE(
        run("fetch", server_.http("/bytes/1048576"), server_.http("/status/404"), refused_));
    EXPECT_THAT(lines(),
                ElementsAre("1048576", "fetch: status 404 Not Found", HasSubstr("connect")));
}

TEST_F(Sample, SizesAreToldInC) {
    const auto page = server_.http("/bytes/1048576"), none = server_.http("/status/404");
    EXPECT_TRUE(run("sizes", page, none, refused_, "nowhere")) << err();
    EXPECT_THAT(lines(), UnorderedElementsAre(page + ": status 200, 1048576 bytes",
                                              StartsWith(none + ": status 404, "),
                                              AllOf(StartsWith(refused_), HasSubstr("connect")),
                                              AllOf(StartsWith("nowhere: "), HasSubstr("scheme"))));
}

TEST_F(Sample, DownloadNeedsNoNetwork) {
    EXPECT_TRUE(run("http_proxy=" + refused_, "; export http_proxy; download")) << err();
    std::vector<std::string> expected;
    for (const auto& [name, size] : demo_files) {
        expected.push_back("downloads/" + std::string(name));
        EXPECT_EQ(file(expected.back()), demo_bytes(size)) << name;
    }
    EXPECT_THAT(files(), UnorderedElementsAreArray(expected));
}

TEST_F(Sample, DownloadPrintsPlainLinesIntoAPipe) {
    const auto large = server_.http("/bytes/1048576");
    const auto small = server_.http("/hello");
    EXPECT_TRUE(run("download -o there", large, small, "| cat"));
    EXPECT_THAT(lines(), UnorderedElementsAre(large + ": 1048576 bytes in there/1048576",
                                              small + ": 6 bytes in there/hello"));
}

TEST_F(Sample, DownloadDrawsBarsOnATerminal) {
    EXPECT_TRUE(run("script -qec download /dev/null </dev/null")) << out();
    EXPECT_THAT(out(), AllOf(HasSubstr(" [##"), HasSubstr("\x1b["), HasSubstr("0 of 6 "),
                             HasSubstr("5 of 6 ")));
    EXPECT_THAT(out(), HasSubstr("/fig.txt: 3000000 bytes in downloads/fig.txt"));
    EXPECT_EQ(file("downloads/fig.txt"), demo_bytes(3000000));
}

TEST_F(Sample, DownloadFetchesOverHttp2ByteExactly) {
    EXPECT_TRUE(run(trusting_, "download", server_.https("/request"), server_.https("/bytes/0"),
                    server_.https("/bytes/1024"), server_.https("/bytes/1048576"),
                    server_.https("/bytes/16777216")))
        << out();
    EXPECT_THAT(file("downloads/request"), HasSubstr("HTTP/2.0"));
    for (const std::size_t size : {0, 1 << 10, 1 << 20, 1 << 24})
        EXPECT_TRUE(file("downloads/" + std::to_string(size)) == bytes(size)) << size;
}

TEST_F(Sample, DownloadTrustsWhomItIsTold) {
    const auto url = server_.https("/hello");
    EXPECT_FALSE(run("download", url));
    EXPECT_THAT(out(), HasSubstr("certificate"));
    EXPECT_TRUE(run("SSL_CERT_FILE=/dev/null download --cacert", server_.ca_file().string(), url))
        << out();
    EXPECT_THAT(files(), ElementsAre("downloads/hello"));
}

TEST_F(Sample, DownloadOverwritesNothing) {
    std::filesystem::create_directory(files_ / "downloads");
    write_file(files_ / "downloads/1024", "mine");
    EXPECT_TRUE(run("download", server_.http("/bytes/1024"), server_.http("/gzip/1024"))) << out();
    EXPECT_THAT(files(),
                UnorderedElementsAre("downloads/1024", "downloads/1024.1", "downloads/1024.2"));
    EXPECT_EQ(file("downloads/1024"), "mine");
    EXPECT_EQ(file("downloads/1024.1"), bytes(1024));
    EXPECT_EQ(file("downloads/1024.2"), bytes(1024));
}

TEST_F(Sample, DownloadStaysInItsDirectory) {
    const scripted_server agreeable([](connection& client) {
        while (!client.read_request_head().empty())
            client.write("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
    });
    for (const char* path : {"/..", "/../../there", "/..%2f..%2fthere", "/.", "/", "/?/../there",
                             "/hello?/../../evil", "/hello/../../hello", "/hello#/../evil"})
        EXPECT_TRUE(run("mkdir -p d; download -o d/e", "'" + agreeable.url(path) + "'")) << out();
    EXPECT_THAT(files(), AllOf(SizeIs(9), Each(MatchesRegex("d/e/[^/]+"))));
}

TEST_F(Sample, DownloadGoesOnWhereItBreaksOff) {
    const auto whole = bytes(100'000);
    std::atomic<int> times = 0;
    const scripted_server server([&](connection& client) {
        const auto head = client.read_request_head();
        const auto range = head.find("Range: bytes=");
        if (++times == 1) {
            client.write("HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 100000\r\n\r\n" +
                         whole.substr(0, 40'000));
        } else if (range != head.npos) {
            const auto from = std::stoul(head.substr(range + 13));
            client.write("HTTP/1.1 206 Partial Content\r\nETag: \"1\"\r\nContent-Range: bytes " +
                         std::to_string(from) + "-99999/100000\r\nContent-Length: " +
                         std::to_string(100'000 - from) + "\r\n\r\n" + whole.substr(from));
        }
    });
    EXPECT_TRUE(run("download", server.url("/file"))) << out();
    EXPECT_THAT(lines(), ElementsAre(server.url("/file") + ": 100000 bytes in downloads/file"));
    EXPECT_EQ(file("downloads/file"), whole);
    EXPECT_EQ(times, 2);
}

TEST_F(Sample, DownloadFailsWhereATransferDoesAndLeavesNoFile) {
    EXPECT_FALSE(run("download", server_.http("/status/404"), refused_ + "x",
                     server_.http("/hello"), "nonsense://"));
    EXPECT_THAT(lines(),
                UnorderedElementsAre(HasSubstr("/status/404: "), StartsWith(refused_ + "x: "),
                                     HasSubstr("/hello: 6 bytes in downloads/hello"),
                                     StartsWith("nonsense://: ")));
    EXPECT_THAT(files(), ElementsAre("downloads/hello"));
}

TEST_F(Sample, UploadSendsWhatComesThroughAPipe) {
    const auto there = server_.http("/upload/piped");
    EXPECT_TRUE(run("{ printf one; sleep 0.3; printf two; } | upload", there)) << out();
    EXPECT_TRUE(run("get", there));
    EXPECT_EQ(out(), "onetwo");
    write_file(files_ / "large", bytes(1 << 24));
    EXPECT_TRUE(run("cat large | upload", there)) << out();
    EXPECT_TRUE(run("get", there));
    EXPECT_TRUE(out() == bytes(1 << 24));
    EXPECT_FALSE(run("echo one | upload", server_.http("/status/404")));
    EXPECT_THAT(err(), StartsWith("upload: fetch: status 404"));
    EXPECT_FALSE(run("echo one | upload", "no-scheme"));
    EXPECT_THAT(err(), HasSubstr("no scheme"));
    EXPECT_FALSE(run("upload", there, "< large"));
    EXPECT_THAT(err(), StartsWith("usage: "));
}

TEST_F(Sample, RelayPutsWhatItGets) {
    const auto there = server_.http("/upload/relayed");
    EXPECT_TRUE(run("relay", server_.http("/bytes/16777216"), there)) << err();
    EXPECT_TRUE(run("get", there));
    EXPECT_TRUE(out() == bytes(1 << 24));
    EXPECT_FALSE(run("relay", server_.http("/status/404"), there));
    EXPECT_THAT(err(), StartsWith("relay: fetch: status 404"));
    EXPECT_FALSE(run("relay", server_.http("/hello"), refused_));
    EXPECT_THAT(err(), StartsWith("relay: "));
}

TEST_F(Sample, CrawlFollowsLinksAndIsEndedByAnInterrupt) {
    std::atomic<int> asked = 0, at_once = 0, most = 0;
    const scripted_server server([&](connection& client) {
        for (auto head = client.read_request_head(); !head.empty();
             head = client.read_request_head()) {
            const auto path = head.substr(4, head.find(' ', 4) - 4);
            if (path == "/never")
                return client.hold();
            ++asked;
            most = std::max<int>(most, ++at_once);
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            std::string page =
                "<a href=\"mailto:a@b.test\"><a href=\"//127.0.0.2/\"><a href=\"/\">";
            if (path == "/")
                for (int i = 0; i != 20; ++i)
                    page += "<a href=\"p/" + std::to_string(i) + "#top\">";
            else if (path == "/bad")
                page = "<a href=\"/p/\x01\"><a href=\"/p/1\">";
            --at_once;
            client.write("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: " +
                         std::to_string(page.size()) + "\r\n\r\n" + page);
        }
    });
    EXPECT_TRUE(run("crawl", server.url("/"))) << out();
    EXPECT_THAT(lines(), AllOf(SizeIs(21), Each(HasSubstr(" bytes"))));
    EXPECT_EQ(asked, 21);
    EXPECT_LE(most, 4);

    EXPECT_TRUE(run("crawl", server.url("/bad"), "nonsense:"));
    EXPECT_THAT(lines(),
                UnorderedElementsAre(HasSubstr("/bad: 30 bytes"), HasSubstr("/p/1: 61 bytes"),
                                     StartsWith("/p/\x01: "), StartsWith("nonsense:: ")));

    EXPECT_TRUE(run("crawl", server.url("/p/1"), server.url("/never"), "& it=$!;",
                    "until [ -s ../out ]; do sleep 0.1; done; kill -INT $it; wait $it"));
    EXPECT_THAT(lines(), ElementsAre(server.url("/p/1") + ": 61 bytes", HasSubstr("cancelled")));
}

TEST_F(Sample, EventsConnectsAgainAndSaysWhereItWas) {
    std::atomic<int> times = 0;
    std::string last;
    const scripted_server server([&](connection& client) {
        last = client.read_request_head();
        if (++times == 3) {
            client.write("HTTP/1.1 204 No Content\r\n\r\n");
            return;
        }
        client.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nretry: 10\nid: " +
                     std::to_string(times) + "\nevent: tick\ndata: one\ndata: two\n\nid: " +
                     std::to_string(times + 10) + "\n\ndata: half");
    });
    EXPECT_TRUE(run("events", server.url())) << err();
    EXPECT_THAT(lines(), ElementsAre("tick: one", "two", "tick: one", "two"));
    EXPECT_THAT(last, HasSubstr("Last-Event-ID: 12\r\n"));
    EXPECT_FALSE(run("events", server_.http("/status/404")));
    EXPECT_EQ(err(), "events: fetch: status 404 Not Found\n");
    EXPECT_FALSE(run("events", server_.http("/hello")));
    EXPECT_THAT(err(), HasSubstr("no text/event-stream"));
}

TEST_F(Sample, PriceTestPasses) {
    EXPECT_TRUE(run("price_test")) << out();
    EXPECT_THAT(out(), HasSubstr("[  PASSED  ] 3 tests."));
}

TEST_F(Sample, CoroutineTellsSizes) {
    const auto large = server_.http("/bytes/1048576");
    const auto redirect = server_.http("/redirect");
    EXPECT_TRUE(run("coroutine", large, redirect, refused_));
    EXPECT_THAT(lines(), ElementsAre(large + ": 1048576 bytes", redirect + ": 6 bytes",
                                     StartsWith(refused_ + ": Failed to connect to ")));
}

TEST_F(Sample, ThreadsTellSizes) {
    const auto large = server_.http("/bytes/1048576");
    const auto small = server_.http("/hello");
    EXPECT_TRUE(run("threads", large, small, refused_));
    EXPECT_THAT(lines(), UnorderedElementsAre(large + ": 1048576 bytes", small + ": 6 bytes",
                                              StartsWith(refused_ + ": ")));
}

TEST_F(Sample, EmbedIsAGuest) {
    EXPECT_TRUE(run("embed", server_.http("/bytes/1048576")));
    EXPECT_EQ(out(), bytes(1 << 20));
    EXPECT_THAT(err(), MatchesRegex("status 200, [0-9]+ ticks meanwhile\n"));
    EXPECT_TRUE(run("embed", refused_));
    EXPECT_THAT(err(), MatchesRegex("embed: [^:].*\nstatus 0, [0-9]+ ticks meanwhile\n"));
}

TEST_F(Sample, PolledFetchesWhatIsTypedWhileItFetches) {
    const auto slow = server_.http("/slow/1048576");
    const auto small = server_.http("/hello");
    EXPECT_TRUE(run("{ echo", slow, "; sleep 1; echo", small, "; echo", refused_, "; } | polled"));
    EXPECT_THAT(lines(), UnorderedElementsAre(small + ": 6 bytes",
                                              StartsWith(refused_ + ": Failed to connect to "),
                                              slow + ": 1048576 bytes"));
    EXPECT_THAT(lines().back(), StartsWith(slow));
}

// "select" alone is a word of bash.
TEST_F(Sample, SelectListensToTheKeyboard) {
    EXPECT_TRUE(run("{ sleep 1; echo; sleep 1; } | env select", server_.http("/slow/1048576")));
    EXPECT_THAT(lines(), ElementsAre(MatchesRegex("1 running, [0-9]+ bytes so far"),
                                     "1 fetched, 1048576 bytes"));
    EXPECT_FALSE(run("env select", server_.http("/hello"), refused_, "</dev/null"));
    EXPECT_EQ(out(), "1 fetched, 6 bytes\n");
    EXPECT_THAT(err(), StartsWith("select: "));
}

} // namespace
} // namespace curlicue::test
