#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# libcurl 7.88.1 (Debian 12), and 8.14.1 alike: a POST that goes over a kept connection is sent again, by
# libcurl itself, where the server has read all of it and then ends that connection without a word, as it does
# when the process that has just carried the request out dies. The transfer succeeds, and no code tells of it.
# The same POST over a new connection fails with CURLE_GOT_NOTHING (52), and is sent once. (RFC 9110 9.2.2 has
# clients repeat such a method only where they know that it has not been applied.) Seen:
#
#   libcurl/7.88.1
#   POST over a kept connection: CURLcode 0, the server has it 2 times
#   POST over a new connection: CURLcode 52, the server has it 1 time

source "$(dirname "${BASH_SOURCE[0]}")/debian.bash"
unpack bookworm libcurl4=7.88.1-10+deb12u15 python3

cat >fact.py <<'EOF'
import ctypes, socket, threading
from ctypes import c_char_p, c_int, c_long, c_void_p

curl = ctypes.CDLL("libcurl.so.4")
curl.curl_version.restype = c_char_p
curl.curl_easy_init.restype = c_void_p
curl.curl_easy_perform.argtypes = curl.curl_easy_reset.argtypes = [c_void_p]
URL, NOSIGNAL, POSTFIELDS, FORBID_REUSE, TIMEOUT = 10002, 99, 10015, 75, 13
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

class Server:
    """Answers a GET. Ends the connection of the first POST when it has all of it, and answers the next."""
    def __init__(self):
        self.posts = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client = self.listener.accept()[0]
            with client:
                while head := self.read(client):
                    if head.startswith(b"POST"):
                        self.posts += 1
                        if self.posts == 1:
                            break
                    client.sendall(ANSWER)

    @staticmethod
    def read(client):
        text = b""
        while not (text.endswith(b"one=1") if text.startswith(b"POST") else text.endswith(b"\r\n\r\n")):
            if not (more := client.recv(4096)):
                return b""
            text += more
        return text

def post(what, kept):
    server, easy = Server(), c_void_p(curl.curl_easy_init())
    def perform(fields):
        curl.curl_easy_reset(easy)
        for option, value in [
            (URL, b"http://127.0.0.1:%d/" % server.listener.getsockname()[1]), (NOSIGNAL, c_long(1)),
            (TIMEOUT, c_long(20)), (FORBID_REUSE, c_long(not kept))]:
            curl.curl_easy_setopt(easy, option, value)
        if fields:
            curl.curl_easy_setopt(easy, POSTFIELDS, fields)
        return curl.curl_easy_perform(easy)
    perform(None)
    code = perform(b"one=1")
    print("POST over a %s connection: CURLcode %d, the server has it %d time%s" % (
        what, code, server.posts, "s" if server.posts > 1 else ""))
    return code, server.posts

print(curl.curl_version().decode().split()[0])
seen = post("kept", True), post("new", False)
raise SystemExit(0 if seen == ((0, 2), (52, 1)) else "this has changed")
EOF
within 60 python3 -B fact.py
