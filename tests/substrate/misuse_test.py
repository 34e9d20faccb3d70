#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What a job says, and how it ends, when a program misuses the library or a PE is lost.

Usage: misuse_test.py LAMELLAR_RUN MISUSE_PROGRAM PROGRAM_A PROGRAM_B [unittest arguments]

Each case is a program of its own, on one and on several PEs, as threads and as processes. It must end
soon, with the code and the words expected, and leave no process behind.
"""

import os
import re
import select
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

RUN, PROGRAM, PROGRAM_A, PROGRAM_B = (os.path.abspath(path) for path in sys.argv[1:5])
LIMIT = 30.0 * float(os.environ.get("TEST_PATIENCE", "1"))
MARK = "MISUSE_TEST_MARK"


def processes_with(mark):
    wanted = f"{MARK}={mark}".encode()
    found = []
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{int(entry)}/environ", "rb") as stream:
                marked = wanted in stream.read().split(b"\0")
            with open(f"/proc/{entry}/stat", encoding="utf-8") as stream:
                state = stream.read().rsplit(")", 1)[1].split()[0]
        except (OSError, ValueError):
            continue
        if marked and state not in "ZX":
            found.append(int(entry))
    return found


class JobTest(unittest.TestCase):
    def run_job(self, lamella, pes, *command, environment=None, threads=1):
        """Run the job; return its code and what was said. Nothing of it may be left."""
        mark = uuid.uuid4().hex
        env = {name: value for name, value in os.environ.items() if not name.startswith("LAMELLAR_")}
        env.update({MARK: mark, "LAMELLAR_THREADS": str(threads), **(environment or {})})
        if lamella == "local":
            env["LAMELLAR_PES"] = str(pes)
            full = list(command)
        else:
            full = [RUN, "-n", str(pes), *command]
        job = subprocess.run(full, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT,
                             check=False)
        end = time.monotonic() + 5
        while processes_with(mark):
            self.assertLess(time.monotonic(), end, "processes of the job are left")
            select.select([], [], [], 0.005)
        return job.returncode, job.stdout.decode() + job.stderr.decode()

    def check(self, case, *expected, lamellae=("local", "shmem"), pes=(2, 4), code=None, threads=(1,),
              environment=None):
        """Each of `expected`, regular expressions, is said, once; the job fails."""
        for lamella in lamellae:
            for n in pes:
                for t in threads:
                    with self.subTest(lamella=lamella, pes=n, threads=t):
                        got, text = self.run_job(lamella, n, PROGRAM, case, threads=t, environment=environment)
                        self.assertNotEqual(got, 0, text)
                        self.assertNotEqual(got, 99, text)
                        if code is not None:
                            self.assertEqual(got, code, text)
                        self.assertNotIn("ended well", text)
                        for words in expected:
                            # Processes may fail side by side before the launcher ends the rest.
                            self.assertIn(len(re.findall(words, text)), range(1, n + 1), f"'{words}' in:\n{text}")


class Misuse(JobTest):
    def test_waits_that_a_handler_may_not_do(self):
        self.check("wait_all_in_handler", r"PE 1: wait_all\(\) in a handler", pes=(2,), threads=(1, 2))
        self.check("quiesce_in_handler", r"PE 1: quiesce\(\) in a handler", pes=(2,), threads=(1, 2))
        self.check("barrier_in_handler", r"PE 1: barrier\(\) in a handler", pes=(2,), threads=(1, 2))
        self.check("exclusive_in_handler", r"PE 1: exclusive\(\) in a handler", pes=(2,))
        self.check("wait_all_in_handler", r"PE 0: wait_all\(\) in a handler", pes=(1,), lamellae=("local",))

    def test_collectives_that_do_not_match(self):
        self.check("mismatched_collectives", "collectives do not match", r"misuse_program\.cpp:\d+")
        self.check("barrier_and_reduction", "collectives do not match.*all_reduce", r"misuse_program\.cpp:\d+", pes=(2,))
        self.check("reduction_and_gather", r"collectives do not match: this PE is in all_reduce\(\), PE 1 is in gather",
                   pes=(2,))
        self.check("types_of_reduction", r"PEs call all_reduce\(\) with different arguments or types: this PE and PE 1",
                   pes=(2,))
        if os.environ.get("TEST_CHECKED") == "1":  # otherwise each waits for the other
            self.check("roots_of_broadcast", r"PEs call broadcast\(\) with different arguments", pes=(2,))
            self.check("reduction_of_some", r"PE [123]: collectives do not match: this PE is in a quiesce, "
                       r"PE 0 has begun all_reduce\(\)")
        self.check("barrier_of_some", r"PE [0-3]: collectives do not match: this PE is in (a quiesce, PE 0 is in a barrier|"
                   r"a barrier, PE [123] is in a quiesce)")
        self.check("operations_of_reduction", r"PEs call all_reduce\(\) with different arguments or types", pes=(2,))
        self.check("root_outside", "the root is position 2 of a team of 2 PEs", pes=(2,))
        self.check("too_few_values", "1 values for a team of 2 PEs", pes=(2,))
        self.check("collective_in_handler", r"PE 1: all_reduce\(\) in a handler", pes=(2,))

    def test_teams(self):
        self.check("different_teams", "PEs call the creation of a team with different arguments", pes=(2,))
        self.check("team_beyond_the_end", "a team needs position 2 of a team of 2 PEs", pes=(2,))
        self.check("team_with_a_pe_twice", "a team in which a PE stands twice", pes=(2,))
        self.check("collective_of_others", r"PE 1: all_reduce\(\) of a team of which this PE is no member", pes=(2,))
        self.check("position_outside", "there is no position 1 in a team of 1 PEs", pes=(2,))
        self.check("object_of_others", "PE 1 has no part of object", pes=(2,))

    def test_a_group_sends_to_members_of_its_team(self):
        here = r" \(.*misuse_program\.cpp:\d+\)"
        for case, words in (
                ("task_group_position", r"PE [01]: there is no position 1 in a team of 1 PEs"),
                ("message_group_position", r"PE [01]: there is no position 1 in a team of 1 PEs"),
                ("task_group_pe", r"PE [01]: PE 1 is no member of the team of 1 PEs whose group"),
                ("message_group_pe", r"PE [01]: PE 1 is no member of the team of 1 PEs whose group"),
                ("message_group_no_pe", r"PE [01]: there is no PE 2 in a world of 2"),
                ("group_of_nobody", "a team is used that is empty"),
                ("team_moved_away", "a team is used that is empty"),
        ):
            self.check(case, words + ".*" + here, pes=(2,), lamellae=("local",))

    def test_creations_that_do_not_match(self):
        self.check("mismatched_creation", "collectives do not match",
                   "the creation, conversion or collective write of an object, PE")
        self.check("mismatched_collective_write", "collectives do not match", "collective write of an object",
                   r"misuse_program\.cpp:\d+")

    def test_items_that_go_nowhere(self):
        here = r" \(.*misuse_program\.cpp:\d+\)"
        for case, words in (
                ("exchange_out_of_team", r"PE 0: exchange\(\): item 17 is routed to position \d of a team of \d PEs"),
                ("placed_out_of_team", r"PE 0: exchange_placed\(\): item 17 is routed to position \d of a team"
                                       r" of \d PEs"),
                ("route_changes", r"item 0 is routed to position 1 now, but was not when the items were counted;"
                                  r" the route must give the same answer each time"),
                ("rows_left_out", r"exchange_rows\(\): 0 items were put for position 0, 7 were counted"),
                ("row_too_long", r"exchange_rows\(\): 8 items were put for position 0, 7 were counted"),
                ("rows_without_counts", r"exchange_rows\(\): 0 counts for \d members; there must be one for each"),
                ("source_outside", r"the items from position \d of an exchange of \d PEs"),
                ("exchange_in_handler", r"PE 1: exchange\(\) in a handler; only the body may take part"
                                        r" in collectives"),
                ("exchanges_of_different_items", r"collectives do not match: .*")):
            self.check(case, words + here, threads=(1, 2))

    def test_an_empty_handle_is_not_converted(self):
        self.check("conversion_of_nothing", "an empty handle cannot become a local_rw_darc", r"misuse_program\.cpp:\d+")

    def test_a_pe_that_does_not_exist(self):
        for case in ("at", "send", "call", "darc"):
            self.check(f"pe_out_of_range_{case}", r"there is no PE \d+ in a world of 2 \(.*misuse_program\.cpp:\d+\)",
                       pes=(2,))

    def test_a_handler_that_waits_for_its_own_object(self):
        self.check("waits_for_own_object", "PE 1: .*waits for another handler of the same object", pes=(2,),
                   threads=(1, 2))

    def test_handlers_that_wait_inside_each_other_without_end(self):
        self.check("nests_too_deep", "handlers wait inside each other.*make the handler a coroutine", pes=(1, 2, 4))

    def test_what_lies_outside_a_memory_region(self):
        here = r" \(.*misuse_program\.cpp:\d+\)"
        for case, words in (
                ("index_put", "put: index 10 in a memory region of 10 elements"),
                ("index_view", "get: index 5 in a memory region of 5 elements"),
                ("index_atomic", "an atomic operation: index 11 in a memory region of 10 elements"),
                ("index_at", "at: index 12 in a memory region of 10 elements"),
                ("range_put", "put: 3 elements from index 8 on in a memory region of 10 elements"),
                ("range_get", "get: 11 elements from index 0 on in a memory region of 10 elements"),
                ("range_view", "sub_region: 4 elements from index 7 on in a memory region of 10 elements"),
                ("range_huge", r"sub_region: \d+ elements from index 5 on in a memory region of 10 elements"),
                ("pe", "there is no PE 2 in a world of 2"),
                ("empty", "memory region that is empty"),
                ("one_sided_index", "get: index 5 in a memory region of 5 elements"),
        ):
            for mapped in ("0", "1"):
                self.check(f"region_{case}", words + ".*" + here, pes=(2,), lamellae=("local",),
                           environment={"LAMELLAR_MAPPED": mapped})

    def test_a_pe_outside_the_team_of_a_region(self):
        for mapped in ("0", "1"):
            self.check("region_member", r"PE 1 has no part of object \d+, .*misuse_program\.cpp:\d+\)", pes=(2,),
                       environment={"LAMELLAR_MAPPED": mapped})

    def test_a_region_on_which_pes_do_not_agree(self):
        self.check("region_sizes", r"PE 0 asks for 10 elements of type int \(4 bytes\), "
                   r"PE [13] for 20 elements.*misuse_program\.cpp:\d+\)")
        self.check("region_types", r"PE 0 asks for 10 elements of type int .*, PE 1 for 10 elements of type float")

    def test_a_get_that_nobody_waits_for(self):
        self.check("region_dropped_get", r"PE 0: the completion of a get of 40 bytes was dropped.*"
                   r"misuse_program\.cpp:\d+\)", pes=(2,), environment={"LAMELLAR_MAPPED": "0"})

    def test_memory_of_another_pe(self):
        self.check("region_elsewhere", r"PE 1: local\(\): the memory of this one-sided region lies on PE 0.*"
                   r"misuse_program\.cpp:\d+\)", pes=(2,))

    def test_a_thread_that_belongs_to_no_pe(self):
        # With one thread a PE, nobody looks: this is for those with more.
        self.check("foreign_thread", "this thread belongs to no PE", pes=(2,), threads=(2,))


class Failures(JobTest):
    def test_an_exception_that_leaves_the_body(self):
        self.check("exception_in_body", r"PE 1: the body gave up", pes=(2,), code=1)
        self.check("exception_in_body", r"PE 3: the body gave up", pes=(4,), code=1)
        self.check("exception_in_body", r"PE 0: the body gave up", pes=(1,), code=1)
        self.check("odd_exception_in_body", r"PE 1: something that is not a std::exception", pes=(2,), code=1)

    def test_a_failure_that_nobody_asked_about_ends_the_job(self):
        self.check("unnoticed_failure", "nobody looked", pes=(2,), code=1)

    def test_exit_in_the_body(self):
        self.check("exit_in_body", r"PE 1 .*exit", pes=(2,), code=3)

    def test_a_pe_that_dies(self):
        self.check("abort_in_body", r"PE 1 was killed by SIGABRT", pes=(2,), code=134, lamellae=("shmem",))
        self.check("abort_in_body", r"PE 3 was killed by SIGABRT", pes=(4,), code=134, lamellae=("shmem",))
        self.check("killed_in_body", r"PE 1 was killed by SIGKILL", pes=(2,), code=137, lamellae=("shmem",))
        self.check("killed_in_handler", r"PE 3 was killed by SIGKILL", pes=(4,), code=137, lamellae=("shmem",))
        self.check("segmentation_fault", r"PE 1 was killed by SIGSEGV", pes=(2,), code=139, lamellae=("shmem",))

    def test_a_pe_that_returns_early_still_serves(self):
        for lamella in ("local", "shmem"):
            for pes in (2, 4):
                for threads in (1, 2):
                    code, text = self.run_job(lamella, pes, PROGRAM, "leaves_early", threads=threads)
                    self.assertEqual((code, text.count("ended well")), (0, 1 if lamella == "local" else pes), text)


class Statistics(JobTest):
    def test_what_was_done_to_memory_regions(self):
        for mapped, messages in (("1", 0), ("0", 5)):
            code, text = self.run_job("local", 2, PROGRAM, "region_statistics",
                                      environment={"LAMELLAR_STATISTICS": "1", "LAMELLAR_MAPPED": mapped})
            self.assertEqual(code, 0, text)
            self.assertIn("memory regions: 24 bytes put, 8 bytes got, 4 atomic operations; "
                          f"{2 * messages} of all operations by messages", text)


class Start(JobTest):
    def test_an_unknown_variable(self):
        self.check("nothing", "LAMELLAR_THREAD: no such variable; the nearest is LAMELLAR_THREADS",
                   lamellae=("local",), pes=(2,), environment={"LAMELLAR_THREAD": "2"})
        self.check("nothing", "LAMELLAR_THREAD: no such variable; the nearest is LAMELLAR_THREADS",
                   lamellae=("shmem",), pes=(2,), environment={"LAMELLAR_THREAD": "2"})

    def test_a_value_that_makes_no_sense(self):
        self.check("nothing", "LAMELLAR_BUFFER_BYTES=7: not accepted", lamellae=("local",), pes=(2,),
                   environment={"LAMELLAR_BUFFER_BYTES": "7"})

    def test_more_pes_than_can_be(self):
        self.check("nothing", "LAMELLAR_PES", lamellae=("local",), pes=(1000000,))
        self.check("nothing", "at most 4096 PEs", lamellae=("shmem",), pes=(1000000,))

    def test_a_job_budget_below_what_the_pes_need(self):
        code, text = self.run_job("local", 64, PROGRAM, "nothing", environment={"LAMELLAR_JOB_BUDGET": "1M"})
        if code != 0:
            self.assertIn("LAMELLAR_JOB_BUDGET", text)


class Agreement(JobTest):
    def start(self, pes, first, second):
        with tempfile.TemporaryDirectory() as folder:
            script = os.path.join(folder, "either")
            with open(script, "w", encoding="utf-8") as stream:
                stream.write(f'#!/bin/sh\n[ "$LAMELLAR_PE" = 1 ] && exec "{second}"\nexec "{first}"\n')
            os.chmod(script, 0o755)
            return self.run_job("shmem", pes, script)

    def test_one_program_on_all_pes(self):
        for program in (PROGRAM_A, PROGRAM_B):
            code, text = self.start(2, program, program)
            self.assertEqual(code, 0, text)
            self.assertEqual(text.count("agreed"), 2, text)

    def test_two_programs_in_one_job_are_refused_by_the_name_of_the_handler_that_differs(self):
        for pes in (2, 4):
            code, text = self.start(pes, PROGRAM_A, PROGRAM_B)
            self.assertEqual(code, 71, text)
            self.assertEqual(text.count("run different programs"), 1, text)
            self.assertIn("PE 0 and PE 1", text)
            self.assertRegex(text, "only_in_[ab]")
            self.assertNotIn("agreed", text)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[5:]], verbosity=1)
