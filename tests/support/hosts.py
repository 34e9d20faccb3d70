#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Several hosts on one machine: network namespaces with names of their own, joined by a switch.

Usage: hosts.py [--hosts 2] [--pes-per-host 1] [--env NAME=VALUE]... [--mpirun PATH] -- PROGRAM [ARGUMENTS...]

Runs PROGRAM under mpirun as the PEs of one job, in blocks on the hosts host0, host1 and so on, and returns its code.
Variables whose names begin with LAMELLAR_ go along. Code 77: no hosts can be made here; the reason is printed.

What is made bears the number of the process that made it, and is removed at its end. If that was a kill -9, whoever
uses this module next removes it. Nothing is changed outside of the namespaces made.
"""

import argparse
import ctypes
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

SKIPPED = 77
PR_SET_PDEATHSIG = 1  # of <sys/prctl.h>
INTERFACE = "net0"
NETWORK = "10.77.0.0/24"


def address_of(host):
    return f"10.77.0.{host + 1}"


def find(program):
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def why_not(mpirun="mpirun"):
    """What keeps hosts from being made here; nothing: they can be."""
    missing = [program for program in ("ip", "unshare", mpirun) if not find(program)]
    if missing:
        return f"{', '.join(missing)}: not installed (On Debian: apt-get install iproute2 util-linux openmpi-bin)"
    if os.geteuid() != 0:
        return "network namespaces need root"
    name = f"{prefix_of(os.getpid())}-probe"
    made = run_quietly("ip", "netns", "add", name)
    if made.returncode == 0:
        entered = run_quietly("ip", "netns", "exec", name, "unshare", "--uts", "--mount", "true")
        run_quietly("ip", "netns", "del", name)
        if entered.returncode == 0:
            return None
        made = entered
    return f"network namespaces cannot be made: {made.stderr.strip()}"


def run_quietly(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def started_at(process):
    """When a process began, in the system's ticks; nothing if it is no more. Numbers of processes are used again."""
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8") as stream:
            fields = stream.read().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def prefix_of(process):
    return f"lamellar-hosts-{process}-{started_at(process)}"


def is_stale(name):
    """Whether who made the thing of this name is no more."""
    match = re.match(r"lamellar-hosts-(\d+)-(\d+)-", name)
    return bool(match) and started_at(int(match[1])) != int(match[2])


def remove_namespace(name):
    for process in run_quietly("ip", "netns", "pids", name).stdout.split():
        try:
            os.kill(int(process), signal.SIGKILL)
        except ProcessLookupError:
            pass
    run_quietly("ip", "netns", "del", name)


def namespaces():
    """The names of all network namespaces."""
    return [line.split()[0] for line in run_quietly("ip", "netns", "list").stdout.splitlines() if line.strip()]


def remove_stale():
    for name in namespaces():
        if is_stale(name):
            remove_namespace(name)
    for folder in glob.glob(os.path.join(tempfile.gettempdir(), "lamellar-hosts-*")):
        if is_stale(os.path.basename(folder)):
            shutil.rmtree(folder, ignore_errors=True)


