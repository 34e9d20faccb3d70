#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""inverted_index_test.py INVERTED_INDEX LAMELLAR_RUN

The example must give exactly the answer of a serial program, for files that are awkward to divide and for the licences of
this system.
"""
import collections
import glob
import os
import random
import re
import sys
import tempfile

from example_runs import Example


def expected(paths, query):
    index = collections.defaultdict(collections.Counter)
    for number, path in enumerate(paths):
        with open(path, "rb") as file:
            for word in re.findall(rb"[a-z]+", file.read().lower()):
                index[word.decode()][number] += 1
    words = re.findall("[a-z]+", query.lower())
    files = set(range(len(paths))) if words else set()
    for word in words:
        files &= set(index.get(word, {}))
    times = {file: sum(index[word][file] for word in words) for file in files}
    lines = [f"{times[file]:7} {paths[file]}" for file in sorted(files, key=lambda f: (-times[f], f))]
    index = {word: found for word, found in index.items() if found}
    lines.append(f"{len(index)} words, {sum(map(len, index.values()))} in a file, {len(paths)} files")
    return "\n".join(lines) + "\n"


def make_files(folder):
    dice = random.Random(7)
    texts = {
        "empty": "",
        "letter": "x",
        "crlf": "Free as in\r\nfreedom, software\r\n",
        "joined": "free software" + "free " * 20,
        "bytes": "na\u00efve free\0SOFTWARE caf\u00e9",
        "long": " ".join(dice.choice(["free", "software", "w" + dice.choice("abcdefgh")]) for _ in range(5000)),
        "one word": "a" * 20000,
    }
    paths = []
    for name, text in texts.items():
        paths.append(os.path.join(folder, name))
        with open(paths[-1], "wb") as file:
            file.write(text.encode())
    return paths


def main(program, lamellar_run):
    example = Example(program, lamellar_run)
    example.check_help()
    with tempfile.TemporaryDirectory() as folder:
        paths = make_files(folder)
        for query in ("free software", "FREE", "wa wb wc", "free nowhere", "", "free free"):
            example.check(f"made files, '{query}'", ["--query", query, *paths], expected(paths, query))
        for path in paths:
            example.check(path, [path], expected([path], "free software"))
        licences = sorted(path for path in glob.glob("/usr/share/common-licenses/*") if not os.path.islink(path))
        example.check("licences", ["--query", "patent license"], expected(licences, "patent license"))
        example.check_refusal("no file", [os.path.join(folder, "none")], ["none"])
    example.finish()


main(*sys.argv[1:])
