#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# libcurl 8.14.1 (Debian 13): after an upload that failed with CURLE_SEND_FAIL_REWIND (65) each later upload
# of the same easy handle fails with 65 as well, before anything is sent, though curl_easy_reset came
# between, which forgets all but the rewind that is due. A download ends that. The first failure is in
# order: the server ends a kept connection as the request comes, and a body without CURLOPT_SEEKFUNCTION
# cannot be sent again on another. (libcurl 7.88.1: the next upload succeeds.) Takes half a minute, most of
# it for the packages. Seen:
#
#   libcurl/8.14.1
#   PUT on a new connection: CURLcode 0
#   PUT on a kept one that the server ends: CURLcode 65
#   reset and PUT: CURLcode 65
#   reset and PUT: CURLcode 65
#   PUT of another easy handle: CURLcode 0
#   reset and GET: CURLcode 0
#   reset and PUT: CURLcode 0
#   the server answered /first /another /get /last

source "$(dirname "${BASH_SOURCE[0]}")/debian.bash"
unpack trixie libcurl4t64=8.14.1-2+deb13u7 python3

cat >fact.py <<'EOF'
import ctypes, socket, threading
from ctypes import c_char_p, c_long, c_size_t, c_void_p

curl = ctypes.CDLL("libcurl.so.4")
curl.curl_version.restype = c_char_p
curl.curl_easy_init.restype = curl.curl_slist_append.restype = c_void_p
DATA = ctypes.CFUNCTYPE(c_size_t, c_void_p, c_size_t, c_size_t, c_void_p)
URL, UPLOAD, READFUNCTION, WRITEFUNCTION = 10002, 46, 20012, 20011
NOSIGNAL, NOPROXY, HTTPHEADER = 99, 10177, 10023

listener = socket.create_server(("127.0.0.1", 0))
base = b"http://127.0.0.1:%d" % listener.getsockname()[1]
requests = []

def serve(peer):
    stream, served = peer.makefile("rwb"), 0
    while line := stream.readline():
        path, chunked = line.split()[1].decode(), False
        while line := stream.readline().strip().lower():
            chunked |= line == b"transfer-encoding: chunked"
        if path == "/second" and served:
            break  # as servers may at any time: RFC 9112, 9.5
        while chunked and (size := int(stream.readline(), 16)):
            stream.read(size + 2)
        if chunked:
            stream.readline()
        requests.append(path)
        served += 1
        stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        stream.flush()
    peer.shutdown(socket.SHUT_RDWR)
    peer.close()

def accept():
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

threading.Thread(target=accept, daemon=True).start()
write = DATA(lambda _, size, count, __: size * count)
no_expect = c_void_p(curl.curl_slist_append(None, b"Expect:"))

def transfer(easy, path, upload):
    body = [b"body"]

    @DATA
    def read(buffer, *_):
        part = body.pop() if body else b""
        ctypes.memmove(buffer, part, len(part))
        return len(part)

    curl.curl_easy_reset(easy)
    options = [
        (URL, base + path), (WRITEFUNCTION, write), (NOSIGNAL, c_long(1)), (NOPROXY, b"*"),
    ]
    if upload:
        options += [(UPLOAD, c_long(1)), (READFUNCTION, read), (HTTPHEADER, no_expect)]
    for option, value in options:
        curl.curl_easy_setopt(easy, option, value)
    return curl.curl_easy_perform(easy)

easy, another = c_void_p(curl.curl_easy_init()), c_void_p(curl.curl_easy_init())
print(curl.curl_version().decode().split()[0])
outcomes = []
for what, handle, path in (
    ("PUT on a new connection", easy, b"/first"),
    ("PUT on a kept one that the server ends", easy, b"/second"),
    ("reset and PUT", easy, b"/third"),
    ("reset and PUT", easy, b"/fourth"),
    ("PUT of another easy handle", another, b"/another"),
    ("reset and GET", easy, b"/get"),
    ("reset and PUT", easy, b"/last"),
):
    outcomes.append(transfer(handle, path, upload=path != b"/get"))
    print("%s: CURLcode %d" % (what, outcomes[-1]))
print("the server answered", *requests)
as_seen = outcomes == [0, 65, 65, 65, 0, 0, 0]
as_seen &= requests == ["/first", "/another", "/get", "/last"]
raise SystemExit(0 if as_seen else "this has changed")
EOF
within 60 python3 -B fact.py
