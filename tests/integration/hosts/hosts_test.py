#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Jobs on several hosts, which network namespaces stand for: who is where, how they end, and what the tool leaves.

Usage: hosts_test.py MPIRUN BOOTSTRAP [unittest arguments]
Ends with code 77 where no hosts can be made, and says why.
"""

import os
import signal
import subprocess
import sys
import tempfile
import unittest

SUPPORT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support")
sys.path.insert(0, SUPPORT)
# pylint: disable=wrong-import-position
import hosts
from jobs import END_LIMIT, LIMIT, JobTest, wait_for, without_noise

MPIRUN, BOOTSTRAP = sys.argv[1:3]
BOOTSTRAP = os.path.abspath(BOOTSTRAP)
TOOL = os.path.join(SUPPORT, "hosts.py")

LISTEN = "import socket; s = socket.create_server(('', 7000)); print('ready', flush=True); [s.accept() for _ in iter(int, 1)]"
CONNECT = "import socket; socket.create_connection(('host1', 7000), timeout=float('{}'))"


class HostsTest(JobTest):
    def make_hosts(self, count):
        made = hosts.Hosts(count, MPIRUN)
        made.start()
        self.addCleanup(made.stop)
        return made

    def check_good(self, job, pes):
        code, output, errors = job.end(2 * LIMIT)
        self.assertEqual((code, without_noise(errors)), (0, ""), output)
        self.assertEqual(output.count("SUCCESS"), pes)
        self.check_nothing_left(job)


class Places(HostsTest):
    def test_pes_know_who_shares_their_host(self):
        for count, pes in ((2, 1), (2, 2), (4, 1), (4, 2)):
            with self.subTest(hosts=count, pes_per_host=pes), hosts.Hosts(count, MPIRUN) as made:
                numbers = " ".join(str(pe // pes) for pe in range(count * pes))
                environment = {"BOOTSTRAP_TEST_HOSTS": numbers, "BOOTSTRAP_TEST_LAUNCHER": "mpirun"}
                job = self.start_command(made.command(pes, BOOTSTRAP, environment=environment))
                self.check_good(job, count * pes)

    def test_a_host_name_overrides_what_the_launcher_says(self):
        environment = {"BOOTSTRAP_TEST_HOSTS": "0 0 0 0", "BOOTSTRAP_TEST_LAUNCHER": "mpirun", "LAMELLAR_HOST_ID": "one"}
        job = self.start_command(self.make_hosts(2).command(2, BOOTSTRAP, environment=environment))
        self.check_good(job, 4)

    def test_hosts_have_names_of_their_own(self):
        job = self.start_command(self.make_hosts(2).command(1, "hostname"))
        code, output, _ = job.end()
        self.assertEqual((code, sorted(output.split())), (0, ["host0", "host1"]))

    def test_a_link_can_be_cut_and_mended(self):
        made = self.make_hosts(2)
        self.start_command(made.command_on(1, sys.executable, "-c", LISTEN)).wait_lines(1)

        def connects(seconds):
            command = made.command_on(0, sys.executable, "-c", CONNECT.format(seconds))
            return subprocess.run(command, check=False, capture_output=True, timeout=LIMIT).returncode == 0

        self.assertTrue(connects(LIMIT / 2))
        made.cut_link(1)
        self.assertFalse(connects(0.3))
        made.mend_link(1)
        wait_for(lambda: connects(1), "the link to work again")


class Ends(HostsTest):
    def test_a_killed_pe_ends_those_on_other_hosts(self):
        made = self.make_hosts(2)
        for pe in (0, 3):
            job = self.start_command(made.command(2, BOOTSTRAP, "wait"))
            job.wait_lines(4)
            victims = made.processes_of_pe(pe)
            self.assertEqual(len(victims), 1)
            os.kill(victims[0], signal.SIGKILL)
            self.assertNotEqual(job.end(2 * END_LIMIT)[0], 0)
            self.check_nothing_left(job)

    def test_a_killed_launcher_takes_the_pes_of_all_hosts_along(self):
        made = self.make_hosts(2)
        job = self.start_command(made.command(2, BOOTSTRAP, "wait"))
        processes = job.pe_processes(4)
        job.process.kill()
        self.check_nothing_left(job)
        self.assertFalse([process for process in processes if os.path.exists(f"/proc/{process}/exe")])


class Tool(HostsTest):
    def mine(self):
        """What there is of namespaces and folders of ours."""
        folder = tempfile.gettempdir()
        names = hosts.namespaces() + [name for name in os.listdir(folder) if name.startswith("lamellar-hosts-")]
        return {name for name in names if name.startswith("lamellar-hosts-")}

    def test_the_code_of_the_program_is_returned_and_nothing_stays(self):
        for code in (0, 7):
            job = self.start_command([sys.executable, TOOL, "--mpirun", MPIRUN, "--", "sh", "-c", f"exit {code}"])
            prefix = hosts.prefix_of(job.process.pid)
            self.assertEqual(job.end()[0], code)
            self.assertFalse([name for name in self.mine() if name.startswith(prefix)])

    def test_variables_go_to_the_pes(self):
        job = self.start_command([sys.executable, TOOL, "--hosts", "2", "--pes-per-host", "2", "--env", "COLOUR=a red one",
                                  "--mpirun", MPIRUN, "--", "sh", "-c", 'echo "$COLOUR"'])
        self.assertEqual(job.end()[:2], (0, "a red one\n" * 4))

    def check_ended_by(self, number):
        job = self.start_command([sys.executable, TOOL, "--mpirun", MPIRUN, "--", BOOTSTRAP, "wait"])
        prefix = hosts.prefix_of(job.process.pid)
        job.wait_lines(2)
        self.assertTrue([name for name in self.mine() if name.startswith(prefix)])
        job.process.send_signal(number)
        job.process.wait(LIMIT)
        self.check_nothing_left(job)
        return prefix

    def test_a_terminated_tool_removes_everything(self):
        prefix = self.check_ended_by(signal.SIGTERM)
        self.assertFalse([name for name in self.mine() if name.startswith(prefix)])

    def test_what_a_killed_tool_leaves_goes_with_the_next_use(self):
        prefix = self.check_ended_by(signal.SIGKILL)
        self.make_hosts(1)
        self.assertFalse([name for name in self.mine() if name.startswith(prefix)])


def main():
    reason = hosts.why_not(MPIRUN)
    if reason:
        print(f"skipped: {reason}")
        return hosts.SKIPPED
    # Ended by CTest, this script still clears up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    result = unittest.main(argv=[sys.argv[0], *sys.argv[3:]], exit=False).result
    return int(not result.wasSuccessful())


if __name__ == "__main__":
    sys.exit(main())
