# SPDX-License-Identifier: BSD-3-Clause
"""Pictures of a measurement, each as SVG and as PNG. Needs matplotlib, which nothing else here does."""
import os
import re

import matplotlib

matplotlib.use("Agg")
matplotlib.rcParams.update({
    "svg.hashsalt": "lamellar", "svg.fonttype": "path", "font.size": 9, "axes.spines.top": False,
    "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.3, "axes.axisbelow": True,
    "figure.constrained_layout.use": True})
from matplotlib import pyplot  # noqa: E402
from matplotlib.ticker import FuncFormatter, NullFormatter, ScalarFormatter  # noqa: E402

from . import tables  # noqa: E402

# Told apart by people who do not see all colours, and in print.
COLOURS = {"local": "#0072b2", "shmem": "#d55e00", "rofi": "#009e73", "alone": "#555555"}
MARKERS = {"local": "o", "shmem": "s", "rofi": "^", "alone": "D"}
LINES = ["-", "--", ":", "-."]


class Picture:
    """A file name without its end, and what it shows."""

    def __init__(self, name, title, text):
        self.name, self.title, self.text = name, title, text


def save(figure, folder, name):
    for end in ("svg", "png"):
        # No date inside: the same measurement gives the same bytes.
        figure.savefig(os.path.join(folder, f"{name}.{end}"), dpi=130,
                       metadata={"Date": None} if end == "svg" else {"Software": None})
    pyplot.close(figure)


def kernels(measurement):
    """Quantities that have a limit other than themselves and are no sweep over sizes, with the largest size of each
    name, lamella and shape."""
    largest = {}
    for quantity in measurement.quantities.values():
        row = quantity.row
        if quantity.is_a_limit() or row["lamella"] == "sim":
            continue
        size = next((row["parameters"][name] for name in ("table_words", "bytes", "item_bytes")
                     if name in row["parameters"]), 0)
        key = (row["name"], row["lamella"], row["pes"], row["threads"])
        if key not in largest or size > largest[key][0]:
            largest[key] = (size, quantity)
    return {key: quantity for key, (_, quantity) in largest.items()}


def colour_of(lamella):
    return COLOURS.get(lamella, "#555555")


def bars_of(axes, column, top=1.3):
    """A bar for each quantity of each kernel, from top to bottom."""
    y, places = 0.0, []
    for _, of in column:
        places.append(y + (len(of) - 1) / 2)
        for lamella, quantity in of:
            middle, (low, high) = quantity.median("fraction"), quantity.spread("fraction")
            axes.barh(y, min(middle, top), 0.85, color=colour_of(lamella), alpha=0.85 if quantity.quiet_rows() else 0.4)
            axes.plot([min(low, top), min(high, top)], [y, y], color="black", linewidth=0.8)
            axes.text(min(max(middle, high), top) + 0.01, y, tables.short(middle), va="center", fontsize=6.5)
            y += 1
        y += 0.6
    axes.axvline(1, color="black", linewidth=1)
    axes.set_yticks(places, [name for name, _ in column], fontsize=7.5)
    axes.set_ylim(y - 0.6, -0.8)
    axes.set_xlim(0, top + 0.15)
    axes.set_xlabel("rate as a fraction of the limit of the same run (1: the limit)")
    axes.grid(axis="y", visible=False)


def fractions(measurement, folder):
    chosen = kernels(measurement)
    if not chosen:
        return None
    shapes = sorted({key[1:] for key in chosen}, key=lambda shape: (shape[1] * shape[2], shape))
    cores = measurement.header["machine"].get("cores", 1)
    # Bars of the shape that most kernels have for each lamella, that which fits the cores best if there are several;
    # the other shapes are in the picture of scaling.
    shown = {}
    for lamella in dict.fromkeys(shape[0] for shape in shapes):
        shown[lamella] = max((shape for shape in shapes if shape[0] == lamella), key=lambda shape: (
            sum(key[1:] == shape for key in chosen), -abs(shape[1] * shape[2] - cores)))
    bars = {}
    for key, quantity in chosen.items():
        if key[1:] == shown[key[1]]:
            bars.setdefault(key[0], []).append((key[1], quantity))
    # Two columns of about as many bars each; a kernel takes a line for each of its bars.
    columns, half = [[], []], sum(len(of) + 0.6 for of in bars.values()) / 2
    lines = 0.0
    for name, of in bars.items():
        columns[0 if lines < half else 1].append((name, of))
        lines += len(of) + 0.6
    columns = [column for column in columns if column]
    figure, all_axes = pyplot.subplots(1, len(columns), figsize=(6.5 * len(columns), 1.5 + 0.15 * half), squeeze=False)
    for axes, column in zip(all_axes[0], columns):
        bars_of(axes, column)
    handles = [pyplot.Rectangle((0, 0), 1, 1, color=colour_of(lamella)) for lamella in shown]
    all_axes[0][-1].legend(handles, [f"{lamella}, {pes} PEs x {threads} threads"
                                     for lamella, pes, threads in shown.values()], fontsize=8, loc="lower right")
    save(figure, folder, "fractions")
    return Picture("fractions", "Rate as a fraction of the limit",
                   "One bar for each kernel and lamella; the thin line reaches from the smallest to the largest round. "
                   "Pale bars were measured beside others. Bars end at 1.3; the number is the true one.")


