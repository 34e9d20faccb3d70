#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Test programs over hosts which namespaces stand for, one after another on the same hosts.

Usage: run_on_hosts.py HxP MPIRUN PROGRAM...            H hosts with P PEs each; all programs must succeed on all PEs
       run_on_hosts.py HxP MPIRUN --set NAME=VALUE PROGRAM...  the same, with this in the PEs' environment
       run_on_hosts.py HxP MPIRUN --word-count PROGRAM  the words of this system's licences, counted as the shell does
       run_on_hosts.py HxP MPIRUN --all BUILD           each test of CTest that uses pretended hosts and as many PEs

Ends with code 77 where no hosts can be made, and says why.
"""

import glob
import json
import os
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
# pylint: disable=wrong-import-position
import hosts
from jobs import clean_environment, without_noise

LIMIT = 120.0 * float(os.environ.get("LAUNCHER_TEST_PATIENCE", "1"))


class Failed(Exception):
    pass


def run(made, pes, command, environment=None):
    """Its output, if it succeeds and says nothing to stderr but what tests under doctest do."""
    done = subprocess.run(made.command(pes, *command, environment=environment), capture_output=True, text=True,
                          check=False, timeout=LIMIT, env=clean_environment(), preexec_fn=hosts.end_with_parent)
    if done.returncode != 0:
        raise Failed(f"code {done.returncode}\n{done.stdout}{without_noise(done.stderr)}")
    return done.stdout


def run_test(made, pes, command, environment):
    output = run(made, pes, [os.path.abspath(command[0]), *command[1:]], environment)
    succeeded, expected = output.count("SUCCESS!"), made.count * pes
    if succeeded != expected:
        raise Failed(f"{succeeded} PEs of {expected} succeeded\n{output}")


def count_words(made, pes, program):
    texts = sorted(path for path in glob.glob("/usr/share/common-licenses/*") if not os.path.islink(path))
    script = "cat \"$@\" | tr -cs A-Za-z '\\n' | tr A-Z a-z | grep . | sort | uniq -c | sort -k1,1nr -k2,2"
    expected = subprocess.run(["sh", "-c", script, "sh", *texts], check=True, capture_output=True, text=True,
                              env=clean_environment({"LC_ALL": "C"}), timeout=LIMIT).stdout.split()
    output = run(made, pes, [os.path.abspath(program), "--top", "1000000000", *texts])
    words = [word for line in output.splitlines() if re.fullmatch(r" *\d+ [a-z]+", line) for word in line.split()]
    if not expected or words != expected:
        raise Failed(f"other counts than the shell's: {len(words) // 2} words of {len(expected) // 2}")


def tests_of(build, pes):
    """Those that CTest runs on pretended hosts: name, command and variables."""
    listed = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], capture_output=True, text=True, check=True)
    for test in json.loads(listed.stdout)["tests"]:
        match = re.fullmatch(rf"(?:substrate|containers|algorithms)\..*\.rofi\.{pes}(?:x\d+)?", test["name"])
        if not match or "command" not in test:
            continue
        properties = {each["name"]: each["value"] for each in test["properties"]}
        environment = dict(each.split("=", 1) for each in properties.get("ENVIRONMENT", []))
        environment.pop("LAMELLAR_LAMELLA", None)
        after = test["command"].index("--hosts") + 2
        yield test["name"], test["command"][after:], environment


def works_to_do(arguments, made, pes):
    if arguments[0] == "--word-count":
        yield "word_count", lambda: count_words(made, pes, arguments[1])
    elif arguments[0] == "--all":
        for name, command, environment in tests_of(arguments[1], made.count * pes):
            yield name, lambda command=command, environment=environment: run_test(made, pes, command, environment)
    else:
        environment = {"HOSTS_TEST_PES_PER_HOST": str(pes)}
        if arguments[0] == "--set":
            environment.update([arguments[1].split("=", 1)])
            arguments = arguments[2:]
        for program in arguments:
            yield (os.path.basename(program), lambda program=program: run_test(made, pes, [program], environment))


def main(layout, mpirun, *arguments):
    reason = hosts.why_not(mpirun)
    if reason:
        print(f"skipped: {reason}")
        return hosts.SKIPPED
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # ended by CTest, it still clears up
    count, pes = (int(word) for word in layout.split("x"))
    done = failed = 0
    with hosts.Hosts(count, mpirun) as made:
        for name, work in works_to_do(arguments, made, pes):
            done += 1
            try:
                work()
                print(f"{name}: passed", flush=True)
            except (Failed, subprocess.TimeoutExpired) as why:
                failed += 1
                print(f"{name}: FAILED: {why}", flush=True)
    print(f"{done - failed} of {done} passed on {count} hosts with {pes} PEs each")
    return int(failed != 0 or done == 0)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
