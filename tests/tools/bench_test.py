#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The parts of tools/bench that start nothing."""
import json
import os
import random
import re
import tempfile
import unittest

from measured import HEADER, lines, measurement, result, row, rows
from bench_lib import compare, jobs, machine, records, sets, tables, traffic

KEY = "local.2x1: kernel: kernel/loop"


class Verdicts(unittest.TestCase):
    def test_what_lies_within_the_ranges_is_the_same(self):
        self.assertEqual(compare.verdict([90, 100, 110], [99, 112, 121]), "same")

    def test_medians_further_apart_than_both_ranges_are_a_difference(self):
        self.assertEqual(compare.verdict([99, 100, 101], [119, 120, 121]), "better")
        self.assertEqual(compare.verdict([119, 120, 121], [99, 100, 101]), "worse")

    def test_disjoint_ranges_alone_are_not_enough(self):
        self.assertEqual(compare.verdict([90, 100, 101], [102, 103, 110]), "same")

    def test_less_than_three_percent_is_no_difference_even_without_noise(self):
        self.assertEqual(compare.verdict([100] * 3, [102.9] * 3), "same")
        self.assertEqual(compare.verdict([100] * 3, [103.1] * 3), "better")

    def test_two_rounds_say_nothing(self):
        self.assertEqual(compare.verdict([100, 100], [200, 200, 200]), "few rounds")

    def test_noise_alone_is_rarely_a_difference(self):
        seed = 17
        chance = random.Random(seed)
        for count, most in ((3, 0.03), (5, 0.002)):
            wrong = sum(compare.verdict(*([chance.gauss(100, 20) for _ in range(count)] for _ in "ab")) != "same"
                        for _ in range(2000))
            self.assertLessEqual(wrong, most * 2000, f"{count} rounds, seed {seed}")

    def test_the_ratio_is_that_of_the_fractions_not_of_the_rates(self):
        a = measurement(*rows([50, 50, 50], limit=100))
        b = measurement(*rows([50, 50, 50], limit=200))
        by_fraction, by_rate = (compare.compare(a, b, by)[0][0] for by in ("fraction", "rate"))
        self.assertEqual((by_fraction.ratio, by_fraction.verdict), (0.5, "worse"))
        self.assertEqual((by_rate.ratio, by_rate.verdict), (1.0, "same"))

    def test_limits_are_compared_by_rate(self):
        a, b = (measurement(*rows([rate] * 3, limit=rate, limit_name="kernel/loop")) for rate in (50, 100))
        self.assertEqual(compare.compare(a, b)[0][0].ratio, 2.0)

    def test_disturbed_rounds_are_left_out_if_three_others_remain(self):
        a = measurement(*rows([50, 50, 50]))
        b = measurement(*rows([50, 50, 50]), row(number=4, rate=5, disturbed=True))
        self.assertEqual(compare.compare(a, b)[0][0].verdict, "same")

    def test_a_disturbed_machine_gets_no_verdict(self):
        a = measurement(*rows([50, 50, 50]))
        b = measurement(*rows([500, 500], key=KEY), row(number=3, rate=500, disturbed=True))
        self.assertEqual(compare.compare(a, b)[0][0].verdict, "disturbed")

    def test_what_only_one_has_is_named(self):
        a, b = measurement(row("old"), row("both")), measurement(row("new"), row("both"))
        both, alone = compare.compare(a, b)
        self.assertEqual(([c.key for c in both], alone), (["both"], [["old"], ["new"]]))


