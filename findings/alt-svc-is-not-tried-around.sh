#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# libcurl 7.88.1 (Debian 12): where an alternative service that libcurl remembers (CURLOPT_ALTSVC) refuses
# connections, the transfer fails with CURLE_COULDNT_CONNECT. The origin, which is up and would answer, is
# not tried, nor is the alternative forgotten: every later transfer fails too, until what is remembered
# expires. RFC 7838, 2.4 lets a client fall back to the origin. (libcurl 8.14.1 does the same.) Takes half
# a minute, most of it for the packages. Seen:
#
#   libcurl/7.88.1
#   first, told of the alternative: CURLcode 0, the origin has had 1 connections
#   with what it remembers: CURLcode 7, the origin has had 1 connections
#   and again: CURLcode 7, the origin has had 1 connections
#   without the file: CURLcode 0, the origin has had 2 connections

source "$(dirname "${BASH_SOURCE[0]}")/debian.bash"
unpack bookworm libcurl4=7.88.1-10+deb12u15 python3 openssl

cat >fact.py <<'EOF'
import ctypes, socket, ssl, threading
from ctypes import c_char_p, c_long, c_size_t, c_void_p

curl = ctypes.CDLL("libcurl.so.4")
curl.curl_version.restype = c_char_p
curl.curl_easy_init.restype = c_void_p
WRITE = ctypes.CFUNCTYPE(c_size_t, c_void_p, c_size_t, c_size_t, c_void_p)
URL, WRITEFUNCTION, NOSIGNAL, NOPROXY, CAINFO = 10002, 20011, 99, 10177, 10065
ALTSVC, ALTSVC_CTRL, H1 = 10287, 286, 8

origin = socket.create_server(("127.0.0.1", 0))
port = origin.getsockname()[1]
silent = socket.socket()
silent.bind(("127.0.0.1", 0))  # bound and not listening: it refuses, and nobody else gets the port
other = silent.getsockname()[1]
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain("certificate.pem", "key.pem")
accepted = []

def serve():
    while True:
        peer, _ = origin.accept()
        accepted.append(1)
        with tls.wrap_socket(peer, server_side=True) as peer:
            peer.recv(65536)
            peer.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n"
                b'Alt-Svc: h1="localhost:%d"; ma=3600\r\n\r\nok' % other)

threading.Thread(target=serve, daemon=True).start()
write = WRITE(lambda _, size, count, __: size * count)

def get(remembers):
    easy = c_void_p(curl.curl_easy_init())
    options = [
        (URL, b"https://localhost:%d/" % port), (WRITEFUNCTION, write), (NOSIGNAL, c_long(1)),
        (NOPROXY, b"*"), (CAINFO, b"certificate.pem"),
    ]
    if remembers:
        options += [(ALTSVC_CTRL, c_long(H1)), (ALTSVC, b"alternatives")]
    for option, value in options:
        curl.curl_easy_setopt(easy, option, value)
    code = curl.curl_easy_perform(easy)
    curl.curl_easy_cleanup(easy)  # writes the file
    return code, len(accepted)

print(curl.curl_version().decode().split()[0])
seen = [get(True), get(True), get(True), get(False)]
for what, outcome in zip((
    "first, told of the alternative", "with what it remembers", "and again", "without the file",
), seen):
    print("%s: CURLcode %d, the origin has had %d connections" % (what, *outcome))
raise SystemExit(0 if seen == [(0, 1), (7, 1), (7, 1), (0, 2)] else "this has changed")
EOF
within 60 openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem \
    -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>openssl.log || { cat openssl.log >&2; exit 1; }
within 60 python3 -B fact.py
