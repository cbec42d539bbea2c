#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""broken_tls.py PORT CERTIFICATE KEY: HTTP/1.1 over TLS, broken as the path of the request says.

/KIND/END: the KIND of body is `length`, which announces how long it is, or `close`, which goes on to the
end of the connection. That END is `notify`, as it should be; `silent`, without a close_notify; or `record`,
one that nobody can decrypt, after half of the body.
"""

import os
import socket
import ssl
import sys
import threading

BODY = bytes(range(256)) * 64


def answer(client, raw, kind, end):
    length = f"Content-Length: {len(BODY)}\r\n" if kind == "length" else ""
    head = f"HTTP/1.1 200 OK\r\nConnection: close\r\n{length}\r\n"
    client.sendall(head.encode() + BODY[: len(BODY) // 2])
    if end == "record":
        raw.sendall(b"\x17\x03\x03\x01\x00" + bytes(256))
        return
    client.sendall(BODY[len(BODY) // 2 :])
    if end == "notify":
        client.unwrap()


def serve(plain, context):
    try:
        with socket.socket(fileno=os.dup(plain.fileno())) as raw, context.wrap_socket(plain, server_side=True) as client:
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                request += client.recv(4096) or b"GET /length/notify \r\n\r\n"
            _, kind, end = request.split()[1].decode().split("/")
            answer(client, raw, kind, end)
    except OSError:
        pass  # the client has gone, as it should


def main():
    port, certificate, key = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", int(port)), backlog=1024)
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0], context), daemon=True).start()


main()
