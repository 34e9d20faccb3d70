#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""lamellar-info says what it promises, to people and to programs, and reads a wrong environment too.

Usage: info_test.py LAMELLAR_INFO [unittest arguments]
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

INFO = os.path.abspath(sys.argv[1])


def run(*arguments, **environment):
    env = {name: value for name, value in os.environ.items() if not name.startswith("LAMELLAR_")}
    return subprocess.run([INFO, *arguments], env={**env, **environment}, timeout=60, capture_output=True,
                          text=True, check=False)


class Info(unittest.TestCase):
    def test_the_document_is_complete(self):
        done = run("--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        found = json.loads(done.stdout)
        self.assertEqual(list(found), ["version", "lamellae", "launchers", "network_library", "network_providers", "kokkos",
                                       "cores", "memory", "pages", "variables", "environment_error"])
        self.assertIn("lamellar-run", found["launchers"])
        self.assertIn("local", found["lamellae"])
        self.assertIn("shmem", found["lamellae"])
        self.assertIn("sim", found["lamellae"])
        self.assertGreaterEqual(found["cores"]["cores"], 1)
        self.assertLessEqual(found["cores"]["hardware_threads_allowed"], found["cores"]["hardware_threads"])
        self.assertGreater(found["memory"]["limit_bytes"], 1 << 26)
        self.assertIn(found["pages"]["local_heap_gets_bytes"], (4096, 1 << 21))
        self.assertIn(found["pages"]["shmem_heap_gets_bytes"], (4096, 1 << 21))
        self.assertIsNone(found["environment_error"])
        for row in found["variables"]:
            self.assertIsNone(row["value"])
            self.assertTrue(row["meaning"].endswith("."))

    def test_it_says_why_the_network_library_cannot_be_loaded(self):
        if not json.loads(run("--json").stdout)["network_library"]:
            return  # built without
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "libfabric.so.1"), "w", encoding="utf-8"):
                pass  # no library at all
            done = run("--json", LD_LIBRARY_PATH=folder)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        found = json.loads(done.stdout)
        self.assertIn("cannot be loaded", found["network_library"])
        self.assertIn("apt-get install libfabric1", found["network_library"])
        self.assertEqual(found["network_providers"], [])

    def test_the_network_is_described_to_programs_and_to_people(self):
        found = json.loads(run("--json").stdout)
        text = run().stdout
        if not found["network_library"]:
            self.assertEqual(found["network_providers"], [])
            self.assertIn("none: built without libfabric", text)
            return
        self.assertIn(found["network_library"], text)
        self.assertRegex(found["network_library"], r"^libfabric \d+\.\d+$")
        for row in found["network_providers"]:
            self.assertEqual(list(row), ["name", "domain", "usable", "refusal"])
            self.assertEqual(row["usable"], row["refusal"] == "")
            self.assertIn(row["name"], text)
            self.assertIn(row["refusal"], text)
        usable = [row["name"] for row in found["network_providers"] if row["usable"]]
        self.assertIn("tcp", "; ".join(usable))
        self.assertLess(text.index("Network providers"), text.index("Variables"))

    def test_values_are_shown_as_set(self):
        found = json.loads(run("--json", LAMELLAR_PES="4").stdout)
        values = {row["name"]: row["value"] for row in found["variables"] if row["value"] is not None}
        self.assertEqual(values, {"LAMELLAR_PES": "4"})

    def test_the_text_names_every_variable_and_what_the_machine_has(self):
        done = run(LAMELLAR_THREADS="2")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for row in json.loads(run("--json").stdout)["variables"]:
            self.assertIn(row["name"], done.stdout)
            self.assertIn(row["meaning"], done.stdout)
        self.assertIn("LAMELLAR_THREADS = 2  (default: 1)", done.stdout)
        for word in ("Lamellar ", "local shmem ", "Kokkos", "Cores", "Pages"):
            self.assertIn(word, done.stdout)

    def test_a_wrong_environment_is_shown_and_explained(self):
        for environment in ({"LAMELLAR_PES": "many"}, {"LAMELLAR_PSE": "4"}):
            done = run(**environment)
            self.assertEqual(done.returncode, 0)
            self.assertIn("would be refused", done.stdout)
            self.assertIn(next(iter(environment)), done.stdout)

    def test_wrong_options_are_refused(self):
        for arguments in (["--jsn"], ["--json", "more"]):
            done = run(*arguments)
            self.assertEqual(done.returncode, 2)
            self.assertIn(arguments[-1], done.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
