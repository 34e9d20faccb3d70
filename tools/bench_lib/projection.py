# SPDX-License-Identifier: BSD-3-Clause
"""Scaling on paper: kernels as simulated jobs on up to hundreds of PEs, by the cost model of docs/simulator.md. Each job
runs with one repetition and with three; half of the difference is one repetition, without set-up. The file is lines of
JSON: {"projection": 1, "commit"}, then one line for each job."""
import json
import re

from .jobs import Failure, Job

VERSION = 1
REPETITIONS = (1, 3)

# What a network costs, as the variables of the simulator have it.
NETWORKS = {
    "fast": {"LAMELLAR_SIM_LATENCY_NS": "1500", "LAMELLAR_SIM_BYTE_NS": "0.08", "LAMELLAR_SIM_MESSAGE_NS": "250"},
    "ethernet": {"LAMELLAR_SIM_LATENCY_NS": "20000", "LAMELLAR_SIM_BYTE_NS": "0.8", "LAMELLAR_SIM_MESSAGE_NS": "2000"},
}
NETWORK_TEXTS = {"fast": "1.5 us, 12.5 GB/s, 4 M messages/s", "ethernet": "20 us, 1.25 GB/s, 0.5 M messages/s"}

# PEs: PEs of a host.
SHAPES = {4: 2, 16: 4, 64: 8, 256: 16}

# kernel: program, arguments for so many PEs, items of a PE in a repetition
ITEMS = 1 << 14
KERNELS = {
    "histogram": ("am_histogram", lambda pes: f"--mode batch --table {pes << 12} --updates {pes * ITEMS}"),
    "index_gather": ("index_gather", lambda pes: f"--mode batch --access atomic --table {pes << 12} --requests {pes * ITEMS}"),
    "exchange": ("exchange", lambda pes: f"--form stream --bytes 8 --items {pes * ITEMS}"),
}

COUNTS = {
    "seconds": r"simulated: .*: ([\d.]+) s of virtual time",
    "messages": r"simulated: \d+ messages of \d+ bytes, between hosts (\d+) of",
    "bytes": r"simulated: .* between hosts \d+ of (\d+) bytes",
    "pe_bytes": r"simulated: at most (\d+) bytes of buffers to one PE",
    "host_bytes": r"to one PE at a time, (\d+) to those of one host",
    "open_kib": r"most memory: (\d+) KiB for buffers",
}


def counts_of(text):
    """What a simulated job says of itself at its end."""
    found = {}
    for name, pattern in COUNTS.items():
        match = re.search(pattern, text)
        if not match:
            raise Failure(f"a simulated job did not say its {name}:\n{text[-2000:]}")
        found[name] = float(match[1]) if name == "seconds" else int(match[1])
    return found


def one(kernel, pes, network, gathers, build):
    """Run one job of the grid and return its line."""
    program, arguments = KERNELS[kernel]
    variables = {"LAMELLAR_SIM_SEED": "0", "LAMELLAR_SIM_PES_PER_HOST": str(SHAPES[pes]),
                 "LAMELLAR_HOST_AGGREGATION": str(int(gathers)), **NETWORKS[network]}
    job = Job(program, f"sim.{pes}x1", *arguments(pes).split(), mapped=False, variables=variables)
    few, many = (counts_of(job.run(build, repetitions=count, extra={"LAMELLAR_STATISTICS": "1"}, timeout_s=900).text)
                 for count in REPETITIONS)
    rounds = REPETITIONS[1] - REPETITIONS[0]
    messages = (many["messages"] - few["messages"]) / rounds
    bytes_sent = (many["bytes"] - few["bytes"]) / rounds
    hosts = pes // SHAPES[pes]
    return {"kernel": kernel, "pes": pes, "hosts": hosts, "network": network, "gathers": gathers,
            "ns_per_item": (many["seconds"] - few["seconds"]) / rounds / ITEMS * 1e9,
            "messages_per_host": messages / hosts, "bytes_per_message": bytes_sent / max(1, messages),
            "host_buffer_bytes": many["host_bytes"] + SHAPES[pes] * many["open_kib"] * 1024,
            "command": f"LAMELLAR_STATISTICS=1 {job.for_a_shell()} --repetitions {REPETITIONS[1]}"}


def run(build, kernels, pes, say):
    for kernel in kernels:
        for count in pes:
            for network in NETWORKS:
                for gathers in (False, True):
                    line = one(kernel, count, network, gathers, build)
                    say(f"{kernel}, {count} PEs, {network}, {'by host' if gathers else 'by PE'}: "
                        f"{line['ns_per_item']:.1f} ns an item, {line['bytes_per_message']:.0f} bytes a message")
                    yield line


def read(path):
    """Throws: Failure."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file if line.strip()]
    except (OSError, ValueError) as problem:
        raise Failure(f"{path} cannot be used: {problem}; write it with `tools/bench project -o {path}`") from None
    if not lines or lines[0].get("projection") != VERSION:
        raise Failure(f"{path} is no file of `tools/bench project` of this version")
    return lines[1:]


HEADINGS = ["kernel", "network", "PEs (hosts)", "ns an item, by PE", "by host", "bytes a message, by PE", "by host",
            "MiB of buffers a host, by PE", "by host"]


def rows(lines):
    """One row for each pair of jobs, without and with aggregation by host."""
    pairs = {}
    for line in lines:
        key = (line["kernel"], line["network"], line["pes"])
        pairs.setdefault(key, {})[line["gathers"]] = line
    for (kernel, network, pes), pair in pairs.items():
        if len(pair) != 2:
            continue
        by_pe, by_host = pair[False], pair[True]
        yield [kernel, network, f"{pes} ({by_pe['hosts']})", f"{by_pe['ns_per_item']:.1f}", f"{by_host['ns_per_item']:.1f}",
               f"{by_pe['bytes_per_message']:.0f}", f"{by_host['bytes_per_message']:.0f}",
               f"{by_pe['host_buffer_bytes'] / 2**20:.1f}", f"{by_host['host_buffer_bytes'] / 2**20:.1f}"]


def markdown(lines):
    return "\n".join("| " + " | ".join(cells) + " |"
                     for cells in (HEADINGS, ["---"] * len(HEADINGS), *rows(lines))) + "\n"
