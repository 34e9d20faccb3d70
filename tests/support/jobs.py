# SPDX-License-Identifier: BSD-3-Clause
"""Jobs as tests see them from outside: their output, their end, and whatever they leave behind.

Every job carries a mark in its environment, by which all its processes are found in /proc, whoever
adopted them. Nothing here waits for time to pass: each wait is for a state, with a limit.
"""

import os
import select
import signal
import subprocess
import time
import unittest
import uuid

LIMIT = 20.0 * float(os.environ.get("LAUNCHER_TEST_PATIENCE", "1"))
# How soon a job must be gone when one of its PEs is.
END_LIMIT = 5.0
MARK = "LAUNCHER_TEST_MARK"
# For builds with the address sanitizer; others do not look at it.
LEAKS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lsan.supp")


def wait_for(claim, what, limit=LIMIT):
    end = time.monotonic() + limit
    while True:
        result = claim()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for {what}")
        select.select([], [], [], 0.005)


def processes_with(mark):
    """The processes that have the mark in their environment and have not ended."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/environ", "rb") as stream:
                marked = wanted in stream.read().split(b"\0")
            with open(f"/proc/{entry}/stat", encoding="utf-8") as stream:
                state = stream.read().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        if marked and state not in "ZX":
            found.append(int(entry))
    return found


def clean_environment(extra=None):
    """This process's environment without what would change a job, and `extra`."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("LAMELLAR_", "OMP_"))}
    return {**env, "LSAN_OPTIONS": f"suppressions={LEAKS}:print_suppressions=0", **(extra or {})}


def run_on_pes(command, pes, launcher=None):
    """A job that ends by itself, as it was when it had: on threads of one process, or under a launcher."""
    environment = clean_environment(None if launcher else {"LAMELLAR_PES": str(pes)})
    if launcher:
        command = [launcher, "-n", str(pes), *command]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=100, check=False)


NOISE = ("plm:rsh: Warning: setpgid", f"Forwarding signal {int(signal.SIGCONT)} to job")


def without_noise(errors):
    """What a job has written to its standard error, less what mpirun says about its own affairs: that its rsh agent was
    quicker than it, and that it was continued after a stop."""
    return "".join(line for line in errors.splitlines(True) if not any(noise in line for noise in NOISE))


class Job:
    """A launcher with its PEs. `output` grows by wait_lines(); errors go to a pipe of their own."""

    def __init__(self, command, environment=None, stdin=subprocess.DEVNULL):
        self.mark = uuid.uuid4().hex
        self.process = subprocess.Popen(command, env=clean_environment({MARK: self.mark, **(environment or {})}),
                                        stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.output = b""

    def wait_lines(self, count, containing=b"ready"):
        """Read on until `count` lines contain the bytes; return these lines."""
        end = time.monotonic() + LIMIT
        while True:
            lines = [line for line in self.output.split(b"\n")[:-1] if containing in line]
            if len(lines) >= count:
                return lines
            readable, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            if not readable:
                raise AssertionError(f"waited in vain for {count} lines with {containing}; got {self.output}")
            got = os.read(self.process.stdout.fileno(), 65536)
            if not got:
                raise AssertionError(f"the job ended before {count} lines with {containing}; got {self.output}, "
                                     f"{self.process.stderr.read()}")
            self.output += got

    def pe_processes(self, count):
        return [int(line.split()[-1]) for line in self.wait_lines(count)]

    def end(self, limit=LIMIT):
        """Wait for the launcher's end; return its code, what it and its PEs wrote, and their errors."""
        try:
            output, errors = self.process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the job did not end within {limit} s") from None
        self.output += output
        return self.process.returncode, self.output.decode(), errors.decode()

    def wait_gone(self, limit=END_LIMIT):
        wait_for(lambda: not processes_with(self.mark), "the processes of the job to end", limit)

    def clean(self):
        for process in processes_with(self.mark):
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


class JobTest(unittest.TestCase):
    def setUp(self):
        self.shm_before = set(os.listdir("/dev/shm"))

    def start_command(self, command, **named):
        job = Job(command, **named)
        self.addCleanup(job.clean)
        return job

    def check_nothing_left(self, job, limit=END_LIMIT):
        job.wait_gone(limit)
        new = set(os.listdir("/dev/shm")) - self.shm_before
        self.assertFalse([name for name in new if "lamellar" in name])
