// SPDX-License-Identifier: MIT
// Replies that are well delivered and wrong: lengths, chunks, headers, compression.
#include "support/attacked_multi.hpp"
#include "support/files.hpp"
#include "support/scripted_server.hpp"
#include <curlicue/async_multi.hpp>

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::string_literals;

namespace {

struct unsound {
    std::string name;
    std::string reply;
    testing::Matcher<int> code; ///< what every libcurl says to it
    std::string body = {};      ///< all of it, if that is a success

    friend std::ostream& operator<<(std::ostream& out, const unsound& shown) {
        return out << shown.name;
    }
};

std::string ok(std::string_view fields, std::string_view body) {
    return "HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

std::string chunked(std::string_view body) { return ok("Transfer-Encoding: chunked\r\n", body); }

std::string gzipped(std::string_view text) {
    z_stream stream{};
    deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    std::string packed(deflateBound(&stream, text.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    deflate(&stream, Z_FINISH);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

std::string compressed(std::string_view encodings, std::string_view body) {
    return ok("Content-Encoding: " + std::string(encodings) +
                  "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n",
              body);
}

std::string with_byte(std::string text, std::size_t at, char byte) {
    text.at(at) = byte;
    return text;
}

class AnUnsoundReply : public AnAttackedMulti, public ::testing::WithParamInterface<unsound> {};

TEST_P(AnUnsoundReply, EndsOnceAndAsLibcurlAloneEndsIt) {
    const scripted_server server([](connection& client) {
        client.read_request_head();
        client.write(GetParam().reply);
    });
    const auto decode = [](easy& page) { page.setopt<CURLOPT_ACCEPT_ENCODING>(""); };
    for (int i = 0; i < 3; ++i)
        start(server.url(), decode);
    finish();
    std::string alone;
    easy page(server.url());
    decode(page);
    page.setopt<CURLOPT_WRITEDATA>(alone);
    const std::error_code code = ended_alone(page);
    for (const attempt& each : attempts) {
        EXPECT_EQ(each.code, code);
        EXPECT_THAT(each.code.value(), GetParam().code) << each.page.error();
        EXPECT_TRUE(each.body == alone);
        EXPECT_TRUE(each.code || each.body == GetParam().body);
    }
    close();
}

const std::vector<unsound> lengths{
    {"ShorterThanItsLength", ok("Content-Length: 10\r\n", "abc"), CURLE_PARTIAL_FILE},
    {"LongerThanItsLength", ok("Content-Length: 3\r\n", "abcdef"), CURLE_OK, "abc"},
    {"OfNegativeLength", ok("Content-Length: -3\r\n", "abc"), CURLE_WEIRD_SERVER_REPLY},
    {"OfALengthBeyondAllNumbers", ok("Content-Length: 99999999999999999999\r\n", "abc"), CURLE_OK,
     "abc"},
    {"OfALengthThatIsNone", ok("Content-Length: three\r\n", "abc"), CURLE_WEIRD_SERVER_REPLY},
    {"OfTwoLengths", ok("Content-Length: 2\r\nContent-Length: 4\r\n", "abc"), testing::_, "abc"},
    {"OfOneLengthTwice", ok("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), CURLE_OK, "abc"},
    {"OfALengthAndChunks",
     ok("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "5\r\nabcde\r\n0\r\n\r\n"), CURLE_OK,
     "abcde"},
    {"OfChunksAndALength",
     ok("Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", "5\r\nabcde\r\n0\r\n\r\n"), CURLE_OK,
     "abcde"},
};

const std::vector<unsound> chunks{
    {"OfAChunkWithoutSize", chunked("\r\nabc\r\n0\r\n\r\n"), CURLE_RECV_ERROR},
    {"OfAChunkWhoseSizeIsNoNumber", chunked("xyz\r\nabc\r\n0\r\n\r\n"), CURLE_RECV_ERROR},
    {"OfAChunkOfNegativeSize", chunked("-3\r\nabc\r\n0\r\n\r\n"), CURLE_RECV_ERROR},
    {"OfAChunkTooBigForANumber", chunked("fffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
     CURLE_RECV_ERROR},
    {"OfAChunkTooBigForThisWorld", chunked("7fffffffffffffff\r\nabc\r\n0\r\n\r\n"),
     CURLE_PARTIAL_FILE},
    {"OfAChunkLongerThanItsSize", chunked("2\r\nabc\r\n0\r\n\r\n"), CURLE_RECV_ERROR},
    {"OfAChunkShorterThanItsSize", chunked("9\r\nabc\r\n0\r\n\r\n"), CURLE_PARTIAL_FILE},
};

const std::vector<unsound> heads{
    {"WithANulInAHeader", ok("A: b\0c\r\nContent-Length: 3\r\n"s, "abc"), CURLE_WEIRD_SERVER_REPLY},
    {"WithACarriageReturnInAHeader", ok("A: b\rc\r\nContent-Length: 3\r\n", "abc"), testing::_,
     "abc"},
    {"WithBareLineFeeds", "HTTP/1.1 200 OK\nContent-Length: 3\n\nabc", CURLE_OK, "abc"},
    {"WithAHeaderWithoutAName", ok(": b\r\nContent-Length: 3\r\n", "abc"), testing::_, "abc"},
    {"OfNoKnownVersion", "HTTP/7.3 200 OK\r\n\r\nabc", CURLE_UNSUPPORTED_PROTOCOL},
    {"OfAnotherProtocol", "SSH-2.0-OpenSSH_9.2\r\n", CURLE_UNSUPPORTED_PROTOCOL},
    {"OfZeros", std::string(1000, '\0'), CURLE_UNSUPPORTED_PROTOCOL},
};

const std::string text = bytes(20000);
const std::string packed = gzipped(text);

const std::vector<unsound> encodings{
    {"CompressedOnce", compressed("gzip", packed), CURLE_OK, text},
    {"CompressedTwiceAndSaysSo", compressed("gzip, gzip", gzipped(packed)), CURLE_OK, text},
    {"CompressedTwiceAndSaysOnce", compressed("gzip", gzipped(packed)), CURLE_OK, packed},
    {"CompressedOnceAndSaysTwice", compressed("gzip, gzip", packed), CURLE_BAD_CONTENT_ENCODING},
    {"CompressedInTooManyWays", compressed("gzip, gzip, gzip, gzip, gzip, gzip, gzip", packed),
     CURLE_BAD_CONTENT_ENCODING},
    {"CompressedInAnUnknownWay", compressed("squash", packed), CURLE_BAD_CONTENT_ENCODING},
    {"CompressedAndBrokenInItsHead", compressed("gzip", with_byte(packed, 0, 'x')),
     CURLE_BAD_CONTENT_ENCODING},
    {"CompressedAndBrokenInItsChecksum",
     compressed("gzip", with_byte(packed, packed.size() - 6, 'x')), CURLE_BAD_CONTENT_ENCODING},
    {"CompressedWithMoreBehind", compressed("gzip", packed + "more"), testing::Ne(CURLE_OK)},
    {"NotCompressedThoughItSaysSo", compressed("gzip", text), CURLE_BAD_CONTENT_ENCODING},
};

std::string name_of(const ::testing::TestParamInfo<unsound>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Lengths, AnUnsoundReply, ::testing::ValuesIn(lengths), name_of);
INSTANTIATE_TEST_SUITE_P(Chunks, AnUnsoundReply, ::testing::ValuesIn(chunks), name_of);
INSTANTIATE_TEST_SUITE_P(Heads, AnUnsoundReply, ::testing::ValuesIn(heads), name_of);
INSTANTIATE_TEST_SUITE_P(Encodings, AnUnsoundReply, ::testing::ValuesIn(encodings), name_of);

// libcurl 7.88 takes what has come for all there is (exit_zlib): its length is right.
TEST_F(AnAttackedMulti, DecodesACompressedBodyThatIsCutAsFarAsItGoes) {
    const scripted_server server([](connection& client) {
        const std::size_t cut = std::stoul(client.read_request_head().substr(5));
        client.write(compressed("gzip", packed.substr(0, cut)));
    });
    const auto decode = [](easy& page) { page.setopt<CURLOPT_ACCEPT_ENCODING>("gzip"); };
    const auto url = [&](std::size_t cut) { return server.url("/" + std::to_string(cut)); };
    for (std::size_t cut = 0; cut < packed.size(); cut += cut < 30 ? 1 : 101)
        start(url(cut), decode);
    finish();
    std::size_t seen = 0;
    for (const attempt& each : attempts) {
        easy again = quiet(each.page.getinfo<CURLINFO_EFFECTIVE_URL>().value_or(""));
        decode(again);
        if (seen++ % sparseness() == 0) {
            EXPECT_EQ(each.code, ended_alone(again));
        }
        EXPECT_TRUE(each.body == text.substr(0, each.body.size()));
    }
}

} // namespace
