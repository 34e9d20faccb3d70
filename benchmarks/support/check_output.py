#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Run a benchmark with --json and check what it prints.

check_output.py [--expect-wrong] PROGRAM [ARGUMENTS...]

Without --expect-wrong the program must end with code 0; its last lines must be JSON objects
with all keys of a result, consistent with each other, and every answer verified. With
--expect-wrong the program is told to sabotage its answer: it must end with another code, and
its JSON must say of every result that it is wrong.
"""
import json
import math
import subprocess
import sys

NUMBER = (int, float)
KEYS = {
    "name": str, "lamella": str, "pes": int, "threads": int, "parameters": dict,
    "operations": NUMBER, "seconds": dict, "rate": NUMBER, "unit": str, "repetitions": int,
    "verified": bool, "limit": dict, "fraction_of_limit": NUMBER,
}


def fail(text):
    sys.exit(f"check_output.py: {text}")


def check(result):
    for key, kind in KEYS.items():
        if key not in result:
            fail(f"{key} is missing in {result}")
        is_bool = isinstance(result[key], bool)  # which Python takes for a number
        if not isinstance(result[key], kind) or is_bool != (kind is bool):
            fail(f"{key} has the wrong type in {result}")
    seconds = result["seconds"]
    if not 0 < seconds["min"] <= seconds["median"] <= seconds["max"]:
        fail(f"seconds are not in order in {result}")
    if not isinstance(result["limit"]["name"], str) or not result["limit"]["rate"] > 0:
        fail(f"the limit is not named or not positive in {result}")
    if not math.isclose(result["rate"], result["operations"] / seconds["median"], rel_tol=1e-6):
        fail(f"rate is not operations / median seconds in {result}")
    fraction = result["rate"] / result["limit"]["rate"]
    if not math.isclose(result["fraction_of_limit"], fraction, rel_tol=1e-6):
        fail(f"fraction_of_limit is not rate / limit.rate in {result}")
    if result["pes"] < 1 or result["threads"] < 1 or result["repetitions"] < 1:
        fail(f"a count is not positive in {result}")


def main(arguments):
    expect_wrong = arguments[:1] == ["--expect-wrong"]
    command = arguments[1:] if expect_wrong else arguments
    command += ["--json"] + (["--sabotage"] if expect_wrong else [])
    run = subprocess.run(command, capture_output=True, text=True)
    print(run.stdout)
    print(run.stderr, file=sys.stderr)
    lines = run.stdout.splitlines()
    results = []
    while lines and lines[-1].startswith("{"):
        results.append(json.loads(lines.pop()))
    if not results:
        fail("the output does not end with a line of JSON")
    for result in results:
        check(result)
    # A row that may lose updates by itself says how many, and cannot notice each.
    right = sorted({result["name"] for result in results
                    if result["verified"] and not (expect_wrong and "lost" in result["parameters"])})
    wrong = sorted({result["name"] for result in results if not result["verified"]})
    if expect_wrong and (run.returncode == 0 or right):
        fail(f"sabotage went unnoticed: exit code {run.returncode}, not noticed by {right}")
    if not expect_wrong and (run.returncode != 0 or wrong):
        fail(f"exit code {run.returncode}, wrong results {wrong}")


main(sys.argv[1:])
