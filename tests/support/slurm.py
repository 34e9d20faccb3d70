# SPDX-License-Identifier: BSD-3-Clause
"""A Slurm of one's own: munged, slurmctld and slurmd for a few virtual nodes on this machine.

All that it has lies in a temporary folder and on free ports of the loopback interface, so that a Slurm that runs
here anyway is neither seen nor touched. Needs root, since slurmd does.
"""

import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile

from jobs import wait_for

PR_SET_CHILD_SUBREAPER = 36  # of <sys/prctl.h>
PROGRAMS = ("munged", "slurmctld", "slurmd", "srun", "sinfo")


def find(program):
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def why_not():
    """What keeps Slurm from running here; nothing: it can."""
    missing = [program for program in PROGRAMS if not find(program)]
    if missing:
        return f"{', '.join(missing)}: not installed (On Debian: apt-get install slurm-wlm munge)"
    if os.geteuid() != 0:
        return "slurmd needs root"
    return None


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Slurm:
    """Runs from start() to stop(). `environment` is what its client programs need."""

    def __init__(self, nodes=2, cpus=8):
        self.nodes = [f"n{k}" for k in range(nodes)]
        self.cpus = cpus
        # Orphans become ours, and can be waited for.
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.folder = tempfile.mkdtemp(prefix="lamellar-slurm-")
        self.daemons = []
        self.environment = {"SLURM_CONF": os.path.join(self.folder, "slurm.conf")}

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write_configuration(self):
        controller, *ports = free_ports(1 + len(self.nodes))
        os.chmod(self.folder, 0o755)
        for name in ("state", "munge", *(f"spool.{node}" for node in self.nodes), *(f"tmp.{node}" for node in self.nodes)):
            os.mkdir(self.path(name))
        with open(self.path("munge.key"), "wb") as key:
            key.write(secrets.token_bytes(128))
        os.chmod(self.path("munge.key"), 0o400)
        with open(self.environment["SLURM_CONF"], "w", encoding="utf-8") as conf:
            conf.write(f"""ClusterName=test
SlurmctldHost={socket.gethostname()}(127.0.0.1)
SlurmctldPort={controller}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={self.path("munge", "socket")}
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
SwitchType=switch/none
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=2
StateSaveLocation={self.path("state")}
SlurmdSpoolDir={self.path("spool.%n")}
TmpFS={self.path("tmp.%n")}
SlurmctldPidFile={self.path("slurmctld.pid")}
SlurmdPidFile={self.path("slurmd.%n.pid")}
SlurmctldLogFile={self.path("slurmctld.log")}
SlurmdLogFile={self.path("slurmd.%n.log")}
""")
            for node, port in zip(self.nodes, ports):
                conf.write(f"NodeName={node} NodeHostname={socket.gethostname()} NodeAddr=127.0.0.1 Port={port} "
                           f"CPUs={self.cpus} State=UNKNOWN\n")
            conf.write(f"PartitionName=all Nodes={','.join(self.nodes)} Default=YES MaxTime=INFINITE State=UP\n")

    def start_daemon(self, program, *arguments):
        with open(self.path(f"{program}.out"), "ab") as log:
            self.daemons.append(subprocess.Popen([find(program), *arguments], stdin=subprocess.DEVNULL, stdout=log,
                                                 stderr=log, env={**os.environ, **self.environment},
                                                 start_new_session=True))

    def start(self):
        self.write_configuration()
        munge = self.path("munge")
        self.start_daemon("munged", "--foreground", "--force", f"--key-file={self.path('munge.key')}",
                          f"--socket={os.path.join(munge, 'socket')}", f"--pid-file={os.path.join(munge, 'pid')}",
                          f"--log-file={os.path.join(munge, 'log')}", f"--seed-file={os.path.join(munge, 'seed')}")
        wait_for(lambda: os.path.exists(os.path.join(munge, "socket")), "munged")
        self.start_daemon("slurmctld", "-D", "-f", self.environment["SLURM_CONF"])
        for node in self.nodes:
            self.start_daemon("slurmd", "-D", "-N", node, "-f", self.environment["SLURM_CONF"])
        wait_for(self.has_idle_nodes, "the nodes of Slurm to be idle; see " + self.logs(), 40)

    def speaks_pmix(self):
        listed = subprocess.run([find("srun"), "--mpi=list"], capture_output=True, text=True, check=False, timeout=30,
                                env={**os.environ, **self.environment})
        return "pmix" in listed.stdout + listed.stderr

    def has_idle_nodes(self):
        shown = subprocess.run([find("sinfo"), "-h", "-N", "-o", "%T"], capture_output=True, text=True, check=False,
                               timeout=30, env={**os.environ, **self.environment})
        return shown.stdout.split() == ["idle"] * len(self.nodes)

    def logs(self):
        """The last lines of all logs."""
        text = []
        for name in sorted(os.listdir(self.folder)):
            if name.endswith((".log", ".out")):
                with open(self.path(name), encoding="utf-8", errors="replace") as log:
                    text += [f"{name}: {line}" for line in log.readlines()[-5:]]
        return "\n" + "".join(text)

    def steps(self):
        """The slurmstepd processes of this Slurm: their configuration tells them from others."""
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                with open(f"/proc/{entry}/comm", encoding="utf-8") as stream:
                    if stream.read().strip() != "slurmstepd":
                        continue
                if any(self.folder in os.readlink(f"/proc/{entry}/fd/{fd}") for fd in os.listdir(f"/proc/{entry}/fd")):
                    found.append(int(entry))
            except OSError:
                continue
        return found

    def stop(self):
        """End everything, in whatever state it is."""
        for process in self.steps():
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(5)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        try:
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        except ChildProcessError:
            pass
        shutil.rmtree(self.folder, ignore_errors=True)