def scaling(measurement, folder):
    """Rate over PEs, one small picture for each kernel that has more than one number of PEs."""
    lines = {}
    for (name, lamella, pes, threads), quantity in kernels(measurement).items():
        if threads == 1:
            lines.setdefault(name, {}).setdefault(lamella, []).append((pes, quantity))
    lines = {name: of for name, of in lines.items() if any(len(points) > 1 for points in of.values())}
    if not lines:
        return None
    columns = min(3, len(lines))
    rows = -(-len(lines) // columns)
    figure, all_axes = pyplot.subplots(rows, columns, figsize=(3.3 * columns, 2.4 * rows), squeeze=False)
    for axes, (name, of) in zip(all_axes.flat, lines.items()):
        counts = set()
        for lamella, points in of.items():
            points.sort(key=lambda point: point[0])
            counts.update(pes for pes, _ in points)
            colour, marker = colour_of(lamella), MARKERS.get(lamella, "x")
            pes = [point[0] for point in points]
            axes.plot(pes, [q.median("rate") for _, q in points], color=colour, marker=marker, label=lamella)
            axes.fill_between(pes, [q.spread("rate")[0] for _, q in points], [q.spread("rate")[1] for _, q in points],
                              color=colour, alpha=0.15)
            axes.plot(pes, [q.median("limit") for _, q in points], color=colour, linestyle=":", linewidth=1)
        axes.set_title(name, fontsize=8)
        axes.set_xscale("log", base=2)
        axes.set_xticks(sorted(counts))
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(si(""))
        axes.set_xlabel("PEs")
        axes.set_ylabel(next(iter(of.values()))[0][1].row["unit"])
        axes.legend(fontsize=7)
    for axes in list(all_axes.flat)[len(lines):]:
        axes.set_visible(False)
    save(figure, folder, "scaling")
    cores = measurement.header["machine"].get("cores")
    return Picture("scaling", "Scaling over PEs",
                   f"The rate of all PEs together, one thread each; dotted the limit of the same run. The machine has "
                   f"{cores} cores: more PEs than that share them.")


def sweeps(measurement):
    """Lines over the size in bytes: {(name, lamella, PEs): [(bytes, quantity)]}, with three sizes or more."""
    lines = {}
    for quantity in measurement.quantities.values():
        row = quantity.row
        size = row["parameters"].get("bytes")
        if isinstance(size, int) and size > 0 and row["unit"].startswith(("bytes", "messages", "round trips")):
            # Names of one sweep differ by the size alone: put_4096, put_65536.
            name = re.sub(r"(_both_ways)?_\d+$", r"\1", row["name"])
            lines.setdefault((name, row["lamella"], row["pes"]), {})[size] = quantity
    return {key: sorted(points.items()) for key, points in lines.items() if len(points) > 2}


def si(unit):
    """Marks of an axis: 20 GB/s."""
    def text(value, _):
        for scale, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
            if value >= scale:
                return f"{value / scale:.3g} {prefix}{unit}"
        return f"{value:.3g} {unit}"
    return FuncFormatter(text)


def bytes_text(value, _=None):
    for scale, unit in ((2**20, "MiB"), (2**10, "KiB")):
        if value >= scale:
            return f"{value / scale:g} {unit}"
    return f"{value:g} B"


def curves(measurement, folder):
    """Time of one operation, and bandwidth, over its size: as those of OSU."""
    lines = sweeps(measurement)
    if not lines:
        return []
    done = []
    for name, title, text in (
            ("latency", "Latency over size", "The time of one operation, or of one of several under way at once, over "
             "the bytes that it moves."),
            ("bandwidth", "Bandwidth over size", "Bytes per second over the size of an operation; grey and dotted is "
             "the limit measured beside, which is mostly memcpy.")):
        # A round trip moves bytes both ways, one after the other: no bandwidth.
        shown = {key: points for key, points in lines.items()
                 if name == "latency" or not points[0][1].row["unit"].startswith("round trips")}
        if not shown:
            continue
        figure, axes = pyplot.subplots(figsize=(9, 5.5))
        colours = pyplot.get_cmap("tab20").colors
        for number, ((what, lamella, pes), points) in enumerate(shown.items()):
            sizes = [size for size, _ in points]
            scale = [1 if q.row["unit"].startswith("bytes") else size for size, q in points]
            rates = [q.median("rate") * factor for (_, q), factor in zip(points, scale)]
            values = [size / rate * 1e9 for size, rate in zip(sizes, rates)] if name == "latency" else rates
            if name == "bandwidth" and not points[0][1].is_a_limit():
                axes.plot(sizes, [q.median("limit") * factor for (_, q), factor in zip(points, scale)], color="#999999",
                          linestyle=":", linewidth=1)
            axes.plot(sizes, values, color=colours[number % 20], marker=MARKERS.get(lamella, "x"), markersize=4,
                      linestyle=LINES[number // 20 % 4], label=f"{what}, {lamella}, {pes} PEs")
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(bytes_text))
        axes.set_xlabel("bytes of an operation")
        if name == "latency":
            axes.set_ylabel("time of an operation")
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: tables.time_text(value * 1e-9)))
        else:
            axes.set_ylabel("bytes per second")
            axes.yaxis.set_major_formatter(si("B/s"))
        axes.legend(fontsize=6.5, loc="center left", bbox_to_anchor=(1.0, 0.5))
        save(figure, folder, name)
        done.append(Picture(name, title, text))
    return done


