#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# libcurl 7.88.1 (Debian 12), driven by curl_multi_socket_action: an FTP download over a kept control connection
# stands still for good where the server's answer to EPSV is there as soon as libcurl looks for it, as from a server
# on the same machine, or with a callback that took its time. libcurl has then asked for no socket, and for no time
# but the transfer's own limit. curl_multi_socket_all lets it go on, as any loop over curl_multi_perform would.
# Where the answer comes later the same download ends by itself. 8.14.1 ends it in both cases. Seen:
#
#   libcurl/7.88.1
#   answer later: ends by itself
#   answer at once: no socket, and no time before its limit; ends after curl_multi_socket_all

source "$(dirname "${BASH_SOURCE[0]}")/debian.bash"
unpack bookworm libcurl4=7.88.1-10+deb12u15 python3

cat >fact.py <<'EOF'
import ctypes, select, socket, threading, time
from ctypes import CFUNCTYPE, POINTER, byref, c_char, c_char_p, c_int, c_long, c_size_t, c_void_p

curl = ctypes.CDLL("libcurl.so.4")
curl.curl_version.restype = c_char_p
for name in ("curl_easy_init", "curl_multi_init"):
    getattr(curl, name).restype = c_void_p
URL, WRITEFUNCTION, DEBUGFUNCTION, VERBOSE, NOSIGNAL, TIMEOUT = 10002, 20011, 20094, 41, 99, 13
SOCKETFUNCTION, TIMERFUNCTION = 20001, 20004
NO_SOCKET, REMOVE, SENT = -1, 4, 2
LIMIT = 20  # seconds, of each transfer

class Server:
    """FTP with one file, over passive connections. To EPSV it answers after so many seconds."""
    def __init__(self, delay):
        self.delay, self.answered = delay, threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        control = self.listener.accept()[0]
        say = lambda line: control.sendall(line.encode() + b"\r\n")
        say("220 here")
        for line in control.makefile("rb"):
            verb = line.split()[0].decode()
            if verb == "EPSV":
                data = socket.create_server(("127.0.0.1", 0))
                time.sleep(self.delay)
                say(f"229 (|||{data.getsockname()[1]}|)")
                self.answered.set()
            elif verb == "RETR":
                say("150 it comes")
                with data, data.accept()[0] as to:
                    to.sendall(b"hello\n")
                say("226 done")
            else:
                say({"USER": "331 who", "PASS": "230 welcome", "PWD": '257 "/"', "SIZE": "213 6"}.get(verb, "200 ok"))

class Loop:
    """Calls libcurl for what it has asked for, and for nothing else."""
    def __init__(self):
        self.multi, self.sockets, self.due = c_void_p(curl.curl_multi_init()), {}, None
        self.socket_function = CFUNCTYPE(c_int, c_void_p, c_int, c_int, c_void_p, c_void_p)(self.on_socket)
        self.timer_function = CFUNCTYPE(c_int, c_void_p, c_long, c_void_p)(self.on_timer)
        curl.curl_multi_setopt(self.multi, SOCKETFUNCTION, self.socket_function)
        curl.curl_multi_setopt(self.multi, TIMERFUNCTION, self.timer_function)

    def on_socket(self, easy, number, what, data, socket_data):
        if what == REMOVE:
            self.sockets.pop(number, None)
        else:
            self.sockets[number] = what
        return 0

    def on_timer(self, multi, milliseconds, data):
        self.due = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000
        return 0

    def rests(self):
        return not self.sockets and (self.due is None or self.due > time.monotonic() + LIMIT / 2)

    def run(self):
        """Until nothing runs, or nothing would for long. Whether all is over."""
        running = c_int(1)
        while running.value:
            if self.rests():
                return False
            wanted = self.sockets.items()
            wait = 1 if self.due is None else max(0, self.due - time.monotonic())
            ready = select.select([n for n, w in wanted if w & 1], [n for n, w in wanted if w & 2], [], wait)
            for number, bit in [(n, 1) for n in ready[0]] + [(n, 2) for n in ready[1]]:
                curl.curl_multi_socket_action(self.multi, number, bit, byref(running))
            if self.due is not None and self.due <= time.monotonic():
                self.due = None
                curl.curl_multi_socket_action(self.multi, NO_SOCKET, 0, byref(running))
        return True

    def call_for_all(self):
        running = c_int(1)
        curl.curl_multi_socket_all(self.multi, byref(running))
        return running.value == 0

@CFUNCTYPE(c_size_t, POINTER(c_char), c_size_t, c_size_t, c_void_p)
def write(data, size, count, user):
    return size * count

def download(at_once):
    server, loop = Server(0 if at_once else 0.1), Loop()
    @CFUNCTYPE(c_int, c_void_p, c_int, POINTER(c_char), c_size_t, c_void_p)
    def debug(easy, kind, data, size, user):
        if kind == SENT and data[:4] == b"EPSV" and second and at_once:
            server.answered.wait(5)
            time.sleep(0.05)
        return 0
    for second in (False, True):
        server.answered.clear()
        easy = c_void_p(curl.curl_easy_init())
        for option, value in [(URL, b"ftp://127.0.0.1:%d/1" % server.listener.getsockname()[1]), (VERBOSE, c_long(1)),
                              (DEBUGFUNCTION, debug), (WRITEFUNCTION, write), (NOSIGNAL, c_long(1)),
                              (TIMEOUT, c_long(LIMIT))]:
            curl.curl_easy_setopt(easy, option, value)
        curl.curl_multi_add_handle(loop.multi, easy)
        over = loop.run()
        if second:
            break
        curl.curl_multi_remove_handle(loop.multi, easy)
    if over:
        return "ends by itself"
    end = time.monotonic() + 5
    while not loop.call_for_all() and time.monotonic() < end:
        time.sleep(0.01)
    went_on = time.monotonic() < end
    return "no socket, and no time before its limit; ends after curl_multi_socket_all" if went_on else "never ends"

print(curl.curl_version().decode().split()[0])
seen = download(False), download(True)
print("answer later:", seen[0])
print("answer at once:", seen[1])
raise SystemExit(0 if seen[0] == "ends by itself" and seen[1].startswith("no socket, ") else "this has changed")
EOF
within 60 python3 -B fact.py
