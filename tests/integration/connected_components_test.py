#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The example connected_components against a union-find in Python, on graphs in files.

connected_components_test.py PROGRAM LAMELLAR_RUN
"""
import os
import random
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
# pylint: disable=wrong-import-position
from jobs import run_on_pes as run


def components(edges):
    """The lines that the program prints of these edges, without its times."""
    parent = {}

    def find(v):
        parent.setdefault(v, v)
        while parent[v] != v:
            parent[v] = parent[parent[v]]
            v = parent[v]
        return v

    for a, b in edges:
        a, b = sorted((find(a), find(b)))
        parent[b] = a
    sizes = {}
    for v in list(parent):
        sizes[find(v)] = sizes.get(find(v), 0) + 1
    largest = sorted(sizes.items(), key=lambda s: (-s[1], s[0]))[:10]
    return [f"{size:10} {least}" for least, size in largest] + [
        f"{len(parent)} vertices, {len(edges)} edges, {len(sizes)} components"]


def main(program, launcher):
    random.seed(20240607)
    sparse = [(random.randrange(3000), random.randrange(3000)) for _ in range(2000)]
    dense = [(random.randrange(5000, 5200), random.randrange(5000, 5200)) for _ in range(900)]
    path = [(k, k + 1) for k in range(10000, 10400)]
    with tempfile.TemporaryDirectory() as folder:
        def write(name, text):
            with open(os.path.join(folder, name), "w", newline="") as out:
                out.write(text)
            return os.path.join(folder, name)

        good = [
            write("blanks.txt", "# vertices\n\n" + "".join(f"{a}\t{b}\n" for a, b in sparse)),
            write("commas.csv", "% a comment\r\n// and another\r\n"
                  + "".join(f"{a},{b},0.5\r\n" for a, b in dense)),
            write("no_end.txt", "\n".join(f"  {a}  {b}" for a, b in path)),
            write("empty.txt", ""),
        ]
        shapes = [(1, None), (3, None), (2, launcher), (4, launcher)]
        edges = sparse + dense + path
        for pes, with_launcher in shapes:
            done = run([program, *good], pes, with_launcher)
            assert done.returncode == 0, done.stderr
            assert done.stdout.splitlines()[:-1] == components(edges), done.stdout
            none = run([program, good[3]], pes, with_launcher)
            assert none.stdout.startswith("0 vertices, 0 edges, 0 components\n"), none.stdout

        bad = write("bad.txt", "1 2\n3\n# fine\n4 five\n6 7 8\n9x 10\n11 4294967295\n-1 2\n12 13")
        for pes, with_launcher in shapes:
            done = run([program, *good, bad], pes, with_launcher)
            assert done.returncode == 1, done
            assert "vertices" not in done.stdout
            for line in (2, 4, 6, 7, 8):
                assert f"bad.txt:{line}: this is not an edge" in done.stderr, done.stderr
            assert "5 bad lines in all" in done.stderr and "--skip-bad-lines" in done.stderr
            done = run([program, "--skip-bad-lines", *good, bad], pes, with_launcher)
            assert done.returncode == 0, done.stderr
            assert "5 bad lines in all" in done.stderr
            assert (done.stdout.splitlines()[:-1]
                    == components(edges + [(1, 2), (6, 7), (12, 13)])), done.stdout

        assert run([program, "--help"], 1).stdout.startswith("Usage: connected_components")
        assert run([program, "--what"], 1).returncode == 2
        missing = run([program, os.path.join(folder, "nothing")], 1)
        assert missing.returncode != 0 and "nothing" in missing.stderr, missing
    print("connected_components: all answers are right")


if __name__ == "__main__":
    main(*sys.argv[1:3])
