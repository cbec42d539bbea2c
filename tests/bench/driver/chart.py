# SPDX-License-Identifier: MIT
"""The chart for the README, drawn by gnuplot: keep-alive GETs beside those of the reference, for each number at a time."""

import subprocess

from report import REFERENCE

# Colours that those see apart too who see few, and the shapes of points; the last are drawn over the others.
LOOKS = {
    "sockets": ("#999999", 9),
    "wrk": ("#56b4e9", 13),
    "beast": ("#009e73", 11),
    "undici": ("#cc79a7", 15),
    "pycurl": ("#8c6d31", 2),
    "curl_multi_poll": ("#e69f00", 5),
    REFERENCE: ("#d55e00", 6),
    "curlicue": ("#0072b2", 7),
}
PANELS = (("rps", "requests per second", "more is better"), ("cpu_us", "processor time per request", "less is better"))

SETTINGS = """
set terminal svg size 960,420 background '#ffffff' font 'Helvetica,Arial,sans-serif,14'
set output '{path}'
set datafile missing '?'
set grid ytics back linetype 1 linewidth 0.6 linecolor rgb '#d8d8d8'
set border 3 linecolor rgb '#777777'
set tics nomirror scale 0 textcolor rgb '#333333'
set logscale y 2
set ytics ({tics})
set xrange [-0.25:{last}.25]
set xlabel 'requests at a time' textcolor rgb '#333333'
set label 1 at screen 0.5, screen 0.96 center "GETs of 100 bytes over kept connections, as many times what {reference} has" \\
    font ',16' textcolor rgb '#111111'
set multiplot
set bmargin at screen 0.155
set tmargin at screen 0.78
set style data linespoints
"""
TICS = (*(f"'1/{2 ** power}' {2.0 ** -power}" for power in range(7, 0, -1)), *(f"'{2 ** power}' {2 ** power}" for power in range(8)))
PLACES = ("set lmargin at screen 0.065; set rmargin at screen 0.395; unset key",
          "unset label 1; set lmargin at screen 0.475; set rmargin at screen 0.805;"
          "set key at screen 0.99, screen 0.77 right top Left reverse invert noenhanced samplen 1.6 spacing 1.25")


def quoted(text):
    return "'" + str(text).replace("'", "''") + "'"


def line(key, column, name):
    colour, shape = LOOKS[name]
    width = 3.5 if name == "curlicue" else 1.8
    return (f"${key} using 0:{column}:xtic(1) title {quoted(name)} linecolor rgb {quoted(colour)} linewidth {width}"
            f" pointtype {shape} pointsize {0.75 if name == 'curlicue' else 0.55}")


def panel(table, names, key, title, hint):
    """A block of data with a line for each concurrency, and what plots it."""
    block = [f"${key} << END"]
    for concurrency, row in table.items():
        unit = row[REFERENCE][key]
        block.append(" ".join([concurrency, *(str(row[name][key] / unit) if name in row else "?" for name in names)]))
    lines = (line(key, column, name) for column, name in enumerate(names, start=2))
    heading = f"set title \"{{/:Bold {title}}}\\n{hint}\" textcolor rgb '#333333'"
    return "\n".join([*block, "END", heading, "plot " + ", ".join(lines)])


def draw(rows, path):
    """@returns why there is no chart, if so"""
    table = {}
    for row in rows:
        if row["workload"].startswith("get-") and row["rps"]:
            table.setdefault(row["workload"].removeprefix("get-"), {})[row["client"]] = row
    table = {concurrency: row for concurrency, row in table.items() if REFERENCE in row}
    names = [name for name in LOOKS if any(name in row for row in table.values())]
    if not names:
        return f"no get-* workload was measured with {REFERENCE}"
    script = SETTINGS.format(path=path, reference=REFERENCE, tics=", ".join(TICS), last=len(table) - 1)
    for place, what in zip(PLACES, PANELS):
        script += f"{place}\n{panel(table, names, *what)}\n"
    try:
        done = subprocess.run(["gnuplot"], input=script + "unset multiplot\n", text=True, capture_output=True)
    except FileNotFoundError:
        return "gnuplot is not installed"
    return done.stderr.strip() if done.returncode else None
