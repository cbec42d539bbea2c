#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""resuming_tls.py PORT CERTIFICATE KEY: HTTP/1.1 over TLS, whose sessions may be used again. The answer is
"resumed" or "new", as the session was; there is none to /hold.
"""

import socket
import ssl
import sys
import threading


def serve(plain, context):
    try:
        with context.wrap_socket(plain, server_side=True) as client:
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                request += client.recv(4096) or b"GET / \r\n\r\n"
            if request.startswith(b"GET /hold "):
                client.recv(1)  # until the client goes
                return
            word = b"resumed" if client.session_reused else b"new"
            head = f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {len(word)}\r\n\r\n"
            client.sendall(head.encode() + word)
            client.unwrap()
    except OSError:
        pass  # the client has gone, or did not trust us


_, port, certificate, key = sys.argv
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
with socket.create_server(("127.0.0.1", int(port)), backlog=128) as listener:
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0], context), daemon=True).start()