def end_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class Hosts:
    """`count` hosts, from start() to stop(), or within a `with` statement."""

    def __init__(self, count, mpirun="mpirun"):
        self.count = count
        self.mpirun = find(mpirun)
        self.prefix = prefix_of(os.getpid())
        self.names = [f"host{k}" for k in range(count)]
        self.folder = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def namespace(self, name):
        return f"{self.prefix}-{name}"

    def ip(self, *arguments):
        done = run_quietly("ip", *arguments)
        if done.returncode != 0:
            raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")

    def start(self):
        remove_stale()
        self.folder = tempfile.mkdtemp(prefix=f"{self.prefix}-")
        try:
            self.write_scripts()
            self.make_network()
        except BaseException:
            self.stop()
            raise

    def write_scripts(self):
        with open(os.path.join(self.folder, "hosts"), "w", encoding="utf-8") as hosts:
            hosts.write("127.0.0.1 localhost\n")
            for k, name in enumerate(self.names):
                hosts.write(f"{address_of(k)} {name}\n")
        # enter HOST COMMAND...: run a command on a host. agent HOST WORDS...: what mpirun takes for ssh.
        scripts = {
            "enter": f"""host=$1
shift
exec ip netns exec {self.prefix}-$host unshare --uts --mount sh -c '
  mount --bind {self.folder}/hosts /etc/hosts && hostname "$0" && exec "$@"' "$host" "$@"
""",
            "agent": f"""host=$1
shift
exec {self.folder}/enter "$host" sh -c "$*"
"""}
        for name, text in scripts.items():
            path = os.path.join(self.folder, name)
            with open(path, "w", encoding="utf-8") as script:
                script.write("#!/bin/sh\n" + text)
            os.chmod(path, 0o755)

    def make_network(self):
        switch = self.namespace("switch")
        self.ip("netns", "add", switch)
        self.ip("-n", switch, "link", "add", "bridge", "type", "bridge")
        self.ip("-n", switch, "link", "set", "bridge", "up")
        for k, name in enumerate(self.names):
            host = self.namespace(name)
            self.ip("netns", "add", host)
            self.ip("link", "add", INTERFACE, "netns", host, "type", "veth", "peer", "name", f"port{k}", "netns", switch)
            self.ip("-n", switch, "link", "set", f"port{k}", "master", "bridge", "up")
            self.ip("-n", host, "addr", "add", f"{address_of(k)}/24", "dev", INTERFACE)
            self.ip("-n", host, "link", "set", "lo", "up")
            self.ip("-n", host, "link", "set", INTERFACE, "up")

    def stop(self):
        """Remove everything, in whatever state it is."""
        for name in [*self.names, "switch"]:
            remove_namespace(self.namespace(name))
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None

    def cut_link(self, host):
        """Pull the plug of a host. Its peers are told nothing."""
        self.ip("-n", self.namespace(self.names[host]), "link", "set", INTERFACE, "down")

    def mend_link(self, host):
        self.ip("-n", self.namespace(self.names[host]), "link", "set", INTERFACE, "up")

    def command_on(self, host, *command):
        """How a shell would run `command` on one host."""
        return [os.path.join(self.folder, "enter"), self.names[host], *command]

    def command(self, pes_per_host, *command, environment=None):
        """How a shell would run `command` as one job on all hosts, in blocks."""
        slots = ",".join(f"{name}:{pes_per_host}" for name in self.names)
        variables = {name: value for name, value in os.environ.items() if name.startswith("LAMELLAR_")}
        variables.update(environment or {})
        exports = [word for name, value in variables.items() for word in ("-x", f"{name}={value}")]
        return self.command_on(0, "env", f"TMPDIR={self.folder}", self.mpirun, "--allow-run-as-root", "--bind-to", "none",
                               "--mca", "plm", "rsh", "--mca", "plm_rsh_agent", os.path.join(self.folder, "agent"),
                               "--mca", "plm_rsh_no_tree_spawn", "1", "--mca", "oob_tcp_if_include", NETWORK,
                               "--host", slots, "-n", str(pes_per_host * self.count), *exports, *command)

    def processes(self):
        """The processes on the hosts, by host."""
        return [[int(process) for process in run_quietly("ip", "netns", "pids", self.namespace(name)).stdout.split()]
                for name in self.names]

    def processes_of_pe(self, pe):
        """Those of one PE: it, what it has started, and a shell between it and the launcher if there is one."""
        wanted = f"PMIX_RANK={pe}".encode()
        found = []
        for process in (process for on_host in self.processes() for process in on_host):
            try:
                with open(f"/proc/{process}/environ", "rb") as stream:
                    if wanted in stream.read().split(b"\0"):
                        found.append(process)
            except OSError:
                continue
        return found


def main(arguments):
    parser = argparse.ArgumentParser(description="Run a program as one job on several hosts, which this machine plays.")
    parser.add_argument("--hosts", type=int, default=2, help="how many (default: 2)")
    parser.add_argument("--pes-per-host", type=int, default=1, help="PEs on each (default: 1)")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE", help="a variable for the PEs")
    parser.add_argument("--mpirun", default="mpirun", help="that of Open MPI")
    parser.add_argument("command", nargs="+", metavar="PROGRAM", help="with its arguments, after --")
    chosen = parser.parse_args(arguments)
    if not 1 <= chosen.hosts <= 250 or chosen.pes_per_host < 1:
        parser.error("--hosts: 1 to 250; --pes-per-host: 1 or more")
    if any("=" not in each for each in chosen.env):
        parser.error("--env: write NAME=VALUE")
    reason = why_not(chosen.mpirun)
    if reason:
        print(f"skipped: {reason}")
        return SKIPPED
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    with Hosts(chosen.hosts, chosen.mpirun) as hosts:
        environment = dict(each.split("=", 1) for each in chosen.env)
        command = hosts.command(chosen.pes_per_host, *chosen.command, environment=environment)
        try:
            return subprocess.run(command, check=False, preexec_fn=end_with_parent).returncode
        except KeyboardInterrupt:
            return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
