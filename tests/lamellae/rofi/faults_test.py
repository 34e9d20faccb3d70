#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What becomes of a job when a PE, a link, memory or patience is lost.

Usage: faults_test.py pretended|namespaces RUN FAULT_PE MPIRUN [unittest arguments]

On pretended hosts, under lamellar-run; or on hosts which namespaces stand for, under mpirun. Ends with code 77 where
those cannot be made, and says why.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from fault_jobs import START_LIMIT, FaultTest, hosts, wait_for

WHERE, RUN, PROGRAM, MPIRUN = sys.argv[1:5]
OVER_NAMESPACES = WHERE == "namespaces"
SOON = 5.0  # a loss
CUT_LINK = 10.0  # that silence is noticed, and all PEs have ended
FaultTest.run_program, FaultTest.program, FaultTest.mpirun = os.path.abspath(RUN), os.path.abspath(PROGRAM), MPIRUN

# What a PE may be at when another is lost, and how that reads.
OPERATIONS = {"barrier": ("in a barrier",), "send": ("waits for all messages", "computes"), "call": ("reply to a call",),
              "put": ("put of", "fault_pe.cpp:", "computes"), "get": ("get of", "fault_pe.cpp:", "computes")}


class OnTwoHosts(FaultTest):
    def setUp(self):
        super().setUp()
        if OVER_NAMESPACES:
            self.hosts_made = self.enterContext(hosts.Hosts(2, MPIRUN))

    def errors_of(self, job, limit=SOON):
        code, output, errors = job.end(limit)
        self.assertNotEqual(code, 0, errors + output)
        self.check_nothing_left(job)
        return errors

    def check_says(self, errors, *alternatives):
        self.assertTrue([words for words in alternatives if words in errors], errors)


class LostPes(OnTwoHosts):
    def check_kill(self, what, victim, pes=4):
        with self.subTest(what=what, victim=victim, pes=pes):
            job = self.start(pes, what, victim)
            processes = self.processes(job, pes)
            os.kill(processes[victim], signal.SIGKILL)
            self.wait_ended(processes, SOON)
            errors = self.errors_of(job, START_LIMIT if OVER_NAMESPACES else SOON)  # mpirun ends at its leisure
            self.assertRegex(errors, rf"PE {victim}\b")
            self.check_says(errors, *OPERATIONS[what])

    def test_a_killed_pe_ends_those_that_wait_in_a_barrier(self):
        for victim in (0, 3) if OVER_NAMESPACES else (0, 1, 3):
            self.check_kill("barrier", victim)

    def test_a_killed_pe_ends_those_that_send_to_it(self):
        self.check_kill("send", 3)
        self.check_kill("call", 1, 2)

    def test_a_killed_pe_ends_those_that_use_its_memory(self):
        self.check_kill("put", 3)
        self.check_kill("get", 0)
        self.check_kill("get", 1, 2)


class Stops(OnTwoHosts):
    def test_a_pe_may_stop_for_a_second(self):
        for victim in (0, 3):
            job = self.start(4, "work", victim)
            process = self.processes(job, 4)[victim]
            os.kill(process, signal.SIGSTOP)
            time.sleep(1)  # this is the fault
            os.kill(process, signal.SIGCONT)
            self.let_it_end()
            self.check_answer(job, 4)
            os.unlink(self.end_file)

    def test_a_pe_that_stops_for_longer_is_lost(self):
        job = self.start(4, "barrier", 3, environment={"LAMELLAR_PEER_TIMEOUT": "1"})
        processes = self.processes(job, 4)
        os.kill(processes[3], signal.SIGSTOP)
        self.wait_ended(processes[:3], SOON)
        self.wait_ended(processes, START_LIMIT)  # the stopped one ends when its launcher kills it
        errors = self.errors_of(job, START_LIMIT)
        self.assertIn("PE 3 ", errors)
        self.assertIn("LAMELLAR_PEER_TIMEOUT", errors)


class Memory(OnTwoHosts):
    def test_memory_that_is_used_up_is_said(self):
        # The second PE alone has a limit, in KiB.
        limit = 'if [ "${LAMELLAR_PE:-$PMIX_RANK}" = 1 ]; then ulimit -v 3000000; fi; exec "$@"'
        job = self.start(2, "memory", 1, prefix=("sh", "-c", limit, "sh"))
        processes = self.processes(job, 2)
        errors = self.errors_of(job, START_LIMIT)
        self.wait_ended(processes, SOON)
        self.check_says(errors, "LAMELLAR_HEAP_SIZE", "ulimit -v")

    def test_memory_that_may_not_be_registered_is_said(self):
        job = self.start(4, "refuse", 2)
        processes = self.processes(job, 4)
        errors = self.errors_of(job, START_LIMIT)
        self.wait_ended(processes, SOON)
        self.assertIn("PE 2", errors)
        self.assertIn("ulimit -l", errors)


