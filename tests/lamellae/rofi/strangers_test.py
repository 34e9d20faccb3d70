#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Strangers who connect to the ports of a job: they get nothing, and the job's answer is right.

Usage: strangers_test.py RUN FAULT_PE [unittest arguments]
"""

import glob
import os
import random
import re
import select
import socket
import struct
import sys
import time
import unittest

from fault_jobs import FaultTest

RUN, PROGRAM = sys.argv[1:3]
FaultTest.run_program, FaultTest.program = os.path.abspath(RUN), os.path.abspath(PROGRAM)
PES = 2
LISTEN = "0A"
HELLO = 1  # of the control connection's frames
SECRET_BYTES = 16
IDLE_CONNECTIONS = 300
PATIENCE = 10.0  # within which whoever says something wrong is turned away


def frame(kind, pe, text, length=None):
    return struct.pack("=5I", kind, pe, 0, 0, len(text) if length is None else length) + text


def listening_addresses(process):
    """The TCP addresses at which a process listens."""
    own = set()
    for descriptor in glob.glob(f"/proc/{process}/fd/*"):
        try:
            match = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(descriptor))
        except OSError:
            continue
        if match:
            own.add(match[1])
    found = []
    with open(f"/proc/{process}/net/tcp", encoding="ascii") as table:
        for fields in (line.split() for line in table.readlines()[1:]):
            if fields[3] == LISTEN and fields[9] in own:
                address, port = fields[1].split(":")
                found.append((socket.inet_ntoa(struct.pack("=I", int(address, 16))), int(port, 16)))
    return found


class Strangers(FaultTest):
    def setUp(self):
        super().setUp()
        self.job = self.start(PES, "work", 0)
        self.addresses = [listening_addresses(process) for process in self.processes(self.job, PES)]
        # PE 0 alone has a control port, beside that of the network.
        self.assertEqual(len(self.addresses[0]), len(self.addresses[1]) + 1, self.addresses)
        control = [each for each in self.addresses[0] if self.is_control(each)]
        self.assertEqual(len(control), 1, self.addresses)
        self.control = control[0]
        self.network = [each for of_pe in self.addresses for each in of_pe if each != self.control]

    def connect(self, address):
        made = socket.create_connection(address, timeout=PATIENCE)
        self.addCleanup(made.close)
        return made

    def is_control(self, address):
        """The one that turns away who says what is no hello, and says nothing. libfabric's port is as silent to what it
        does not know, but answers what begins like a message of its own, which has its version, 3, first."""
        for kind in (99, 3):
            with socket.create_connection(address, timeout=PATIENCE) as made:
                made.sendall(frame(kind, 0, b"x" * SECRET_BYTES))
                if self.what_comes(made, 1.0) != b"":
                    return False
        return True

    @staticmethod
    def what_comes(made, limit):
        """All until the other end closes; nothing is None: it has not closed within the limit."""
        got = b""
        while select.select([made], [], [], limit)[0]:
            try:
                more = made.recv(65536)
            except ConnectionResetError:
                return got
            if not more:
                return got
            got += more
        return None if not got else got

    def check_turned_away(self, *texts):
        for text in texts:
            made = self.connect(self.control)
            try:
                made.sendall(text)
            except OSError:
                continue
            self.assertEqual(self.what_comes(made, PATIENCE), b"", text[:60])

    def check_job(self):
        self.let_it_end()
        self.check_answer(self.job, PES)

    def test_ports_are_those_of_the_jobs_interface(self):
        for address, _ in [self.control, *self.network]:
            self.assertEqual(address, "127.0.0.1")
        self.check_job()

    def test_what_is_no_hello_is_turned_away(self):
        noise = random.Random(1)
        self.check_turned_away(b"GET / HTTP/1.0\r\n\r\n", frame(HELLO, 1, b"x", length=2 ** 32 - 1), frame(0, 0, b""),
                               *(noise.randbytes(length) for length in (1, 19, 20, 100, 4096, 100000)))
        self.check_job()

    def test_frames_of_members_mean_nothing_from_others(self):
        # Beats, farewells, losses, questions and pages.
        self.check_turned_away(*(frame(kind, pe, b"x" * SECRET_BYTES) for kind in range(2, 8) for pe in range(PES)))
        self.check_job()

    def test_half_a_hello_is_not_waited_for(self):
        hello = frame(HELLO, 1, bytes(SECRET_BYTES))
        self.check_turned_away(b"", *(hello[:length] for length in (1, 19, 20, len(hello) - 1)))
        self.check_job()

    def test_a_hello_that_comes_drop_by_drop_is_not_waited_for(self):
        made = self.connect(self.control)
        end = time.monotonic() + PATIENCE
        closed = False
        while not closed and time.monotonic() < end:
            try:
                made.sendall(b"\1")
            except OSError:
                break
            closed = self.what_comes(made, 0.5) == b""
        self.assertLess(time.monotonic(), end)
        self.check_job()

    def test_a_wrong_secret_is_turned_away(self):
        noise = random.Random(2)
        self.check_turned_away(*(frame(HELLO, pe, noise.randbytes(length))
                                 for pe in (0, 1, PES, 2 ** 32 - 1) for length in (0, 8, SECRET_BYTES, 32)))
        self.check_job()

    def test_idle_connections_keep_nobody_out(self):
        idle = [self.connect(self.control) for _ in range(IDLE_CONNECTIONS)]
        self.check_job()
        for made in idle:
            self.assertIn(self.what_comes(made, PATIENCE), (b"",))

    def test_noise_on_the_networks_own_ports(self):
        noise = random.Random(3)
        for address in self.network:
            for length in (1, 8, 64, 4096, 100000):
                made = self.connect(address)
                try:
                    made.sendall(noise.randbytes(length))
                except OSError:
                    pass
                # What the provider answers is its own affair, but it holds nothing of the job's.
                self.what_comes(made, 0.1)
        self.check_job()

    def test_idle_connections_to_the_networks_own_ports(self):
        for address in self.network:
            for _ in range(IDLE_CONNECTIONS // len(self.network)):
                self.connect(address)
        self.check_job()


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
