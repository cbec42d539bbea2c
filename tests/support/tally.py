# SPDX-License-Identifier: MIT
"""tally.py [--failed WHAT]… BUILD…: sums up what `meson test` left in these build directories.

Meson counts programs; we count the cases that GoogleTest and busted report. A program that crashed, hung
or failed outside its cases is one failure more, and so is a build that never came to its tests.
"""

import argparse
import collections
import json
import pathlib
import sys
import xml.etree.ElementTree as xml


def cases_of(report):
    for case in xml.parse(report).iter("testcase"):
        if (failure := next((part for part in case if part.tag in ("failure", "error")), None)) is not None:
            words = failure.get("message") or failure.text
            print(f"{report}: {case.get('classname')}.{case.get('name')}\n{words}\n")
            yield "failed"
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            yield "skipped"
        else:
            yield "passed"


def outcomes_of(build):
    logs = list((build / "meson-logs").glob("testlog*.json"))  # a wrapper has its name in it
    if not logs:
        print(f"{build}: failed before any test ran")
        yield "failed"
        return
    for program in (json.loads(line) for log in logs for line in log.open()):
        # "project:suite / name", without the suite where there is only one project
        name = program["name"].rpartition(" / ")[2]
        report = build / f"{name}.xml"
        cases = list(cases_of(report)) if report.exists() else []
        yield from cases
        succeeded = program["result"] in ("OK", "SKIP")
        if not succeeded and "failed" not in cases:
            said = program.get("stderr", "").splitlines()
            words = next((line for line in reversed(said) if any(map(str.isalnum, line))), "") # where it hung, or died
            print(f"{build}: {name}: {program['result']} {words}")
            yield "failed"
        elif not cases:
            yield "skipped" if program["result"] == "SKIP" else "passed"


arguments = argparse.ArgumentParser()
arguments.add_argument("--failed", action="append", default=[], help="what else has failed")
arguments.add_argument("builds", nargs="*", type=pathlib.Path)
given = arguments.parse_args()

total = collections.Counter(failed=len(given.failed))
for what in given.failed:
    print(f"{what}: failed")
for directory in given.builds:
    total.update(outcomes_of(directory))

if not total.total():
    print("no test of that name")
    total["failed"] = 1
skipped = f", {total['skipped']} skipped" if total["skipped"] else ""
print(f"{total['passed']} passed, {total['failed']} failed{skipped}")
sys.exit(total["failed"] > 0)
