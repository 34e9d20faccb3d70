#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Programs that stand in pages of the documentation: take them out, run them, compare what they print.

A page shows a program in blocks that begin with ```cpp NAME.cpp; blocks of one name follow each other in one file. What
a user types and sees stands in blocks that begin with ```text, where a line with "$ " is a command and the lines below it
are what it prints. Words behind ```text say more: any-order, the lines may come in any order; any-pes, the program
prints the same with any number of PEs, in all ways to start it.

  doc_programs.py extract PAGE NAME OUTPUT   write the program; its lines have the numbers of the page's
  doc_programs.py shown PAGE NAME BUILD      run the commands that start the program NAME, and compare with the page
  doc_programs.py ways PAGE NAME BUILD       run it as 2 and 4 PEs that are threads, and that are processes
  doc_programs.py --self-test
BUILD is where the pages say build/release. DOC_PROGRAMS_PREFIX holds words to put before each program.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass

BLOCK = re.compile(r"^```(\w+)[ ]?([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
WIDEST = 96


@dataclass
class Command:
    """A command on a page, and what it is said to print."""
    line: str
    output: list
    any_order: bool
    any_pes: bool

    def starts(self, name):
        return name in (os.path.basename(word) for word in shlex.split(self.line))


def blocks(page):
    """Yield (language, further words, text, number of the text's first line)."""
    with open(page, encoding="utf-8") as file:
        whole = file.read()
    for found in BLOCK.finditer(whole):
        yield *found.groups(), whole.count("\n", 0, found.start(3)) + 1


def program(page, name):
    """The source of program `name`; what stands in line n of the page stands in line n here."""
    lines = []
    for language, words, text, line in blocks(page):
        if language == "cpp" and words == f"{name}.cpp":
            for number, each in enumerate(text.splitlines(), line):
                if len(each) > WIDEST:
                    sys.exit(f"{page}:{number}: wider than {WIDEST} columns")
            lines += [""] * (line - 1 - len(lines)) + text.splitlines()
    if not lines:
        sys.exit(f"{page}: there is no program {name}.cpp; a block begins with ```cpp {name}.cpp")
    return "\n".join(lines) + "\n"


def commands(page, name):
    """The commands of the page that start program `name`."""
    found = []
    for language, words, text, _ in blocks(page):
        if language != "text":
            continue
        for shown in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            line, *output = shown.splitlines()
            command = Command(line, output, "any-order" in words.split(), "any-pes" in words.split())
            if command.starts(name):
                found.append(command)
    if not found:
        sys.exit(f"{page}: no command starts {name}; write it into a block that begins with ```text")
    return found


def run(line, build):
    """Run a command of a page; return what it prints."""
    words = shlex.split(line.replace("build/release", build))
    environment = {"LAMELLAR_THREADS": "1", **os.environ}
    environment.pop("LAMELLAR_PES", None)
    while re.match(r"\w+=", words[0]):
        variable, value = words.pop(0).split("=", 1)
        environment[variable] = value
    words = shlex.split(os.environ.get("DOC_PROGRAMS_PREFIX", "")) + words
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=100, check=False)
    if done.returncode != 0:
        sys.exit(f"$ {line}\nended with code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout.splitlines()


def compare(line, printed, expected, any_order):
    order = sorted if any_order else list
    if order(printed) != order(expected):
        sys.exit("\n".join([f"$ {line}", "prints", *printed, "and the page shows", *expected]))


def check_shown(page, name, build):
    for command in commands(page, name):
        if "--lamella rofi" in command.line and os.environ.get("DOC_PROGRAMS_NO_NETWORK"):
            print("left out, since this build has no network:", command.line)
            continue
        compare(command.line, run(command.line, build), command.output, command.any_order)


def check_ways(page, name, build):
    shown = commands(page, name)[0]
    executable = next(word for word in shlex.split(shown.line) if os.path.basename(word) == name)
    for pes in (2, 4):
        for line in (f"LAMELLAR_PES={pes} {executable}", f"build/release/tools/lamellar-run -n {pes} {executable}"):
            printed = run(line, build)
            if shown.any_pes:
                compare(line, printed, shown.output, shown.any_order)


SAMPLE = """# A page
```cpp one.cpp
int a;
```
between
```cpp one.cpp
int b;
```
```text any-order
$ N=2 bin/one --fast
yes
$ bin/other one
no
```
"""


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        page = os.path.join(folder, "page.md")
        with open(page, "w", encoding="utf-8") as file:
            file.write(SAMPLE)
        source, shown = program(page, "one"), commands(page, "other")
    if source != "\n\nint a;\n\n\n\nint b;\n" or shown != [Command("bin/other one", ["no"], True, False)]:
        sys.exit(f"self-test: got {source!r}, {shown}")
    for printed, any_order, right in (["x", "y"], False, True), (["y", "x"], True, True), (["y", "x"], False, False), (["x"], True, False):
        try:
            compare("a command", printed, ["x", "y"], any_order)
            same = True
        except SystemExit:
            same = False
        if same != right:
            sys.exit(f"self-test: {printed}, in any order {any_order}: {same}")


def main():
    if "--self-test" in sys.argv:
        self_test()
        return
    if len(sys.argv) != 5 or sys.argv[1] not in ("extract", "shown", "ways"):
        sys.exit(__doc__)
    what, page, name, last = sys.argv[1:]
    if what == "extract":
        source = program(page, name)
        with open(last, "w", encoding="utf-8") as file:
            file.write(source)
    elif what == "shown":
        check_shown(page, name, last)
    else:
        check_ways(page, name, last)


if __name__ == "__main__":
    main()
