#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ldap_server.py PORT MILLISECONDS [CERTIFICATE KEY]: as much of LDAP as a search wants, over TLS where there is a certificate.

Thinks so long about a bind, and finds one entry, dc=x, without attributes.
"""

import socket
import ssl
import sys
import threading
import time

BIND, UNBIND, SEARCH = 0x60, 0x42, 0x63


def answer(tag):
    """Success: no matched name, no message."""
    return bytes([tag, 7, 0x0A, 1, 0, 4, 0, 4, 0])


def message(number, operation):
    content = b"\x02\x01" + number + operation
    return bytes([0x30, len(content)]) + content


def serve(plain, thought, context):
    try:
        with context.wrap_socket(plain, server_side=True) if context else plain as client:
            while asked := client.recv(4096):
                number, operation = asked[4:5], asked[5]
                if operation == BIND:
                    time.sleep(thought)
                    client.sendall(message(number, answer(0x61)))
                elif operation == SEARCH:
                    # Each in a TLS record of its own: of two in one, libcurl 7.88 reads the first.
                    client.sendall(message(number, b"\x64\x08\x04\x04dc=x\x30\x00"))
                    client.sendall(message(number, answer(0x65)))
                elif operation == UNBIND:
                    return
    except OSError:
        pass  # the client has gone


def main():
    port, thought, *certified = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if certified else None
    if context:
        context.load_cert_chain(*certified)
        context.num_tickets = 0  # they would wake the client up
    listener = socket.create_server(("127.0.0.1", int(port)), backlog=1024)
    while True:
        arguments = (listener.accept()[0], int(thought) / 1000, context)
        threading.Thread(target=serve, args=arguments, daemon=True).start()


main()
