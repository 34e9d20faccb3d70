#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What is said when a range of an array, a copy or a rectangle is misused.

Usage: range_misuse_test.py PROGRAM
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
# pylint: disable=wrong-import-position
import misuse

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

if __name__ == "__main__":
    misuse.run(sys.argv[1], CASES)
