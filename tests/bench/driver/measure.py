# SPDX-License-Identifier: MIT
"""Running processes: the servers, the clients, and the tools that count system calls."""

import collections
import dataclasses
import json
import os
import pathlib
import re
import resource
import subprocess
import tempfile
import time

PATIENCE = 120  # seconds for one run of a client, beyond what the server holds


class Failed(Exception):
    pass


@dataclasses.dataclass
class Usage:
    cpu_us: float
    rss_kb: int
    seconds: float
    threads: int = 1  # at a time, at the most
    look_ups: int | None = None


def processors():
    """The server's and the clients'."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


def use_client_processor():
    os.sched_setaffinity(0, {processors()[1]})


def cpu_us(pid):
    return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e3


class Server:
    """bench_server, until the end of the `with`. What it said is in `addresses`."""

    def __init__(self, build):
        self._program = build / "tests" / "bench" / "bench_server"
        self.resolver = (build / "tests" / "bench" / "sleeping_resolver.so").resolve()

    def __enter__(self):
        self._process = subprocess.Popen([self._program, str(processors()[0])], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True)
        line = self._process.stdout.readline()
        if not line:
            raise Failed("the server does not start; see above")
        self.addresses = json.loads(line)
        return self

    def cpu_us(self):
        """Processor time that it has had, all its processes together."""
        pid = self._process.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return sum(map(cpu_us, [pid, *children]))

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait()


def status(pid, *names):
    """Numbers of /proc/PID/status, 0 where there is none."""
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        text = ""
    found = (re.search(rf"{name}:\s+(\d+)", text) for name in names)
    return [int(each[1]) if each else 0 for each in found]


def run(command, patience=PATIENCE, everywhere=False, environment=None):
    """Runs a client, on its processor or on all. Returns what it printed, and its Usage."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env={**os.environ, **(environment or {})},
                                   preexec_fn=None if everywhere else use_client_processor)
        rss_kb, threads = 0, 1
        while True:
            rss_kb, threads = map(max, (rss_kb, threads), status(process.pid, "VmHWM", "Threads"))
            try:
                process.wait(0.05)
                break
            except subprocess.TimeoutExpired:
                if time.monotonic() - begun > patience:
                    process.kill()
                    process.wait()
                    raise Failed(f"did not end within {patience} s") from None
        seconds = time.monotonic() - begun
        output.seek(0)
        errors.seek(0)
        if process.returncode != 0:
            raise Failed(errors.read(500).strip() or f"ended with {process.returncode}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        look_ups = re.search(r"look-ups: (\d+)", errors.read())
        return output.read(), Usage(cpu * 1e6, rss_kb, seconds, threads, int(look_ups[1]) if look_ups else None)


def total(client, job, **place):
    output, usage = run(client.command(job), **place)
    return {**client.result(output, usage), "threads": usage.threads, "look_ups": usage.look_ups}


class Counter:
    """Counts system calls with what is there: perf, else strace, else nothing."""

    PERF = ("perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter,syscalls:sys_enter_epoll_ctl", "-o")
    STRACE = ("strace", "-f", "-c", "-o")

    def __init__(self):
        self.tool = next((tool for tool in (self.PERF, self.STRACE) if self._works(tool)), None)

    def _works(self, tool):
        try:
            return self._counts([*tool], ["true"])["all"] > 0
        except (OSError, Failed, ValueError):
            return False

    @staticmethod
    def _counts(tool, command, client=None, **place):
        """How many calls the whole program made, and with a client how many requests."""
        with tempfile.NamedTemporaryFile("r", prefix="bench-") as report:
            output, usage = run([*tool, report.name, *command], **place)
            counts = collections.Counter()
            for line in report.read().splitlines():
                if found := re.match(r"(\d+),.*sys_enter(_epoll_ctl)?,", line):
                    counts["epoll_ctl" if found[2] else "all"] += int(found[1])
                elif found := re.match(r"\s*[\d.]+\s+[\d.]+\s+\d*\s+(\d+)\s.*?(\w+)$", line):
                    counts["all" if found[2] == "total" else found[2]] += int(found[1])
        if client:
            counts["requests"] = client.result(output, usage)["requests"]
        return counts

    def per_request(self, client, few, many, **place):
        """System calls and epoll_ctl calls: of how many more there are with many requests, so that what a program does
        once does not count."""
        if not self.tool:
            return None, None
        low, high = (self._counts(self.tool, client.command(job), client, **place) for job in (few, many))
        more = high["requests"] + many["warm_up"] - low["requests"] - few["warm_up"]
        return tuple((high[what] - low[what]) / more for what in ("all", "epoll_ctl"))
