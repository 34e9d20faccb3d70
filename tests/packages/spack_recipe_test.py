#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Spack's recipe and the build agree: it sets options that exist, leaves none of a user's out, and names what the build looks for.

  spack_recipe_test.py ROOT

Spack itself is not needed: the recipe runs against a small stand-in that notes what it declares.
"""

import glob
import os
import re
import sys
import types

# Words of the build for what it looks for, and Spack's.
PACKAGES = {"fmt": "fmt", "cereal": "cereal", "PkgConfig": "pkgconfig", "hwloc": "hwloc", "libhwy": "highway", "Boost": "boost",
            "pmix": "pmix", "libfabric": "libfabric", "CLI11": "cli11", "nlohmann_json": "nlohmann-json", "doctest": "doctest",
            "Python3": "python", "Kokkos": "kokkos", "ZLIB": "zlib-api"}
OF_THE_SYSTEM = {"Threads"}
NOT_FOR_USERS = {"LAMELLAR_WARNINGS_AS_ERRORS", "LAMELLAR_DEB", "LAMELLAR_TEST_EVERY_LAYOUT"}
failures = []


def check(claim, otherwise):
    if not claim:
        failures.append(otherwise)


def run_recipe(path):
    """The recipe's class, and what it declares: a list of (directive, arguments, keywords)."""
    declared = []
    module = types.ModuleType("spack.package")
    for name in ["version", "variant", "depends_on", "conflicts", "license"]:
        setattr(module, name, lambda *a, _name=name, **k: declared.append((_name, a, k)))

    class CMakePackage:
        run_tests = False

        def define(self, option, value):
            return option, value

        def define_from_variant(self, option, variant):
            return option, ("variant", variant)

    module.CMakePackage = CMakePackage
    sys.modules["spack"] = types.ModuleType("spack")
    sys.modules["spack.package"] = module
    scope = {"__file__": path, "__name__": "package"}
    with open(path, encoding="utf-8") as stream:
        exec(compile(stream.read(), path, "exec"), scope)
    return scope["Lamellar"], declared


def build_files(root):
    text = ""
    for path in [os.path.join(root, "CMakeLists.txt"), *sorted(glob.glob(os.path.join(root, "cmake", "*.cmake")))]:
        with open(path, encoding="utf-8") as stream:
            text += stream.read()
    return text


def main(root):
    recipe, declared = run_recipe(os.path.join(root, "tools/spack/packages/lamellar/package.py"))
    build = build_files(root)
    variants = {a[0] for name, a, _ in declared if name == "variant"}
    needs = {re.match(r"[\w-]+", a[0]).group(0): (a[0], k) for name, a, k in reversed(declared) if name == "depends_on"}

    set_options = dict(recipe().cmake_args())
    options = set(re.findall(r"^option\((LAMELLAR_\w+)", build, re.MULTILINE))
    check(options, "no options found in the build's files")
    for option in set(set_options) - options:
        check(False, f"the recipe sets {option}, which the build does not have")
    for option in options - set(set_options) - NOT_FOR_USERS:
        check(False, f"the recipe leaves out the option {option}")
    used = {value[1] for value in set_options.values() if isinstance(value, tuple)}
    used |= {match for _, _, k in declared for match in re.findall(r"[+~](\w+)", k.get("when", ""))}
    check(used == variants, f"variants {sorted(variants)}, but of use are {sorted(used)}")

    looked_for = set(re.findall(r"lamellar_require\((\w+) ", build)) | {"Kokkos"}
    looked_for |= set(re.findall(r"find_package\((ZLIB) QUIET\)", build))
    for modules in re.findall(r"pkg_check_modules\(\w+ QUIET IMPORTED_TARGET ([^)]+)\)", build):
        looked_for |= {re.sub(r"[>=].*", "", word).replace("libhwy-contrib", "libhwy") for word in modules.split()}
    for package in looked_for - OF_THE_SYSTEM:
        check(package in PACKAGES, f"the build looks for {package}, of which this test does not know Spack's name")
        check(PACKAGES.get(package) in needs, f"the build looks for {package}, on which the recipe does not depend")
    for package in set(needs) - set(PACKAGES.values()) - {"cmake", "cxx"}:
        check(False, f"the recipe depends on {package}, for which the build does not look")
    for variant, package in {"libfabric": "libfabric", "pmix": "pmix", "zlib": "zlib-api"}.items():
        check(needs[package][1].get("when") == "+" + variant, f"{package} is needed whatever the variant says")
    for package, pattern in {"cmake": r"cmake_minimum_required\(VERSION ([\d.]+)\)", "libfabric": r"libfabric>=([\d.]+)",
                             "kokkos": r"Kokkos_VERSION VERSION_LESS ([\d.]+)"}.items():
        version = re.search(pattern, build).group(1)
        check(f"@{version}:" in needs[package][0], f"the build wants {package} of {version}, the recipe says '{needs[package][0]}'")
    check(os.path.samefile(recipe.git[len("file://"):], root), f"the recipe takes the sources from {recipe.git}")

    for failure in failures:
        print(failure)
    return 1 if failures else 0


sys.exit(main(sys.argv[1]))
