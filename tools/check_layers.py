#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Check that the rooms of the house keep apart.

Rules, for every C++ source of the project:
  - a layer includes no header of a layer above it, and no private header of another layer;
  - <rdma/...> appears only in lamellae/src/fabric, and in the benchmark of what is below it;
  - getenv appears only in lamellae/src/environment.cpp, and in tests;
  - no umbrella header is included, except by umbrella headers, examples, and tests of what a user sees;
  - the umbrella of a layer includes all its public headers (but not those in folders named detail, nor costly ones);
and for every source, script and CMake file: the licence stands in the first line (after `#!`, in the second).

Usage: check_layers.py [--self-test | --write-umbrellas] [ROOT]
--write-umbrellas brings the includes of the layers' umbrella headers up to date.
"""

import os
import re
import sys
import tempfile

LAYERS = ["lamellae", "substrate", "containers", "algorithms"]
CODE_FOLDERS = LAYERS + ["examples", "benchmarks", "tests", "tools"]
CODE = (".hpp", ".cpp")
LICENSED = CODE + (".cmake", ".cmake.in", ".py", ".sh", "CMakeLists.txt")
UMBRELLAS = {f"lamellar/{name}.hpp" for name in LAYERS + ["lamellar"]}
# Written as a user would write them.
UMBRELLA_USERS = ("examples/", "tests/compile_fail/", "tests/integration/")
# Too slow to compile for those who do not use them.
COSTLY_HEADERS = {"lamellar/containers/kokkos_array.hpp", "lamellar/substrate/kokkos_view.hpp"}
FABRIC_USERS = ("lamellae/src/fabric/", "benchmarks/support/raw_fabric", "benchmarks/fabric_limits")
ENVIRONMENT_READERS = {"lamellae/src/environment.cpp"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
GETENV = re.compile(r"\b(secure_)?getenv\s*\(|\benviron\b")
LINE_COMMENT = re.compile(r"//.*")


def licence_line(text):
    """The line in which the licence must stand."""
    lines = text.splitlines()[:2] + ["", ""]
    first, second = lines[0], lines[1]
    return second if first.startswith("#!") or first.startswith("# shellcheck") else first


def check_code(path, text):
    """Yield (line number, what is wrong) for one C++ file; `path` is relative to the root."""
    folder = path.split("/")[0]
    rank = LAYERS.index(folder) if folder in LAYERS else len(LAYERS)
    is_umbrella = any(path.endswith(f"/include/{name}") for name in UMBRELLAS)
    for number, line in enumerate(text.splitlines(), 1):
        include = INCLUDE.match(line)
        if include:
            quote, target = include.groups()
            parts = target.split("/")
            if target in UMBRELLAS:
                if not is_umbrella and not path.startswith(UMBRELLA_USERS):
                    yield number, f"includes the umbrella <{target}>: include the headers that are used"
                # <lamellar/substrate.hpp> is as high as its layer, and the umbrella of all is above all.
                name = parts[1].removesuffix(".hpp")
                target_rank = LAYERS.index(name) if name in LAYERS else len(LAYERS) - 1
            elif parts[0] == "lamellar" and len(parts) > 2 and parts[1] in LAYERS:
                target_rank = LAYERS.index(parts[1])
            else:
                target_rank = 0
            if target_rank > rank:
                yield number, f"{folder} includes <{target}>, which is in a layer above it"
            if quote == '"' and folder in LAYERS and any(f"{layer}/src" in target for layer in LAYERS):
                yield number, f'includes "{target}": headers in src/ are private to their layer'
            if parts[0] == "rdma" and not path.startswith(FABRIC_USERS):
                yield number, f"includes <{target}>: libfabric is used in lamellae/src/fabric only"
        elif (GETENV.search(LINE_COMMENT.sub("", line)) and path not in ENVIRONMENT_READERS
              and not path.startswith("tests/")):
            yield number, "reads the environment: only " + " and ".join(sorted(ENVIRONMENT_READERS)) + " may"


def check(root):
    """Return all violations under `root`, as lines of text."""
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders if f != "build" and not f.startswith("."))
        for file in sorted(files):
            path = os.path.relpath(os.path.join(folder, file), root).replace(os.sep, "/")
            if not file.endswith(LICENSED) and not is_script(root, path):
                continue
            with open(os.path.join(root, path), encoding="utf-8") as stream:
                text = stream.read()
            if "SPDX-License-Identifier: BSD-3-Clause" not in licence_line(text):
                found.append(f"{path}:1: the licence line 'SPDX-License-Identifier: BSD-3-Clause' is missing")
            if file.endswith(CODE) and path.split("/")[0] in CODE_FOLDERS:
                found += [f"{path}:{number}: {wrong}" for number, wrong in check_code(path, text)]
    return found + check_umbrellas(root)


def umbrella_state(root, layer):
    """The umbrella of `layer`, its includes, and the includes it ought to have, both sorted."""
    include_root = os.path.join(root, layer, "include")
    umbrella = os.path.join(include_root, "lamellar", layer + ".hpp")
    wanted = []
    for folder, _, files in os.walk(os.path.join(include_root, "lamellar", layer)):
        path = os.path.relpath(folder, include_root).replace(os.sep, "/")
        if "detail" not in path.split("/"):
            wanted += [f"#include <{path}/{file}>" for file in files
                       if file.endswith(".hpp") and f"{path}/{file}" not in COSTLY_HEADERS]
    present = []
    if os.path.exists(umbrella):
        with open(umbrella, encoding="utf-8") as stream:
            present = [line.strip() for line in stream if line.startswith("#include")]
    return umbrella, sorted(present), sorted(wanted)


def check_umbrellas(root):
    found = []
    for layer in LAYERS:
        umbrella, present, wanted = umbrella_state(root, layer)
        path = os.path.relpath(umbrella, root).replace(os.sep, "/")
        found += [f"{path}:1: the umbrella lacks {line}; run tools/check_layers.py --write-umbrellas"
                  for line in wanted if line not in present]
    return found


def write_umbrellas(root):
    """Replace the block of includes of each umbrella whose block is out of date."""
    for layer in LAYERS:
        umbrella, present, wanted = umbrella_state(root, layer)
        if present == wanted:
            continue
        with open(umbrella, encoding="utf-8") as stream:
            text = stream.read()
        text = re.sub(r"#include[^\n]*\n", "", text)
        block = "".join(line + "\n" for line in wanted) + ("\n" if wanted else "")
        text = re.sub(r"#pragma once\n\n+", lambda _: "#pragma once\n\n" + block, text)
        with open(umbrella, "w", encoding="utf-8") as stream:
            stream.write(text)
        print("wrote", umbrella)


def is_script(root, path):
    with open(os.path.join(root, path), "rb") as stream:
        return stream.read(2) == b"#!"


# path, content after the licence line, and a part of the message expected (none: the file is in order).
SAMPLES = [
    ("lamellae/src/up.cpp", "#include <lamellar/substrate/world.hpp>", "layer above"),
    ("substrate/include/lamellar/substrate/up.hpp", "#include <lamellar/containers/array.hpp>", "layer above"),
    ("containers/include/lamellar/containers/up.hpp", "  #  include <lamellar/algorithms.hpp>", "layer above"),
    ("substrate/src/umbrella.cpp", "#include <lamellar/lamellae.hpp>", "umbrella"),
    ("tests/substrate/umbrella_test.cpp", "#include <lamellar/lamellar.hpp>", "umbrella"),
    ("substrate/src/private.cpp", '#include "../../lamellae/src/arena.hpp"', "private"),
    ("lamellae/src/shmem.cpp", "#include <rdma/fabric.h>", "libfabric"),
    ("substrate/src/world.cpp", 'auto x = std::getenv("LAMELLAR_PES");', "environment"),
    ("benchmarks/limits.cpp", "for (char** e = environ; *e; ++e) {}", "environment"),
    ("substrate/src/down.cpp", "#include <lamellar/lamellae/lamella.hpp>\n// getenv(is not read here)", None),
    ("lamellae/src/fabric/endpoint.cpp", "#include <rdma/fabric.h>", None),
    ("lamellae/src/environment.cpp", "char** e = environ;", None),
    ("algorithms/include/lamellar/lamellar.hpp", "#include <lamellar/algorithms.hpp>", None),
    ("examples/hello.cpp", "#include <lamellar/lamellar.hpp>", None),
]


def self_test():
    """Check that every rule finds its violation and nothing else; return the failures."""
    failures = []
    head = "// SPDX-License-Identifier: BSD-3-Clause\n#pragma once\n\n"
    with tempfile.TemporaryDirectory() as root:
        def write(path, text):
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as stream:
                stream.write(text)

        for path, text, _ in SAMPLES:
            write(path, f"// SPDX-License-Identifier: BSD-3-Clause\n{text}\n")
        write("tools/bare", "#!/bin/sh\necho no licence\n")
        write("cmake/late.cmake", "# what it does\n# SPDX-License-Identifier: BSD-3-Clause\n")
        write("substrate/include/lamellar/substrate.hpp", f"{head}#include <lamellar/substrate/up.hpp>\n\n// All.\n")
        write("containers/include/lamellar/containers.hpp", f"{head}#include <lamellar/containers/up.hpp>\n\n// All.\n")
        write("algorithms/include/lamellar/algorithms.hpp", f"{head}// All.\n")
        write("algorithms/include/lamellar/algorithms/sort.hpp", head)
        write("algorithms/include/lamellar/algorithms/detail/merge.hpp", head)
        write("substrate/include/lamellar/substrate/kokkos_view.hpp", head)
        found = check(root)
        expected = [(path, part) for path, _, part in SAMPLES]
        expected += [("tools/bare", "licence"), ("cmake/late.cmake", "licence")]
        expected += [("algorithms/include/lamellar/algorithms.hpp", "lacks #include <lamellar/algorithms/sort.hpp>"),
                     ("containers/include/lamellar/containers.hpp", None)]
        for path, part in expected:
            mine = [line for line in found if line.startswith(path + ":")]
            if part is None and mine:
                failures.append(f"found fault with a file in order: {mine}")
            if part is not None and not any(part in line for line in mine):
                failures.append(f"{path}: expected a complaint about '{part}', got {mine}")
        if any("merge.hpp" in line or "kokkos_view.hpp" in line for line in found):
            failures.append("found fault with an umbrella that leaves out details and costly headers")
        write_umbrellas(root)
        left = check_umbrellas(root)
        if left:
            failures.append(f"--write-umbrellas left: {left}")
    return failures


def main(arguments):
    options = [argument for argument in arguments if argument.startswith("-")]
    roots = [argument for argument in arguments if not argument.startswith("-")]
    root = roots[0] if roots else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    if options not in ([], ["--self-test"], ["--write-umbrellas"]):
        sys.exit(__doc__)
    if options == ["--write-umbrellas"]:
        write_umbrellas(root)
    lines = self_test() if options == ["--self-test"] else check(root)
    for line in lines:
        print(line)
    print(f"{len(lines)} violation(s)" if lines else "in order")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
