# SPDX-License-Identifier: MIT
"""What is measured, and who does it."""

import dataclasses

LIBCURL = ("curlicue", "libuv-example", "curl_multi_poll")
QUICK = {"workloads": ("get-1", "get-64"), "clients": LIBCURL}


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    server: str  # which of its addresses: http, https or slow
    path: str
    clients: tuple
    requests: int  # in a round; chosen so that one takes 0.3 to 1 s
    concurrency: int = 1
    rounds: int = 5
    warm_up: int | None = None  # None: a tenth, and no less than the concurrency
    counted_parts: tuple = (0.1, 0.4)  # of the requests, where system calls are counted
    options: dict = dataclasses.field(default_factory=dict)  # what job.hpp knows
    other_requests: dict = dataclasses.field(default_factory=dict)  # clients for whom it is another number

    def job(self, server, client, part=1.0):
        """What a client is to do, as the names of job.hpp; `part` of the requests."""
        whole = self.other_requests.get(client, self.requests)
        requests = max(1, round(whole * part))
        job = {"url": server[self.server] + self.path, "requests": requests, "concurrency": self.concurrency}
        job["warm_up"] = max(self.concurrency, requests // 10) if self.warm_up is None else self.warm_up
        if self.server == "https":
            job["ca"] = server["ca"]
        job.update(self.options)
        if self.options.get("once"):
            job["concurrency"] = requests
        return job


def keep_alive(concurrency, requests, clients, **others):
    return Workload(f"get-{concurrency}", "http", "/100", clients, requests, concurrency, **others)


EVERYBODY = (*LIBCURL, "sockets", "beast", "wrk", "undici", "pycurl")

WORKLOADS = {
    workload.name: workload
    for workload in (
        keep_alive(1, 12000, EVERYBODY, other_requests={"libuv-example": 400, "undici": 5000, "pycurl": 5000}),
        keep_alive(16, 40000, EVERYBODY, other_requests={"undici": 10000, "pycurl": 10000}),
        keep_alive(64, 40000, EVERYBODY, other_requests={"undici": 10000, "pycurl": 10000}),
        keep_alive(256, 40000, EVERYBODY, other_requests={"undici": 10000, "pycurl": 10000}),
        keep_alive(1000, 20000, tuple(name for name in EVERYBODY if name != "pycurl"),  # select(2) ends at 1024
                   other_requests={"undici": 10000}),
    )
}
