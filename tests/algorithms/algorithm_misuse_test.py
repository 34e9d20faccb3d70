#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What is said when an algorithm is misused.

Usage: algorithm_misuse_test.py PROGRAM
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
# pylint: disable=wrong-import-position
import misuse

# The case, and the words that must be there. Each message names the PE and the caller's line.
CASES = {
    "sizes": "sort_by_key: 5 and 6 elements at position 0; both ranges must have segments of equal sizes",
    "scan": "scan: 5 and 4 elements at position 1; both ranges must have segments of equal sizes",
    "order": "transform: the elements of the ranges are dealt out in different ways; both must have the same layout",
    "copy": "copy: a range of 10 elements to one of 9; both must have as many",
    "rank": "nth_element: the element of rank 10 of a range of 10 elements; ranks are 0 to the size less one",
    "not_frozen": "graph: breadth_first_search of a graph that may get edges; all its members freeze() it first",
    "start": "graph: breadth_first_search of vertex 10 in a graph of the 10 vertices below 10",
    "one_way": "k_core: an edge of the graph lies one way only; this needs each edge both ways, as add_edge_both() puts",
    "quantile": "quantiles: the element of rank 0 of a range of 0 elements",
}

if __name__ == "__main__":
    misuse.run(sys.argv[1], CASES)
