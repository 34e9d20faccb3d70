#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Jobs that srun --mpi=pmix has started, on one of the two virtual nodes of a Slurm that lasts as long as this test.

Usage: slurm_test.py LAUNCHER_PE BOOTSTRAP LADDER_FOLDER WORD_COUNT [unittest arguments]
Ends with code 77 where no Slurm can run, and says why.
"""

import os
import signal
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
# pylint: disable=wrong-import-position
import launched
import slurm
from jobs import END_LIMIT, wait_for

SKIPPED = 77


class SlurmTest(launched.Launched):
    programs = launched.Programs(*sys.argv[1:5])
    name = "srun"
    is_exact = False
    cluster = None  # set when it runs
    options = ("--quiet", "--mpi=pmix", "-N1")

    def command(self, pes, *command):
        return [slurm.find("srun"), *self.options, f"-n{pes}", *command]

    def start_command(self, command, environment=None, **named):
        return super().start_command(command, environment={**self.cluster.environment, **(environment or {})}, **named)

    def kill_launcher(self, job, processes):
        """The PEs are children of a slurmstepd. If it is lost srun waits for ever, which is not our affair."""
        for process in self.cluster.steps():
            os.kill(process, signal.SIGKILL)
        wait_for(lambda: not [p for p in processes if os.path.exists(f"/proc/{p}/exe")], "the PEs to end", END_LIMIT)
        job.process.kill()


class GoodOrder(launched.GoodOrder, SlurmTest):
    def test_pes_of_two_nodes_are_on_two_hosts(self):
        self.options = ("--quiet", "--mpi=pmix", "-N2", "--ntasks-per-node=2")
        environment = {"BOOTSTRAP_TEST_HOSTS": "0 0 1 1", "BOOTSTRAP_TEST_LAUNCHER": self.name}
        output = self.check_good(self.start(4, self.programs.bootstrap, environment=environment))
        self.assertEqual(output.count("SUCCESS"), 4)


class Failures(launched.Failures, SlurmTest):
    def test_who_never_joins_ends_the_job_of_the_others(self):
        # To Slurm it is no failure that one process ends: it has to be told.
        self.options = (*self.options, "--kill-on-bad-exit=1")
        super().test_who_never_joins_ends_the_job_of_the_others()

    def test_without_pmix_the_processes_do_not_become_jobs_of_their_own(self):
        self.options = ("--quiet", "--mpi=none", "-N1")
        errors = self.check_failure(self.start(2, self.programs.pe, "finish"), code=3)
        self.assertIn("srun has started 2 processes of this program", errors)
        self.assertIn("srun --mpi=pmix", errors)


class LostLaunchers(launched.LostLaunchers, SlurmTest):
    def test_a_killed_srun_takes_its_pes_along(self):
        job = self.start(4, self.programs.pe, "wait")
        job.pe_processes(4)
        job.process.kill()
        self.check_nothing_left(job)


def main():
    why_not = slurm.why_not()
    if why_not:
        print(f"skipped: {why_not}")
        return SKIPPED
    cluster = slurm.Slurm()
    # Ended by CTest, this script still clears up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        cluster.start()
        if not cluster.speaks_pmix():
            print("skipped: this srun has no plugin for PMIx (On Debian: apt-get install slurm-wlm-basic-plugins)")
            return SKIPPED
        SlurmTest.cluster = cluster
        result = unittest.main(argv=[sys.argv[0], *sys.argv[5:]], exit=False).result
        if not result.wasSuccessful():
            print(cluster.logs())
        return int(not result.wasSuccessful())
    finally:
        cluster.stop()


if __name__ == "__main__":
    sys.exit(main())
