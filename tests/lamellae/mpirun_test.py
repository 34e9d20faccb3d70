#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Jobs that Open MPI's mpirun has started, on one host.

Usage: mpirun_test.py MPIRUN LAUNCHER_PE BOOTSTRAP LADDER_FOLDER WORD_COUNT [unittest arguments]
"""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
# pylint: disable=wrong-import-position
import launched

MPIRUN = sys.argv[1]


class MpirunTest(launched.Launched):
    programs = launched.Programs(*sys.argv[2:6])
    name = "mpirun"

    def command(self, pes, *command):
        return [MPIRUN, "-n", str(pes), *command]

    def kill_launcher(self, job, _):
        job.process.kill()


class GoodOrder(launched.GoodOrder, MpirunTest):
    pass


class Failures(launched.Failures, MpirunTest):
    pass


class LostLaunchers(launched.LostLaunchers, MpirunTest):
    pass


if __name__ == "__main__":
    # A test may be run by root, on any number of cores; what mpirun leaves when it is killed goes with the folder.
    os.environ.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_rmaps_base_oversubscribe="1")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TMPDIR"] = folder
        result = unittest.main(argv=[sys.argv[0], *sys.argv[6:]], exit=False).result
    sys.exit(not result.wasSuccessful())
