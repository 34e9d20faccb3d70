#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Measure the figures of merit of messages, collectives, tasks, memory regions and arrays in one go;
print a table.

acceptance.py [--build build/release] [--lamella local|shmem|both] [--of messages|arrays|all] [--rounds 5] [--quick] [--json]

Every round runs every job once, so that what is compared lies seconds apart and a machine that
drifts drifts under all of them. A ratio to a limit is taken within one run; a ratio of two jobs
within one round. The table shows the median over the rounds, with the smallest and the largest.
Nothing is judged, but a wrong answer or a failed run ends the program with code 1.
"""
import argparse
import json
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tools"))
sys.dont_write_bytecode = True
from bench_lib.jobs import BUILD, Failure, Job  # noqa: E402


def job(program, lamella, pes, threads, *arguments, mapped=True):
    """A program and the PEs that run it."""
    return Job(program, f"{lamella}.{pes}x{threads}", *arguments, mapped=mapped)


def results_of(which, build, repetitions):
    """Run a job; return its results by name and size of the table or range."""
    try:
        results = which.run(build, repetitions).results
    except Failure as problem:
        sys.exit(f"acceptance.py: {problem}")
    sizes = [result["parameters"].get("table_words", result["parameters"].get("bytes")) for result in results]
    return {(result["name"], size): result for result, size in zip(results, sizes)}


class Quantity:
    """A line of the table: how its value, and its ratio to something, come out of a round."""

    def __init__(self, text, lamella, unit, value, ratio, of):
        self.text, self.lamella, self.unit, self.of = text, lamella, unit, of
        self.value, self.ratio = value, ratio
        self.values, self.ratios = [], []

    def take(self, outcome):
        self.values.append(self.value(outcome))
        if self.ratio is not None:
            self.ratios.append(self.ratio(outcome))

    def summary(self):
        def three(samples):
            return {"median": statistics.median(samples), "min": min(samples),
                    "max": max(samples)}
        line = {"quantity": self.text, "lamella": self.lamella, "unit": self.unit,
                "measured": three(self.values)}
        if self.ratios:
            line["ratio"] = {"to": self.of, **three(self.ratios)}
        line["rounds"] = len(self.values)
        return line


def short(number):
    return f"{number:.3g}" if number < 100 else f"{number:.0f}"


def plan(lamella, quick):
    """The jobs of messages on one lamella by key, and the quantities that they give."""
    tables = ["2^18", "2^20"] if quick else ["2^24", "2^27"]
    updates = ["--updates", "2^18"] if quick else []
    histogram = ["--table", ",".join(tables), *updates]
    small = ["--table", tables[0], *updates]
    trips = ["--round-trips", "500"] if quick else []
    rounds = ["--rounds", "200"] if quick else []
    messages = ["--messages", "2^19"] if quick else []
    tasks = ["--tasks", "2^14"] if quick else []
    clones = ["--messages", "2^16"] if quick else []
    ranges = ["--operations", "2^12", "--volume", "2^22"] if quick else []
    atomics = ["--operations", "2^12"] if quick else []
    jobs = {
        "latency": job("am_latency", lamella, 2, 1, *trips),
        "latency 4": job("am_latency", lamella, 4, 1, *trips),
        "barrier": job("barrier", lamella, 2, 1, *rounds),
        "barrier 4": job("barrier", lamella, 4, 1, *rounds),
        "rate": job("am_rate", lamella, 2, 1, *messages),
        "rate 4": job("am_rate", lamella, 4, 1, *messages),
        "histogram": job("am_histogram", lamella, 2, 1, *histogram),
        "histogram 4": job("am_histogram", lamella, 4, 1, *small),
        "histogram T": job("am_histogram", lamella, 1, 2, *small),
        "tasks": job("task_spawn", lamella, 2, 1, *tasks),
        "clones": job("darc_clone", lamella, 2, 1, *clones),
        "ranges": job("region_put_get", lamella, 2, 1, *ranges),
        "atomics": job("region_atomics", lamella, 2, 1, *atomics),
    }
    first = 1 << int(tables[0][2:])

    def result(job, name, words=None):
        return lambda outcome: outcome[job][name, words]

    def rate(job, name, words=None, scale=1e6):
        return lambda outcome: result(job, name, words)(outcome)["rate"] / scale

    def fraction(job, name, words=None):
        return lambda outcome: result(job, name, words)(outcome)["fraction_of_limit"]

    def nanoseconds(job, name, words=None):
        return lambda outcome: 1e9 / result(job, name, words)(outcome)["rate"]

    def parameter(job, name, which):
        return lambda outcome: result(job, name)(outcome)["parameters"][which]

    def times(job, name):
        return lambda outcome: 1 / fraction(job, name)(outcome)

    def versus(job, other, name, words=None):
        return lambda outcome: (rate(job, name, words)(outcome) /
                                rate(other, name, words)(outcome))

    quantities = []

    def add(text, unit, value, ratio=None, of=""):
        quantities.append(Quantity(text, lamella, unit, value, ratio, of))

    bare = "bare round trip, two lines"
    for name, text in [("call", "call, empty handler"),
                       ("call_value", "call, 8 bytes there and back"),
                       ("call_both_ways", "the same, both PEs at once"),
                       ("coroutine", "call, coroutine handler, co_await"),
                       ("coroutine_value", "the same, 8 bytes there and back"),
                       ("quiesce", "quiesce of an idle world, 2 PEs")]:
        full = "am_latency/" + name
        add(text, "ns", nanoseconds("latency", full), times("latency", full), bare)
    add("quiesce, 4 PEs on the cores of 2", "ns", nanoseconds("latency 4", "am_latency/quiesce"))
    for name, text in [("world", "barrier"),
                       ("team", "barrier of a team, by messages"),
                       ("all_reduce", "all_reduce of a number"),
                       ("broadcast", "broadcast of a number")]:
        full = "barrier/" + name
        add(f"{text}, 2 PEs", "ns", nanoseconds("barrier", full), times("barrier", full), bare)
        add(f"{text}, 4 PEs on 2 cores", "ns", nanoseconds("barrier 4", full))
    for name in ("record", "span"):
        full = "am_rate/" + name
        add(f"send, 8 bytes, {name} handler", "M/s and PE", rate("rate", full, scale=2e6),
            fraction("rate", full), "bare stream of words")
    for size in tables:
        words = 1 << int(size[2:])
        for name in ("loop", "batch"):
            full = "am_histogram/" + name
            add(f"histogram {size}, {name}", "M/s", rate("histogram", full, words),
                fraction("histogram", full, words), "own part, no messages")
    for name in ("loop", "batch"):
        full = "am_histogram/" + name
        add(f"histogram {tables[0]}, {name}, 4 PEs", "M/s", rate("histogram 4", full, first),
            versus("histogram 4", "histogram", full, first), "2 PEs, same work")
    for name in ("record", "span"):
        full = "am_rate/" + name
        add(f"send, 8 bytes, {name} handler, 4 PEs", "M/s", rate("rate 4", full),
            versus("rate 4", "rate", full), "2 PEs, same work")
    for name in ("loop", "batch"):
        full = "am_histogram/" + name
        add(f"histogram {tables[0]}, {name}, 1 PE x 2 threads", "M/s",
            rate("histogram T", full, first),
            versus("histogram T", "histogram", full, first), "2 PEs x 1 thread")
    for name, text in [("each", "one by one"), ("batch", "in batches")]:
        full = "task_spawn/" + name
        add(f"spawn and join a task, {text}", "ns",
            parameter("tasks", full, "nanoseconds_per_task"), times("tasks", full),
            "await it without a spawn")
    add("send a handle of a darc", "ns", parameter("clones", "darc_clone", "nanoseconds_per_clone"),
        times("clones", "darc_clone"), "send a number")
    for name in ("put", "get"):
        add(f"{name}, 8 bytes, blocking", "ns",
            nanoseconds("ranges", f"region_put_get/{name}_8_bytes", 8))
    for name in ("fetch_add", "compare_exchange"):
        add(f"{name}, blocking", "ns", nanoseconds("atomics", "region_atomics/" + name))
    for size, text in [(4096, "4 KiB"), (65536, "64 KiB"), (1 << 20, "1 MiB"), (4 << 20, "4 MiB")]:
        for name in ("put", "get"):
            full = "region_put_get/" + name
            add(f"{name}, {text}", "GB/s", rate("ranges", full, size, scale=1e9),
                fraction("ranges", full, size), "memcpy")
    return jobs, quantities


def plan_of_arrays(lamella, quick):
    """The same of arrays."""
    tables = ["2^18", "2^20"] if quick else ["2^24", "2^27"]
    updates = ["--updates", "2^18"] if quick else []
    requests = ["--requests", "2^18"] if quick else []
    ranges = ["--operations", "2^12", "--volume", "2^22"] if quick else []
    elements = ["--elements", "1000000"] if quick else ["--elements", "100000000"]
    first = 1 << int(tables[0][2:])
    jobs = {
        "histogram": job("histogram", lamella, 2, 1, "--table", ",".join(tables), *updates),
        "zipf": job("histogram", lamella, 2, 1, "--table", tables[0], "--input", "zipf", *updates),
        "gather": job("index_gather", lamella, 2, 1, "--table", ",".join(tables), "--access",
                      "read_only,atomic", *requests),
        "asked": job("index_gather", lamella, 2, 1, "--table", tables[0], *requests, mapped=False),
        "ranges": job("array_put_get", lamella, 2, 1, "--bytes", "2^16,2^20", *ranges),
        "sum": job("array_sum", lamella, 1, 2, *elements),
    }
    quantities = []

    def add(text, unit, job, name, size=None, scale=1e6, of=""):
        quantities.append(Quantity(
            text, lamella, unit, lambda outcome: outcome[job][name, size]["rate"] / scale,
            lambda outcome: outcome[job][name, size]["fraction_of_limit"], of))

    own = "own part, no array"
    for size in tables:
        words = 1 << int(size[2:])
        for name in ("loop", "batch"):
            add(f"array histogram {size}, {name}", "M/s", "histogram",
                f"histogram/atomic/uniform/{name}", words, of=own)
        for access in ("read_only", "atomic"):
            add(f"index gather {size}, {access}", "M/s", "gather",
                f"index_gather/{access}/uniform/batch", words, of=own)
    add(f"index gather {tables[0]}, by messages", "M/s", "asked",
        "index_gather/read_only/uniform/batch", first, of=own)
    for name in ("loop", "batch"):
        def rate(key, which, name=name):
            return lambda outcome: outcome[key][f"histogram/atomic/{which}/{name}",
                                                first]["rate"] / 1e6
        zipf, uniform = rate("zipf", "zipf"), rate("histogram", "uniform")
        quantities.append(Quantity(
            f"array histogram {tables[0]}, {name}, Zipf(1)", lamella, "M/s", zipf,
            lambda outcome, a=zipf, b=uniform: a(outcome) / b(outcome), "uniform"))
    for access in ("unsafe", "read_only", "atomic", "local_lock", "global_lock"):
        for name in ("put", "get"):
            if (access, name) == ("read_only", "put"):
                continue
            for size, text in [(65536, "64 KiB"), (1 << 20, "1 MiB")]:
                add(f"array {name}, {text}, {access}", "GB/s", "ranges",
                    f"array_put_get/{access}_{name}", size, 1e9, "memcpy")
    add("sum of an array of doubles, 1 PE x 2 threads", "M/s", "sum", "array_sum/collective",
        of="one Kokkos reduction")
    return jobs, quantities


def print_table(summaries):
    print(f"\n{'quantity':<49} {'lamella':<7} {'measured':<34} ratio")
    for line in summaries:
        value = line["measured"]
        measured = (f"{short(value['median'])} {line['unit']} "
                    f"({short(value['min'])} to {short(value['max'])})")
        ratio = ""
        if "ratio" in line:
            r = line["ratio"]
            ratio = f"{r['median']:.2f} ({r['min']:.2f} to {r['max']:.2f}) of: {r['to']}"
        print(f"{line['quantity']:<49} {line['lamella']:<7} {measured:<34} {ratio}".rstrip())


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=BUILD,
                        help="build folder (default: build/release)")
    parser.add_argument("--lamella", choices=["local", "shmem", "both"], default="both")
    parser.add_argument("--of", choices=["messages", "arrays", "all"], default="all")
    parser.add_argument("--rounds", type=int, default=5, help="runs of every job (default: 5)")
    parser.add_argument("--repetitions", type=int, default=5,
                        help="repetitions within a run (default: 5)")
    parser.add_argument("--quick", action="store_true",
                        help="small sizes: does everything work? the figures mean nothing")
    parser.add_argument("--json", action="store_true", help="a line of JSON a quantity, last")
    chosen = parser.parse_args()
    if chosen.rounds < 1 or chosen.repetitions < 1:
        parser.error("--rounds and --repetitions are 1 or more")
    for program in ("am_latency", "barrier", "am_rate", "am_histogram", "task_spawn", "darc_clone",
                    "region_put_get", "region_atomics", "histogram", "index_gather", "array_put_get",
                    "array_sum"):
        if not os.access(os.path.join(chosen.build, "benchmarks", program), os.X_OK):
            sys.exit(f"acceptance.py: {program} is not in {chosen.build}/benchmarks; build the "
                     "preset release, or name a build folder with --build")

    lamellae = ["local", "shmem"] if chosen.lamella == "both" else [chosen.lamella]
    plans = [of(lamella, chosen.quick) for lamella in lamellae
             for kind, of in [("messages", plan), ("arrays", plan_of_arrays)]
             if chosen.of in (kind, "all")]
    warnings = 0
    for number in range(chosen.rounds):
        began = time.monotonic()
        for jobs, quantities in plans:
            outcome = {key: results_of(which, chosen.build, chosen.repetitions)
                       for key, which in jobs.items()}
            for quantity in quantities:
                quantity.take(outcome)
            for results in outcome.values():
                warnings += any(result["warnings"] for result in results.values())
        print(f"round {number + 1} of {chosen.rounds}: {time.monotonic() - began:.0f} s",
              file=sys.stderr, flush=True)

    summaries = [quantity.summary() for _, quantities in plans
                 for quantity in quantities]
    print_table(summaries)
    if warnings:
        runs = chosen.rounds * sum(len(jobs) for jobs, _ in plans)
        print(f"\nWARNING: others used the machine in {warnings} of {runs} runs")
    if chosen.json:
        for line in summaries:
            print(json.dumps(line))


main()
