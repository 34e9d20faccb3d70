#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""readme_test.py README HELLO.CPP HELLO: what the README shows is the example, and what it prints."""

import os
import re
import subprocess
import sys


def main():
    readme_path, source_path, program = sys.argv[1:]
    with open(readme_path, encoding="utf-8") as file:
        readme = file.read()
    with open(source_path, encoding="utf-8") as file:
        licence, source = file.read().split("\n", 1)
    if "SPDX" not in licence:
        sys.exit(f"{source_path}: no licence in the first line")

    code = re.search(r"```cpp\n(.*?)```", readme, re.DOTALL)
    if code is None or code.group(1) != source:
        sys.exit("README.md: the program is not examples/hello.cpp (without its licence line); copy it again")

    shown = re.search(r"```text\n\$ LAMELLAR_PES=(\d+) .*?hello\n(.*?)```", readme, re.DOTALL)
    if shown is None:
        sys.exit("README.md: there is no block with what the program prints")
    environment = {**os.environ, "LAMELLAR_PES": shown.group(1)}
    printed = subprocess.run([program], env=environment, check=True, capture_output=True, text=True, timeout=60).stdout
    if sorted(printed.splitlines()) != sorted(shown.group(2).splitlines()):
        sys.exit(f"README.md: the program prints, in any order of lines:\n{printed}")


main()
