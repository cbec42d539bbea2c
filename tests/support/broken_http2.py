#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""broken_http2.py PORT: HTTP/2 without TLS, broken as the path of the request says.

/ok                a reply, as it should be
/goaway/WHEN       GOAWAY before the reply, in its middle, or after it: `before`, `middle`, `after`; with
                   `refused` it names no stream, as if the request had never come
/reset/CODE/WHEN   RST_STREAM with that code, `before` the reply or in its `middle`
/window            takes no byte of a request's body
/flood/FRAME       SETTINGS or PING without end: `settings`, `ping`
/idle              a reply, and PINGs after it
"""

import socket
import sys
import threading
import time

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived
from hyperframe.frame import PingFrame, SettingsFrame

HALF = bytes(range(256)) * 8
LENGTH = str(2 * len(HALF))


class Client:
    def __init__(self, connected):
        self.socket = connected
        self.http2 = H2Connection(H2Configuration(client_side=False))

    def send(self):
        self.socket.sendall(self.http2.data_to_send())

    def head(self, stream):
        self.http2.send_headers(stream, [(":status", "200"), ("content-length", LENGTH)])

    def half(self, stream, last=False):
        self.http2.send_data(stream, HALF, end_stream=last)
        self.send()

    def reply(self, stream):
        self.head(stream)
        self.half(stream)
        self.half(stream, last=True)

    def goaway(self, stream, when):
        if when == "refused":
            self.http2.close_connection(last_stream_id=0)
            self.send()
            return False
        # Said by hand, since h2 sends nothing any more once it has said GOAWAY.
        frame = b"\0\0\x08\x07\0\0\0\0\0" + stream.to_bytes(4, "big") + bytes(4)
        if when == "before":
            self.socket.sendall(frame)
        self.head(stream)
        self.half(stream)
        if when == "middle":
            self.socket.sendall(frame)
        self.half(stream, last=True)
        if when == "after":
            self.socket.sendall(frame)
        return True

    def reset(self, stream, code, when):
        if when == "middle":
            self.head(stream)
            self.half(stream)
        self.http2.reset_stream(stream, int(code))
        self.send()
        return True

    def window(self, stream):
        return True

    def flood(self, stream, frame):
        one = SettingsFrame(0, settings={4: 65535}) if frame == "settings" else PingFrame(0, b"12345678")
        while True:
            self.socket.sendall(one.serialize() * 1000)

    def idle(self, stream):
        self.reply(stream)
        for _ in range(20):
            time.sleep(0.002)
            self.http2.ping(b"are you?")
            self.send()
        return True

    def ok(self, stream):
        self.reply(stream)
        return True

    def answer(self, request):
        path = dict(request.headers)[b":path"].decode()
        name, *words = path.strip("/").split("/")
        return getattr(self, name)(request.stream_id, *words)

    def serve(self):
        if len(self.socket.recv(1, socket.MSG_PEEK)) == 0:
            return
        self.http2.initiate_connection()
        self.http2.update_settings({4: 0})  # INITIAL_WINDOW_SIZE: a request's body must wait
        self.send()
        while data := self.socket.recv(65536):
            events = self.http2.receive_data(data)
            self.send()
            for event in events:
                if isinstance(event, RequestReceived) and not self.answer(event):
                    return


def serve(connected):
    with connected:
        try:
            Client(connected).serve()
        except OSError:
            pass  # the client has gone, as it should


def main():
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024)
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


main()
