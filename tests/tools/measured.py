# SPDX-License-Identifier: BSD-3-Clause
"""Measurements made up for the tests of tools/bench, and its parts to import."""
import json
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.dont_write_bytecode = True

HEADER = {"bench": 1, "set": "quick", "commit": "0123456789ab", "build": {"type": "Release", "compiler": "GNU 12"},
          "machine": {"cpu": "a processor", "cores": 2, "virtual": False, "memory_gib": 8, "kernel": "6.1",
                      "huge_pages": {"transparent": "madvise", "transparent_shared": "never", "reserved": 0}},
          "environment": {}}


def result(name="kernel/loop", rate=50.0, limit=100.0, lamella="local", pes=2, unit="updates/s", limit_name="bare",
           **parameters):
    """A result as a program prints it."""
    return {"name": name, "lamella": lamella, "pes": pes, "threads": 1, "parameters": parameters, "operations": 100.0,
            "seconds": {"median": 100 / rate, "min": 100 / rate, "max": 100 / rate}, "rate": rate, "unit": unit,
            "repetitions": 5, "verified": True, "limit": {"name": limit_name, "rate": limit},
            "fraction_of_limit": rate / limit, "warnings": []}


def row(key="local.2x1: kernel: kernel/loop", number=1, disturbed=False, **of_result):
    """A line of a file."""
    line = {**result(**of_result), "key": key, "command": "LAMELLAR_PES=2 build/release/benchmarks/kernel",
            "round": number, "disturbed": disturbed, "load": {"others": 0.0, "stolen": 0.0}}
    del line["warnings"]
    return line


def rows(rates, key="local.2x1: kernel: kernel/loop", **more):
    return [row(key, number, rate=rate, **more) for number, rate in enumerate(rates, 1)]


def lines(*all_rows, header=None, end=True):
    """The lines of a file."""
    text = [json.dumps(header or HEADER), *(json.dumps(one) for one in all_rows)]
    return text + ['{"end": true}'] if end else text


def measurement(*all_rows):
    from bench_lib import records
    return records.parse(lines(*all_rows), "a.jsonl")
