#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# libcurl 7.88.1 (Debian 12): to remove an easy handle from its multi in the middle of the upload of a
# mail does not abort the mail, it sends what was sent so far. curl_multi_remove_handle says the final
# dot of DATA and waits for the server's answer to it; by RFC 5321, 4.1.1.4 the server then has the
# whole mail, and delivers the half. Here the program's read callback has given the first half and
# pauses; then the transfer is cancelled, as a program with a time limit of its own would.
# (libcurl 8.14.1 sends no dot.) Takes half a minute, most of it for the packages. Seen:
#
#   libcurl/7.88.1
#   running: 1, accepted before the removal: []
#   removed, accepted: [b'Subject: half\r\n\r\nThe first half.\r\n']

source "$(dirname "${BASH_SOURCE[0]}")/debian.bash"
unpack bookworm libcurl4=7.88.1-10+deb12u15 python3

cat >fact.py <<'EOF'
import ctypes, socket, threading, time
from ctypes import c_char_p, c_int, c_long, c_size_t, c_void_p

curl = ctypes.CDLL("libcurl.so.4")
curl.curl_version.restype = c_char_p
curl.curl_easy_init.restype = curl.curl_multi_init.restype = curl.curl_slist_append.restype = c_void_p
curl.curl_multi_add_handle.argtypes = curl.curl_multi_remove_handle.argtypes = c_void_p, c_void_p
curl.curl_multi_perform.argtypes = c_void_p, ctypes.POINTER(c_int)
READ = ctypes.CFUNCTYPE(c_size_t, c_void_p, c_size_t, c_size_t, c_void_p)
CURL_READFUNC_PAUSE = 0x10000001
URL, READFUNCTION, UPLOAD, MAIL_FROM, MAIL_RCPT, NOSIGNAL = 10002, 20012, 46, 10186, 10187, 99

listener = socket.create_server(("127.0.0.1", 0))
accepted = []

def serve():
    peer, _ = listener.accept()
    lines = peer.makefile("rb")
    peer.sendall(b"220 here\r\n")
    while line := lines.readline():
        verb = line.split()[0].upper()
        if verb == b"DATA":
            peer.sendall(b"354 go on\r\n")
            mail = b""
            while (line := lines.readline()) not in (b".\r\n", b""):
                mail += line
            if line:  # RFC 5321, 4.1.1.4: the mail is complete, and ours to deliver
                accepted.append(mail)
        peer.sendall(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")

server = threading.Thread(target=serve, daemon=True)
server.start()

parts = [b"Subject: half\r\n\r\nThe first half.\r\n"]

@READ
def read(buffer, size, count, _):
    if not parts:
        return CURL_READFUNC_PAUSE  # the second half is not there yet
    part = parts.pop()
    ctypes.memmove(buffer, part, len(part))
    return len(part)

easy, multi = c_void_p(curl.curl_easy_init()), c_void_p(curl.curl_multi_init())
for option, value in (
    (URL, b"smtp://127.0.0.1:%d/me" % listener.getsockname()[1]),
    (NOSIGNAL, c_long(1)), (UPLOAD, c_long(1)), (READFUNCTION, read),
    (MAIL_FROM, b"<a@example.com>"),
    (MAIL_RCPT, c_void_p(curl.curl_slist_append(None, b"<b@example.com>"))),
):
    curl.curl_easy_setopt(easy, option, value)
curl.curl_multi_add_handle(multi, easy)
running, until = c_int(1), time.monotonic() + 20
while parts and time.monotonic() < until:
    curl.curl_multi_perform(multi, ctypes.byref(running))
    time.sleep(0.01)
for _ in range(10):  # what was read is sent
    curl.curl_multi_perform(multi, ctypes.byref(running))
    time.sleep(0.01)
before = list(accepted)
curl.curl_multi_remove_handle(multi, easy)
curl.curl_multi_cleanup(multi)
curl.curl_easy_cleanup(easy)
listener.close()
server.join(10)
print(curl.curl_version().decode().split()[0])
print("running: %d, accepted before the removal: %s" % (running.value, before))
print("removed, accepted:", accepted)
as_seen = (running.value, before, accepted) == (1, [], [b"Subject: half\r\n\r\nThe first half.\r\n"])
raise SystemExit(0 if as_seen else "this has changed")
EOF
within 60 python3 -B fact.py
