# SPDX-License-Identifier: BSD-3-Clause
"""Run an example in all ways and compare what it prints with what it should."""
import os
import subprocess
import sys


class Example:
    """A program, run alone, as PEs that are threads, and as PEs that are processes."""

    def __init__(self, program, lamellar_run):
        self.program = program
        self.ways = [("alone", [program], {}), ("3 threads", [program], {"LAMELLAR_PES": "3"}),
                     ("7 threads", [program], {"LAMELLAR_PES": "7"}),
                     ("4 processes", [lamellar_run, "-n", "4", program], {})]
        self.failures = 0

    def fail(self, text):
        self.failures += 1
        print("FAILED:", text)

    def check(self, what, arguments, expected):
        """All ways must print exactly `expected`."""
        for way, command, variables in self.ways:
            run = subprocess.run(command + arguments, capture_output=True, text=True, timeout=120,
                                 env=dict(os.environ, LAMELLAR_THREADS="1", **variables))
            if run.returncode != 0:
                self.fail(f"{what}, {way}: exit code {run.returncode}\n{run.stderr}")
            elif run.stdout != expected:
                self.fail(f"{what}, {way}: printed\n{run.stdout[:2000]}\nexpected\n{expected[:2000]}")

    def check_refusal(self, what, arguments, words):
        """All ways must fail, and say all of `words`."""
        for way, command, variables in self.ways:
            run = subprocess.run(command + arguments, capture_output=True, text=True, timeout=120,
                                 env=dict(os.environ, LAMELLAR_THREADS="1", **variables))
            missing = [word for word in words if word not in run.stderr]
            if run.returncode == 0 or missing:
                self.fail(f"{what}, {way}: exit code {run.returncode}, not said: {missing}\n{run.stderr}")

    def check_help(self):
        run = subprocess.run([self.program, "--help"], capture_output=True, text=True, timeout=60)
        if run.returncode != 0 or not run.stdout.startswith("Usage:"):
            self.fail("--help")

    def finish(self):
        sys.exit(f"{self.failures} checks failed" if self.failures else 0)
