# SPDX-License-Identifier: BSD-3-Clause
"""Who sends how much to whom: the matrix comes from the trace of a simulated job, which has every buffer; the rows by
distance and by handler from the table that LAMELLAR_STATISTICS=1 prints at a job's end."""
import os
import re
import tempfile

# A buffer posted, with its channel ("body", "handler" ...).
POST = re.compile(r"^\d+ \d+ PE (\d+): posts (\d+) bytes to (\d+),")
DISTANCES = ("to the same PE", "to PEs of the same host", "over the network")
COLUMNS = ("messages", "answers", "lines", "runs", "buffers", "bytes")


def matrix_of(trace, pes):
    """Bytes and buffers from each PE (row) to each PE (column), of the lines of a trace."""
    sent = [[0] * pes for _ in range(pes)]
    buffers = [[0] * pes for _ in range(pes)]
    for line in trace:
        post = POST.match(line)
        if post:
            source, size, to = (int(word) for word in post.groups())
            sent[source][to] += size
            buffers[source][to] += 1
    return sent, buffers


def statistics_of(text):
    """The rows by distance of the table of a job, `{distance: {column: number}}`, and its handlers."""
    by_distance, handlers = {}, []
    inside = False
    for line in text.splitlines():
        if line.startswith("lamellar: statistics of "):
            inside = True
        elif inside:
            for distance in DISTANCES:
                if line.strip().startswith(distance):
                    numbers = line.strip()[len(distance):].split()
                    by_distance[distance] = dict(zip(COLUMNS, (int(number) for number in numbers[:6])))
            handler = re.match(r"^  (\S.*?)\s+(\d+)\s+(\d+)\s+([\d.]+)\s+([\d.]+)$", line)
            if handler and not by_distance:
                handlers.append({"name": handler[1], "records": int(handler[2]), "bytes": int(handler[3]),
                                 "milliseconds": float(handler[5])})
    return by_distance, handlers


def measure(job, build):
    """Run a simulated job and return its line of the file."""
    with tempfile.TemporaryDirectory() as folder:
        trace = os.path.join(folder, "trace")
        outcome = job.run(build, extra={"LAMELLAR_SIM_TRACE": trace, "LAMELLAR_STATISTICS": "1"}, timeout_s=120)
        with open(trace, encoding="utf-8") as lines:
            sent, buffers = matrix_of(lines, job.shape.pes)
    by_distance, handlers = statistics_of(outcome.text)
    return {"traffic": str(job), "command": "LAMELLAR_STATISTICS=1 " + job.for_a_shell(),
            "pes": job.shape.pes, "pes_per_host": int(job.variables.get("LAMELLAR_SIM_PES_PER_HOST", job.shape.pes)),
            "bytes": sent, "buffers": buffers, "sent": by_distance, "handlers": handlers}
