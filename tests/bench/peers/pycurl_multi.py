# SPDX-License-Identifier: MIT
"""pycurl_multi.py NAME=VALUE…: does a job (clients/job.hpp) with PycURL's CurlMulti, as its manual shows it."""

import json
import pathlib
import re
import resource
import sys
import time

import pycurl

job = dict(word.split("=", 1) for word in sys.argv[1:])
concurrency, requests, warm_up = (int(job[name]) for name in ("concurrency", "requests", "warm_up"))
# As the meter of the other clients: up to the last one that counts there are as many under way.
last = warm_up + requests
left_to_start = last + concurrency - 1


def sample():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return time.monotonic(), usage.ru_utime + usage.ru_stime


def transfer():
    easy = pycurl.Curl()
    easy.setopt(pycurl.URL, job["url"])
    easy.setopt(pycurl.FAILONERROR, True)
    easy.setopt(pycurl.WRITEFUNCTION, len)
    if "ca" in job:
        easy.setopt(pycurl.CAINFO, job["ca"])
    if job.get("fresh") == "1":
        easy.setopt(pycurl.FRESH_CONNECT, True)
        easy.setopt(pycurl.FORBID_REUSE, True)
    if job.get("multiplex") == "1":
        easy.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
        easy.setopt(pycurl.PIPEWAIT, True)
    else:
        easy.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
    return easy


multi = pycurl.CurlMulti()
multi.setopt(pycurl.M_PIPELINING, 2)  # CURLPIPE_MULTIPLEX
transfers = [transfer() for _ in range(concurrency)]
for easy in transfers:
    multi.add_handle(easy)
    left_to_start -= 1
running, ends, begin, end = len(transfers), 0, None, None
while running:
    while multi.perform()[0] == pycurl.E_CALL_MULTI_PERFORM:
        pass
    more = 1
    while more:
        more, succeeded, failed = multi.info_read()
        if failed:
            sys.exit(failed[0][2])
        for easy in succeeded:
            multi.remove_handle(easy)
            ends += 1
            if ends == warm_up:
                begin = sample()
            elif ends == last:
                end = sample()
            if left_to_start:
                left_to_start -= 1
                multi.add_handle(easy)
            else:
                running -= 1
    if running:
        wish = multi.timeout()  # ms; -1: none
        multi.select(min(1.0, wish / 1000) if wish >= 0 else 1.0)

status = pathlib.Path("/proc/self/status").read_text()
print(json.dumps({
    "requests": requests,
    "seconds": end[0] - begin[0],
    "cpu_us": (end[1] - begin[1]) * 1e6,
    "rss_kb": int(re.search(r"VmHWM:\s+(\d+)", status)[1]),
    "allocations": None,
}))
