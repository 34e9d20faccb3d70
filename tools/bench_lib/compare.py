# SPDX-License-Identifier: BSD-3-Clause
"""Two measurements beside each other, and one beside a baseline of fractions of limits."""
import json
import statistics

# Fewer rounds say nothing about noise.
LEAST_ROUNDS = 3
# A smaller difference is of no interest, however quiet the machine.
LEAST_CHANGE = 0.03
# What the baseline forbids: less than this of the fraction that it has.
FALLEN = 0.5
# So often is a fall measured again before it counts.
RERUNS = 3


class Comparison:
    """A quantity in two measurements. `ratio` above 1: the second one is better."""

    def __init__(self, a, b, by):
        self.key, self.by, self.unit = a.key, by, a.row["unit"]
        rows = [side.quiet_rows() for side in (a, b)]
        self.is_disturbed = any(len(quiet) < min(LEAST_ROUNDS, len(side.rows))
                                for quiet, side in zip(rows, (a, b)))
        self.values = [side.values(by, quiet if quiet and not self.is_disturbed else side.rows)
                       for quiet, side in zip(rows, (a, b))]
        self.ratio = statistics.median(self.values[1]) / statistics.median(self.values[0])
        self.verdict = "disturbed" if self.is_disturbed else verdict(*self.values)

    def spread(self, side):
        values = self.values[side]
        return (max(values) - min(values)) / statistics.median(values)


def verdict(before, after):
    """Say `better` or `worse` if the medians lie further apart than both ranges together are wide, and
    than three percent; else `same`. By chance alone that happens to one in seventy with three rounds on
    each side, to one in ten thousand with five."""
    if min(len(before), len(after)) < LEAST_ROUNDS:
        return "few rounds"
    old, new = statistics.median(before), statistics.median(after)
    noise = (max(before) - min(before)) + (max(after) - min(after))
    if abs(new - old) <= max(noise, LEAST_CHANGE * old):
        return "same"
    return "better" if new > old else "worse"


def compare(a, b, by="fraction"):
    """Compare what two measurements have in common; return that, and the keys that only one has. Limits
    have no limit but themselves and are compared by rate."""
    both, alone = [], [[], []]
    for key, quantity in a.quantities.items():
        if key not in b.quantities:
            alone[0].append(key)
            continue
        other = b.quantities[key]
        both.append(Comparison(quantity, other, "rate" if quantity.is_a_limit() else by))
    alone[1] = [key for key in b.quantities if key not in a.quantities]
    return both, alone


class BadBaseline(Exception):
    pass


# Their limit is the best table that the Boost of the machine has, or the standard library's.
LIMIT_DEPENDS_ON_PACKAGES = ("map_insert_find/", "counting_map/", "word_count", "kmer_count")


def baseline_of(measurement, even_disturbed=False):
    """The fractions worth keeping, by key: no limits, no job with more threads than cores, nothing that was itself
    uncertain by a factor of two, nothing that was measured only beside others, and nothing whose limit is another one
    with other packages."""
    fractions = {}
    cores = measurement.header["machine"].get("cores", 1)
    for key, quantity in sorted(measurement.quantities.items()):
        low, high = quantity.spread("fraction")
        if not quantity.quiet_rows() and not even_disturbed:
            continue
        if quantity.is_a_limit() or quantity.row["pes"] * quantity.row["threads"] > cores or low < FALLEN * high:
            continue
        if quantity.row["name"].startswith(LIMIT_DEPENDS_ON_PACKAGES):
            continue
        fractions[key] = float(f"{quantity.median('fraction'):.3g}")
    return fractions


def read_baseline(path):
    """Fractions by key. Throws: BadBaseline."""
    try:
        with open(path, encoding="utf-8") as file:
            fractions = json.load(file)["fractions"]
        good = isinstance(fractions, dict) and fractions and all(
            isinstance(value, (int, float)) and value > 0 for value in fractions.values())
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise BadBaseline(f"{path} cannot be used as a baseline ({problem!r})") from None
    if not good:
        raise BadBaseline(f"{path} has no positive fractions")
    return fractions


def fallen(fractions, measurement):
    """The keys that have less than half of the baseline's fraction."""
    return [key for key, fraction in fractions.items() if key in measurement.quantities
            and measurement.quantities[key].median("fraction") < FALLEN * fraction]


def judge(key, fraction, rerun, may_go_on):
    """Measure again what has fallen. `rerun(key)` returns a row, `may_go_on()` says whether there is time.

    Returns: `fallen` if it was below half in each of three quiet reruns, `recovered` as soon as it was not in one,
    `undecided` if others disturbed or the time ended; and the fractions seen."""
    seen, quiet = [], 0
    for _ in range(2 * RERUNS):
        if not may_go_on():
            break
        row = rerun(key)
        seen.append(row["fraction_of_limit"])
        if seen[-1] >= FALLEN * fraction:
            return "recovered", seen
        quiet += not row["disturbed"]
        if quiet == RERUNS:
            return "fallen", seen
    return "undecided", seen
