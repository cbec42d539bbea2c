# SPDX-License-Identifier: MIT
"""What is measured, and who does it."""

import collections.abc
import dataclasses

LIBCURL = ("curlicue", "libuv-example", "curl_multi_poll")
QUICK = {"workloads": ("get-1", "get-64"), "clients": LIBCURL}


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    server: str  # which of its addresses: http, origins, crawl, https, everywhere or slow
    path: str
    clients: tuple
    requests: int  # in a round; chosen so that one takes 0.3 to 1 s
    concurrency: int = 1
    rounds: int = 5
    everywhere: bool = False  # the client has all processors, and so should its server
    warm_up: int | None = None  # None: a tenth, and no less than the concurrency
    counted_parts: tuple = (0.1, 0.4)  # of the requests: system calls are counted in how these two differ
    options: dict = dataclasses.field(default_factory=dict)  # further NAME=VALUE of job.hpp
    others: dict = dataclasses.field(default_factory=dict)  # clients for whom it is another number of requests
    addresses: collections.abc.Callable | None = None  # of that server's port; None: what the server says
    environment: dict = dataclasses.field(default_factory=dict)  # of the client; {} stands for the server's port
    cold: bool = False  # with a resolver that takes its time

    def job(self, server, client, part=1):
        """What a client is to do, as the names of job.hpp; `part` of the requests."""
        requests = max(1, round(self.others.get(client, self.requests) * part))
        addresses = self.addresses(server[self.server]) if self.addresses else server[self.server].split()
        job = {"url": [address + self.path for address in addresses], "requests": requests, "concurrency": self.concurrency}
        job["warm_up"] = max(self.concurrency, requests // 10) if self.warm_up is None else self.warm_up
        if self.server == "https":
            job["ca"] = server["ca"]
        if self.options.get("once"):
            job["concurrency"] = requests
        return {**job, **self.options}


def crawled(count):
    """So many servers: addresses of one machine, with a port that all of them have."""
    return lambda port: [f"http://127.{1 + i // 62500}.{i // 250 % 250}.{1 + i % 250}:{port}" for i in range(count)]


def crawl(count, requests):
    return Workload(f"crawl-{count}", "crawl", "/100", LIBCURL[:1], requests, count, rounds=3, addresses=crawled(count))


def cold(count):
    return Workload(f"cold-{count}", "crawl", "/100", LIBCURL[:1], count, rounds=3, warm_up=0, counted_parts=(0.1, 0.4),
                    addresses=lambda port: [f"http://cold.test:{port}"], options={"once": 1}, cold=True)


def keep_alive(concurrency, requests, clients, others):
    return Workload(f"get-{concurrency}", "http", "/100", clients, requests, concurrency, others={**WRK, **others})


FETCH = ("curlicue-pool", "fetch")
SMALL = (*LIBCURL, "sockets", "beast", "wrk", "undici", "pycurl")
WRK = {"wrk": 1, "wrk-2": 1}
INTERPRETED = {"undici": 10000, "pycurl": 10000}
BIG = {"rounds": 3, "counted_parts": (1, 2)}

WORKLOADS = {
    workload.name: workload
    for workload in (
        keep_alive(1, 12000, SMALL, {"libuv-example": 400, "undici": 5000, "pycurl": 5000}),
        keep_alive(16, 40000, SMALL, INTERPRETED),
        keep_alive(64, 40000, SMALL, INTERPRETED),
        keep_alive(256, 40000, SMALL, {"undici": 10000, "pycurl": 3000}),
        keep_alive(1000, 20000, SMALL[:-1], INTERPRETED),  # CurlMulti.select ends at descriptor 1024
        Workload("fetch-64", "http", "/100", FETCH, 40000, 64),
        Workload("fetch-file-1g", "http", "/1g", FETCH, 1, 1, warm_up=1, options={"file": "/tmp/curlicue-bench-file"}, **BIG),
        Workload("origins-64", "origins", "/100", LIBCURL, 40000, 64),
        Workload("spread-64", "everywhere", "/100", ("curlicue", "curlicue-2", "libuv-example", "sockets", "wrk", "wrk-2"),
                 40000, 64, everywhere=True, others=WRK),
        Workload("fresh-64", "http", "/100", (*LIBCURL, "sockets", "beast", "wrk", "pycurl"), 4000, 64,
                 options={"fresh": 1}, others=WRK),
        Workload("fresh-tls-16", "https", "/100", LIBCURL, 400, 16,
                 options={"fresh": 1, "default_authorities": 1}),
        Workload("h2-100", "https", "/100", (*LIBCURL, "h2load", "pycurl"), 15000, 100,
                 options={"multiplex": 1}, others={"h2load": 50000, "pycurl": 5000}),
        Workload("down-1g", "http", "/1g", (*LIBCURL, "sockets", "pycurl"), 1, 1, warm_up=1, **BIG),
        Workload("down-1g-512k", "http", "/1g", (*LIBCURL, "sockets"), 1, 1, warm_up=1, **BIG,
                 options={"buffer": 512 << 10}),
        Workload("down-tls-1g", "https", "/1g", LIBCURL, 1, 1, warm_up=1, **BIG),
        Workload("down-16x64m", "http", "/64m", (*LIBCURL, "sockets"), 16, 16, warm_up=16, **BIG),
        Workload("up-1g", "slow", "/sink", (*LIBCURL, "sockets"), 1, 1, warm_up=1, options={"upload": 1 << 30}, **BIG),
        Workload("hold-10000", "slow", "/hold", (*LIBCURL, "sockets", "beast", "undici"), 10000, rounds=3, warm_up=0,
                 counted_parts=(0.1, 0.4), options={"once": 1}),
        crawl(500, 20000),
        crawl(5000, 3000),
        Workload("proxy-6000", "crawl", "/100", LIBCURL[:1], 12000, 6000, rounds=3,
                 addresses=lambda port: [f"http://site-{i}.test" for i in range(6000)],
                 environment={"http_proxy": "http://127.0.0.1:{}"}),
        Workload("users-5000", "crawl", "/100", LIBCURL[:1], 10000, 5000, rounds=3,
                 addresses=lambda port: [f"http://user-{i}:secret-{i}@127.0.0.1:{port}" for i in range(5000)]),
        cold(1000),
        cold(10000),
        Workload("rss-10000", "http", "/256k", LIBCURL[:1], 10000, rounds=3, warm_up=0, counted_parts=(0.1, 0.4),
                 options={"once": 1}),
        Workload("h2-bodies", "https", "/64k", LIBCURL, 3000, 100, options={"multiplex": 1}),
        Workload("submit-4", "http", "/100", LIBCURL[:2], 10000, 64, options={"threads": 4}),
        Workload("cancel", "slow", "/stall", LIBCURL, 4000, 16, options={"cancel": 1}),
    )
}