class Reports(OnTwoHosts):
    """Of what all wait for."""

    def read_report(self, job, words):
        report = b""

        def is_whole():
            nonlocal report
            report += os.read(job.process.stderr.fileno(), 65536)
            return words in report and report.count(b"\n") >= 3
        os.set_blocking(job.process.stderr.fileno(), True)
        wait_for(is_whole, words, START_LIMIT)
        return report.decode()

    def check_whole(self, report):
        self.assertEqual(report.count("what 4 PEs do"), 1, report)
        self.assertRegex(report, r"PEs 0, 2-3: in a barrier \(.*fault_pe.cpp:\d+\)")
        self.assertIn("PE 1: waits for what it polls for", report)

    def end_job(self, job):
        """What else it has said meanwhile."""
        for process in self.processes(job, 4):
            os.kill(process, signal.SIGKILL)
        return job.end(START_LIMIT)[2]

    def test_a_long_wait_is_reported_once_for_all_hosts(self):
        job = self.start(4, "barrier", 1, environment={"LAMELLAR_HANG_SECONDS": "0.5"})
        self.processes(job, 4)
        self.check_whole(self.read_report(job, b"LAMELLAR_HANG_SECONDS"))
        time.sleep(1)  # a second report would follow within that time
        self.assertNotIn("what 4 PEs do", self.end_job(job))

    def test_a_signal_to_all_gives_one_report(self):
        job = self.start(4, "barrier", 1)
        processes = self.processes(job, 4)
        for process in processes:
            os.kill(process, signal.SIGUSR1)
        self.check_whole(self.read_report(job, b"asked by SIGUSR1"))
        time.sleep(1)
        self.assertNotIn("what 4 PEs do", self.end_job(job))

    def test_a_signal_to_a_pe_of_the_other_host_gives_a_report(self):
        job = self.start(4, "barrier", 1)
        os.kill(self.processes(job, 4)[3], signal.SIGUSR1)
        self.check_whole(self.read_report(job, b"asked by SIGUSR1"))


class Starts(OnTwoHosts):
    def test_a_network_library_that_cannot_be_loaded_is_said(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        os.chmod(folder, 0o755)
        with open(os.path.join(folder, "libfabric.so.1"), "w", encoding="utf-8"):
            pass  # no library at all
        job = self.start(2, "barrier", 1, environment={"LD_LIBRARY_PATH": folder})
        errors = self.errors_of(job, START_LIMIT)
        self.assertIn("libfabric, which reaches other hosts, cannot be loaded", errors)

    def tcp_states(self):
        """Of the sockets of the first host."""
        table = subprocess.run(self.hosts_made.command_on(0, "cat", "/proc/net/tcp"), capture_output=True, text=True,
                               check=True, timeout=START_LIMIT).stdout
        return {line.split()[3] for line in table.splitlines()[1:]}

    def test_starts_and_stops_leave_nothing(self):
        self.let_it_end()
        for _ in range(100 if OVER_NAMESPACES else 10):
            command = [RUN, "-n", "2", "--lamella", "rofi", "--hosts", "2", PROGRAM, "idle", "1", self.end_file]
            if OVER_NAMESPACES:  # where nobody else has ports
                command = self.hosts_made.command_on(0, *command)
            job = self.start_command(command)
            code, output, errors = job.end(START_LIMIT)
            self.assertEqual((code, errors), (0, ""), output)
            self.check_nothing_left(job)
        if OVER_NAMESPACES:
            time_wait = "06"
            self.assertLessEqual(self.tcp_states(), {time_wait})


@unittest.skipUnless(OVER_NAMESPACES, "there are no links on pretended hosts")
class CutLinks(OnTwoHosts):
    def test_a_cut_link_ends_the_pes_of_both_sides(self):
        for what in ("barrier", "put"):
            job = self.start(4, what, 3)
            processes = self.processes(job, 4)
            self.hosts_made.cut_link(1)
            self.wait_ended(processes, CUT_LINK)
            self.hosts_made.mend_link(1)
            errors = self.errors_of(job, START_LIMIT)
            self.check_says(errors, *(f"PE {pe} is lost" for pe in range(4)), "network failed")
            self.check_says(errors, *OPERATIONS[what])

    def test_a_link_that_is_mended_soon_loses_nothing(self):
        job = self.start(4, "work", 3)
        self.processes(job, 4)
        self.hosts_made.cut_link(1)
        time.sleep(1)  # this is the fault
        self.hosts_made.mend_link(1)
        self.let_it_end()
        self.check_answer(job, 4)


def main():
    reason = hosts.why_not(MPIRUN) if OVER_NAMESPACES else None
    if reason:
        print(f"skipped: {reason}")
        return hosts.SKIPPED
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # ended by CTest, it still clears up
    result = unittest.main(argv=[sys.argv[0], *sys.argv[5:]], exit=False).result
    return int(not result.wasSuccessful())


if __name__ == "__main__":
    sys.exit(main())
