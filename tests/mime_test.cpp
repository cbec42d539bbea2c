// SPDX-License-Identifier: MIT
#include "support/files.hpp"
#include "support/scripted_server.hpp"
#include "support/temporary_directory.hpp"
#include <curlicue/easy.hpp>
#include <curlicue/mime.hpp>

#include <memory>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace curlicue {
namespace {

using test::scripted_server;
using testing::HasSubstr;
using testing::Not;

/// The body that `handle` sends.
std::string sent_by(easy handle) {
    std::string body;
    scripted_server server([&](test::connection& client) {
        const auto head = client.read_request_head();
        const std::string field = "Content-Length: ";
        const auto at = head.find(field);
        if (at != std::string::npos) {
            body = client.read(std::stoul(head.substr(at + field.size())));
        } else { // chunked
            // An upload that its callable breaks off ends before the last chunk.
            for (std::string byte; body.find("\r\n0\r\n\r\n") == std::string::npos &&
                                   !(byte = client.read(1)).empty();)
                body += byte;
        }
        client.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    });
    handle.setopt<CURLOPT_URL>(server.url()).setopt<CURLOPT_HTTPHEADER>({"Expect:"}).perform();
    return body;
}

std::string sent_with(const mime& form) {
    easy handle;
    handle.setopt<CURLOPT_MIMEPOST>(form);
    return sent_by(handle);
}

TEST(AMime, SendsFieldsWithAllTheirParts) {
    mime form;
    form.addpart().name("answer").data("42");
    form.addpart()
        .name("picture")
        .data(std::string("\0\1", 2))
        .filename("p.png")
        .type("image/x-test")
        .headers({"X-Part: yes"});
    const auto body = sent_with(form);
    EXPECT_THAT(body, HasSubstr("name=\"answer\"\r\n\r\n42\r\n"));
    EXPECT_THAT(body, HasSubstr("name=\"picture\"; filename=\"p.png\"\r\n"));
    EXPECT_THAT(body, HasSubstr("Content-Type: image/x-test\r\n"));
    EXPECT_THAT(body, HasSubstr("X-Part: yes\r\n"));
    EXPECT_THAT(body, HasSubstr(std::string("\r\n\r\n\0\1\r\n", 8)));
}

TEST(AMime, SendsFiles) {
    const test::temporary_directory directory;
    test::write_file(directory / "note.txt", "from a file");
    mime form;
    form.addpart().name("file").file((directory / "note.txt").string());
    const auto body = sent_with(form);
    EXPECT_THAT(body, HasSubstr("filename=\"note.txt\""));
    EXPECT_THAT(body, HasSubstr("\r\n\r\nfrom a file\r\n"));
}

TEST(AMime, RefusesAFileThatIsNotThere) {
    mime form;
    form.addpart().name("file").file("/nowhere/to/be/found");
    easy handle;
    EXPECT_THROW(handle.setopt<CURLOPT_MIMEPOST>(form), std::system_error);
}

TEST(AMime, SendsWhatACallableGives) {
    mime form;
    easy handle;
    CURL* asked_with = nullptr;
    form.addpart().name("made").callback(
        [&, left = 3](easy& self, std::span<char> buffer) mutable -> std::size_t {
            asked_with = self.native_handle();
            if (left == 0)
                return 0;
            buffer.front() = static_cast<char>('0' + left--);
            return 1;
        },
        3);
    handle.setopt<CURLOPT_MIMEPOST>(form);
    EXPECT_THAT(sent_by(handle), HasSubstr("\r\n\r\n321\r\n"));
    EXPECT_EQ(asked_with, handle.native_handle());
}

TEST(AMime, CarriesTheExceptionOfItsCallable) {
    mime form;
    form.addpart().name("made").callback(
        [](std::span<char>) -> std::size_t { throw std::domain_error("no data"); });
    EXPECT_THROW((void)sent_with(form), std::domain_error);
}

TEST(AMime, SendsPartsInsideParts) {
    mime inner;
    inner.addpart().data("first").type("text/plain");
    inner.addpart().data("<b>second</b>").type("text/html");
    mime form;
    form.addpart().name("both").subparts(inner).type("multipart/alternative");
    const auto body = sent_with(form);
    EXPECT_THAT(body, HasSubstr("multipart/alternative"));
    EXPECT_THAT(body, HasSubstr("first"));
    EXPECT_THAT(body, HasSubstr("<b>second</b>"));
}

TEST(AMime, MayHoldWhatItWasItself) {
    mime form;
    form.addpart().name("a").data("once");
    form.addpart().name("b").subparts(form);
    EXPECT_THAT(sent_with(form), HasSubstr("once"));
}

TEST(AMime, Encodes) {
    mime form;
    form.addpart().name("a").data("text").encoder("base64");
    EXPECT_THAT(sent_with(form), HasSubstr("dGV4dA=="));
    form.addpart().name("b").data("x").encoder("rot13");
    EXPECT_THROW((void)sent_with(form), std::system_error);
}

TEST(AMime, IsSentAsItWasWhenItWasSet) {
    easy handle;
    {
        mime form;
        form.addpart().name("a").data(std::string("kept"));
        handle.setopt<CURLOPT_MIMEPOST>(form);
        form.addpart().name("b").data("later");
    }
    const auto body = sent_by(handle);
    EXPECT_THAT(body, HasSubstr("kept"));
    EXPECT_THAT(body, Not(HasSubstr("later")));
    EXPECT_EQ(sent_by(handle).size(), body.size()); // and again
}

TEST(AMime, GoesWithADuplicate) {
    easy handle;
    CURL* asked_with = nullptr;
    mime form;
    form.addpart().name("memory").data("shared");
    form.addpart().name("made").callback(
        [&](easy& self, std::span<char> buffer) {
            asked_with = self.native_handle();
            buffer.front() = 'x';
            return std::size_t{1};
        },
        1);
    handle.setopt<CURLOPT_MIMEPOST>(form);
    const auto copy = handle.duphandle();
    handle.close();
    EXPECT_THAT(sent_by(copy), HasSubstr("shared"));
    EXPECT_EQ(asked_with, copy.native_handle());
}

mime with_a_callback_that_has(const std::shared_ptr<int>& token) {
    mime form;
    form.addpart().name("a").callback([token](std::span<char>) { return std::size_t{0}; });
    return form;
}

TEST(AMime, CanBeTakenBackAndReset) {
    const auto token = std::make_shared<int>(0);
    mime form = with_a_callback_that_has(token);
    easy handle;
    handle.setopt<CURLOPT_MIMEPOST>(form);
    handle.unset<CURLOPT_MIMEPOST>();
    handle.setopt<CURLOPT_MIMEPOST>(form);
    handle.reset();
    handle.setopt<CURLOPT_MIMEPOST>(form);
    form = mime();
    handle.close();
    EXPECT_EQ(token.use_count(), 1);
}

TEST(AMime, GoesWithTheLastWhoHasIt) {
    const auto token = std::make_shared<int>(0);
    easy handle;
    handle.setopt<CURLOPT_MIMEPOST>(with_a_callback_that_has(token));
    EXPECT_EQ(token.use_count(), 2);
    handle.unset<CURLOPT_MIMEPOST>();
    EXPECT_EQ(token.use_count(), 1);
}

TEST(AMimePart, RefusesANulInItsTexts) {
    mimepart part;
    const std::string_view text("a\0b", 3);
    EXPECT_THROW(part.name(text), usage_error);
    EXPECT_THROW(part.filename(text), usage_error);
    EXPECT_THROW(part.type(text), usage_error);
    EXPECT_THROW(part.encoder(text), usage_error);
    EXPECT_THROW(part.file(text), usage_error);
    EXPECT_THROW(part.headers({std::string(text)}), usage_error);
}

} // namespace
} // namespace curlicue
