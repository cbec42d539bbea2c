#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# libcurl 7.88.1 (Debian 12): one request for HTTP/1.1 alone makes the requests after it HTTP/1.1 too. They
# ask for HTTP/2 over TLS (CURL_HTTP_VERSION_2TLS, which is also what an easy asks for by itself) from a
# server that speaks it, but take the kept connection, whose handshake offered no more than http/1.1, and
# nothing says so but CURLINFO_HTTP_VERSION. A new connection (CURLOPT_FRESH_CONNECT) is HTTP/2, and the
# request after that takes the one of HTTP/1.1 again, though both are kept. (libcurl 8.14.1 and a snapshot of
# 8.22 do the same.) Takes half a minute, most of it for the packages. Seen:
#
#   libcurl/7.88.1
#   HTTP/1.1 alone: HTTP/1.1, the server has had http/1.1
#   HTTP/2 over TLS: HTTP/1.1, the server has had http/1.1
#   by itself: HTTP/1.1, the server has had http/1.1
#   HTTP/2 over TLS, fresh: HTTP/2, the server has had http/1.1, h2
#   HTTP/2 over TLS: HTTP/1.1, the server has had http/1.1, h2

source "$(dirname "${BASH_SOURCE[0]}")/debian.bash"
unpack bookworm libcurl4=7.88.1-10+deb12u15 python3-h2=4.1.0-4 python3 openssl

cat >fact.py <<'EOF'
import ctypes, socket, ssl, threading
from ctypes import c_char_p, c_long, c_size_t, c_void_p

import h2.connection, h2.config, h2.events

curl = ctypes.CDLL("libcurl.so.4")
curl.curl_version.restype = c_char_p
curl.curl_easy_init.restype = c_void_p
WRITE = ctypes.CFUNCTYPE(c_size_t, c_void_p, c_size_t, c_size_t, c_void_p)
URL, WRITEFUNCTION, NOSIGNAL, NOPROXY, CAINFO = 10002, 20011, 99, 10177, 10065
HTTP_VERSION, FRESH_CONNECT, USED_VERSION = 84, 74, 0x200000 + 46
BY_ITSELF, HTTP_1_1, HTTP_2, HTTP_2_TLS = 0, 2, 3, 4

listening = socket.create_server(("127.0.0.1", 0))
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain("certificate.pem", "key.pem")
tls.set_alpn_protocols(["h2", "http/1.1"])
protocols = []

def http_1(peer):
    while peer.recv(65536):
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

def http_2(peer):
    state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    state.initiate_connection()
    peer.sendall(state.data_to_send())
    while data := peer.recv(65536):
        for event in state.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                state.send_headers(event.stream_id, [(":status", "200")])
                state.send_data(event.stream_id, b"ok", end_stream=True)
        peer.sendall(state.data_to_send())

def serve():
    while True:
        peer = tls.wrap_socket(listening.accept()[0], server_side=True)
        protocols.append(peer.selected_alpn_protocol())
        answer = http_2 if protocols[-1] == "h2" else http_1
        threading.Thread(target=answer, args=[peer], daemon=True).start()

threading.Thread(target=serve, daemon=True).start()
write = WRITE(lambda _, size, count, __: size * count)
easy = c_void_p(curl.curl_easy_init())
for option, value in (
    (URL, b"https://localhost:%d/" % listening.getsockname()[1]), (WRITEFUNCTION, write),
    (NOSIGNAL, c_long(1)), (NOPROXY, b"*"), (CAINFO, b"certificate.pem"),
):
    curl.curl_easy_setopt(easy, option, value)

def get(version, fresh=False):
    curl.curl_easy_setopt(easy, HTTP_VERSION, c_long(version))
    curl.curl_easy_setopt(easy, FRESH_CONNECT, c_long(fresh))
    code = curl.curl_easy_perform(easy)
    if code != 0:
        raise SystemExit("CURLcode %d" % code)
    used = c_long()
    curl.curl_easy_getinfo(easy, USED_VERSION, ctypes.byref(used))
    return {HTTP_1_1: "HTTP/1.1", HTTP_2: "HTTP/2"}[used.value], ", ".join(protocols)

print(curl.curl_version().decode().split()[0])
seen = []
for what, version, fresh in (
    ("HTTP/1.1 alone", HTTP_1_1, False), ("HTTP/2 over TLS", HTTP_2_TLS, False),
    ("by itself", BY_ITSELF, False), ("HTTP/2 over TLS, fresh", HTTP_2_TLS, True),
    ("HTTP/2 over TLS", HTTP_2_TLS, False),
):
    seen.append(get(version, fresh))
    print("%s: %s, the server has had %s" % (what, *seen[-1]))
kept = ("HTTP/1.1", "http/1.1")
both = "http/1.1, h2"
expected = [kept, kept, kept, ("HTTP/2", both), ("HTTP/1.1", both)]
raise SystemExit(0 if seen == expected else "this has changed")
EOF
within 60 openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem \
    -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>openssl.log || { cat openssl.log >&2; exit 1; }
within 60 python3 -B fact.py
