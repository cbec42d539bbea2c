#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# libcurl 8.14.1 (Debian 13): its CONNECT promises an MQTT server a keep alive of 60 s, and a subscription
# that curl_easy_perform runs does send a PINGREQ after 60 s of silence. The same subscription under
# curl_multi_socket_action sends none: libcurl sets no timer for it, and looks at the clock only when
# something else calls it. The server is then to disconnect after 90 s (MQTT 3.1.1, 3.1.2.10), as the one
# in here does. (libcurl 7.88.1 sends no PINGREQ either way.) Takes two minutes. Seen:
#
#   libcurl/8.14.1
#   easy_perform: CONNECT with a keep alive of 60 s, SUBSCRIBE, PINGREQ
#   multi_socket_action: CONNECT with a keep alive of 60 s, SUBSCRIBE, nothing for 90 s

source "$(dirname "${BASH_SOURCE[0]}")/debian.bash"
unpack trixie libcurl4t64=8.14.1-2+deb13u7 python3

cat >fact.py <<'EOF'
import ctypes, select, socket, threading, time
from ctypes import c_char_p, c_int, c_long, c_size_t, c_void_p

curl = ctypes.CDLL("libcurl.so.4")
curl.curl_version.restype = c_char_p
curl.curl_easy_init.restype = curl.curl_multi_init.restype = c_void_p
WRITE = ctypes.CFUNCTYPE(c_size_t, c_void_p, c_size_t, c_size_t, c_void_p)
ON_SOCKET = ctypes.CFUNCTYPE(c_int, c_void_p, c_int, c_int, c_void_p, c_void_p)
ON_TIMER = ctypes.CFUNCTYPE(c_int, c_void_p, c_long, c_void_p)
URL, WRITEFUNCTION, NOSIGNAL = 10002, 20011, 99
SOCKETFUNCTION, TIMERFUNCTION, SOCKET_TIMEOUT = 20001, 20004, -1
write = WRITE(lambda _, size, count, __: size * count)

def serve(listener, seen):
    peer, _ = listener.accept()
    stream, patience = peer.makefile("rb"), None
    try:
        while kind := stream.read(1):
            body = stream.read(stream.read(1)[0])  # all are shorter than 128
            kind = kind[0] >> 4
            if kind == 1:  # CONNECT
                keep_alive = int.from_bytes(body[8:10], "big")
                seen.append("CONNECT with a keep alive of %d s" % keep_alive)
                patience = 1.5 * keep_alive
                peer.settimeout(patience)
                peer.sendall(b"\x20\2\0\0")
            elif kind == 8:
                seen.append("SUBSCRIBE")
                peer.sendall(b"\x90\3" + body[:2] + b"\0")
            elif kind == 12:
                seen.append("PINGREQ")
                peer.sendall(b"\xd0\0")
                break
            else:
                seen.append("packet of type %d" % kind)
    except TimeoutError:
        seen.append("nothing for %d s" % patience)
    peer.shutdown(socket.SHUT_RDWR)
    peer.close()

def subscribe(how):
    listener, seen = socket.create_server(("127.0.0.1", 0)), []
    server = threading.Thread(target=serve, args=(listener, seen), daemon=True)
    server.start()
    easy = c_void_p(curl.curl_easy_init())
    for option, value in (
        (URL, b"mqtt://127.0.0.1:%d/topic" % listener.getsockname()[1]),
        (WRITEFUNCTION, write), (NOSIGNAL, c_long(1)),
    ):
        curl.curl_easy_setopt(easy, option, value)
    how(easy)
    server.join(10)
    curl.curl_easy_cleanup(easy)
    results[how.__name__] = seen

def easy_perform(easy):
    curl.curl_easy_perform(easy)

def multi_socket_action(easy):
    multi, due, wanted, running = c_void_p(curl.curl_multi_init()), [None], {}, c_int(1)

    @ON_SOCKET
    def on_socket(_, fd, what, *__):
        wanted[fd] = what
        return 0

    @ON_TIMER
    def on_timer(_, timeout_ms, __):
        due[0] = None if timeout_ms < 0 else time.monotonic() + timeout_ms / 1000
        return 0

    curl.curl_multi_setopt(multi, SOCKETFUNCTION, on_socket)
    curl.curl_multi_setopt(multi, TIMERFUNCTION, on_timer)
    curl.curl_multi_add_handle(multi, easy)
    end = time.monotonic() + 200
    while running.value and time.monotonic() < end:
        poll = select.poll()
        for fd, what in wanted.items():
            if what in (1, 2, 3):  # CURL_POLL_IN, CURL_POLL_OUT, CURL_POLL_INOUT
                poll.register(fd, (what & 1 and select.POLLIN) | (what & 2 and select.POLLOUT))
        left = end - time.monotonic() if due[0] is None else due[0] - time.monotonic()
        for fd, events in poll.poll(1000 * max(0, left)):
            mask = (events & ~select.POLLOUT and 1) | (events & select.POLLOUT and 2)
            curl.curl_multi_socket_action(multi, c_int(fd), c_int(mask), ctypes.byref(running))
        if due[0] is not None and due[0] <= time.monotonic():
            due[0] = None
            curl.curl_multi_socket_action(
                multi, c_int(SOCKET_TIMEOUT), c_int(0), ctypes.byref(running))
    curl.curl_multi_remove_handle(multi, easy)
    curl.curl_multi_cleanup(multi)

results = {}
both = [
    threading.Thread(target=subscribe, args=(how,), daemon=True)
    for how in (easy_perform, multi_socket_action)
]
for thread in both:
    thread.start()
for thread in both:
    thread.join(250)
print(curl.curl_version().decode().split()[0])
for how, seen in sorted(results.items()):
    print("%s: %s" % (how, ", ".join(seen)))
common = ["CONNECT with a keep alive of 60 s", "SUBSCRIBE"]
as_seen = results == {
    "easy_perform": common + ["PINGREQ"], "multi_socket_action": common + ["nothing for 90 s"],
}
raise SystemExit(0 if as_seen else "this has changed")
EOF
within 300 python3 -B fact.py