def traffic(measurement, folder):
    """Who sent how many bytes to whom, of each simulated job."""
    done = []
    for number, row in enumerate(measurement.traffic, 1):
        pes, host = row["pes"], row["pes_per_host"]
        figure, axes = pyplot.subplots(figsize=(6.2, 5))
        largest = max(max(line) for line in row["bytes"])
        picture = axes.imshow(row["bytes"], cmap="viridis", vmin=0, vmax=max(1, largest))
        for source in range(pes):
            for to in range(pes) if pes <= 16 else ():
                sent = row["bytes"][source][to]
                axes.text(to, source, tables.rate_text(sent, "").strip(), ha="center", va="center", fontsize=6.5,
                          color="black" if sent > 0.6 * largest else "white")
        for border in range(host, pes, host):
            axes.axhline(border - 0.5, color="white", linewidth=2)
            axes.axvline(border - 0.5, color="white", linewidth=2)
        axes.grid(visible=False)
        axes.set_xlabel("to PE")
        axes.set_ylabel("from PE")
        axes.set_xticks(range(pes))
        axes.set_yticks(range(pes))
        job = row["traffic"]
        axes.set_title(job, fontsize=7)
        figure.colorbar(picture, ax=axes, label="bytes of buffers",
                        format=si("B"))
        save(figure, folder, f"traffic_{number}")
        over = sum(row["bytes"][a][b] for a in range(pes) for b in range(pes) if a // host != b // host)
        whole = sum(map(sum, row["bytes"]))
        buffers = sum(map(sum, row["buffers"]))
        done.append(Picture(
            f"traffic_{number}", f"Traffic of {job}",
            f"Bytes of message buffers from each PE to each other in the whole job, warm-up and set-up included: {whole} "
            f"bytes in {buffers} buffers, {100 * over / max(1, whole):.0f} % of them between the {pes // host} "
            "hosts, which the white lines part. Counted in a simulated job, in which nothing is left to chance."))
    return done


def draw(measurement, folder):
    """Draw all that the measurement has something for. Returns: the pictures."""
    single = [fractions(measurement, folder), scaling(measurement, folder)]
    return [picture for picture in single if picture] + curves(measurement, folder) + traffic(measurement, folder)


def projections(lines, folder):
    """Time of an item and memory of a host over PEs, of the lines of tools/bench project. Returns: the pictures."""
    done = []
    for name, column, title, text in (
            ("projected_time", "ns_per_item", "Projected: nanoseconds an item, on each PE",
             "A simulated job on the faster of two networks, in which loads, stores and sums cost nothing: what remains is "
             "communication. Solid: each PE aggregates for each other one. Dashed: the PEs of a host aggregate together."),
            ("projected_memory", "host_buffer_bytes", "Projected: bytes of message buffers on a host",
             "Buffers under way to the PEs of a host, gathered by it, and kept open by its PEs, at most at a time. The grey "
             "line is 64 MiB. Solid: each PE aggregates for each other one. Dashed: the PEs of a host aggregate together.")):
        chosen = [line for line in lines if line["network"] == "fast"]
        if not chosen:
            continue
        figure, axes = pyplot.subplots(figsize=(7, 4))
        for number, kernel in enumerate(dict.fromkeys(line["kernel"] for line in chosen)):
            for gathers in (False, True):
                of = sorted((line["pes"], line[column]) for line in chosen
                            if line["kernel"] == kernel and line["gathers"] == gathers)
                axes.plot(*zip(*of), "--" if gathers else "-", marker="o", color=f"C{number}",
                          label=None if gathers else kernel)
        axes.set_xscale("log", base=4)
        axes.set_yscale("log")
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.set_xlabel("PEs")
        if column == "host_buffer_bytes":
            axes.yaxis.set_major_formatter(FuncFormatter(bytes_text))
            axes.axhline(64 << 20, color="#888888", linewidth=1)
        axes.legend(frameon=False)
        save(figure, folder, name)
        done.append(Picture(name, title, text))
    return done
