# SPDX-License-Identifier: BSD-3-Clause
"""A benchmark program, its arguments and the PEs that run it; how to start that and read its results."""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

from . import machine

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build", "release")
# The job decides these; whatever else the user has set stays, and is noted in the first line of a file.
OURS = ("LAMELLAR_PES", "LAMELLAR_LAMELLA", "LAMELLAR_THREADS", "LAMELLAR_MAPPED", "LAMELLAR_STATISTICS")
# Parameters that tell apart results of one name in one job.
SIZES = ("table_words", "bytes", "item_bytes", "memory", "target")


class Failure(Exception):
    """A job did not do what it should; the text is for people."""


class Shape:
    """How many PEs of how many threads, on which lamella; written `shmem.4x1`, or `alone` for a program
    that runs no job."""

    def __init__(self, text):
        self.text = text
        if text == "alone":
            self.lamella, self.pes, self.threads = "alone", 1, 1
            return
        match = re.fullmatch(r"(local|shmem|rofi|sim)\.([1-9][0-9]*)x([1-9][0-9]*)", text)
        if not match:
            raise ValueError(f"'{text}' is no shape of a job: write <lamella>.<PEs>x<threads>, as in shmem.4x1")
        self.lamella, self.pes, self.threads = match[1], int(match[2]), int(match[3])

    def __str__(self):
        return self.text


class Outcome:
    """What a run of a job gave."""

    def __init__(self, results, text, load):
        self.results = results  # the lines of JSON, each with its "key"
        self.text = text        # all that the program said
        self.load = load        # of others, meanwhile


class Job:
    """A program with its arguments, on a shape. Two with equal text measure the same."""

    def __init__(self, program, shape, *arguments, mapped=True, variables=()):
        self.program, self.arguments, self.mapped = program, list(arguments), mapped
        self.shape = shape if isinstance(shape, Shape) else Shape(shape)
        self.variables = dict(variables)

    def __str__(self):
        unmapped = "" if self.mapped else "LAMELLAR_MAPPED=0 "
        return f"{self.shape}: {unmapped}{' '.join([self.program, *self.arguments])}"

    def is_built(self, build):
        return os.access(os.path.join(build, "benchmarks", self.program), os.X_OK)

    def variables_of_job(self):
        """The environment that makes this program this job."""
        wanted = dict(self.variables)
        if self.shape.lamella in ("local", "sim"):
            wanted["LAMELLAR_PES"] = str(self.shape.pes)
        if self.shape.lamella == "sim":
            wanted["LAMELLAR_LAMELLA"] = "sim"
        if self.shape.threads > 1:
            wanted["LAMELLAR_THREADS"] = str(self.shape.threads)
        if not self.mapped:
            wanted["LAMELLAR_MAPPED"] = "0"
        return wanted

    def command(self, build, *more):
        start = []
        if self.shape.lamella in ("shmem", "rofi"):
            start = [os.path.join(build, "tools", "lamellar-run"), "-n", str(self.shape.pes)]
        if self.shape.lamella == "rofi":
            start += ["--lamella", "rofi", "--hosts", str(min(2, self.shape.pes))]
        return [*start, os.path.join(build, "benchmarks", self.program), *self.arguments, *more]

    def for_a_shell(self, build="build/release"):
        """The line with which a person runs the same."""
        variables = [f"{name}={value}" for name, value in sorted(self.variables_of_job().items())]
        return " ".join(variables + self.command(build))

    def start(self, command, extra, timeout_s):
        environment = {name: value for name, value in os.environ.items() if name not in OURS}
        environment.update(self.variables_of_job(), **extra)
        # Into a file, not a pipe: this process shall sleep while the job runs.
        with tempfile.TemporaryFile("w+") as said:
            child = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, env=environment,
                                     start_new_session=True)
            try:
                code = child.wait(timeout_s)
            except BaseException as problem:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
                if isinstance(problem, subprocess.TimeoutExpired):
                    raise Failure(f"{self} had not ended after {timeout_s} s") from None
                raise
            said.seek(0)
            return code, said.read()

    def run(self, build, repetitions=None, timeout_s=600, extra=()):
        """Run it once. Throws: Failure if it ends with another code than 0 or gives no result."""
        more = ["--json"] if repetitions is None else ["--repetitions", str(repetitions), "--json"]
        watch = machine.LoadWatch()
        code, text = self.start(self.command(build, *more), dict(extra), timeout_s)
        load = watch.since_start()
        if code != 0:
            raise Failure(f"{self} ended with code {code}:\n{text}")
        results = read_results(text)
        if not results:
            raise Failure(f"{self} gave no line of JSON:\n{text}")
        for result, key in zip(results, keys_of(str(self), results)):
            result["key"] = key
        return Outcome(results, text, load)


def read_results(text):
    """The results among what a program has printed."""
    results = []
    for line in text.splitlines():
        if line.startswith('{"name"'):
            try:
                results.append(json.loads(line))
            except ValueError as problem:
                raise Failure(f"no JSON ({problem}): {line}") from None
    return results


def keys_of(job, results):
    """A name for each result that is the same in every run of the job, and that no other one has."""
    seen, keys = {}, []
    for result in results:
        sizes = [f"{name}={result['parameters'][name]}" for name in SIZES if name in result["parameters"]]
        lamella = [result["lamella"]] if job.startswith("alone") else []
        key = f"{job}: {' '.join([result['name'], *lamella, *sizes])}"
        seen[key] = seen.get(key, 0) + 1
        keys.append(key if seen[key] == 1 else f"{key} #{seen[key]}")
    return keys


def stop(text):
    sys.exit(f"{os.path.basename(sys.argv[0])}: {text}")


def now():
    return time.monotonic()
