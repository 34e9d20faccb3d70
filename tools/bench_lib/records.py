# SPDX-License-Identifier: BSD-3-Clause
"""The file of a measurement, in lines of JSON. The first says what ran on what:
{"bench": 1, "set", "commit", "build", "machine", "environment"}. Then a line for each result, as the program gave it, with
"key" (the same in every file for the same quantity), "command", "round", "disturbed" and "load". Lines with
"traffic" have who sent what to whom, one with "end" is last. A file without it was not finished."""
import json
import statistics

VERSION = 1


class Broken(Exception):
    """A file cannot be used; the text says which line, and what to do."""


class Quantity:
    """All that was measured of one key: a value for each round."""

    def __init__(self, key):
        self.key, self.rows = key, []

    @property
    def row(self):
        return self.rows[0]

    def is_a_limit(self):
        return self.row["limit"]["name"] == self.row["name"]

    def quiet_rows(self):
        return [row for row in self.rows if not row["disturbed"]]

    def values(self, which, rows=None):
        """`rate`, `limit` or `fraction` of each round."""
        of = {"rate": lambda row: row["rate"], "limit": lambda row: row["limit"]["rate"],
              "fraction": lambda row: row["fraction_of_limit"]}[which]
        return [of(row) for row in (self.rows if rows is None else rows)]

    def median(self, which):
        """Of the rounds in which nobody disturbed; of all if there is none."""
        return statistics.median(self.values(which, self.quiet_rows() or self.rows))

    def spread(self, which):
        """Smallest and largest, of the same rounds."""
        values = self.values(which, self.quiet_rows() or self.rows)
        return min(values), max(values)


class Measurement:
    def __init__(self, header):
        self.header, self.traffic, self.notes, self.quantities = header, [], [], {}
        self.is_finished = False

    def add(self, row):
        self.quantities.setdefault(row["key"], Quantity(row["key"])).rows.append(row)

    def rows(self):
        return [row for quantity in self.quantities.values() for row in quantity.rows]

    def disturbed(self):
        """How many rows were measured beside others, of how many."""
        rows = self.rows()
        return sum(row["disturbed"] for row in rows), len(rows)


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def problem_of(row):
    """What is wrong with a result, or None."""
    if not isinstance(row, dict):
        return "is no object"
    for name, kind in (("key", str), ("name", str), ("lamella", str), ("unit", str), ("command", str),
                       ("pes", int), ("threads", int), ("parameters", dict), ("seconds", dict),
                       ("limit", dict), ("disturbed", bool), ("verified", bool)):
        if not isinstance(row.get(name), kind):
            return f"has no {name}" if name not in row else f"has a {name} that is no {kind.__name__}"
    for holder, name in ((row, "rate"), (row, "fraction_of_limit"), (row["limit"], "rate")):
        if not is_number(holder.get(name)) or not 0 < holder[name] < float("inf"):
            return f"has no positive {name}"
    if not isinstance(row["limit"].get("name"), str):
        return "does not name its limit"
    return None


def parse(lines, name):
    """Make a Measurement of lines of text. Throws: Broken."""
    lines = [line for line in lines if line.strip()]
    if not lines:
        raise Broken(f"{name} is empty; write it with `tools/bench run -o {name}`")
    decoded = []
    cut = None
    for number, line in enumerate(lines, 1):
        try:
            decoded.append(json.loads(line))
        except ValueError:
            if number < len(lines) or number == 1:
                raise Broken(f"{name}:{number}: this is no JSON; was the file edited, or is it of another "
                             "program?") from None
            cut = f"line {number}, the last one, is cut off and was left out"
    header = decoded[0]
    if not isinstance(header, dict) or not is_number(header.get("bench")):
        raise Broken(f"{name}:1: this is no file of `tools/bench run`: its first line has no \"bench\"")
    if header["bench"] > VERSION:
        raise Broken(f"{name}:1: written by a newer tools/bench, version {header['bench']}; this one reads "
                     f"{VERSION}")
    if not isinstance(header.get("machine"), dict) or not isinstance(header.get("commit"), str):
        raise Broken(f"{name}:1: the first line does not say which commit and machine")
    all_of_it = Measurement(header)
    for number, row in enumerate(decoded[1:], 2):
        if isinstance(row, dict) and "traffic" in row:
            all_of_it.traffic.append(row)
        elif isinstance(row, dict) and "end" in row:
            all_of_it.is_finished = True
        else:
            problem = problem_of(row)
            if problem:
                raise Broken(f"{name}:{number}: this result {problem}")
            if row["verified"]:
                all_of_it.add(row)
            else:
                all_of_it.notes.append(f"line {number}: the answer was wrong and the result left out: {row['key']}")
    if cut:
        all_of_it.notes.append(cut)
    if not all_of_it.is_finished:
        all_of_it.notes.append("the run was not finished")
    if not all_of_it.quantities:
        raise Broken(f"{name} has no result that can be used")
    disturbed, rows = all_of_it.disturbed()
    if disturbed:
        all_of_it.notes.append(f"DISTURBED: others used the machine in {disturbed} of {rows} results")
    return all_of_it


def read(path):
    """Read a file. Throws: Broken."""
    try:
        with open(path, encoding="utf-8") as file:
            return parse(file.read().splitlines(), path)
    except (OSError, UnicodeDecodeError) as problem:
        raise Broken(f"{path} cannot be read: {problem}") from None
