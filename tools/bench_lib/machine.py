# SPDX-License-Identifier: BSD-3-Clause
"""What a measurement ran on, without a name or a path of the machine; and whether others used it."""
import glob
import os
import re
import resource
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")
# More than this share of a core taken by others, or by the host of a virtual machine, disturbs.
MUCH = 0.1


def text_of(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def chosen(text):
    """The word in brackets, as the kernel marks what is chosen: `always [madvise] never`."""
    match = re.search(r"\[(\w+)\]", text)
    return match[1] if match else "unknown"


def description():
    cpu = re.search(r"^model name\s*:\s*(.*)$", text_of("/proc/cpuinfo"), re.M)
    memory = re.search(r"^MemTotal:\s*(\d+) kB", text_of("/proc/meminfo"), re.M)
    reserved = re.search(r"^HugePages_Total:\s*(\d+)", text_of("/proc/meminfo"), re.M)
    pages = "/sys/kernel/mm/transparent_hugepage/"
    return {
        "cpu": cpu[1].strip() if cpu else "unknown",
        "cores": len(os.sched_getaffinity(0)),
        "virtual": bool(re.search(r"^flags\s*:.*\bhypervisor\b", text_of("/proc/cpuinfo"), re.M)),
        "memory_gib": round(int(memory[1]) / 2**20, 1) if memory else 0,
        "kernel": os.uname().release,
        "huge_pages": {"transparent": chosen(text_of(pages + "enabled")),
                       "transparent_shared": chosen(text_of(pages + "shmem_enabled")),
                       "reserved": int(reserved[1]) if reserved else 0},
    }


def commit(root):
    """The commit of the sources, with a + if they differ from it; `unknown` without git."""
    def git(*arguments):
        done = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else None
    try:
        name, changes = git("rev-parse", "--short=12", "HEAD"), git("status", "--porcelain", "-uno")
    except OSError:
        return "unknown"
    return name + ("+" if changes else "") if name else "unknown"


def noted(build, name):
    """A variable in the cache of CMake, or None."""
    found = re.search(rf"^{name}:\w+=(.*)$", text_of(os.path.join(build, "CMakeCache.txt")), re.M)
    return found[1] if found else None


def commit_of(build):
    """The commit of the sources that a build folder belongs to."""
    sources = noted(build, "CMAKE_HOME_DIRECTORY")
    return commit(sources) if sources else "unknown"


def build_description(build):
    """Build type and compiler, as CMake noted them."""
    compiler = ""
    for path in glob.glob(os.path.join(build, "CMakeFiles", "*", "CMakeCXXCompiler.cmake")):
        words = dict(re.findall(r'set\((CMAKE_CXX_COMPILER_(?:ID|VERSION)) "([^"]*)"\)', text_of(path)))
        compiler = " ".join(words.get(f"CMAKE_CXX_COMPILER_{part}", "") for part in ("ID", "VERSION"))
    return {"type": noted(build, "CMAKE_BUILD_TYPE") or "unknown", "compiler": compiler or "unknown"}


def busy_and_stolen(stat):
    """CPU seconds that all processes took, and that the host of a virtual machine took, of the text of
    /proc/stat."""
    ticks = [int(word) for word in stat.split("\n", 1)[0].split()[1:9]]
    user, nice, system, _, _, hard, soft, stolen = ticks + [0] * (8 - len(ticks))
    return (user + nice + system + hard + soft) / TICKS, stolen / TICKS


def ours():
    used = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        used += usage.ru_utime + usage.ru_stime
    return used


class Load:
    """Shares of a core: 2 are two cores' worth."""

    def __init__(self, others, stolen):
        self.others, self.stolen = others, stolen

    def is_much(self):
        return self.others > MUCH or self.stolen > MUCH


class LoadWatch:
    """What others do between two points in time. What this process starts meanwhile must have ended."""

    def __init__(self, read=lambda: text_of("/proc/stat"), own=ours, clock=time.monotonic):
        self.read, self.own, self.clock = read, own, clock
        self.began = self.sample()

    def sample(self):
        return (self.clock(), *busy_and_stolen(self.read()), self.own())

    def since_start(self):
        begun, ended = self.began, self.sample()
        seconds, busy, stolen, own = (b - a for a, b in zip(begun, ended))
        # The counters of the kernel move in ticks: of less than a fifth of a second they say nothing.
        if seconds < 0.2:
            return Load(0.0, 0.0)
        return Load(max(0.0, (busy - own) / seconds), max(0.0, stolen / seconds))
