# SPDX-License-Identifier: BSD-3-Clause
"""What `tools/bench run` measures: the named sets. A program that is built but not listed here runs in `full`, with
its defaults, on 2 PEs; one that is listed but not built is left out, and that is said."""
import os

from .jobs import Job, Shape

ROOMY = "local.1x1 local.2x1 local.4x1 shmem.1x1 shmem.2x1 shmem.4x1 rofi.2x1"
SCALED = "local.1x1 local.2x1 shmem.2x1"
PAIRS = "local.2x1 shmem.2x1 rofi.2x1"

# program: (arguments of quick, shapes of quick, arguments of full, shapes of full, least PEs)
PROGRAMS = {
    "limits": (None, "", "", "alone", 1),
    "fabric_limits": (None, "", "", "shmem.2x1", 2),
    "am_latency": ("--round-trips 5000", "local.2x1 shmem.2x1", "", PAIRS, 2),
    "barrier": ("--rounds 2000", "local.2x1 shmem.2x1", "", "local.2x1 local.4x1 shmem.2x1 shmem.4x1", 2),
    "am_rate": ("--messages 2^21", "local.2x1 shmem.2x1", "", PAIRS + " local.4x1 shmem.4x1", 2),
    "am_histogram": ("--table 2^20 --updates 2^20", "local.1x1 local.2x1 shmem.2x1", "", ROOMY, 1),
    "task_spawn": ("--tasks 2^15", "local.1x1", "", "local.1x1 local.2x1 local.1x2", 1),
    "darc_clone": ("--messages 2^17", "local.2x1", "", "local.2x1 shmem.2x1", 2),
    "region_put_get": ("--operations 2^14 --volume 2^24", "shmem.2x1", "", PAIRS, 2),
    "region_atomics": ("--operations 2^14", "shmem.2x1", "", "local.2x1 shmem.2x1", 2),
    "array_put_get": ("--operations 2^12 --volume 2^22 --bytes 2^12,2^20", "local.2x1", "", PAIRS, 2),
    "array_sum": ("--elements 2^21", "local.2x1", "", "local.1x1 local.2x1 shmem.2x1 local.1x2", 1),
    "histogram": ("--table 2^20 --updates 2^20", "local.1x1 local.2x1 shmem.2x1", "", ROOMY, 1),
    "gups": ("--table 2^18", "local.2x1", "", ROOMY, 1),
    "index_gather": ("--table 2^20 --requests 2^20", "local.1x1 local.2x1 shmem.2x1",
                     "--access read_only,atomic", ROOMY, 1),
    "random_permutation": ("--numbers 2^17", "local.2x1 shmem.2x1", "", SCALED, 1),
    "exchange": ("--items 2^19", "local.2x1 shmem.2x1", "", ROOMY, 1),
    "sort": ("--elements 2^18", "local.1x1 local.2x1 shmem.2x1", "--type u64,f64,record16,string20", ROOMY, 1),
    "isx": ("--keys 2^18 --range 2^20", "local.2x1", "", SCALED, 1),
    "scan": ("--elements 2^20", "local.2x1 shmem.2x1", "", SCALED, 1),
    "map_insert_find": ("--keys 2^15 --type u64", "local.2x1 shmem.2x1", "", ROOMY, 1),
    "word_count": ("--bytes 2^20 --distinct 20000", "local.2x1", "", SCALED, 1),
    "kmer_count": ("--reads 2000", "local.2x1", "", SCALED, 1),
    "stencil": ("--side 512 --sweeps 10", "local.2x1", "", SCALED, 1),
    "gemm": ("--order 512", "local.2x1", "", SCALED, 1),
    "dft": ("--length 1024", "local.2x1", "", SCALED, 1),
    "bfs": ("--scale 14", "local.2x1", "--scale 20", SCALED, 1),
    "page_rank": ("--scale 14", "local.2x1", "--scale 20", SCALED, 1),
    "disjoint_set": ("--scale 14", "local.2x1 shmem.2x1", "--mode batch,loop", SCALED, 1),
    "permute_matrix": ("--rows 10000", "local.2x1", "", SCALED, 1),
    "transpose_matrix": ("--rows 10000", "local.2x1", "", SCALED, 1),
    "toposort": ("--rows 10000", "local.2x1", "", SCALED, 1),
    "triangle_count": ("--rows 5000 --per-row 10 --stars 3,4,5,9", "local.2x1", "", SCALED, 1),
    "sssp": ("--rows 5000", "local.2x1", "", SCALED, 1),
    "connected_components": ("--scale 14", "local.2x1", "--scale 20", SCALED, 1),
    "work_queue": ("--depth 7", "local.2x1 shmem.2x1", "--tree geometric,binomial", SCALED, 1),
    "over_network": ("--round-trips 300 --messages 2^16 --volume 2^22 --table 2^18 --updates 2^18", "rofi.2x1",
                     "", "rofi.2x1", 2),
}

# Simulated jobs of which a picture shows who sent how much to whom: seed 0 leaves nothing to chance.
SIMULATED = {"LAMELLAR_SIM_SEED": "0", "LAMELLAR_SIM_PES_PER_HOST": "4"}
TRAFFIC = [
    Job("am_histogram", "sim.8x1", *"--repetitions 1 --table 2^16 --updates 2^18".split(), variables=SIMULATED),
    Job("histogram", "sim.8x1", *"--repetitions 1 --table 2^16 --updates 2^18 --input zipf".split(), mapped=False,
        variables=SIMULATED),
    Job("exchange", "sim.8x1", *"--repetitions 1 --items 2^18 --form stream --bytes 8".split(), variables=SIMULATED),
]

NAMES = {
    # name: rounds, repetitions in a run, minutes after which no further job begins
    "quick": (3, 3, 2.5),
    "full": (3, 5, None),
}


def shapes_of(listed, lamellae, pes, least):
    """The listed shapes, or all pairs of the wanted lamellae and numbers of PEs."""
    listed = [Shape(word) for word in listed.split()]
    if (not lamellae and not pes) or all(shape.lamella == "alone" for shape in listed):
        return listed
    wanted_lamellae = lamellae or list(dict.fromkeys(shape.lamella for shape in listed))
    wanted_pes = pes or list(dict.fromkeys(shape.pes for shape in listed))
    return [Shape(f"{lamella}.{count}x1") for lamella in wanted_lamellae for count in wanted_pes
            if count >= max(least, 2 if lamella == "rofi" else 1)]


def built_programs(build):
    """The programs in a build folder that can be benchmarks."""
    folder = os.path.join(build, "benchmarks")
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    return [name for name in names if os.path.isfile(os.path.join(folder, name))
            and os.access(os.path.join(folder, name), os.X_OK) and "." not in name]


def jobs_of(name, build, lamellae=(), pes=(), programs=()):
    """The jobs of a set by their order, and the names of the programs that are not built."""
    jobs, missing = [], []
    built = built_programs(build)
    table = dict(PROGRAMS)
    if name == "full":
        for program in built:
            table.setdefault(program, (None, "", "", "local.2x1 shmem.2x1", 2))
    for program, (quick, quick_shapes, full, full_shapes, least) in table.items():
        arguments, shapes = (quick, quick_shapes) if name == "quick" else (full, full_shapes)
        if arguments is None or (programs and program not in programs):
            continue
        if program not in built:
            missing.append(program)
            continue
        for shape in shapes_of(shapes, lamellae, pes, least):
            jobs.append(Job(program, shape, *arguments.split()))
    return jobs, missing
