# SPDX-License-Identifier: BSD-3-Clause
"""A page of HTML that needs no other file: pictures and tables are inside."""
import base64
import html
import os
import re
import shutil
import subprocess
import tempfile

from . import projection, tables

STYLE = """
body { font: 15px/1.45 sans-serif; color: #222; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
img { max-width: 100%; height: auto; }
figure { margin: 2rem 0; } figcaption { color: #555; max-width: 50rem; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; display: block; overflow-x: auto; }
th, td { border-bottom: 1px solid #ddd; padding: .2rem .6rem; text-align: left; white-space: nowrap; }
code { font-size: 12px; } .warning { background: #fff3cd; padding: .5rem 1rem; }
"""
# Only in the copy that is checked: says in the document how many pictures have been decoded.
PROBE = """<script>addEventListener("load", () => document.body.setAttribute("data-drawn",
[...document.images].filter(i => i.complete && i.naturalWidth > 0 && i.naturalHeight > 0).length + " of " +
document.images.length + ", tables " + document.querySelectorAll("table tr td").length))</script>"""


def table_of(headings, lines):
    def cells(tag, words):
        return "<tr>" + "".join(f"<{tag}>{html.escape(str(word))}</{tag}>" for word in words) + "</tr>"
    return f"<table>{cells('th', headings)}{''.join(cells('td', line) for line in lines)}</table>"


def content(measurement, drawn, folder, projected=()):
    header = measurement.header
    yield "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
    yield f"<title>Lamellar benchmarks, {html.escape(header['commit'])}</title><style>{STYLE}</style></head><body>"
    yield f"<h1>Lamellar benchmarks</h1><p>{html.escape(tables.machine_text(header))}</p>"
    for note in measurement.notes:
        yield f"<p class=\"warning\">{html.escape(note)}</p>"
    for picture in drawn:
        with open(os.path.join(folder, picture.name + ".svg"), "rb") as file:
            data = base64.b64encode(file.read()).decode()
        yield (f"<figure><h2>{html.escape(picture.title)}</h2><img alt=\"{html.escape(picture.title)}\" "
               f"src=\"data:image/svg+xml;base64,{data}\"><figcaption>{html.escape(picture.text)}</figcaption></figure>")
    yield "<h2>All figures</h2><p>The limit was measured in the same run. Each figure is the median of its rounds.</p>"
    for command, quantities in tables.by_command(measurement).items():
        yield f"<h3><code>{html.escape(command)}</code></h3>"
        yield table_of(tables.HEADINGS, [tables.columns_of(quantity) for quantity in quantities])
    if measurement.traffic:
        yield "<h2>What was sent</h2>"
    for row in measurement.traffic:
        yield f"<h3><code>{html.escape(row['command'])}</code></h3>"
        columns = list(next(iter(row["sent"].values()), {}))
        yield table_of(["sent", *columns], [[distance, *of.values()] for distance, of in row["sent"].items()])
        yield table_of(["handler", "messages", "bytes of arguments"],
                       [[h["name"], h["records"], h["bytes"]] for h in row["handlers"]])
    if projected:
        yield "<h2>Projected</h2><p>By the cost model of the simulator: by PE, and with aggregation by host.</p>"
        yield table_of(projection.HEADINGS, list(projection.rows(projected)))
    yield "</body></html>"


def write(measurement, drawn, folder, projected=()):
    path = os.path.join(folder, "index.html")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(content(measurement, drawn, folder, projected)) + "\n")
    return path


def check_in_browser(path, pictures):
    """Open the page in headless Chromium and count what it shows. Returns: a text that begins with `all`, `not looked`
    or `WRONG`."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if not browser:
        return "not looked at, since there is none (Debian: apt-get install chromium)"
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "index.html")
        with open(copy, "w", encoding="utf-8") as file:
            file.write(text.replace("</head>", PROBE + "</head>"))
        try:
            done = subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                                   f"--user-data-dir={folder}/profile", "--virtual-time-budget=10000", "--dump-dom",
                                   "file://" + copy], capture_output=True, text=True, timeout=120)
        except subprocess.TimeoutExpired:
            return "not looked at: the browser did not answer within two minutes"
    found = re.search(r'data-drawn="(\d+) of (\d+), tables (\d+)"', done.stdout)
    if not found:
        return f"not looked at: the browser ended with code {done.returncode} and no page"
    drawn, images, cells = (int(number) for number in found.groups())
    if drawn != pictures or images != pictures or cells == 0:
        return f"WRONG: it shows {drawn} of {pictures} pictures and {cells} cells of tables"
    return f"all {drawn} pictures and {cells} cells of tables are shown"
