# SPDX-License-Identifier: MIT
"""What becomes of the rows: a table, bench.json and a chart."""

import json

KEYS = ("workload", "client", "requests", "rps", "cpu_us", "syscalls", "epoll_ctl", "allocations", "rss_kb")
REFERENCE = "libuv-example"


def number(value):
    if value is None:
        return "-"
    if isinstance(value, int):
        return str(value)
    return f"{value:.0f}" if value >= 1000 else f"{value:.1f}" if value >= 100 else f"{value:.2f}"


def print_heading():
    print(f"{'workload':13}{'client':16}{'requests':>9}{'rps':>9}{'cpu_us':>10}{'syscalls':>9}{'epoll_ctl':>10}"
          f"{'allocations':>12}{'rss_kb':>8}{'rps x':>8}{'cpu x':>7}")


def print_rows(rows, to):
    """The rows of one workload; the last two columns are as many times those of the client named `to`."""
    reference = next((row for row in rows if row["client"] == to), {})
    for row in rows:
        times = [row[key] / reference[key] if row[key] and reference.get(key) else None for key in ("rps", "cpu_us")]
        print(f"{row['workload']:13}{row['client']:16}{number(row['requests']):>9}{number(row['rps']):>9}"
              f"{number(row['cpu_us']):>10}{number(row['syscalls']):>9}{number(row['epoll_ctl']):>10}"
              f"{number(row['allocations']):>12}{number(row['rss_kb']):>8}{number(times[0]):>8}{number(times[1]):>7}",
              flush=True)


def write_json(rows, path):
    path.write_text("[\n" + ",\n".join("  " + json.dumps({key: row[key] for key in KEYS}) for row in rows) + "\n]\n")