class Baselines(unittest.TestCase):
    def judge(self, fractions, disturbed=False, time=100):
        """Give the reruns these fractions, of a baseline of 0.5; return the verdict and how many there were."""
        calls, left = [], [time]

        def rerun(key):
            calls.append(key)
            return row(rate=100 * fractions[(len(calls) - 1) % len(fractions)], disturbed=disturbed)

        def may_go_on():
            left[0] -= 1
            return left[0] >= 0
        return compare.judge(KEY, 0.5, rerun, may_go_on)[0], len(calls)

    def test_half_of_the_baseline_is_the_border(self):
        for rate, falls in ((24.9, [KEY]), (25.1, [])):
            self.assertEqual(compare.fallen({KEY: 0.5, "not measured": 0.5}, measurement(*rows([rate] * 3))), falls)

    def test_three_quiet_reruns_below_half_are_a_fall(self):
        self.assertEqual(self.judge([0.2]), ("fallen", 3))

    def test_one_rerun_above_half_is_enough_to_recover(self):
        self.assertEqual(self.judge([0.2, 0.2, 0.3]), ("recovered", 3))
        self.assertEqual(self.judge([0.3]), ("recovered", 1))

    def test_beside_others_nothing_falls(self):
        self.assertEqual(self.judge([0.2], disturbed=True), ("undecided", 2 * compare.RERUNS))

    def test_without_time_nothing_falls(self):
        self.assertEqual(self.judge([0.2], time=2), ("undecided", 2))

    def test_it_keeps_medians_of_what_can_be_judged(self):
        kept = compare.baseline_of(measurement(
            *rows([40, 50, 60], "good"), *rows([10, 50, 60], "uncertain"), *rows([50] * 3, "many", pes=4),
            *rows([50] * 3, "limit", limit=50, limit_name="kernel/loop")))
        self.assertEqual(kept, {"good": 0.5})

    def test_it_keeps_nothing_that_was_measured_beside_others(self):
        disturbed = measurement(*rows([50] * 3, disturbed=True))
        self.assertEqual(compare.baseline_of(disturbed), {})
        self.assertEqual(compare.baseline_of(disturbed, even_disturbed=True), {KEY: 0.5})

    def test_the_committed_one_can_be_used_and_is_of_the_quick_set(self):
        from measured import ROOT
        fractions = compare.read_baseline(os.path.join(ROOT, "benchmarks", "baseline.json"))
        programs = {key.split(": ")[1].split()[0] for key in fractions}
        self.assertLessEqual(programs, {name for name, entry in sets.PROGRAMS.items() if entry[0] is not None})

    def test_broken_ones_are_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "baseline.json")
            for text in ("", "{", "[]", "{}", '{"fractions": {}}', '{"fractions": {"a": "b"}}', '{"fractions": {"a": 0}}'):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
                with self.assertRaises(compare.BadBaseline, msg=text):
                    compare.read_baseline(path)
        with self.assertRaises(compare.BadBaseline):
            compare.read_baseline(path)  # it is gone


