# SPDX-License-Identifier: BSD-3-Clause
"""Run the jobs of a set round by round, each once in a round, so that what is compared lies close together in time and
a machine that drifts does so under all of them. Every result is written at once: what is stopped leaves a file of
what it had."""
import json
import os
import re
import sys

from . import machine, records, traffic
from .jobs import Failure, OURS, now


def first_line(name, build):
    environment = {key: value for key, value in os.environ.items()
                   if re.fullmatch(r"(LAMELLAR|KOKKOS|OMP|FI)_[A-Z_]+", key) and key not in OURS and "/" not in value}
    return {"bench": records.VERSION, "set": name, "commit": machine.commit_of(build),
            "build": machine.build_description(build), "machine": machine.description(), "environment": environment}


def rows_of(job, outcome, number):
    """The lines of a file that a run gives."""
    disturbed = outcome.load.is_much()
    for result in outcome.results:
        warnings = result.pop("warnings", [])
        yield {**result, "command": job.for_a_shell(), "round": number, "disturbed": disturbed or bool(warnings),
               "load": {"others": round(outcome.load.others, 3), "stolen": round(outcome.load.stolen, 3)}}


class Run:
    """The state of one `tools/bench run`."""

    def __init__(self, file, build, repetitions, minutes, say):
        self.file, self.build, self.repetitions, self.say = file, build, repetitions, say
        self.end = None if minutes is None else now() + 60 * minutes
        self.failures, self.left_out = [], 0
        self.results = self.disturbed = 0

    def write(self, line):
        self.file.write(json.dumps(line) + "\n")
        self.file.flush()

    def has_time(self):
        return self.end is None or now() < self.end

    def measure(self, job, number):
        # A job that fails does so in every round; once is enough.
        if str(job) in [name for name, _ in self.failures]:
            return
        if not self.has_time():
            self.left_out += 1
            return
        if sys.stderr.isatty():
            print(f"\r\033[K{number}: {job}", end="\r", file=sys.stderr, flush=True)
        try:
            outcome = job.run(self.build, self.repetitions, timeout_s=1800 if self.end is None else 60)
        except Failure as problem:
            self.failures.append((str(job), str(problem)))
            self.say(f"FAILED: {problem}")
            return
        for row in rows_of(job, outcome, number):
            self.results += 1
            self.disturbed += row["disturbed"]
            self.write(row)

    def rounds(self, jobs, count):
        for number in range(1, count + 1):
            began, disturbed = now(), self.disturbed
            if not self.has_time():
                self.left_out += len(jobs)
                continue
            for job in jobs:
                self.measure(job, number)
            beside = self.disturbed - disturbed
            self.say(f"round {number} of {count}: {len(jobs)} jobs, {now() - began:.0f} s"
                     + (f"; DISTURBED: others used the machine in {beside} results" if beside else ""))

    def traffic(self, jobs):
        for job in jobs:
            if job.is_built(self.build) and self.has_time():
                try:
                    self.write(traffic.measure(job, self.build))
                except (Failure, OSError) as problem:
                    self.failures.append((str(job), str(problem)))
                    self.say(f"FAILED: {problem}")

    def finish(self, seconds):
        """Write the last line; return the exit code."""
        self.write({"end": True, "seconds": round(seconds, 1), "left_out": self.left_out,
                    "failures": [name for name, _ in self.failures]})
        if self.left_out:
            self.say(f"{self.left_out} runs were left out: the time was over")
        if self.disturbed:
            self.say(f"DISTURBED: others used the machine in {self.disturbed} of {self.results} results; such figures "
                     "are good for nothing but a smoke test")
        for name, _ in self.failures:
            self.say(f"failed: {name}")
        return 1 if self.failures or not self.results else 0


def rerun(job, build, repetitions):
    """Run a job once more; return its rows by key."""
    return {row["key"]: row for row in rows_of(job, job.run(build, repetitions, timeout_s=60), 0)}
