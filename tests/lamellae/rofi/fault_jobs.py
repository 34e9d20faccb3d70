# SPDX-License-Identifier: BSD-3-Clause
"""Jobs of fault_pe, the program to whose PEs faults happen: on pretended hosts, or over namespaces with mpirun."""

import contextlib
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
# pylint: disable=wrong-import-position
import hosts
from jobs import LIMIT, JobTest, wait_for, without_noise

# A job on a busy machine may take its time to start, and to say what is asked of it.
START_LIMIT = 3 * LIMIT


class FaultTest(JobTest):
    """`run`, `program` and `mpirun` are set by the script."""

    run_program = program = mpirun = None
    hosts_made = None  # by classes over namespaces

    def setUp(self):
        super().setUp()
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.end_file = os.path.join(folder, "end")
        os.chmod(folder, 0o755)

    if not hasattr(JobTest, "enterContext"):  # Python before 3.11
        def enterContext(self, context):
            stack = contextlib.ExitStack()
            self.addCleanup(stack.close)
            return stack.enter_context(context)

    def command(self, pes, *arguments, prefix=(), environment=None):
        """How a shell would start `pes` PEs on two hosts, each behind `prefix`."""
        words = [*prefix, self.program, *arguments, self.end_file]
        if self.hosts_made:
            return self.hosts_made.command(pes // 2, *words, environment=environment)
        settings = [f"{name}={value}" for name, value in (environment or {}).items()]
        return ["env", *settings, self.run_program, "-n", str(pes), "--lamella", "rofi", "--hosts", "2", *words]

    def start(self, pes, what, victim, **named):
        return self.start_command(self.command(pes, what, str(victim), **named))

    @staticmethod
    def processes(job, pes):
        """The PEs' processes, by number, once all have met."""
        lines = job.wait_lines(pes)
        return [process for _, process in sorted(tuple(int(word) for word in line.split()[-2:]) for line in lines)]

    def let_it_end(self):
        with open(self.end_file, "w", encoding="utf-8"):
            pass

    def check_answer(self, job, pes):
        code, output, errors = job.end(START_LIMIT)
        self.assertEqual((code, without_noise(errors)), (0, ""), output)
        self.assertEqual(output.count("the answer is right"), pes)
        self.check_nothing_left(job)

    def wait_ended(self, processes, limit):
        wait_for(lambda: not [p for p in processes if is_alive(p)], "all PEs to end", limit)


def is_alive(process):
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8") as stream:
            return stream.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False