class Files(unittest.TestCase):
    def refused(self, text, part):
        with self.assertRaises(records.Broken) as caught:
            records.parse(text, "a.jsonl")
        self.assertIn(part, str(caught.exception))

    def test_rounds_come_together_by_key(self):
        read = records.parse(lines(*rows([1, 3, 2]), row("other")), "a.jsonl")
        self.assertEqual(read.quantities[KEY].median("rate"), 2)
        self.assertEqual(read.quantities[KEY].spread("rate"), (1, 3))
        self.assertEqual((len(read.quantities), read.notes), (2, []))

    def test_medians_are_of_quiet_rounds_if_there_are_any(self):
        read = measurement(*rows([50, 52]), row(number=3, rate=1, disturbed=True))
        self.assertEqual(read.quantities[KEY].median("rate"), 51)
        read = measurement(*rows([50, 52, 1], disturbed=True))
        self.assertEqual(read.quantities[KEY].median("rate"), 50)

    def test_disturbed_results_are_announced(self):
        read = measurement(*rows([50, 50]), row(number=3, disturbed=True))
        self.assertEqual(read.notes, ["DISTURBED: others used the machine in 1 of 3 results"])

    def test_nothing_and_other_things_are_refused(self):
        self.refused([], "is empty")
        self.refused(["", " "], "is empty")
        self.refused(["hello"], "a.jsonl:1: this is no JSON")
        self.refused(["[1, 2]"], "a.jsonl:1: this is no file of `tools/bench run`")
        self.refused(['{"name": "x"}'], 'has no "bench"')
        self.refused(['{"bench": 1}'], "which commit and machine")
        self.refused(lines(), "no result")

    def test_files_of_a_newer_version_are_refused(self):
        self.refused(lines(row(), header={**HEADER, "bench": 2}), "newer tools/bench, version 2")

    def test_a_broken_line_is_named(self):
        text = lines(row(), row(number=2))
        text[1] = text[1][:40]
        self.refused(text, "a.jsonl:2: this is no JSON")

    def test_a_last_line_that_is_cut_off_is_left_out_and_said(self):
        text = lines(row(), row(number=2), end=False)
        text[-1] = text[-1][:40]
        read = records.parse(text, "a.jsonl")
        self.assertEqual(len(read.rows()), 1)
        self.assertIn("cut off", read.notes[0])
        self.assertIn("the run was not finished", read.notes)

    def test_each_field_is_required_and_of_its_type(self):
        for name in ("key", "name", "lamella", "unit", "command", "pes", "threads", "parameters", "seconds", "limit",
                     "disturbed", "verified", "rate", "fraction_of_limit"):
            broken = row()
            del broken[name]
            self.refused(lines(broken), f"a.jsonl:2: this result has no {'positive ' * (name in ('rate', 'fraction_of_limit'))}{name}")
        self.refused(lines({**row(), "rate": -1}), "no positive rate")
        self.refused(lines({**row(), "rate": "fast"}), "no positive rate")
        self.refused(lines({**row(), "pes": "two"}), "a pes that is no int")
        self.refused(lines({**row(), "limit": {"rate": 1.0}}), "does not name its limit")
        self.refused(lines([1]), "is no object")

    def test_wrong_answers_are_left_out_and_said(self):
        read = measurement(row("good"), {**row("bad"), "verified": False})
        self.assertEqual(list(read.quantities), ["good"])
        self.assertIn("the answer was wrong", read.notes[0])

    def test_what_is_no_text_is_refused(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"\xff\xfe\x00")
            file.flush()
            with self.assertRaises(records.Broken):
                records.read(file.name)
        with self.assertRaises(records.Broken):
            records.read(file.name)


class Machines(unittest.TestCase):
    def load(self, busy, stolen, own, seconds=1.0):
        """What a watch says if these CPU seconds pass within so many seconds."""
        ticks = machine.TICKS
        stats = iter(["cpu 0 0 0 0 0 0 0 0 0 0\nintr 1", f"cpu {busy * ticks:.0f} 0 0 9 9 0 0 {stolen * ticks:.0f} 0 0\n"])
        owns, clocks = iter([5.0, 5.0 + own]), iter([10.0, 10.0 + seconds])
        return machine.LoadWatch(lambda: next(stats), lambda: next(owns), lambda: next(clocks)).since_start()

    def test_own_work_does_not_disturb(self):
        self.assertFalse(self.load(busy=2, stolen=0, own=2).is_much())

    def test_others_do_from_a_tenth_of_a_core_on(self):
        self.assertTrue(self.load(busy=2.2, stolen=0, own=2).is_much())
        self.assertFalse(self.load(busy=2.05, stolen=0, own=2).is_much())

    def test_so_does_a_host_that_takes_cores_away(self):
        self.assertTrue(self.load(busy=2, stolen=0.3, own=2).is_much())

    def test_ticks_of_an_instant_say_nothing(self):
        self.assertFalse(self.load(busy=0.05, stolen=0, own=0, seconds=0.05).is_much())

    def test_waiting_for_a_disk_is_no_work(self):
        self.assertEqual(machine.busy_and_stolen("cpu 1 2 4 1000 1000 8 16 32 0 0\n"),
                         (31 / machine.TICKS, 32 / machine.TICKS))

    def test_warnings_of_a_program_count_as_well(self):
        from bench_lib import runner
        job = jobs.Job("kernel", "local.2x1")
        for warnings, others, disturbed in ((["busy"], 0.0, True), ([], 0.5, True), ([], 0.0, False)):
            outcome = jobs.Outcome([{**result(), "key": KEY, "warnings": warnings}], "", machine.Load(others, 0.0))
            self.assertEqual(next(iter(runner.rows_of(job, outcome, 1)))["disturbed"], disturbed)

    def test_the_description_has_no_path_and_no_name_of_the_machine(self):
        for word in re.findall(r'"([^"]*)"', json.dumps(machine.description())):
            self.assertFalse(word.startswith("/"), word)
            self.assertNotEqual(word, os.uname().nodename)


