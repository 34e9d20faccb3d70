# SPDX-License-Identifier: BSD-3-Clause
"""Text about measurements: what stands in a terminal, and the table of docs/performance.md."""
import re

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def short(number):
    """Three digits."""
    return f"{number:.3g}" if abs(number) < 100 else f"{number:.0f}"


def rate_text(rate, unit):
    for scale, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if rate >= scale:
            return f"{short(rate / scale)} {prefix} {unit}"
    return f"{short(rate)} {unit}"


def is_a_latency(row):
    """Rates that a person thinks of as a time: one thing after the other, or so the program says."""
    if row["unit"].split("/")[0] in ("round trips", "waves", "rounds"):
        return True
    nanoseconds = row["parameters"].get("nanoseconds", 0)
    return not row["unit"].startswith("bytes") and abs(nanoseconds * row["rate"] - 1e9) < 1e7


def value_text(row, rate):
    if is_a_latency(row) and rate > 0:
        return time_text(1 / rate)
    return rate_text(rate, row["unit"])


def time_text(seconds):
    for scale, unit in ((1, "s"), (1e-3, "ms"), (1e-6, "us")):
        if seconds >= scale:
            return f"{short(seconds / scale)} {unit}"
    return f"{short(seconds * 1e9)} ns"


def name_of(row):
    """The name of a result with what else tells it apart."""
    parameters = row["parameters"]
    sizes = [f"{name.replace('_', ' ')} {power(parameters[name])}" for name in ("table_words", "bytes", "item_bytes")
             if name in parameters]
    sizes += [str(parameters[name]) for name in ("memory", "target") if name in parameters]
    return ", ".join([row["name"], *sizes])


def power(number):
    if isinstance(number, int) and number >= 1024 and number & (number - 1) == 0:
        return f"2^{number.bit_length() - 1}"
    return str(number)


def machine_text(header):
    m, b = header["machine"], header.get("build", {})
    pages = m.get("huge_pages", {})
    return (f"{m.get('cpu')}, {m.get('cores')} cores{' of a virtual machine' if m.get('virtual') else ''}, "
            f"{m.get('memory_gib')} GiB, Linux {m.get('kernel')}, transparent huge pages {pages.get('transparent')} "
            f"(shared memory: {pages.get('transparent_shared')}), {pages.get('reserved')} reserved; "
            f"{b.get('compiler')}, {b.get('type')}; commit {header['commit']}")


def spread_text(quantity, which):
    low, high = quantity.spread(which)
    return f"{short(low)} to {short(high)}"


def columns_of(quantity):
    row = quantity.row
    rate = quantity.median("rate")
    fraction = "" if quantity.is_a_limit() else short(quantity.median("fraction"))
    spread = "" if quantity.is_a_limit() else spread_text(quantity, "fraction")
    limit = "" if quantity.is_a_limit() else (
        f"{value_text(row, quantity.median('limit'))}, {row['limit']['name']}")
    return [name_of(row), row["lamella"], f"{row['pes']} x {row['threads']}", value_text(row, rate), limit, fraction,
            spread]


HEADINGS = ["what", "lamella", "PEs x threads", "measured", "limit in the same run", "fraction", "smallest to largest"]


def by_command(measurement):
    """Commands in the order of the file, each with its quantities."""
    groups = {}
    for quantity in measurement.quantities.values():
        groups.setdefault(quantity.row["command"], []).append(quantity)
    return groups


def program_of(quantity):
    """The program of a quantity, without what it does or how often."""
    return quantity.row["name"].split("/")[0]


def largest_only(measurement):
    """The quantities without those that differ from another one by a smaller size alone."""
    kept = {}
    for quantity in measurement.quantities.values():
        row = quantity.row
        size = next((row["parameters"][name] for name in ("table_words", "bytes") if name in row["parameters"]), 0)
        rest = (row["command"], row["lamella"], row["name"],
                *(row["parameters"].get(name) for name in ("memory", "target", "item_bytes")))
        if rest not in kept or size > kept[rest][0]:
            kept[rest] = (size, quantity)
    return [quantity for _, quantity in kept.values()]


def markdown(measurement, brief=False):
    """A table for each program, and below it the commands that give its figures."""
    rounds = sorted({len(quantity.rows) for quantity in measurement.quantities.values()})
    lines = [f"Machine: {machine_text(measurement.header)}.", "",
             f"Rounds: {' to '.join(str(n) for n in dict.fromkeys((rounds[0], rounds[-1])))}; the figures are medians "
             "over them, the fraction too: it is no ratio of the two others. The number in the last column is that of "
             "the command below the table."]
    lines += [f"**{note}.**" for note in measurement.notes]
    programs = {}
    for quantity in largest_only(measurement) if brief else measurement.quantities.values():
        programs.setdefault(program_of(quantity), []).append(quantity)
    for program, quantities in programs.items():
        commands = list(dict.fromkeys(quantity.row["command"] for quantity in quantities))
        lines += ["", f"### {program}", "", "| " + " | ".join([*HEADINGS, "by"]) + " |",
                  "|" + " --- |" * (len(HEADINGS) + 1)]
        for quantity in quantities:
            what, *rest = columns_of(quantity)
            what = what.removeprefix(program + "/")
            lines.append("| " + " | ".join([what, *rest, str(commands.index(quantity.row["command"]) + 1)]) + " |")
        lines.append("")
        lines += [f"{number}. `{command}`" for number, command in enumerate(commands, 1)]
    return "\n".join(lines) + "\n"


def put_between_marks(text, table):
    """Replace what stands between the marks. Throws: ValueError without them."""
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.S)
    if not pattern.search(text):
        raise ValueError(f"there are no lines {BEGIN} and {END}")
    return pattern.sub(lambda _: f"{BEGIN}\n{table}{END}", text, count=1)


def comparison(both, alone, names):
    """The lines of `tools/bench compare A B`: for each job its quantities."""
    parts = [(*c.key.split(": ", 2), c) if c.key.count(": ") > 1 else ("", "", c.key, c) for c in both]
    width = max([len(part[2]) for part in parts], default=10)
    yield f"  {'quantity':<{width}}  {'ratio':>6}  {'spreads':>14}  verdict"
    job = None
    for shape, program, name, c in parts:
        if (shape, program) != job:
            job = (shape, program)
            yield f"{shape}: {program}"
        spread = f"{100 * c.spread(0):.0f} %, {100 * c.spread(1):.0f} %"
        yield f"  {name:<{width}}  {c.ratio:>6.2f}  {spread:>14}  {c.verdict}"
    count = {word: sum(c.verdict == word for c in both) for word in
             ("better", "worse", "same", "disturbed", "few rounds")}
    yield ""
    yield ", ".join(f"{number} {word}" for word, number in count.items() if number) or "nothing in common"
    for keys, name in zip(alone, names):
        if keys:
            yield f"only in {name}: {len(keys)} quantities, such as {keys[0]}"
