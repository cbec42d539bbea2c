#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# libcurl 7.88.1 (Debian 12): two RTSP sessions of one multi handle share a TCP connection, and the
# media of both goes to the CURLOPT_INTERLEAVEFUNCTION of whichever easy handle is at work, though each
# SETUP has asked for channels of its own: the owner of session 0 hears nothing, the owner of session 1
# hears both. A share of its own for CURL_LOCK_DATA_CONNECT keeps an easy handle to itself. (libcurl
# 8.14.1 shares the connection too; there the media of session 0 reaches nobody.) Takes half a minute,
# most of it for the packages. Seen:
#
#   libcurl/7.88.1
#   connection 0: SETUP session 0
#   connection 0: SETUP session 1
#   connection 0: PLAY session 0
#   connection 0: PLAY session 1
#   easy handle of session 0 heard []
#   easy handle of session 1 heard ['media of session 0', 'media of session 1']

source "$(dirname "${BASH_SOURCE[0]}")/debian.bash"
unpack bookworm libcurl4=7.88.1-10+deb12u15 python3

cat >fact.py <<'EOF'
import ctypes, socket, threading, time
from ctypes import c_char_p, c_int, c_long, c_size_t, c_void_p

curl = ctypes.CDLL("libcurl.so.4")
curl.curl_version.restype = c_char_p
curl.curl_easy_init.restype = curl.curl_multi_init.restype = c_void_p
curl.curl_multi_add_handle.argtypes = curl.curl_multi_remove_handle.argtypes = c_void_p, c_void_p
curl.curl_multi_perform.argtypes = c_void_p, ctypes.POINTER(c_int)
WRITE = ctypes.CFUNCTYPE(c_size_t, c_void_p, c_size_t, c_size_t, c_void_p)
URL, NOSIGNAL, RTSP_REQUEST, STREAM_URI, TRANSPORT, INTERLEAVEFUNCTION = 10002, 99, 189, 10191, 10192, 20196
SETUP, PLAY = 4, 5
CHANNELS = "0-1", "2-3"

listener = socket.create_server(("127.0.0.1", 0))
requests = []  # connection, method, session
playing = []  # sessions

def packet(session):  # RFC 2326, 10.12: "$", the channel, the length and what RTP would carry
    words = b"media of session %d" % session
    return b"$" + bytes([2 * session]) + len(words).to_bytes(2, "big") + words

def serve(connection, peer):
    lines = peer.makefile("rb")
    while line := lines.readline():
        method, fields = line.split()[0].decode(), {}
        while line := lines.readline().strip():
            name, value = line.decode().split(": ", 1)
            fields[name] = value
        session = int(fields.get("Session", sum(method == "SETUP" for _, method, _ in requests)))
        requests.append((connection, method, session))
        answer = "RTSP/1.0 200 OK\r\nCSeq: %s\r\nSession: %d\r\n" % (fields["CSeq"], session)
        if method == "SETUP":
            answer += "Transport: %s\r\n" % fields["Transport"]
        elif method == "PLAY":
            playing.append(session)
        # the streams begin with the second PLAY
        media = b"".join(map(packet, playing)) if len(playing) == 2 else b""
        peer.sendall(answer.encode() + b"\r\n" + media)

def accept():
    for connection in range(4):
        threading.Thread(target=serve, args=(connection, listener.accept()[0]), daemon=True).start()

threading.Thread(target=accept, daemon=True).start()
url = b"rtsp://127.0.0.1:%d/film" % listener.getsockname()[1]
multi = c_void_p(curl.curl_multi_init())
easies = [c_void_p(curl.curl_easy_init()) for _ in CHANNELS]
heard = [[] for _ in CHANNELS]

def hear(session):
    def write(data, size, count, _):
        heard[session].append(ctypes.string_at(data, size * count)[4:].decode())
        return size * count
    return WRITE(write)

write = [hear(session) for session in range(2)]

def request(session, method):
    easy = easies[session]
    for option, value in (
        (URL, url), (STREAM_URI, url), (NOSIGNAL, c_long(1)), (RTSP_REQUEST, c_long(method)),
        (TRANSPORT, b"RTP/AVP/TCP;unicast;interleaved=" + CHANNELS[session].encode()),
        (INTERLEAVEFUNCTION, write[session]),
    ):
        curl.curl_easy_setopt(easy, option, value)
    curl.curl_multi_add_handle(multi, easy)
    running, until = c_int(1), time.monotonic() + 20
    while running.value and time.monotonic() < until:
        curl.curl_multi_perform(multi, ctypes.byref(running))
        time.sleep(0.01)
    curl.curl_multi_remove_handle(multi, easy)

for method in SETUP, PLAY:
    for session in range(2):
        request(session, method)
print(curl.curl_version().decode().split()[0])
for connection, method, session in requests:
    print("connection %d: %s session %d" % (connection, method, session))
for session in range(2):
    print("easy handle of session %d heard %s" % (session, heard[session]))
shared = [connection for connection, _, _ in requests] == [0] * 4
as_seen = shared and heard == [[], ["media of session 0", "media of session 1"]]
raise SystemExit(0 if as_seen else "this has changed")
EOF
within 60 python3 -B fact.py
