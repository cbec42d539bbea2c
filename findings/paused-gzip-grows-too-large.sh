#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# libcurl 8.14.1 (Debian 13): a body that gzip has made very small, here 100 MiB of zeros, cannot be taken
# with pauses. Each time that the transfer goes on, libcurl decodes 4 KiB more of what has come, on top of
# what it still holds from before, up to 4 MiB of it at a time, and when it holds 64 MiB the transfer ends
# with CURLE_TOO_LARGE, though the program takes a megabyte after each pause and the body is whole. Without
# pauses all of it comes; with 7.88.1 (Debian 12) it comes either way. Takes half a minute. Seen:
#
#   libcurl/8.14.1
#   without a pause: 104857600 bytes, CURLcode 0
#   a pause for each MiB: not all, CURLcode 100

source "$(dirname "${BASH_SOURCE[0]}")/debian.bash"
unpack trixie libcurl4t64=8.14.1-2+deb13u7 python3

cat >fact.py <<'EOF'
import ctypes, gzip, http.server, threading
from ctypes import c_char_p, c_int, c_long, c_size_t, c_void_p

class Message(ctypes.Structure):  # CURLMsg
    _fields_ = [("what", c_int), ("easy", c_void_p), ("code", c_int)]

curl = ctypes.CDLL("libcurl.so.4")
curl.curl_version.restype = c_char_p
curl.curl_easy_init.restype = curl.curl_multi_init.restype = c_void_p
curl.curl_multi_info_read.restype = ctypes.POINTER(Message)
curl.curl_multi_add_handle.argtypes = curl.curl_multi_remove_handle.argtypes = c_void_p, c_void_p
curl.curl_multi_perform.argtypes = c_void_p, ctypes.POINTER(c_int)
curl.curl_multi_poll.argtypes = c_void_p, c_void_p, c_int, c_int, c_void_p
URL, NOSIGNAL, ACCEPT_ENCODING, WRITEFUNCTION = 10002, 99, 10102, 20011
PAUSE, CONTINUE, TOO_LARGE, MEBIBYTE = 0x10000001, 0, 100, 1 << 20
SIZE = 100 * MEBIBYTE
packed = gzip.compress(bytes(SIZE))

class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(packed)))
        self.end_headers()
        self.wfile.write(packed)
    def log_message(self, *_):
        pass

def fetch(what, every):
    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    easy, multi = c_void_p(curl.curl_easy_init()), c_void_p(curl.curl_multi_init())
    taken, since, paused = 0, 0, False

    @ctypes.CFUNCTYPE(c_size_t, c_void_p, c_size_t, c_size_t, c_void_p)
    def take(_, size, count, __):
        nonlocal taken, since, paused
        if every and since >= every:
            since, paused = 0, True
            return PAUSE
        since += count
        taken += count
        return count

    for option, value in [
        (URL, b"http://127.0.0.1:%d/" % listener.server_address[1]), (NOSIGNAL, c_long(1)),
        (ACCEPT_ENCODING, b"gzip"), (WRITEFUNCTION, take),
    ]:
        curl.curl_easy_setopt(easy, option, value)
    curl.curl_multi_add_handle(multi, easy)
    running, code = c_int(1), None
    while running.value:
        curl.curl_multi_perform(multi, ctypes.byref(running))
        if paused:
            paused = False
            code = curl.curl_easy_pause(easy, CONTINUE) or None
            if code:
                break
        elif running.value:
            curl.curl_multi_poll(multi, None, 0, 10, None)
    message = curl.curl_multi_info_read(multi, ctypes.byref(c_int()))
    code = code or (message.contents.code if message else "none")
    curl.curl_multi_remove_handle(multi, easy)
    curl.curl_multi_cleanup(multi)
    curl.curl_easy_cleanup(easy)
    listener.shutdown()
    print("%s: %s, CURLcode %s" % (what, "%d bytes" % taken if taken == SIZE else "not all", code))
    return taken, code

print(curl.curl_version().decode().split()[0])
whole = fetch("without a pause", 0)
taken, code = fetch("a pause for each MiB", MEBIBYTE)
as_seen = whole == (SIZE, 0) and taken < SIZE and code == TOO_LARGE
raise SystemExit(0 if as_seen else "this has changed")
EOF
within 120 python3 -B fact.py
