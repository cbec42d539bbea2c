#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# libcurl 7.88.1 (Debian 12): after CURLOPT_SERVER_RESPONSE_TIMEOUT seconds without an answer the transfer
# does not end. In the same call libcurl says goodbye (IMAP LOGOUT, POP3 QUIT, SMTP QUIT) to the server that
# has fallen silent, and waits for the answer as long again, in the foreground: curl_multi_perform, which
# never waits otherwise, returns 4 s later, and everything else of the thread stands still meanwhile.
# (libcurl 8.14.1 says it as well, and stands still for 1 s.) Takes a minute. Seen, with 4 s allowed:
#
#   libcurl/7.88.1
#   imap: CAPABILITY LOGIN LIST LOGOUT, CURLcode 28, one call of curl_multi_perform took 4 s
#   pop3: CAPA USER PASS LIST QUIT, CURLcode 28, one call of curl_multi_perform took 4 s
#   smtp: EHLO NOOP QUIT, CURLcode 28, one call of curl_multi_perform took 4 s

source "$(dirname "${BASH_SOURCE[0]}")/debian.bash"
unpack bookworm libcurl4=7.88.1-10+deb12u15 python3

cat >fact.py <<'EOF'
import ctypes, socket, threading, time
from ctypes import c_char_p, c_int, c_long, c_void_p

class Message(ctypes.Structure):  # CURLMsg
    _fields_ = [("what", c_int), ("easy", c_void_p), ("code", c_int)]

curl = ctypes.CDLL("libcurl.so.4")
curl.curl_version.restype = c_char_p
curl.curl_easy_init.restype = curl.curl_multi_init.restype = c_void_p
curl.curl_multi_info_read.restype = ctypes.POINTER(Message)
curl.curl_multi_add_handle.argtypes = curl.curl_multi_remove_handle.argtypes = c_void_p, c_void_p
curl.curl_multi_perform.argtypes = c_void_p, ctypes.POINTER(c_int)
URL, NOSIGNAL, NOBODY, SERVER_RESPONSE_TIMEOUT, USERPWD, CUSTOMREQUEST = 10002, 99, 44, 112, 10005, 10036
ALLOWED = 4

def serve(listener, says, log):
    peer, _ = listener.accept()
    peer.sendall(says[""])
    for line in peer.makefile("rb"):
        words = line.decode().split()
        tag, verb = (words.pop(0), words[0]) if says is IMAP else ("", words[0])
        log.append(verb)
        if verb in says:  # else it has fallen silent
            peer.sendall(says[verb].replace(b"TAG", tag.encode()))

IMAP = {"": b"* OK here\r\n", "CAPABILITY": b"TAG OK\r\n", "LOGIN": b"TAG OK\r\n"}
POP3 = {"": b"+OK here\r\n", "CAPA": b"+OK\r\nUSER\r\n.\r\n", "USER": b"+OK\r\n", "PASS": b"+OK\r\n"}
SMTP = {"": b"220 here\r\n", "EHLO": b"250 here\r\n"}

def fetch(scheme, says):
    listener, log = socket.create_server(("127.0.0.1", 0)), []
    threading.Thread(target=serve, args=(listener, says, log), daemon=True).start()
    easy, multi = c_void_p(curl.curl_easy_init()), c_void_p(curl.curl_multi_init())
    options = [
        (URL, b"%s://127.0.0.1:%d/" % (scheme.encode(), listener.getsockname()[1])),
        (NOSIGNAL, c_long(1)), (SERVER_RESPONSE_TIMEOUT, c_long(ALLOWED)), (USERPWD, b"me:word"),
    ]
    if says is SMTP:
        options += [(CUSTOMREQUEST, b"NOOP"), (NOBODY, c_long(1))]
    for option, value in options:
        curl.curl_easy_setopt(easy, option, value)
    curl.curl_multi_add_handle(multi, easy)
    running, until, longest = c_int(1), time.monotonic() + 60, 0
    while running.value and time.monotonic() < until:
        begin = time.monotonic()
        curl.curl_multi_perform(multi, ctypes.byref(running))
        longest = max(longest, time.monotonic() - begin)
        time.sleep(0.01)
    message = curl.curl_multi_info_read(multi, ctypes.byref(c_int()))
    code = message.contents.code if message else "none"
    curl.curl_multi_remove_handle(multi, easy)
    curl.curl_multi_cleanup(multi)
    curl.curl_easy_cleanup(easy)
    print("%s: %s, CURLcode %s, one call of curl_multi_perform took %.0f s" % (
        scheme, " ".join(log), code, longest))
    return code == 28 and log[-1] in ("LOGOUT", "QUIT") and longest >= ALLOWED - 0.1

print(curl.curl_version().decode().split()[0])
as_seen = [fetch("imap", IMAP), fetch("pop3", POP3), fetch("smtp", SMTP)]
raise SystemExit(0 if all(as_seen) else "this has changed")
EOF
within 120 python3 -B fact.py
