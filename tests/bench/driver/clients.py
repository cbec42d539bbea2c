# SPDX-License-Identifier: MIT
"""The clients: how each is started, and what it tells."""

import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parents[1]


class Client:
    """A program that takes a job as NAME=VALUE… and prints what it measured as a line of JSON."""

    def __init__(self, name, command, missing=None):
        self.name = name
        self.missing = missing  # why it cannot run, if so
        self._command = command

    def command(self, job):
        return [*self._command, *(f"{name}={value}" for name, value in job.items())]

    def result(self, output, usage):
        """Totals: requests, seconds, cpu_us, rss_kb and allocations. `usage` is the process's, as seen from outside."""
        return json.loads(output.splitlines()[-1])


def native(name, build):
    program = build / "tests" / "bench" / f"bench_{name}"
    return Client(name, [program], None if program.exists() else "what it needs is not installed")


def all_clients(build):
    clients = [native(name, build) for name in ("curlicue", "libuv-example", "curl_multi_poll", "sockets", "beast")]
    return {client.name: client for client in clients}
