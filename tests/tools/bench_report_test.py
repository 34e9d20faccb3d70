#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""`tools/bench report` draws what a measurement has, and only that. Skipped (77) without matplotlib."""
import base64
import json
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

from measured import ROOT, lines, row, rows

TRAFFIC = {"traffic": "sim.4x1: kernel <b>", "command": "kernel", "pes": 4, "pes_per_host": 2,
           "bytes": [[0, 10, 20, 30]] * 4, "buffers": [[0, 1, 1, 1]] * 4,
           "sent": {"to the same PE": {"messages": 1, "bytes": 2}}, "handlers": [{"name": "h<T>", "records": 3, "bytes": 4}]}


def report(folder, *of, more=("--no-browser",)):
    path = os.path.join(folder, "a.jsonl")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines(*of)))
    done = subprocess.run([sys.executable, os.path.join(ROOT, "tools", "bench"), "report", path, "-o",
                           os.path.join(folder, "out"), *more], capture_output=True, text=True, timeout=280)
    print(done.stdout + done.stderr)
    if done.returncode == 77:
        sys.exit(77)
    assert done.returncode == 0, done.returncode
    out = os.path.join(folder, "out")
    drawn = {name[:-4] for name in os.listdir(out) if name.endswith(".svg")}
    with open(os.path.join(out, "index.html"), encoding="utf-8") as file:
        page = file.read()
    return out, drawn, page


def main():
    sizes = [row(f"put {size}", name="put/put", unit="bytes/s", rate=size * 1e6, limit=size * 2e6, bytes=size,
                 lamella="shmem") for size in (8, 64, 512)]
    scaled = [one for pes in (1, 2, 4) for one in rows([50 * pes] * 3, f"kernel {pes}", pes=pes)]
    with tempfile.TemporaryDirectory() as folder:
        out, drawn, page = report(folder, *sizes, *scaled, row("busy", name="busy", disturbed=True), TRAFFIC, more=())
        assert drawn == {"fractions", "scaling", "latency", "bandwidth", "traffic_1"}, drawn
        for name in drawn:
            root = xml.etree.ElementTree.parse(os.path.join(out, name + ".svg")).getroot()
            assert root.tag.endswith("svg") and len(list(root.iter())) > 50, name
            with open(os.path.join(out, name + ".png"), "rb") as file:
                assert file.read(8) == b"\x89PNG\r\n\x1a\n", name
        inside = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', page)
        assert len(inside) == len(drawn) and all(b"<svg" in base64.b64decode(one) for one in inside)
        # One file that asks nobody for anything, in which nothing of the measurement is taken for HTML.
        assert not re.search(r'(src|href)="(?!data:)', page) and "<script" not in page
        assert "h&lt;T&gt;" in page and "h<T>" not in page and "kernel <b>" not in page
        assert "DISTURBED" in page and "<td>kernel/loop</td>" in page
    with tempfile.TemporaryDirectory() as folder:
        projected = os.path.join(folder, "projected")
        with open(projected, "w", encoding="utf-8") as file:
            file.write(json.dumps({"projection": 1, "commit": "c"}) + "\n")
            for pes in (4, 16):
                for gathers in (False, True):
                    file.write(json.dumps({
                        "kernel": "histogram", "pes": pes, "hosts": pes // 2, "network": "fast", "gathers": gathers,
                        "ns_per_item": 7.25, "messages_per_host": 3, "bytes_per_message": 4000,
                        "host_buffer_bytes": pes << 20, "command": "am_histogram"}) + "\n")
        _, drawn, page = report(folder, *rows([50, 50, 50]), more=("--no-browser", "--projection", projected))
        assert drawn == {"fractions", "projected_time", "projected_memory"}, drawn
        assert "<td>16 (8)</td><td>7.2</td>" in page
    with tempfile.TemporaryDirectory() as folder:
        _, drawn, _ = report(folder, *rows([50, 50, 50]))
        assert drawn == {"fractions"}, drawn
    trips = [row(f"trip {size}", name=f"call_{size}", unit="round trips/s", rate=1e6, limit=2e6, bytes=size)
             for size in (8, 64, 512)]
    with tempfile.TemporaryDirectory() as folder:
        _, drawn, _ = report(folder, *trips)
        assert drawn == {"fractions", "latency"}, drawn
    with tempfile.TemporaryDirectory() as folder:
        _, first, once = report(folder, *scaled)
    with tempfile.TemporaryDirectory() as folder:
        _, second, again = report(folder, *scaled)
    assert once == again, "the same measurement gives another page"


main()
