#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What is said when a disjoint set, a bag, a vector, a channel, a graph or a matrix is misused.

Usage: sequence_misuse_test.py PROGRAM
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
# pylint: disable=wrong-import-position
import misuse

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
    "no_vertex": "graph: add_edge of vertex 8 in a graph of the 8 vertices below 8",
    "no_vertex_in_list": "graph: add_edges of vertex 9 in a graph of the 8 vertices below 8",
    "edge_too_late": "graph: add_edge_both in a graph that is frozen; all its members thaw() it first",
    "visit_too_early": "graph: visit of a graph that may get edges; all its members freeze() it first",
    "degree_too_early": "graph: degree of a graph that may get edges; all its members freeze() it first",
    "elsewhere": "visit() goes there",
    "other_vertices": "graph::create: PE 0 asks for 10, PE 1 for 11; all must ask for the same",
    "no_column": "sparse_matrix: add at row 3, column 6 of a matrix of 4 rows and 6 columns",
    "row_too_early": "sparse_matrix: row before all its members assemble() it",
    "row_elsewhere": "; local_rows() are those that are here",
    "vector_part": "sparse_matrix: multiply: x of 6 elements, where this PE has 3; vectors lie in blocks",
    "capacity": "channel::create: room for no item; a channel has a capacity of 1 or more",
}

if __name__ == "__main__":
    misuse.run(sys.argv[1], CASES)
