// SPDX-License-Identifier: MIT
// Runs the samples as a reader of the README would, and looks at what they print and store.
#include "support/files.hpp"
#include "support/nginx.hpp"
#include "support/temporary_directory.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace curlicue::test {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;
using ::testing::UnorderedElementsAreArray;

// The files of the server inside `parallel`.
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
    EXPECT_TRUE(run("fetch", server_.http("/bytes/1048576"), server_.http("/status/404"), refused_));
    EXPECT_THAT(lines(), ElementsAre("1048576", "fetch: status 404 Not Found", HasSubstr("connect")));
}

TEST_F(Sample, ParallelNeedsNoNetwork) {
    EXPECT_TRUE(run("http_proxy=" + refused_, "; export http_proxy; parallel")) << err();
    std::vector<std::string> expected;
    for (const auto& [name, size] : demo_files) {
        expected.push_back("downloads/" + std::string(name));
        EXPECT_EQ(file(expected.back()), demo_bytes(size)) << name;
    }
    EXPECT_THAT(files(), UnorderedElementsAreArray(expected));
}

TEST_F(Sample, ParallelPrintsPlainLinesIntoAPipe) {
    const auto large = server_.http("/bytes/1048576");
    const auto small = server_.http("/hello");
    EXPECT_TRUE(run("parallel -o there", large, small, "| cat"));
    EXPECT_THAT(lines(), UnorderedElementsAre(large + ": 1048576 bytes in there/1048576",
                                              small + ": 6 bytes in there/hello"));
}

TEST_F(Sample, ParallelDrawsBarsOnATerminal) {
    EXPECT_TRUE(run("script -qec parallel /dev/null </dev/null")) << out();
    EXPECT_THAT(out(), AllOf(HasSubstr(" [##"), HasSubstr("\x1b["), HasSubstr("0 of 6 "),
                             HasSubstr("5 of 6 ")));
    EXPECT_THAT(out(), HasSubstr("/fig.txt: 3000000 bytes in downloads/fig.txt"));
    EXPECT_EQ(file("downloads/fig.txt"), demo_bytes(3000000));
}

TEST_F(Sample, ParallelFetchesOverHttp2ByteExactly) {
    EXPECT_TRUE(run(trusting_, "parallel", server_.https("/request"), server_.https("/bytes/0"),
                    server_.https("/bytes/1024"), server_.https("/bytes/1048576"),
                    server_.https("/bytes/16777216")))
        << out();
    EXPECT_THAT(file("downloads/request"), HasSubstr("HTTP/2.0"));
    for (const std::size_t size : {0, 1 << 10, 1 << 20, 1 << 24})
        EXPECT_TRUE(file("downloads/" + std::to_string(size)) == bytes(size)) << size;
}

TEST_F(Sample, ParallelTrustsWhomTheCurlToolTrusts) {
    const auto url = server_.https("/hello");
    EXPECT_FALSE(run("parallel", url));
    EXPECT_THAT(out(), HasSubstr("certificate"));
    EXPECT_TRUE(run("SSL_CERT_FILE=/dev/null CURL_CA_BUNDLE=" + server_.ca_file().string(),
                    "parallel", url))
        << out();
    EXPECT_THAT(files(), ElementsAre("downloads/hello"));
}

TEST_F(Sample, ParallelOverwritesNothing) {
    std::filesystem::create_directory(files_ / "downloads");
    write_file(files_ / "downloads/1024", "mine");
    EXPECT_TRUE(run("parallel", server_.http("/bytes/1024"), server_.http("/gzip/1024"))) << out();
    EXPECT_THAT(files(),
                UnorderedElementsAre("downloads/1024", "downloads/1024.1", "downloads/1024.2"));
    EXPECT_EQ(file("downloads/1024"), "mine");
    EXPECT_EQ(file("downloads/1024.1"), bytes(1024));
    EXPECT_EQ(file("downloads/1024.2"), bytes(1024));
}

TEST_F(Sample, ParallelStaysInItsDirectory) {
    write_file(files_ / "there", "");
    for (const char* path : {"/..", "/../../there", "/..%2f..%2fthere", "/.", "/", "/?/../there"})
        run("mkdir -p d; parallel -o d/e", "file://" + files_.string() + path);
    EXPECT_THAT(files(), Each(AnyOf("there", MatchesRegex("d/e/[^/]+"))));
    for (const char* path : {"/hello?/../../evil", "/hello/../../hello", "/hello#/../evil"})
        EXPECT_TRUE(run("parallel -o d/e", server_.http(path))) << out();
    EXPECT_THAT(files(), Each(AnyOf("there", MatchesRegex("d/e/[^/]+"))));
}

TEST_F(Sample, ParallelFailsWhereATransferDoesAndLeavesNoFile) {
    EXPECT_FALSE(run("parallel", server_.http("/status/404"), refused_ + "x",
                     server_.http("/hello"), "nonsense://"));
    EXPECT_THAT(lines(),
                UnorderedElementsAre(HasSubstr("/status/404: "), StartsWith(refused_ + "x: "),
                                     HasSubstr("/hello: 6 bytes in downloads/hello"),
                                     StartsWith("nonsense://: ")));
    EXPECT_THAT(files(), ElementsAre("downloads/hello"));
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
