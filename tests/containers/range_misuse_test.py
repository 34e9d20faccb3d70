#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What is said when a range of an array, a copy or a rectangle is misused.

Usage: range_misuse_test.py PROGRAM [unittest arguments]
"""

import os
import subprocess
import sys
import unittest

PROGRAM = os.path.abspath(sys.argv[1])
LIMIT = 60.0

# The case, and the words that must be there. Each message names the PE and the caller's line.
CASES = {
    "put": "array: put of 4 elements from index 7 on, in an array of 10 elements",
    "get": "array: get of 1 elements from index 11 on, in an array of 10 elements",
    "view": "array: get of 3 elements from index 0 on, in an array of 2 elements",
    "gather": "array: 2 places and 3 values; lists must be of equal length",
    "dropped_get": "the completion of a get of 40 bytes was dropped before they had come",
    "copy": "copy: from an array of 10 elements to one of 11; views of equal size are copied",
    "resize_view": "resize: this is a view of a part of an array",
    "rectangle": "array_2d: get_tile of 3 x 4 elements from (8, 0) on, of 10 x 10",
    "tiles": "array_2d::create: tiles of 0 x 4 elements",
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
                self.assertRegex(said, r"range_misuse_program\.cpp:\d+")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