class Jobs(unittest.TestCase):
    def test_keys_tell_results_of_one_name_apart(self):
        results = [result("put", bytes=8, nanoseconds=1), result("put", bytes=64), result("put", bytes=64)]
        self.assertEqual(jobs.keys_of("local.2x1: put", results), [
            "local.2x1: put: put bytes=8", "local.2x1: put: put bytes=64", "local.2x1: put: put bytes=64 #2"])

    def test_measured_parameters_are_no_part_of_a_key(self):
        keys = [jobs.keys_of("j", [result("put", bytes=8, nanoseconds=n)]) for n in (1, 2)]
        self.assertEqual(*keys)

    def test_commands_can_be_typed(self):
        self.assertEqual(jobs.Job("kernel", "local.4x2", "--n", "2^4", mapped=False).for_a_shell(),
                         "LAMELLAR_MAPPED=0 LAMELLAR_PES=4 LAMELLAR_THREADS=2 build/release/benchmarks/kernel --n 2^4")
        self.assertEqual(jobs.Job("kernel", "shmem.2x1").for_a_shell(),
                         "build/release/tools/lamellar-run -n 2 build/release/benchmarks/kernel")
        self.assertEqual(jobs.Job("kernel", "rofi.4x1").for_a_shell(), "build/release/tools/lamellar-run -n 4 --lamella "
                         "rofi --hosts 2 build/release/benchmarks/kernel")

    def test_a_wrong_shape_is_explained(self):
        for text in ("local", "local.0x1", "smem.2x1", "local.2"):
            with self.assertRaisesRegex(ValueError, "no shape of a job"):
                jobs.Shape(text)

    def test_every_shape_of_the_sets_is_right_and_fits_its_program(self):
        for program, (_, quick, _, full, least) in sets.PROGRAMS.items():
            for shape in sets.shapes_of(quick, [], [], 1) + sets.shapes_of(full, [], [], 1):
                self.assertGreaterEqual(shape.pes, 1 if shape.lamella == "alone" else least, program)

    def test_other_lamellae_and_numbers_of_pes_replace_those_of_the_set(self):
        def text(*arguments):
            return " ".join(str(shape) for shape in sets.shapes_of(*arguments))
        self.assertEqual(text("local.2x1 shmem.2x1", [], [1, 4], 1), "local.1x1 local.4x1 shmem.1x1 shmem.4x1")
        self.assertEqual(text("local.1x1 local.2x1", ["rofi"], [], 1), "rofi.2x1")
        self.assertEqual(text("local.2x1", [], [1, 2], 2), "local.2x1")
        self.assertEqual(text("alone", ["shmem"], [4], 1), "alone")


STATISTICS = """a line of the program  1 2 3 4
lamellar: statistics of 2 PEs
  handler                                       records          bytes records/run  ms inside
  lamellar::benchmark::(anonymous namespace)::note  786432        6291456      1016.1      8.962
  sent                         messages      answers    by line       runs    buffers          bytes runs/buffer records/run
  to the same PE                     22            0          0         18         14            688         1.3         1.2
  to PEs of the same host       1572886            1          3       1567       1561       12608400         1.0      1003.8
  over the network                    0            0          0          0          0              0         0.0         0.0
  waiting: 202.840 ms a PE on average, 328.955 ms on PE 1
"""


