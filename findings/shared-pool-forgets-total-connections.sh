#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# libcurl 8.14.1 (Debian 13): CURLMOPT_MAX_TOTAL_CONNECTIONS is not kept for easy handles with a share of
# connections (CURL_LOCK_DATA_CONNECT): 2 are asked for, and 8 transfers open 8 at once. Without the share
# there are 2. (libcurl 7.88.1: 2 either way.) Takes half a minute, most of it for the packages. Seen:
#
#   libcurl/8.14.1, 2 connections asked for, 8 transfers
#   the multi handle's own pool: 2 connections at once
#   a pool in a share: 8 connections at once

source "$(dirname "${BASH_SOURCE[0]}")/debian.bash"
unpack trixie libcurl4t64=8.14.1-2+deb13u7 python3

cat >fact.py <<'EOF'
import ctypes, socket, threading, time
from ctypes import c_char_p, c_int, c_long, c_size_t, c_void_p

curl = ctypes.CDLL("libcurl.so.4")
curl.curl_version.restype = c_char_p
curl.curl_easy_init.restype = curl.curl_multi_init.restype = curl.curl_share_init.restype = c_void_p
curl.curl_multi_add_handle.argtypes = curl.curl_multi_remove_handle.argtypes = c_void_p, c_void_p
curl.curl_multi_perform.argtypes = c_void_p, ctypes.POINTER(c_int)
WRITE = ctypes.CFUNCTYPE(c_size_t, c_void_p, c_size_t, c_size_t, c_void_p)
URL, WRITEFUNCTION, NOSIGNAL, NOPROXY, SHARE = 10002, 20011, 99, 10177, 10100
MAX_TOTAL_CONNECTIONS, SHOPT_SHARE, LOCK_DATA_CONNECT = 13, 1, 5
ASKED, TRANSFERS = 2, 8
write = WRITE(lambda _, size, count, __: size * count)

def most_at_once(shared):
    listener = socket.create_server(("127.0.0.1", 0))
    open_now, most, lock = [0], [0], threading.Lock()

    def serve(peer):
        with lock:
            open_now[0] += 1
            most[0] = max(most[0], open_now[0])
        while peer.recv(65536):
            time.sleep(0.3)
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        with lock:
            open_now[0] -= 1

    def accept():
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    multi = c_void_p(curl.curl_multi_init())
    curl.curl_multi_setopt(multi, MAX_TOTAL_CONNECTIONS, c_long(ASKED))
    share = c_void_p(curl.curl_share_init())
    curl.curl_share_setopt(share, SHOPT_SHARE, c_int(LOCK_DATA_CONNECT))
    easies = [c_void_p(curl.curl_easy_init()) for _ in range(TRANSFERS)]
    for easy in easies:
        for option, value in (
            (URL, b"http://127.0.0.1:%d/" % listener.getsockname()[1]), (WRITEFUNCTION, write),
            (NOSIGNAL, c_long(1)), (NOPROXY, b"*"), (SHARE, share if shared else None),
        ):
            curl.curl_easy_setopt(easy, option, value)
        curl.curl_multi_add_handle(multi, easy)
    running, until = c_int(1), time.monotonic() + 30
    while running.value and time.monotonic() < until:
        curl.curl_multi_perform(multi, ctypes.byref(running))
        time.sleep(0.01)
    for easy in easies:
        curl.curl_multi_remove_handle(multi, easy)
        curl.curl_easy_cleanup(easy)
    curl.curl_multi_cleanup(multi)
    curl.curl_share_cleanup(share)
    assert not running.value, "it took more than 30 s"
    return most[0]

print("%s, %d connections asked for, %d transfers" % (
    curl.curl_version().decode().split()[0], ASKED, TRANSFERS))
own, shared = most_at_once(False), most_at_once(True)
print("the multi handle's own pool: %d connections at once" % own)
print("a pool in a share: %d connections at once" % shared)
raise SystemExit(0 if (own, shared) == (ASKED, TRANSFERS) else "this has changed")
EOF
within 90 python3 -B fact.py
