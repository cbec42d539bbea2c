# SPDX-License-Identifier: MIT
"""The chart for the README, drawn by gnuplot: keep-alive GETs, for each number of them at a time."""

import subprocess

COLOURS = {"curlicue": "#0072b2", "libuv-example": "#d55e00", "curl_multi_poll": "#e69f00", "undici": "#cc79a7"}
PANELS = (("rps", "requests per second", 1e-3, "%gk"), ("cpu_us", "processor time per request, µs", 1, "%g"))

SETTINGS = """
set terminal svg size 900,360 background '#ffffff' font 'sans-serif,13'
set output '{path}'
set style data histogram
set style histogram clustered gap 1.5
set style fill solid noborder
set boxwidth 0.95
set grid ytics back linetype 1 linecolor rgb '#dddddd'
set border 3 linecolor '#888888'
set tics nomirror scale 0 textcolor '#333333'
set yrange [0:*]
set xlabel 'at a time'
set multiplot layout 1,2
"""


def quoted(text):
    return "'" + str(text).replace("'", "''") + "'"


def panel(table, names, key, title, scale, labels):
    """A block of data with a line for each concurrency, and what plots it."""
    block = [f"${key} << END"]
    for concurrency, row in table.items():
        values = (row.get(name, {}).get(key) for name in names)
        block.append(" ".join([concurrency, *("NaN" if value is None else str(value * scale) for value in values)]))
    bars = (f"${key} using {column}:xtic(1) title {quoted(name)} linecolor rgb {quoted(COLOURS[name])}"
            for column, name in enumerate(names, start=2))
    legend = "set key top right noenhanced" if key == "cpu_us" else "unset key"  # where the bars are short
    return "\n".join([*block, "END", f"set title {quoted(title)}", legend, f"set format y {quoted(labels)}", "plot " + ", ".join(bars)])


def draw(rows, path):
    """@returns why there is no chart, if so"""
    table = {}
    for row in rows:
        if row["workload"].startswith("get-") and row["rps"]:
            table.setdefault(row["workload"].removeprefix("get-"), {})[row["client"]] = row
    names = [name for name in COLOURS if any(name in row for row in table.values())]
    if not names:
        return "no get-* workload was measured"
    script = SETTINGS.format(path=path) + "\n".join(panel(table, names, *each) for each in PANELS) + "\nunset multiplot\n"
    try:
        done = subprocess.run(["gnuplot"], input=script, text=True, capture_output=True)
    except FileNotFoundError:
        return "gnuplot is not installed"
    return done.stderr.strip() if done.returncode else None
