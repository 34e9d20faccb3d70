#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Check what pages say in passing: links lead somewhere, and the functions and types that they name exist.

  check_pages.py [ROOT] | --self-test

Names are those in backquotes outside of programs, `name(...)` and `name<...>`, on pages about what the library offers; on pages that
compare it with others those in the second column of tables. They must be words of a public header.
"""

import os
import re
import sys

LAYERS = ["lamellae", "substrate", "containers", "algorithms"]
OFFERS = ["README.md", "docs/contract.md", "docs/tutorial", "substrate/README.md", "containers/README.md", "algorithms/README.md"]
COMPARES = ["docs/coming_from.md", "docs/lamellar_to_cpp.md"]
OTHERS = {"local_iter_mut", "main", "exit", "memcpy", "serialize", "co_await"}  # names of the language, of systems, of Rust


def without_programs(text):
    """The page with its blocks of code emptied, line for line."""
    return re.sub(r"^```.*?^```$", lambda found: "\n" * found.group(0).count("\n"), text, flags=re.DOTALL | re.MULTILINE)


def anchors(text):
    """The names of a page's headings, as links write them."""
    found = set()
    for heading in re.findall(r"^#+ (.*)$", without_programs(text), re.MULTILINE):
        found.add(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-"))
    return found


def links(text):
    """Yield (line number, target) of links within the repository."""
    for number, line in enumerate(without_programs(text).splitlines(), 1):
        for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", line)):
            if "://" not in target and not target.startswith("mailto:"):
                yield number, target


def names(text, only_second_column):
    """Yield (line number, name) of functions and types in backquotes."""
    for number, line in enumerate(without_programs(text).splitlines(), 1):
        if only_second_column:
            columns = line.split(" | ")
            if not line.startswith("|") or len(columns) < 2:
                continue
            line = columns[1]
        for code in re.findall(r"`([^`]*)`", line):
            for name in re.findall(r"(?<![\w:-])(?:lamellar::)?((?:\w+::)*[a-z]\w+)(?=[(<])", code):
                yield number, name.split("::")[-1] if "std::" not in name else ""


def public_words(root):
    words = set(OTHERS)
    for layer in LAYERS:
        for folder, _, files in os.walk(os.path.join(root, layer, "include")):
            for file in files:
                with open(os.path.join(folder, file), encoding="utf-8") as stream:
                    words |= set(re.findall(r"\w+", stream.read()))
    return words


def pages(root):
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name != "build" and not name.startswith("."))
        for file in sorted(files):
            if file.endswith(".md"):
                yield os.path.relpath(os.path.join(folder, file), root).replace(os.sep, "/")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def check(root):
    wrong = []
    words = public_words(root)
    for page in pages(root):
        text = read(os.path.join(root, page))
        for number, target in links(text):
            path, _, anchor = target.partition("#")
            there = os.path.normpath(os.path.join(root, os.path.dirname(page), path)) if path else os.path.join(root, page)
            if not os.path.exists(there):
                wrong.append(f"{page}:{number}: the link to {target} leads nowhere")
            elif anchor and there.endswith(".md") and anchor not in anchors(read(there)):
                wrong.append(f"{page}:{number}: there is no heading for {target}")
        compares = page in COMPARES
        if compares or any(page == each or page.startswith(each + "/") for each in OFFERS):
            wrong += [f"{page}:{number}: `{name}` is in no public header" for number, name in names(text, compares)
                      if name and name not in words]
    return wrong


def self_test():
    page = "# One: the *first*\n```cpp\n[no](link.md) `no_name()`\n```\n[a](b.md#c) `std::move(x)` `lamellar::act(x)` [w](http://x.y)\n| `get()` | `box<T>` |\n"
    got = (anchors(page), list(links(page)), [name for _, name in names(page, False)], [name for _, name in names(page, True)])
    expected = ({"one-the-first"}, [(5, "b.md#c")], ["", "act", "get", "box"], ["box"])
    if got != expected:
        sys.exit(f"self-test: got\n{got}\nexpected\n{expected}")


def main():
    if "--self-test" in sys.argv:
        self_test()
        return
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    wrong = check(root)
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
