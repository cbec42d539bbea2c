#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""pingpong_server.py PORT PROTOCOL LOG CERTIFICATE KEY: smtp, imap, pop3 or ftp, or with an s for TLS.

Writes to LOG, a line each: `accepted SIZE`, a mail that is whole; `goodbye`, where somebody says so; `gone`, the end of
a connection. FTP has one file, of six bytes, and begins TLS when asked to, on both connections.
"""

import socket
import ssl
import sys
import threading


class Session:
    def __init__(self, client, log, context):
        self.log, self.context = log, context
        self.talk_to(client)

    def talk_to(self, client):
        self.client, self.lines = client, client.makefile("rb")

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
    protected = False
    answers = {"USER": "331 who", "PASS": "230 welcome", "PWD": '257 "/"', "SIZE": "213 6"}

    def answer(self, words):
        verb = words[0].upper()
        if verb == "AUTH":
            self.say("234 go on")
            self.talk_to(self.context.wrap_socket(self.client, server_side=True))
        elif verb == "EPSV":
            self.data = socket.create_server(("127.0.0.1", 0))
            self.say(f"229 (|||{self.data.getsockname()[1]}|)")
        elif verb == "RETR":
            self.say("150 it comes")
            with self.data, self.data.accept()[0] as plain:
                with self.context.wrap_socket(plain, server_side=True) if self.protected else plain as to:
                    to.sendall(b"hello\n")
                    self.part_from(to)
            self.say("226 done")
        else:
            if verb == "QUIT":
                self.note("goodbye")
            self.protected |= words == ["PROT", "P"]
            self.say(self.answers.get(verb, "200 ok"))

    def part_from(self, client):
        try:
            if self.protected:
                client.unwrap()
        except OSError:
            pass  # it has seen enough


def serve(plain, kind, log, context, begins_with_tls):
    try:
        with context.wrap_socket(plain, server_side=True) if begins_with_tls else plain as client:
            kind(client, log, context).run()
    except OSError:
        pass  # the client has gone, in one way or another
    log.write("gone\n")


def main():
    port, protocol, log, *certified = sys.argv[1:]
    kind = {"smtp": Smtp, "imap": Imap, "pop3": Pop3, "ftp": Ftp}[protocol.rstrip("s")]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certified)
    listener = socket.create_server(("127.0.0.1", int(port)), backlog=1024)
    with open(log, "w", buffering=1) as log:
        while True:
            session = (listener.accept()[0], kind, log, context, protocol.endswith("s"))
            threading.Thread(target=serve, args=session, daemon=True).start()


main()