class Traffic(unittest.TestCase):
    def test_the_table_of_a_job_is_understood(self):
        sent, handlers = traffic.statistics_of(STATISTICS)
        self.assertEqual(sent["to PEs of the same host"], {"messages": 1572886, "answers": 1, "lines": 3, "runs": 1567,
                                                           "buffers": 1561, "bytes": 12608400})
        self.assertEqual(len(sent), 3)
        self.assertEqual(handlers, [{"name": "lamellar::benchmark::(anonymous namespace)::note", "records": 786432,
                                     "bytes": 6291456, "milliseconds": 8.962}])

    def test_without_a_table_there_is_nothing(self):
        self.assertEqual(traffic.statistics_of("PE 0: done\n"), ({}, []))

    def test_posts_of_a_trace_make_a_matrix(self):
        trace = ["1 0 PE 0: begins wave 1, tag 0, sums 0 0 0 0\n", "9 5 PE 0: posts 64 bytes to 2, body, #1, arrives at 9\n",
                 "9 5 PE 0: posts 8 bytes to 2, handler, #2, arrives at 9\n", "10 5 PE 2: takes #1 from 0\n",
                 "11 7 PE 2: posts 16 bytes to 1, body, #3, arrives at 19\n"]
        self.assertEqual(traffic.matrix_of(trace, 3), ([[0, 0, 72], [0, 0, 0], [0, 16, 0]],
                                                       [[0, 0, 2], [0, 0, 0], [0, 1, 0]]))


class Tables(unittest.TestCase):
    def test_each_figure_has_the_number_of_its_command(self):
        text = tables.markdown(measurement(row("a", name="one"), {**row("b", name="two"), "command": "other"}))
        self.assertIn("| one | local | 2 x 1 | 50 updates/s | 100 updates/s, bare | 0.5 | 0.5 to 0.5 | 1 |", text)
        self.assertRegex(text, r"\| two \|.*\| 1 \|")
        self.assertIn("### one\n", text)
        self.assertRegex(text, r"(?s)\n1\. `LAMELLAR_PES=2 build/release/benchmarks/kernel`\n.*### two.*\n1\. `other`\n")

    def test_in_brief_a_sweep_is_its_largest_size(self):
        sweep = measurement(*(row(f"put {size}", name="put/put", bytes=size) for size in (8, 4096, 64)))
        self.assertEqual(tables.markdown(sweep).count("\n| put"), 3)
        self.assertIn("| put, bytes 2^12 |", tables.markdown(sweep, brief=True))
        self.assertEqual(tables.markdown(sweep, brief=True).count("\n| put"), 1)

    def test_disturbed_figures_say_so_in_the_table(self):
        self.assertIn("**DISTURBED", tables.markdown(measurement(row(disturbed=True))))

    def test_latencies_are_times(self):
        text = tables.markdown(measurement(row(unit="round trips/s", rate=5e6, limit=1e7)))
        self.assertIn("| 200 ns | 100 ns, bare | 0.5 |", text)
        for nanoseconds, measured in ((200, "200 ns"), (400, "5 M puts/s")):  # of one PE; of one of two
            text = tables.markdown(measurement(row(unit="puts/s", rate=5e6, limit=1e7, nanoseconds=nanoseconds)))
            self.assertIn(f"| {measured} |", text)

    def test_only_what_stands_between_the_marks_is_replaced(self):
        text = f"before\n{tables.BEGIN}\nold \\1\n{tables.END}\nafter\n"
        once = tables.put_between_marks(text, "new \\1\n")
        self.assertEqual(once, f"before\n{tables.BEGIN}\nnew \\1\n{tables.END}\nafter\n")
        self.assertEqual(tables.put_between_marks(once, "new \\1\n"), once)
        with self.assertRaisesRegex(ValueError, "there are no lines"):
            tables.put_between_marks("nothing", "new")


unittest.main(verbosity=2)
