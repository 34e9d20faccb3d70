# SPDX-License-Identifier: BSD-3-Clause
"""What a job says when a library is misused: a program that is given the name of a case, and ends with an error."""

import os
import subprocess
import sys
import unittest

from jobs import clean_environment

LIMIT = 60.0


def run(program, cases):
    """Test the program on 2 PEs: each case says its words, a PE, and a line of the program's own source. Never returns."""

    class Misuse(unittest.TestCase):
        def test_the_job_ends_and_says_what_was_wrong(self):
            for name, words in cases.items():
                with self.subTest(name):
                    job = subprocess.run([os.path.abspath(program), name], stdin=subprocess.DEVNULL, capture_output=True,
                                         env=clean_environment({"LAMELLAR_PES": "2", "LAMELLAR_THREADS": "1"}),
                                         timeout=LIMIT, check=False)
                    said = job.stdout.decode() + job.stderr.decode()
                    self.assertNotEqual(job.returncode, 0, said)
                    self.assertIn(words, said)
                    self.assertRegex(said, r"PE [01]")
                    self.assertRegex(said, r"misuse_program\.cpp:\d+")

    done = unittest.TextTestRunner().run(unittest.defaultTestLoader.loadTestsFromTestCase(Misuse))
    sys.exit(not done.wasSuccessful())
