# SPDX-License-Identifier: MIT
"""The clients: how each is started, and what it tells."""

import json
import pathlib
import re
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parents[1]
UNDICI = "undici@6"  # the last that Node 18 can run


def words(job):
    """NAME=VALUE…; many URLs in several, since Linux has a limit for each."""
    for name, value in job.items():
        if name == "url":
            for i in range(0, len(value), 1000):
                yield "url=" + " ".join(value[i:i + 1000])
        else:
            yield f"{name}={value}"


class Client:
    """A program that takes a job as NAME=VALUE… and prints what it measured as a line of JSON."""

    counted_parts = None  # where not the workload's: see there

    def __init__(self, name, command, missing=None, like=None):
        self.name = name
        self.like = like or name  # whose workloads it has
        self.missing = missing  # why it cannot run, if so
        self._command = command

    def command(self, job):
        return [*self._command, *words(job)]

    def warm_up(self, job):
        """How many requests it makes that it does not count."""
        return job["warm_up"]

    def result(self, output, usage):
        """Totals: requests, seconds, cpu_us, rss_kb and allocations. `usage` is the whole process's, from outside."""
        return json.loads(output.splitlines()[-1])


class Tool(Client):
    """One that somebody else wrote: its processor time includes its start."""

    def __init__(self, name, program=None):
        program = program or name
        super().__init__(name, [program], None if shutil.which(program) else f"{program} is not installed")

    def warm_up(self, job):
        return 0

    @staticmethod
    def totals(requests, seconds, usage):
        return {"requests": requests, "seconds": seconds, "cpu_us": usage.cpu_us, "rss_kb": usage.rss_kb, "allocations": None}


class Wrk(Tool):
    """Is told how long to go on: the number of requests stands for seconds."""

    counted_parts = (1, 3)

    def __init__(self, name, threads=1):
        super().__init__(name, "wrk")
        self._threads = threads

    def command(self, job):
        extra = ["-H", "Connection: close"] if job.get("fresh") else []
        return ["wrk", f"-t{self._threads}", f"-c{job['concurrency']}", f"-d{job['requests']}s", *extra, *job["url"]]

    def result(self, output, usage):
        requests = int(re.search(r"(\d+) requests in", output)[1])
        return self.totals(requests, requests / float(re.search(r"Requests/sec:\s*([\d.]+)", output)[1]), usage)


class H2load(Tool):
    def command(self, job):
        return ["h2load", "-t1", "-c1", f"-m{job['concurrency']}", f"-n{job['requests']}", *job["url"]]

    def result(self, output, usage):
        requests = int(re.search(r"(\d+) succeeded", output)[1])
        return self.totals(requests, requests / float(re.search(r"([\d.]+) req/s", output)[1]), usage)


def native(name, build, *options):
    program = build / "tests" / "bench" / f"bench_{name.removesuffix('-2').removesuffix('-pool')}"
    return Client(name, [program, *options], None if program.exists() else "what it needs is not installed")


def before(build):
    """curlicue as it was: the same client, of a build of another state."""
    program = build / "tests" / "bench" / "bench_curlicue"
    missing = None if program.exists() else f"{program} is not there: ninja -C {build} bench"
    return Client(BEFORE, [program], missing, like="curlicue")


def undici(output):
    """Gets it from npm, once."""
    directory = output / "undici"
    missing = None if shutil.which("node") else "node is not installed"
    if not missing and not (directory / "node_modules" / "undici").exists():
        directory.mkdir(parents=True, exist_ok=True)
        install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", directory, UNDICI]
        if not shutil.which("npm") or subprocess.run(install, stdout=subprocess.DEVNULL).returncode != 0:
            missing = f"npm could not install {UNDICI}"
    return Client("undici", ["node", HERE / "peers" / "undici.mjs", directory.resolve()], missing)


def pycurl():
    python = "/usr/bin/python3"  # Debian's, which has its packages
    found = subprocess.run([python, "-c", "import pycurl"], stderr=subprocess.DEVNULL).returncode == 0
    return Client("pycurl", [python, HERE / "peers" / "pycurl_multi.py"], None if found else "python3-pycurl is not installed")


BEFORE = "curlicue-before"
NATIVE = ("curlicue", "fetch", "libuv-example", "curl_multi_poll", "sockets", "beast")
NAMES = (*NATIVE, "curlicue-2", "curlicue-pool", "wrk", "wrk-2", "h2load", "undici", "pycurl")  # -2: with two threads


def get(name, build, output):
    if name in NATIVE:
        return native(name, build)
    others = {
        "curlicue-2": lambda: native(name, build, "loops=2"),
        "curlicue-pool": lambda: native(name, build, "pooled=1"),
        "wrk": lambda: Wrk(name),
        "wrk-2": lambda: Wrk(name, threads=2),
        "h2load": lambda: H2load(name),
        "undici": lambda: undici(output),
        "pycurl": pycurl,
    }
    return others[name]()
