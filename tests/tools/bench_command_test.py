#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tools/bench as a whole, on a build folder whose programs print what the tests want."""
import contextlib
import importlib.machinery
import importlib.util
import io
import json
import os
import sys
import tempfile
import unittest

from measured import ROOT, lines, result, rows
from bench_lib import jobs, machine

loader = importlib.machinery.SourceFileLoader("bench", os.path.join(ROOT, "tools", "bench"))
bench = importlib.util.module_from_spec(importlib.util.spec_from_loader("bench", loader))
loader.exec_module(bench)

# Says what stands in NAME.json, or in its N-th run what stands in NAME.N.json.
PROGRAM = """#!/bin/sh
cd "{folder}" && echo "{name} $*" >> runs
n=$(grep -c "^{name} " runs)
[ -e {name}.$n.json ] && exec cat {name}.$n.json
cat {name}.json
"""
# A simulated job as the library reports it: a repetition takes 10 us more, in 30 messages; by host in 3 fuller ones.
SIMULATED = """#!/bin/sh
n=$(echo "$*" | sed 's/.*--repetitions \\([0-9]*\\).*/\\1/')
per=30; [ "$LAMELLAR_HOST_AGGREGATION" = 1 ] && per=3
echo '{result}'
echo "  most memory: 64 KiB for buffers, on PE 0; 0 KiB of heap, on PE 0"
echo "lamellar: simulated: $LAMELLAR_PES PEs on 2 hosts, seed 0: 0.00${{n}}000 s of virtual time, 5 turns"
echo "lamellar: simulated: 99 messages of 999 bytes, between hosts $((100 + per * n)) of $((600 * n)) bytes; 5 records"
echo "lamellar: simulated: at most 5 bytes of buffers to one PE at a time, 1048576 to those of one host, and 3 peers"
"""
LAUNCHER = '#!/bin/sh\nshift 2\nexec "$@"\n'


