#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The part of tests/bench/run that measures; it is given the build directory and what the user asked for."""

import argparse
import pathlib
import resource
import statistics
import subprocess
import sys

import chart
import clients
import measure
import report
from workloads import QUICK, WORKLOADS

MICRO = "micro"  # single operations: no workload, nor any client's
NAMES = (*WORKLOADS, MICRO)


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run", description="Measures curlicue and others.")
    parser.add_argument("workloads", nargs="*", metavar="workload", help="all, unless some are named: " + ", ".join(NAMES))
    parser.add_argument("--client", help="only these, separated by commas")
    parser.add_argument("--rounds", type=int, help="how many, instead of each workload's own number")
    parser.add_argument("--quick", action="store_true",
                        help=f"{' and '.join(QUICK['workloads'])} with {', '.join(QUICK['clients'])}; within a minute")
    parser.add_argument("--compare", type=pathlib.Path, metavar="BUILD",
                        help="curlicue alone, beside itself as it is in that build directory; ratios are to that")
    parser.add_argument("--build", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--output", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if unknown := [name for name in asked.workloads if name not in NAMES]:
        parser.error(f"there is no workload {unknown[0]}; there are {', '.join(NAMES)}")
    return asked


def say(text):
    print(f"==> {text}", flush=True)


class Measurement:
    """One client's rounds of one workload."""

    def __init__(self, workload, client, server):
        self.workload, self.client, self.server = workload, client, server
        hold = server.addresses["hold_seconds"] if workload.path == "/hold" else 0
        environment = {name: value.format(server.addresses[workload.server]) for name, value in workload.environment.items()}
        if workload.cold:
            environment["LD_PRELOAD"] = str(server.resolver)
        self.place = {"patience": measure.PATIENCE + hold, "everywhere": workload.everywhere, "environment": environment}
        self.totals = []
        self.failures = 0

    def job(self, part=1):
        return self.workload.job(self.server.addresses, self.client.like, part)

    def run_once(self):
        if self.failures == 2:
            return
        job, before = self.job(), self.server.cpu_us()
        try:
            total = measure.total(self.client, job, **self.place)
            served = total["requests"] + self.client.warm_up(job)
            total["server_us"] = (self.server.cpu_us() - before) / served * total["requests"]
            self.totals.append(total)
        except measure.Failed as why:
            self.failures += 1
            say(f"{self.workload.name}: {self.client.name}: {why}")

    def median(self, value):
        return statistics.median(value(total) for total in self.totals)

    def row(self, counter):
        row = dict.fromkeys(report.KEYS)
        row.update(workload=self.workload.name, client=self.client.name)
        if not self.totals:
            return row
        row["requests"] = self.totals[0]["requests"]
        row["rps"] = self.median(lambda total: total["requests"] / total["seconds"])
        row["cpu_us"] = self.median(lambda total: total["cpu_us"] / total["requests"])
        row["rss_kb"] = round(self.median(lambda total: total["rss_kb"]))
        if self.totals[0]["allocations"] is not None:
            row["allocations"] = self.median(lambda total: total["allocations"] / total["requests"])
        few, many = map(self.job, self.client.counted_parts or self.workload.counted_parts)
        try:
            row["syscalls"], row["epoll_ctl"] = counter.per_request(self.client, few, many, **self.place)
        except measure.Failed as why:
            say(f"{self.workload.name}: {self.client.name}, counting: {why}")
        return row

    def remark(self):
        """What else is to be told of this workload."""
        if self.workload.path == "/hold":
            hold = self.server.addresses["hold_seconds"]
            return f"{self.median(lambda total: total['seconds']) - hold:.2f} s beyond the {hold} s"
        if self.workload.cold:
            return (f"{self.median(lambda total: total['look_ups']):.0f} look-ups, {self.median(lambda total: total['threads']):.0f}"
                    f" threads; {self.median(lambda total: total['seconds']) - 0.3:.2f} s beyond the 0.3 s of one")
        if self.workload.everywhere:
            server_us = self.median(lambda total: total["server_us"] / total["requests"])
            busy = self.median(lambda total: (total["cpu_us"] + total["server_us"]) / total["seconds"] / 1e6)
            return f"{server_us:.1f} µs of the server's per request; {busy:.2f} processors busy with both"
        return None


def measure_workload(workload, chosen, rounds, server, counter, reference):
    needed = workload.requests + 100 if workload.options.get("once") else 0
    if (allowed := resource.getrlimit(resource.RLIMIT_NOFILE)[1]) < needed:
        say(f"{workload.name} is left out: a process may have {allowed} descriptors here, it needs {needed}")
        return []
    takers = [Measurement(workload, client, server) for client in chosen if client.like in workload.clients]
    for number in range(rounds or workload.rounds):
        for taker in takers if number % 2 == 0 else reversed(takers):
            taker.run_once()
    rows = [taker.row(counter) for taker in takers]
    report.print_rows(rows, reference)
    for taker in takers:
        if taker.totals and (remark := taker.remark()):
            print(f"{'':13}{taker.client.name:16}{remark}", flush=True)
    return rows


def measure_micro(asked):
    program = asked.build / "tests" / "bench" / "bench_micro"
    if not program.exists():
        return say("micro is left out: Google Benchmark is not installed")
    say("Single operations")
    subprocess.run([program, f"--benchmark_out={asked.output / 'micro.json'}", "--benchmark_out_format=json"], check=True,
                   stderr=subprocess.DEVNULL, preexec_fn=measure.use_client_processor)


def chosen_clients(asked, workloads):
    if asked.compare:
        before = clients.before(asked.compare)
        if before.missing:
            sys.exit(before.missing)
        return [clients.get("curlicue", asked.build, asked.output), before]
    wanted = asked.client.split(",") if asked.client else QUICK["clients"] if asked.quick else clients.NAMES
    if unknown := [name for name in wanted if name not in clients.NAMES]:
        sys.exit(f"There is no client {unknown[0]}; there are {', '.join(clients.NAMES)}.")
    chosen = [clients.get(name, asked.build, asked.output) for name in wanted
              if any(name in workload.clients for workload in workloads)]
    for client in chosen:
        if client.missing:
            say(f"{client.name} is left out: {client.missing}")
    return [client for client in chosen if not client.missing]


def measure_workloads(asked, workloads):
    chosen = chosen_clients(asked, workloads)
    counter = measure.Counter()
    say(f"System calls are counted with {counter.tool[0]}" if counter.tool else
        "Neither perf nor strace works here: system calls are not counted")
    reference = clients.BEFORE if asked.compare else report.REFERENCE
    rows = []
    report.print_heading()
    with measure.Server(asked.build) as server:
        for workload in workloads:
            rounds = asked.rounds or (3 if asked.quick else None)
            rows += measure_workload(workload, chosen, rounds, server, counter, reference)
            report.write_json(rows, asked.output / "bench.json")
    without = chart.draw(rows, asked.output / "bench.svg")
    say(f"{asked.output}/bench.json has the same, " + (f"no chart: {without}" if without else "bench.svg a chart of get-*"))
    return rows


def main():
    asked = arguments()
    names = asked.workloads or (QUICK["workloads"] if asked.quick else NAMES)
    workloads = [WORKLOADS[name] for name in names if name != MICRO]
    rows = measure_workloads(asked, workloads) if workloads else []
    if MICRO in names:
        measure_micro(asked)
    return 0 if all(row["rps"] for row in rows) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except measure.Failed as why:
        sys.exit(str(why))
    except KeyboardInterrupt:
        sys.exit(130)
