#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# libcurl 7.88.1 (Debian 12): CURLINFO_OS_ERRNO of a transfer that succeeded is the errno of an address
# that was tried before the one that answered; it stays through later transfers that had no failure at
# all, and through curl_easy_reset. Here a name has two addresses, of which 127.0.0.2 refuses and
# 127.0.0.1 answers. So the number tells nothing by itself. (libcurl 8.14.1: ECONNREFUSED after the first
# success as well, 0 from the next transfer on.) Takes half a minute, most of it for the packages. Seen:
#
#   libcurl/7.88.1
#   a name of two addresses: CURLcode 0, ECONNREFUSED
#   the next transfer, which no address refused: CURLcode 0, ECONNREFUSED
#   after curl_easy_reset: ECONNREFUSED
#   one more transfer: CURLcode 0, ECONNREFUSED

source "$(dirname "${BASH_SOURCE[0]}")/debian.bash"
unpack bookworm libcurl4=7.88.1-10+deb12u15 python3

cat >fact.py <<'EOF'
import ctypes, errno, socket, threading
from ctypes import c_char_p, c_long, c_size_t, c_void_p

curl = ctypes.CDLL("libcurl.so.4")
curl.curl_version.restype = c_char_p
curl.curl_easy_init.restype = curl.curl_slist_append.restype = c_void_p
WRITE = ctypes.CFUNCTYPE(c_size_t, c_void_p, c_size_t, c_size_t, c_void_p)
URL, WRITEFUNCTION, NOSIGNAL, NOPROXY, RESOLVE = 10002, 20011, 99, 10177, 10203
OS_ERRNO = 0x200019

listener = socket.create_server(("127.0.0.1", 0))
port = listener.getsockname()[1]
refusing = socket.socket()  # bound and not listening: nobody else gets the port
refusing.bind(("127.0.0.2", port))

def serve():
    while True:
        peer, _ = listener.accept()
        peer.recv(65536)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        peer.close()

threading.Thread(target=serve, daemon=True).start()
write = WRITE(lambda _, size, count, __: size * count)
names = c_void_p(curl.curl_slist_append(None, b"both:%d:127.0.0.2,127.0.0.1" % port))
easy = c_void_p(curl.curl_easy_init())

def get(host):
    for option, value in (
        (URL, b"http://%s:%d/" % (host, port)), (WRITEFUNCTION, write), (NOSIGNAL, c_long(1)),
        (NOPROXY, b"*"), (RESOLVE, names),
    ):
        curl.curl_easy_setopt(easy, option, value)
    return "CURLcode %d, %s" % (curl.curl_easy_perform(easy), os_errno())

def os_errno():
    number = c_long(-1)
    curl.curl_easy_getinfo(easy, OS_ERRNO, ctypes.byref(number))
    return errno.errorcode.get(number.value, str(number.value))

seen = [get(b"both"), get(b"127.0.0.1")]
curl.curl_easy_reset(easy)
seen += [os_errno(), get(b"127.0.0.1")]
print(curl.curl_version().decode().split()[0])
for what, outcome in zip((
    "a name of two addresses", "the next transfer, which no address refused",
    "after curl_easy_reset", "one more transfer",
), seen):
    print("%s: %s" % (what, outcome))
success = "CURLcode 0, ECONNREFUSED"
as_seen = seen == [success, success, "ECONNREFUSED", success]
raise SystemExit(0 if as_seen else "this has changed")
EOF
within 60 python3 -B fact.py
