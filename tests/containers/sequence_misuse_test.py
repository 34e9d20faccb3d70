#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What is said when a disjoint set, a bag, a vector or a channel is misused.

Usage: sequence_misuse_test.py PROGRAM [unittest arguments]
"""

import os
import subprocess
import sys
import unittest

PROGRAM = os.path.abspath(sys.argv[1])
LIMIT = 60.0

# The case, and the words that must be there. Each message names the PE and the caller's line.
CASES = {
    "unite": "disjoint_set: unite of number 10 in a set of the 10 numbers below 10",
    "unite_list": "disjoint_set: unite of number 11 in a set of the 10 numbers below 10",
    "unite_and": "disjoint_set: unite_and of number 12 in a set of the 10 numbers below 10",
    "ids": "disjoint_set::create: 257 numbers, but their type ends at 255",
    "sizes": "disjoint_set::create: PE 0 asks for 10, PE 1 for 11; all must ask for the same",
    "not_frozen": "bag: size of a bag that may grow; all its members freeze() it first",
    "frozen": "vector: push_back in a vector that is frozen; all its members thaw() it first",
    "index": "vector: at of item 2 of a vector of 2 items",
    "capacity": "channel::create: room for no item; a channel has a capacity of 1 or more",
}


class Misuse(unittest.TestCase):
    def test_the_job_ends_and_says_what_was_wrong(self):
        for name, words in CASES.items():
            with self.subTest(name):
                env = {k: v for k, v in os.environ.items() if not k.startswith("LAMELLAR_")}
                env.update({"LAMELLAR_PES": "2", "LAMELLAR_THREADS": "1"})
                job = subprocess.run([PROGRAM, name], env=env, stdin=subprocess.DEVNULL, capture_output=True,
                                     timeout=LIMIT, check=False)
                said = job.stdout.decode() + job.stderr.decode()
                self.assertNotEqual(job.returncode, 0, said)
                self.assertIn(words, said)
                self.assertRegex(said, r"PE [01]")
                self.assertRegex(said, r"sequence_misuse_program\.cpp:\d+")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
