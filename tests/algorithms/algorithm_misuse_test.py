#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What is said when an algorithm is misused.

Usage: algorithm_misuse_test.py PROGRAM [unittest arguments]
"""

import os
import subprocess
import sys
import unittest

PROGRAM = os.path.abspath(sys.argv[1])
LIMIT = 60.0

# The case, and the words that must be there. Each message names the PE and the caller's line.
CASES = {
    "sizes": "sort_by_key: 5 and 6 elements at position 0; both ranges must have segments of equal sizes",
    "scan": "scan: 5 and 4 elements at position 1; both ranges must have segments of equal sizes",
    "order": "transform: the elements of the ranges are dealt out in different ways; both must have the same layout",
    "copy": "copy: a range of 10 elements to one of 9; both must have as many",
    "rank": "nth_element: the element of rank 10 of a range of 10 elements; ranks are 0 to the size less one",
    "quantile": "quantiles: the element of rank 0 of a range of 0 elements",
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
                self.assertRegex(said, r"algorithm_misuse_program\.cpp:\d+")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
