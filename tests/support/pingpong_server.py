#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""pingpong_server.py PORT PROTOCOL LOG [CERTIFICATE KEY]: smtp, imap, pop3 or ftp, over TLS where there is a certificate.

Writes to LOG, a line each: `accepted SIZE`, a mail that is whole; `goodbye`, where somebody says so; `gone`, the end of
a connection. FTP has one file, of six bytes, over TLS with a data connection that is encrypted too.
"""

import socket
import ssl
import sys
import threading


class Session:
    def __init__(self, client, log, context):
        self.client, self.log, self.context = client, log, context
        self.lines = client.makefile("rb")

    def say(self, *lines):
        for line in lines:
            self.client.sendall(line.encode() + b"\r\n")

    def note(self, text):
        self.log.write(text + "\n")

    def run(self):
        self.say(self.greeting)
        while line := self.lines.readline():
            self.answer(line.decode().split())


class Smtp(Session):
    greeting = "220 here"

    def answer(self, words):
        if words[0].upper() == "DATA":
            self.say("354 go on")
            size = 0
            while (line := self.lines.readline()) not in (b"", b".\r\n"):
                size += len(line)
            if line:
                self.note(f"accepted {size}")
        if words[0].upper() == "QUIT":
            self.note("goodbye")
        self.say("250 ok")


class Imap(Session):
    greeting = "* OK here"

    def answer(self, words):
        tag, verb = words[0], words[1].upper()
        if verb == "APPEND":
            self.say("+ go on")
            size = int(words[-1].strip("{}"))
            if len(self.lines.read(size)) == size:
                self.note(f"accepted {size}")
        if verb == "LOGOUT":
            self.note("goodbye")
        self.say(*{"CAPABILITY": ["* CAPABILITY IMAP4rev1"], "LOGOUT": ["* BYE"]}.get(verb, []), f"{tag} OK done")


class Pop3(Session):
    greeting = "+OK here"

    def answer(self, words):
        verb = words[0].upper()
        if verb == "QUIT":
            self.note("goodbye")
        self.say(*{"CAPA": ["+OK", "USER", "."], "RETR": ["+OK", "hello", "."]}.get(verb, ["+OK"]))


class Ftp(Session):
    greeting = "220 here"
    answers = {"USER": "331 who", "PASS": "230 welcome", "PWD": '257 "/"', "SIZE": "213 6"}

    def answer(self, words):
        verb = words[0].upper()
        if verb == "EPSV":
            self.data = socket.create_server(("127.0.0.1", 0))
            self.say(f"229 (|||{self.data.getsockname()[1]}|)")
        elif verb == "RETR":
            self.say("150 it comes")
            with self.data, self.data.accept()[0] as plain:
                with self.context.wrap_socket(plain, server_side=True) if self.context else plain as to:
                    to.sendall(b"hello\n")
                    self.part_from(to)
            self.say("226 done")
        else:
            if verb == "QUIT":
                self.note("goodbye")
            self.say(self.answers.get(verb, "200 ok"))

    def part_from(self, client):
        try:
            if self.context:
                client.unwrap()
        except OSError:
            pass  # it has seen enough


def serve(plain, kind, log, context):
    try:
        with context.wrap_socket(plain, server_side=True) if context else plain as client:
            kind(client, log, context).run()
    except OSError:
        pass  # the client has gone, in one way or another
    log.write("gone\n")


def main():
    port, protocol, log, *certified = sys.argv[1:]
    kind = {"smtp": Smtp, "imap": Imap, "pop3": Pop3, "ftp": Ftp}[protocol]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if certified else None
    if context:
        context.load_cert_chain(*certified)
    listener = socket.create_server(("127.0.0.1", int(port)), backlog=1024)
    with open(log, "w", buffering=1) as log:
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0], kind, log, context), daemon=True).start()


main()
