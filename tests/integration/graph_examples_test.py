#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The examples bfs and pagerank against serial programs, on a graph in files.

graph_examples_test.py BFS PAGERANK LAMELLAR_RUN
"""
import os
import random
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
# pylint: disable=wrong-import-position
from jobs import run_on_pes as run


def neighbours(edges, directed):
    rows = {}
    for a, b in edges:
        rows.setdefault(a, []).append(b)
        if not directed:
            rows.setdefault(b, []).append(a)
    return rows


def search(edges, directed, start, end):
    """The lines that bfs prints, without its times."""
    rows = neighbours(edges, directed)
    level, parent, layers = {start: 0}, {start: start}, [[start]]
    while layers[-1]:
        layers.append([])
        for v in sorted(layers[-2]):
            for u in rows.get(v, []):
                if u not in level:
                    level[u], parent[u] = len(layers) - 1, v
                    layers[-1].append(u)
    way, at = [end], end
    while at in parent and at != start:
        at = parent[at]
        way.insert(0, at)
    loops = 0 if directed else sum(1 for a, b in edges if a == b and a in level)
    reached = sum(len(rows.get(v, [])) for v in level) - loops
    return ([f"{k:6} {len(layer)}" for k, layer in enumerate(layers) if layer]
            + [" ".join(map(str, way)) if end in level else f"no way to {end}"]
            + [f"{len(level)} vertices reached, {reached} edges from them"])


def ranks(edges, damping, rounds):
    names = sorted({v for edge in edges for v in edge})
    rows = neighbours(edges, True)
    rank = {v: 1 / len(names) for v in names}
    for _ in range(rounds):
        stuck = sum(rank[v] for v in names if v not in rows)
        following = dict.fromkeys(names, (1 - damping + damping * stuck) / len(names))
        for v, row in rows.items():
            for u in row:
                following[u] += damping * rank[v] / len(row)
        rank = following
    return rank


def check_ranks(text, edges, damping):
    lines = text.splitlines()
    expected = ranks(edges, damping, 200)
    assert lines[12].startswith(f"{len(expected)} vertices, {len(edges)} edges, "), text
    best = sorted(expected.values(), reverse=True)
    seen = set()
    for k, line in enumerate(lines[:12]):
        value, name = line.split()
        assert abs(float(value) - expected[int(name)]) < 1e-8, line
        assert abs(float(value) - best[k]) < 1e-8, line
        seen.add(name)
    assert len(seen) == 12, text


def main(bfs, pagerank, launcher):
    random.seed(20240607)
    edges = [(random.randrange(60) ** 2, random.randrange(60) ** 2) for _ in range(220)]
    path = [(k, k + 1) for k in range(4000, 4080)] + [(4000, 0)]
    shapes = [(1, None), (3, None), (2, launcher), (4, launcher)]
    with tempfile.TemporaryDirectory() as folder:
        def write(name, text):
            with open(os.path.join(folder, name), "w", newline="") as out:
                out.write(text)
            return os.path.join(folder, name)

        files = [write("blanks.txt", "# edges\n\n" + "".join(f"{a}\t{b}\n" for a, b in edges)),
                 write("commas.csv", "".join(f"{a},{b},0.5\r\n" for a, b in path))]
        bad = write("bad.txt", "1 2\n3\n4 5\n")
        all_edges = edges + path
        for pes, with_launcher in shapes:
            for directed in (True, False):
                for start, end in ((4003, 3481), (0, 4080), (49, 49)):
                    arguments = ["--from", str(start), "--to", str(end), *files]
                    done = run([bfs, *(["--directed"] if directed else []), *arguments], pes,
                               with_launcher)
                    assert done.returncode == 0, done.stderr
                    wanted = search(all_edges, directed, start, end)
                    assert done.stdout.splitlines()[:-1] == wanted, (done.stdout, wanted)
            for damping in (0.85, 0.6):
                done = run([pagerank, "--top", "12", "--tolerance", "1e-12", "--damping", str(damping), *files],
                           pes, with_launcher)
                assert done.returncode == 0, done.stderr
                check_ranks(done.stdout, all_edges, damping)
            for program in (bfs, pagerank):
                done = run([program, *files, bad], pes, with_launcher)
                assert done.returncode == 1 and "bad.txt:2: this is not an edge: 3" in done.stderr, done
                assert run([program, "--skip-bad-lines", *files, bad], pes, with_launcher).returncode == 0
        outside = run([bfs, "--from", "5000", *files], 2)
        assert outside.returncode != 0 and "vertices below 4081" in outside.stderr, outside
    for program, name in ((bfs, "bfs"), (pagerank, "pagerank")):
        assert run([program, "--help"], 1).stdout.startswith(f"Usage: {name}")
        assert run([program, "--what"], 1).returncode == 2
    print("bfs, pagerank: all answers are right")


if __name__ == "__main__":
    main(*sys.argv[1:4])