class Command(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = holder.name
        os.makedirs(self.path("build", "benchmarks"))
        os.makedirs(self.path("build", "tools"))
        self.write(LAUNCHER, "build", "tools", "lamellar-run")
        # Whatever else this machine does now: it shall count as quiet.
        usual, machine.MUCH = machine.MUCH, 1e9
        self.addCleanup(setattr, machine, "MUCH", usual)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, text, *parts):
        with open(self.path(*parts), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(*parts), 0o755)

    def read(self, *parts):
        with open(self.path(*parts), encoding="utf-8") as file:
            return file.read()

    def make(self, name, *fractions):
        """A program with this fraction of its limit; with several, those of its first runs."""
        self.write(PROGRAM.format(folder=self.folder, name=name), "build", "benchmarks", name)
        for number, fraction in enumerate(fractions, 1):
            text = json.dumps(result(name + "/loop", 100 * fraction)) + "\n"
            self.write(text, f"{name}.json" if number == len(fractions) else f"{name}.{number}.json")

    def bench(self, *words):
        """Run the command; return its code and all it said."""
        said = io.StringIO()
        usual, sys.argv = sys.argv, ["bench", *words]
        try:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                code = bench.main()
        except SystemExit as end:
            code, text = (end.code, "") if isinstance(end.code, int) else (1, end.code)
            said.write(text or "")
        finally:
            sys.argv = usual
        return code, said.getvalue()

    def run_set(self, *more, name="a.jsonl"):
        return self.bench("run", "--build", self.path("build"), "--lamella", "local", "--pes", "2", "--no-traffic",
                          "-o", self.path(name), *more)

    def test_each_job_runs_once_in_a_round(self):
        self.make("am_rate", 0.5)
        self.make("barrier", 0.5)
        code, said = self.run_set()
        self.assertEqual(code, 0, said)
        self.assertIn("not built, left out: am_latency", said)
        self.assertEqual([line.split()[0] for line in self.read("runs").splitlines()], ["barrier", "am_rate"] * 3)
        first, *more, last = [json.loads(line) for line in self.read("a.jsonl").splitlines()]
        self.assertEqual(set(first), {"bench", "set", "commit", "build", "machine", "environment"})
        self.assertEqual([row["round"] for row in more], [1, 1, 2, 2, 3, 3])
        self.assertEqual((last["end"], last["failures"], last["left_out"]), (True, [], 0))
        self.assertNotIn(self.folder, self.read("a.jsonl"))

    def test_processes_are_started_by_the_launcher(self):
        self.make("am_rate", 0.5)
        code, said = self.run_set("--lamella", "shmem", "--rounds", "1")
        self.assertEqual(code, 0, said)
        self.assertIn('"build/release/tools/lamellar-run -n 2 build/release/benchmarks/am_rate', self.read("a.jsonl"))

    def test_a_program_that_fails_stops_no_other(self):
        self.make("am_rate", 0.5)
        self.write("#!/bin/sh\necho it broke; exit 3\n", "build", "benchmarks", "barrier")
        code, said = self.run_set()
        self.assertEqual(code, 1)
        self.assertEqual(said.count("ended with code 3"), 1)
        self.assertIn("it broke", said)
        self.assertEqual(self.read("a.jsonl").count('"round"'), 3)

    def test_a_program_without_results_has_failed(self):
        self.write("#!/bin/sh\necho nothing\n", "build", "benchmarks", "barrier")
        code, said = self.run_set()
        self.assertEqual(code, 1)
        self.assertIn("gave no line of JSON", said)

    def test_what_does_not_end_is_ended(self):
        self.write("#!/bin/sh\nsleep 1000\n", "build", "benchmarks", "barrier")
        with self.assertRaisesRegex(jobs.Failure, "had not ended after 0.2 s"):
            jobs.Job("barrier", "local.2x1").run(self.path("build"), 1, timeout_s=0.2)

    def test_when_the_time_is_over_the_rest_is_left_out(self):
        self.make("am_rate", 0.5)
        code, said = self.run_set("--minutes", "0.0000001")
        self.assertEqual(code, 1)  # there is no result at all
        self.assertIn("3 runs were left out", said)

    def test_without_programs_it_says_what_to_do(self):
        code, said = self.run_set()
        self.assertEqual(code, 1)
        self.assertIn("Build the preset release", said)

    def guard(self, before, *after):
        """Commit a baseline of `before`, then measure `after`; return the code of the comparison and what it said."""
        self.make("am_rate", before)
        self.run_set()
        code, said = self.bench("baseline", self.path("a.jsonl"), "-o", self.path("baseline.json"),
                                "--even-disturbed")
        self.assertEqual(code, 0, said)
        os.remove(self.path("runs"))
        self.make("am_rate", *after)
        self.run_set(name="b.jsonl")
        return self.bench("compare", "--baseline", self.path("baseline.json"), self.path("b.jsonl"), "--build",
                          self.path("build"))

    def runs(self):
        return len(self.read("runs").splitlines())

    def test_an_equal_fraction_passes_without_a_rerun(self):
        code, said = self.guard(0.5, 0.5)
        self.assertEqual((code, self.runs()), (0, 3), said)

    def test_slightly_worse_passes(self):
        self.assertEqual(self.guard(0.5, 0.26)[0], 0)

    def test_half_is_a_failure_after_three_reruns(self):
        code, said = self.guard(0.5, 0.24)
        self.assertEqual((code, self.runs()), (1, 3 + 3), said)
        self.assertIn("fallen: local.2x1: am_rate", said)

    def test_one_good_rerun_passes(self):
        code, said = self.guard(0.5, 0.2, 0.2, 0.2, 0.2, 0.5)
        self.assertEqual((code, self.runs()), (0, 3 + 2), said)
        self.assertIn("recovered: local.2x1: am_rate", said)

    def test_beside_others_it_decides_nothing(self):
        machine.MUCH = -1.0
        code, said = self.guard(0.5, 0.2)
        self.assertEqual(code, 0)
        self.assertIn("undecided: local.2x1: am_rate", said)
        self.assertIn("DISTURBED", said)

    def test_a_baseline_of_other_things_is_refused(self):
        self.make("am_rate", 0.5)
        self.run_set()
        self.write('{"fractions": {"something else": 0.5}}', "baseline.json")
        code, said = self.bench("compare", "--baseline", self.path("baseline.json"), self.path("a.jsonl"))
        self.assertEqual(code, 1)
        self.assertIn("have nothing in common", said)

    def test_two_files_are_compared(self):
        for name, rates in (("a", [50, 50.1, 50.2]), ("b", [60, 60.1, 60.2])):
            self.write("\n".join(lines(*rows(rates))), name)
        code, said = self.bench("compare", self.path("a"), self.path("b"))
        self.assertEqual(code, 0)
        self.assertRegex(said, r"kernel/loop +1\.20 +0 %, 0 % +better")

    def test_a_broken_file_is_named_in_one_line(self):
        self.write("no JSON\n", "a")
        code, said = self.bench("table", self.path("a"))
        self.assertEqual(code, 1)
        self.assertIn(f"{self.path('a')}:1: this is no JSON", said)
        self.assertNotIn("Traceback", said)

    def test_the_table_goes_into_a_document(self):
        self.write("\n".join(lines(*rows([50, 50, 50]))), "a")
        self.write("x\n<!-- figures: begin -->\n<!-- figures: end -->\ny\n", "document.md")
        self.assertEqual(self.bench("table", self.path("a"), "--write", self.path("document.md"))[0], 0)
        text = self.read("document.md")
        self.assertTrue(text.startswith("x\n<!-- figures: begin -->\nMachine: a processor, 2 cores") and text.endswith("y\n"))
        self.assertIn("| loop | local |", text)

    def test_a_projection_is_what_a_repetition_adds(self):
        text = json.dumps(result("am_histogram/batch", 50))
        self.write(SIMULATED.format(result=text), "build", "benchmarks", "am_histogram")
        code, said = self.bench("project", "--kernel", "histogram", "--pes", "4", "-o", self.path("p"), "--build",
                                self.path("build"))
        self.assertEqual(code, 0, said)
        # 1 ms for 2^14 items of each PE; 600 bytes in 30 messages, or in 3; 1 MiB and twice 64 KiB.
        self.assertIn("| histogram | fast | 4 (2) | 61.0 | 61.0 | 20 | 200 | 1.1 | 1.1 |", said)
        first, *rest = (json.loads(line) for line in self.read("p").splitlines())
        self.assertEqual(first["projection"], 1)
        self.assertEqual({(line["network"], line["gathers"]) for line in rest},
                         {(network, gathers) for network in ("fast", "ethernet") for gathers in (False, True)})
        self.assertIn("--repetitions 3", rest[0]["command"])

    def test_a_job_that_does_not_say_what_it_took_is_no_projection(self):
        self.make("am_histogram", 0.5)
        code, said = self.bench("project", "--kernel", "histogram", "--pes", "4", "-o", self.path("p"), "--build",
                                self.path("build"))
        self.assertEqual(code, 1)
        self.assertIn("did not say its seconds", said)
        self.assertNotIn("Traceback", said)


unittest.main(verbosity=2)
