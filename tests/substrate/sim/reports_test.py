#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What a simulated job says when it is stuck, loses a PE, or fails in another way, and how it is repeated.

Usage: reports_test.py SIM_PROGRAM SIMULATE [unittest arguments]
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest

PROGRAM, SIMULATE = (os.path.abspath(path) for path in sys.argv[1:3])
LIMIT = 60.0 * float(os.environ.get("TEST_PATIENCE", "1"))
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("LAMELLAR_")}


# What the address sanitizer says of every switch of contexts that it has not been told of; it is told.
SANITIZER_NOTE = re.compile(r"==\d+==WARNING: ASan doesn't fully support makecontext.*\n")


def run(*command, **environment):
    done = subprocess.run(command, env={**CLEAN, **environment}, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=LIMIT, check=False)
    return done.returncode, done.stdout, SANITIZER_NOTE.sub("", done.stderr)


def simulate(case, pes=4, seed=17, **environment):
    return run(PROGRAM, case, LAMELLAR_LAMELLA="sim", LAMELLAR_PES=str(pes), LAMELLAR_SIM_SEED=str(seed), **environment)


def replay_command(text):
    found = re.search(r"the same run again: (.*)", text)
    return found and found.group(1)


class Reports(unittest.TestCase):
    def check(self, case, code, *expected, **environment):
        """The job ends with `code` and says each of `expected` once; its replay says the same."""
        got, _, text = simulate(case, **environment)
        self.assertEqual(got, code, text)
        for words in expected:
            self.assertEqual(len(re.findall(words, text)), 1, f"'{words}' in:\n{text}")
        again = replay_command(text)
        self.assertIsNotNone(again, text)
        self.assertIn("LAMELLAR_SIM_SEED=17", again)
        repeated = run("sh", "-c", again)
        self.assertEqual((repeated[0], repeated[2]), (got, text))

    def test_a_job_that_ends_well_says_nothing(self):
        for seed in range(5):
            self.assertEqual(simulate("ring", seed=seed), (0, "the ring is closed\n", ""))

    def test_four_pes_are_the_default(self):
        with tempfile.TemporaryDirectory() as folder:
            trace = os.path.join(folder, "trace")
            code, _, text = run(PROGRAM, "ring", LAMELLAR_LAMELLA="sim", LAMELLAR_SIM_TRACE=trace)
            self.assertEqual((code, text), (0, ""))
            with open(trace, encoding="utf-8") as stream:
                self.assertEqual({line.split()[3] for line in stream}, {"0:", "1:", "2:", "3:"})

    def test_collectives_that_do_not_match(self):
        self.check("barrier", 70, "collectives do not match")

    def test_an_answer_that_cannot_come(self):
        self.check("call", 72, "the simulated job is stuck: all wait, and nothing is under way",
                   r"\n  PE 0-2: in a quiesce \(",
                   r"\n  PE 3: waits for the reply to a call .*sim_program.cpp:\d+\)\n"
                   r"    1 of its calls of .* are unanswered by PE 3\n")

    def test_a_poll_loop_that_waits_for_nothing(self):
        self.check("poll", 72, "the simulated job is stuck: all wait, and nothing is under way",
                   r"\n  PE 1-3: in a quiesce \(", r"\n  PE 0: waits for what it polls for")

    def test_an_exception_that_leaves_the_body(self):
        self.check("throw", 1, "PE 0: out of the body")

    def test_misuse(self):
        self.check("misuse", 70, "PE 0: there is no PE 1000 in a world of 4")

    def test_a_code_that_is_not_0(self):
        self.check("code", 3, "a PE returned 3")

    def test_exit_names_the_pe_whose_turn_it_was(self):
        self.check("exit", 4, r"PE 1 left the job by exit\(4\)")

    def test_a_lost_pe(self):
        code, _, text = simulate("ring", LAMELLAR_SIM_KILL="2@300")
        self.assertEqual(code, 137, text)
        self.assertIn("PE 2 was lost, as LAMELLAR_SIM_KILL=2@300 asks", text)
        self.assertIn("LAMELLAR_SIM_KILL=2@300", replay_command(text))

    def test_whenever_a_pe_is_lost_the_job_ends_soon(self):
        for step in range(1, 2000, 97):
            with self.subTest(step=step):
                code, _, text = simulate("ring", seed=step, LAMELLAR_SIM_KILL=f"1@{step}")
                # Late steps may never come.
                self.assertIn(code, (0, 137), text)
                self.assertEqual("PE 1 was lost" in text, code == 137, text)

    def test_a_pe_that_keeps_its_turn_is_named(self):
        code, _, text = simulate("silent", LAMELLAR_SIM_SILENCE_SECONDS="0.1")
        self.assertEqual(code, 0, text)
        self.assertIn("PE 1 has not called the library for 0.1 s", text)
        self.assertIn("seed 17", text)

    def test_a_report_on_request(self):
        for seed in range(5):
            code, said, text = simulate("ask", seed=seed)
            self.assertEqual((code, said), (0, "went on\n"), text)
            self.assertEqual(len(re.findall("SIGUSR1", text)), 1, text)
            self.assertIn("lamellar: what 4 simulated PEs do (asked by SIGUSR1):\n", text)
            self.assertRegex(text, r"\n  PE [0-9, -]+: in a barrier \(.*sim_program.cpp:\d+\)")
            self.assertRegex(text, r"\n  PE 1: .*\n    1 of its calls of .* are unanswered by PE 0")
            for pe in range(4):
                self.assertRegex(text, rf"\n  PE [0-9, -]*{pe}|\n  PE 0-\d|\n  PE [0-9, ]*2-3")
            self.assertEqual(simulate("ask", seed=seed), (code, said, text))

    def test_statistics_on_request(self):
        code, _, text = simulate("ring", LAMELLAR_STATISTICS="1", LAMELLAR_SIM_PES_PER_HOST="2")
        self.assertEqual(code, 0, text)
        for words in (r"simulated: 4 PEs on 2 hosts, seed 17: 0\.\d+ s of virtual time",
                      r"simulated: \d+ messages of \d+ bytes, between hosts \d+ of \d+ bytes; \d+ records handled",
                      r"simulated: at most \d+ bytes of buffers to one PE"):
            self.assertRegex(text, words)

    def test_many_seeds_by_one_command(self):
        code, said, text = run(SIMULATE, "-n", "7", "-p", "3", PROGRAM, "ring")
        self.assertEqual((code, text), (0, ""))
        self.assertIn("3 PEs, seeds 1 to 7 of", said)
        code, said, _ = run(SIMULATE, "-n", "7", "-f", "5", "-p", "3", PROGRAM, "throw")
        self.assertEqual(code, 1)
        self.assertIn("out of the body", said)
        self.assertIn(f"LAMELLAR_LAMELLA=sim LAMELLAR_PES=3 LAMELLAR_SIM_SEED=5 {PROGRAM} throw", said)

    def test_a_trace_is_whole_even_when_the_job_ends_badly(self):
        with tempfile.TemporaryDirectory() as folder:
            trace = os.path.join(folder, "trace")
            traces = []
            for _ in range(2):
                simulate("poll", LAMELLAR_SIM_TRACE=trace)
                with open(trace, encoding="utf-8") as stream:
                    traces.append(stream.read())
            self.assertTrue(traces[0].endswith("\n"))
            self.assertEqual(traces[0], traces[1])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
