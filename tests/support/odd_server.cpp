// SPDX-License-Identifier: MIT
#include "support/odd_server.hpp"

#include <map>
#include <string>
#include <string_view>

namespace curlicue::test {
namespace {

enum class ending { none, close, reset, hold };

struct reply {
    std::string_view text;
    ending end = ending::close;
};

// "H" stands for the line of a good reply.
#define H "HTTP/1.1 200 OK\r\n"
const std::map<std::string_view, reply> replies = {
    {"/partial", {H "Content-Length: 100\r\n\r\nabc"}},
    {"/half", {H "Content-Length: 100\r\n\r\nabc", ending::hold}},
    {"/whole/reset", {H "Content-Length: 3\r\n\r\nabc", ending::reset}},
    {"/to/the/end", {H "\r\nabc"}},
    {"/nothing", {""}},
    {"/silence", {"", ending::hold}},
    {"/garbage", {"garbage\r\n\r\n"}},
    {"/version", {"HTTP/4.2 200 OK\r\n\r\n"}},
    {"/length/bad", {H "Content-Length: many\r\n\r\nabc"}},
    {"/length/negative", {H "Content-Length: -5\r\n\r\nabc"}},
    {"/length/twice", {H "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc"}},
    {"/header/cut", {H "X-Head"}},
    {"/header/folded", {H "X-Folded: a\r\n b\r\nContent-Length: 0\r\n\r\n", ending::none}},
    {"/header/nul", {{H "X-Nul: a\0b\r\n\r\nabc", sizeof H "X-Nul: a\0b\r\n\r\nabc" - 1}}},
    {"/chunked",
     {H "Transfer-Encoding: chunked\r\nTrailer: X-End\r\n\r\n3\r\nabc\r\n0\r\nX-End: yes\r\n\r\n",
      ending::none}},
    {"/chunked/bad", {H "Transfer-Encoding: chunked\r\n\r\nmany\r\nabc\r\n"}},
    {"/chunked/cut", {H "Transfer-Encoding: chunked\r\n\r\n10\r\nabc"}},
    {"/gzip/bad", {H "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain", ending::none}},
    {"/encoding/unknown",
     {H "Content-Encoding: odd\r\nContent-Length: 5\r\n\r\nplain", ending::none}},
    {"/cookies",
     {H "Set-Cookie: a=1; Path=/\r\nSet-Cookie: b=2; Path=/echo; Max-Age=0\r\n"
        "Set-Cookie: c=3; Path=/; Expires=Fri, 01 Jan 2038 00:00:00 GMT; HttpOnly\r\n"
        "Set-Cookie: d=4; Domain=elsewhere.test\r\nContent-Length: 0\r\n\r\n",
      ending::none}},
    {"/301",
     {"HTTP/1.1 301 Moved\r\nLocation: /echo/301\r\nContent-Length: 0\r\n\r\n", ending::none}},
    {"/303",
     {"HTTP/1.1 303 See\r\nLocation: /echo/303\r\nContent-Length: 0\r\n\r\n", ending::none}},
    {"/307",
     {"HTTP/1.1 307 Again\r\nLocation: /echo/307\r\nContent-Length: 0\r\n\r\n", ending::none}},
    {"/308",
     {"HTTP/1.1 308 There\r\nLocation: /echo/308\r\nContent-Length: 0\r\n\r\n", ending::none}},
    {"/to/file", {"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n"}},
    {"/to/nonsense", {"HTTP/1.1 302 Found\r\nLocation: nonsense://there\r\n\r\n"}},
    {"/once/more",
     {"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 5\r\n\r\nbusy\n", ending::none}},
    {"/417", {"HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n"}},
    {"/named",
     {H "Content-Disposition: attachment; filename=\"named.txt\"\r\n"
        "Content-Length: 3\r\n\r\nabc",
      ending::none}},
    {"/early", {"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 6\r\n\r\nlarge\n"}},
    {"/hints",
     {"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" H "Content-Length: 3\r\n\r\nabc",
      ending::none}},
};
#undef H

std::string body_of(connection& client, const std::string& head) {
    if (head.find("Expect: 100-continue") != head.npos)
        client.write("HTTP/1.1 100 Continue\r\n\r\n");
    constexpr std::string_view length = "Content-Length: ";
    if (const auto at = head.find(length); at != head.npos)
        return client.read(std::stoul(head.substr(at + length.size())));
    std::string body;
    if (head.find("Transfer-Encoding: chunked") != head.npos)
        while (!body.ends_with("0\r\n\r\n")) {
            const std::string more = client.read(1);
            if (more.empty())
                break;
            body += more;
        }
    return body;
}

void reply_with(connection& client, std::string_view status, const std::string& body) {
    client.write("HTTP/1.1 " + std::string(status) +
                 "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
}

bool answer(connection& client, const std::string& head) {
    const auto begin = head.find(' ') + 1;
    const std::string_view path =
        std::string_view(head).substr(begin, head.find_first_of(" ?", begin) - begin);
    const auto odd = replies.find(path);
    const std::string body = path == "/early" ? "" : body_of(client, head);
    if (path == "/digest") {
        if (head.find("Authorization: Digest username=\"user\"") != head.npos)
            reply_with(client, "200 OK", "hello\n");
        else
            reply_with(client,
                       "401 Who\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"",
                       "who?\n");
    } else if (odd == replies.end()) {
        reply_with(client, path.starts_with("/echo") ? "200 OK" : "404 None", head + body);
    } else {
        client.write(odd->second.text);
        if (odd->second.end == ending::reset)
            client.reset();
        if (odd->second.end == ending::hold)
            client.hold();
        return odd->second.end == ending::none;
    }
    return true;
}

void serve(connection& client) {
    while (true) {
        const std::string head = client.read_request_head();
        if (head.empty() || !answer(client, head))
            return;
    }
}

} // namespace

scripted_server make_odd_server() { return scripted_server(&serve); }

} // namespace curlicue::test
