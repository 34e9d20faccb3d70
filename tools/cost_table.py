#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The cost of the public operations, from the comments of the public headers.

  cost_table.py [ROOT]           check that docs/reference/costs.md is what the headers say
  cost_table.py --write [ROOT]   write it
  cost_table.py --self-test

A comment says `Cost: ...`, `Collective.` or `Not collective.` and `Throws: ...`, before one function in `///`, or for all
that follow in `//`: at the top of a header, and below a line `// ---- what these are ----`.
"""

import os
import re
import sys
from dataclasses import dataclass, field

LAYERS = ["substrate", "containers", "algorithms"]
PAGE = "docs/reference/costs.md"
FIELDS = ("Cost", "Done", "Throws", "Requires", "Shapes", "Misuse", "Sources?", "Limits?", "Memory", "Threads", "Thread-safety",
          "Errors", "Steps")
END_OF_FIELD = r"(?=\n|\s(?:" + "|".join(FIELDS) + r"): |\s(?:Not collective|Collective)\b|\sThrows, on |$)"
# Headers of what messages are made of, and of what is no operation.
LEFT_OUT = ("archive", "bitwise", "bytes", "codec", "fields", "record", "signature", "transferable", "item_route", "hash",
            "kokkos_view", "complex", "keyed_reply", "layout", "statistics")


@dataclass
class Remarks:
    """What a comment says about cost."""
    cost: str = ""
    throws: str = ""
    collective: str = ""  # "yes", "no", or "" where it is not said

    @staticmethod
    def of(text):
        def value(name):
            found = re.search(rf"\b{name}(?:, ([^:.]*))?: (.*?){END_OF_FIELD}", text)
            if not found:
                return ""
            first = found.group(1) + ": " if found.group(1) else ""
            return (first + found.group(2)).strip().rstrip(".")
        cost = value("Cost")
        as_another = re.search(r"\bCosts?(?: and \w+)?,? (as [\w:]+(?:\(\))?(?:, per item)?)", text)
        if not cost and as_another:
            cost = as_another.group(1)
        heading = re.match(r"---- .*?\b(as in \w+|as the \w+'s|as \w+\(\)).*? ----", text)
        if not cost and heading:
            cost = heading.group(1)
        collective = ""
        if re.search(r"\bNot collective\b", text):
            collective = "no"
        elif re.search(r"\bCollective\b|\b(is|are) collective\b|\bare tasks and collective\b", text):
            collective = "yes"
        return Remarks(cost, value("Throws"), collective)

    def or_else(self, other):
        return Remarks(self.cost or other.cost, self.throws or other.throws, self.collective or other.collective)


@dataclass
class Operation:
    owner: str      # the class, or ""
    call: str       # name and names of arguments
    gives: str      # the type that it returns
    does: str       # the comment's first sentence
    remarks: Remarks


@dataclass
class Scope:
    kind: str
    name: str
    visible: bool
    section: Remarks = field(default_factory=Remarks)
    hidden: bool = False  # what follows is for the library itself


def split_outside(text, separator, depth_of=("(<[{", ")>]}")):
    """Split where no bracket is open; the > of -> and => closes none."""
    parts, depth, current = [], 0, ""
    for at, char in enumerate(text):
        if char in depth_of[0]:
            depth += 1
        elif char in depth_of[1] and not (char == ">" and at > 0 and text[at - 1] in "-="):
            depth -= 1
        if char == separator and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += char
    return parts + [current]


def without_template(text):
    """A declaration without template <...> before it."""
    while text.startswith("template"):
        depth = 0
        for at, char in enumerate(text):
            depth += (char == "<") - (char == ">")
            if char == ">" and depth == 0:
                text = text[at + 1:].strip()
                break
        else:
            return ""
    return text


def parse_declaration(text):
    """(call, type that is returned) of the declaration of a function, or None."""
    text = without_template(re.sub(r"\s+", " ", text).strip())
    text = re.sub(r"^\[\[\w+\]\] ", "", text)
    if re.match(r"(friend|using|typedef|concept|static_assert|enum|extern|inline constexpr|constexpr)\b", text):
        return None
    before = split_outside(text, "(", ("<[{", ">]}"))[0].strip()
    found = re.search(r"(?<![\w:])([a-z_]\w*|operator[^\s\w]+)$", before)
    if found is None or len(before) == len(text) or found.group(1) in ("requires", "decltype", "noexcept"):
        return None
    name = found.group(1)
    rest = text[text.index("(", found.end() - 1):]
    depth, end = 0, 0
    for end, char in enumerate(rest):
        depth += (char == "(") - (char == ")")
        if depth == 0:
            break
    arguments = []
    for argument in split_outside(rest[1:end], ","):
        argument = split_outside(argument, "=")[0].strip()
        words = re.findall(r"(\.\.\.\s*)?(\w+)$", argument)
        if not words or words[0][1] == "where" or "source_location" in argument:
            continue
        if len(re.findall(r"\w+", argument)) > 1:  # else a type without a name
            arguments.append(words[0][1] + ("..." if words[0][0] else ""))
    words = [word for word in split_outside(before[:found.start()].strip(), " ")
             if word not in ("static", "inline", "explicit", "virtual", "constexpr", "friend", "const", "")]
    gives = words[-1] if words else ""
    trailing = re.search(r"->\s*(.+)$", rest[end:])
    if gives == "auto" and trailing:
        gives = split_outside(trailing.group(1), " ")[0]
    return f"{name}({', '.join(arguments)})", gives


class Header:
    """Reads one header: its public functions with what comments say of them."""

    def __init__(self, text):
        self.operations = []
        self.scopes = []
        self.whole = Remarks()     # what the top of the header says for all
        self.doc, self.plain, self.statement = [], [], ""
        self.round, self.skipped = 0, 0
        for line in text.splitlines():
            if re.match(r"\s*// ---- detail -", line):
                break
            self.take_line(line)

    def take_line(self, line):
        comment = re.match(r"\s*(///?)(?!<) ?(.*)$", line)
        if comment and self.statement.strip() == "" and self.skipped == 0:
            (self.doc if comment.group(1) == "///" else self.plain).append(comment.group(2))
            return
        if self.plain:
            self.end_plain()
        if re.match(r"\s*#", line) or not line.strip():
            return
        self.take_code(re.sub(r'"(\\.|[^"\\])*"', '""', re.sub(r"\s//.*$", "", line)) + "\n")

    def end_plain(self):
        """A comment for all that follows, if it has a heading, or says what things cost."""
        text = joined(self.plain)
        self.plain = []
        remarks = Remarks.of(text)
        inside = self.scopes[-1] if self.scopes and self.scopes[-1].kind == "class" else None
        if inside is None:
            if remarks.cost:
                self.whole = remarks
        elif text.startswith("----") or remarks.cost:
            inside.section = remarks
            inside.hidden = False
        elif text.startswith("Travelling"):
            inside.hidden = True

    def take_code(self, code):
        for char in code:
            if self.skipped:
                self.skipped += (char == "{") - (char == "}")
                continue
            if char in "()":
                self.round += 1 if char == "(" else -1
            if self.round > 0 or char not in "{};:":
                self.statement += char
            elif char == "{":
                self.open_scope()
            elif char == "}":
                self.statement = ""
                if self.scopes:
                    self.scopes.pop()
            elif char == ";":
                self.end_statement()
            elif char == ":":
                if self.statement.strip() in ("public", "private", "protected"):
                    self.scopes[-1].visible = self.statement.strip() == "public"
                    self.statement, self.doc = "", []
                else:
                    self.statement += char

    def open_scope(self):
        text = without_template(re.sub(r"\s+", " ", self.statement).strip())
        space = re.match(r"(?:inline )?namespace ?([\w:]*)", text)
        kind = re.match(r"(?:requires .* )?(class|struct) (?:\[\[\w+\]\] )?(\w+)(?: final)?(?: ?:.*)?$", text)
        if space:
            self.scopes.append(Scope("namespace", space.group(1), "detail" not in space.group(1)))
        elif kind:
            self.scopes.append(Scope("class", kind.group(2), kind.group(1) == "struct"))
        else:
            self.end_statement()
            self.skipped = 1
            return
        self.statement, self.doc = "", []

    def end_statement(self):
        text, self.statement = self.statement, ""
        doc, self.doc = joined(self.doc), []
        if not text.strip() or not all(scope.visible for scope in self.scopes):
            return
        classes = [scope for scope in self.scopes if scope.kind == "class"]
        if classes and doc.startswith("For the library"):
            classes[-1].hidden = True
        found = parse_declaration(text)
        if found is None or (classes and classes[-1].hidden):
            return
        owner = "::".join(scope.name for scope in classes)
        call, gives = found
        name = call.split("(")[0]
        if not gives or gives == "~" or "operator" in (gives, name[:8]) or name.startswith(("local_", "check_", "add_item")):
            return
        remarks = Remarks.of(doc)
        if not remarks.cost:
            remarks = self.inherited(owner, name, doc, classes, remarks)
        remarks = remarks.or_else(classes[-1].section if classes else Remarks()).or_else(self.whole)
        inside = [scope.name for scope in self.scopes if scope.kind == "namespace"]
        inside = "::".join(inside).removeprefix("lamellar").removeprefix("::")
        if inside and not classes:
            call = f"{inside}::{call}"
        does = re.split(r"(?<=[^.][.:;])\s|\n", re.sub(rf"^({'|'.join(FIELDS)}): .*", "", doc), maxsplit=1)[0].rstrip(".:;")
        self.operations.append(Operation(owner, call, gives, does, remarks))

    def inherited(self, owner, name, doc, classes, remarks):
        """Where a comment says nothing of cost: as the operation before that it means."""
        known = [each for each in self.operations if each.owner == owner and each.remarks.cost]
        same_name = [each for each in known if each.call.split("(")[0] == name]
        if same_name and not (classes and classes[-1].section.cost):
            return remarks.or_else(same_name[-1].remarks)
        if known and doc.startswith("The same") and " without " not in doc and self.operations[-1] is known[-1]:
            return remarks.or_else(known[-1].remarks)
        means = re.match(r"(?:As )?((?:\w+::)?\w+\(\))", doc)
        if means:
            return Remarks("as " + means.group(1), "", "").or_else(remarks)
        return remarks


def joined(lines):
    """The lines of a comment; an empty one begins a new line."""
    return re.sub(r" *\n *", "\n", " ".join(line if line else "\n" for line in lines)).strip()


def by_its_type(gives):
    """What the type that an operation returns says about its cost, for the table; "" if that is not enough."""
    answers = gives.startswith(("reply", "completion")) or "_reply" in gives
    return "*one round trip*" if answers else ""


def short(gives):
    """A type that fits into a table."""
    return gives if len(gives) <= 40 else gives.split("<")[0] + "<...>"


INTRODUCTION = """# What operations cost

Made from the comments of the public headers by `tools/cost_table.py --write`; a test checks that it is what they say. *n* is a number of elements, *P*
of PEs.

The type that an operation returns tells most of it:

* `void`: buffered, no answer; done when `quiesce()` or `wait_all()` has returned.
* `reply<T>`, `completion<T>`: one round trip to each owner that is asked, under way when the call returns. Where the memory is mapped, a
  load or store.
* `task<T>`: begins when it is awaited. Collective where the table says so: all members call it, in the same order.
* Everything else, and whatever is called `local_...`: no communication. It is listed only where its comment says what it costs.

Where a comment adds nothing to that, a round trip is in italics and other costs are left open. `auto` is a type that depends on the arguments: a
`reply` where it is the answer of one call.
"""


def cell(text):
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


def table(layer, path, operations):
    """The lines of one header's table; none, if there is nothing to say."""
    rows = []
    for each in operations:
        cost = each.remarks.cost or by_its_type(each.gives)
        if not cost and not each.gives.startswith("task"):
            continue
        owner = f"{each.owner}::" if each.owner else ""
        throws = f"; throws {each.remarks.throws}" if each.remarks.throws not in ("", "nothing") else ""
        collective = {"yes": "collective", "no": "", "": ""}[each.remarks.collective]
        rows.append(f"| `{short(each.gives)}` `{owner}{each.call}` | {cell(each.does)} | {cell(cost + throws)} | {collective} |")
    if not rows:
        return []
    name = os.path.basename(path)
    return [f"### {path.split('/', 1)[1] if path.count('/') > 1 else name}".replace(f"{layer}/", ""), "",
            "| operation | does | cost | |", "| --- | --- | --- | --- |", *rows, ""]


def page(root):
    lines = [INTRODUCTION]
    for layer in LAYERS:
        include = os.path.join(root, layer, "include", "lamellar")
        lines += [f"## {layer}", ""]
        for folder, folders, files in os.walk(os.path.join(include, layer)):
            folders[:] = sorted(name for name in folders if name != "detail")
            for file in sorted(files):
                if not file.endswith(".hpp") or file.removesuffix(".hpp") in LEFT_OUT:
                    continue
                path = os.path.join(folder, file)
                with open(path, encoding="utf-8") as stream:
                    operations = Header(stream.read()).operations
                lines += table(layer, os.path.relpath(path, include).replace(os.sep, "/"), operations)
    return "\n".join(lines).rstrip("\n") + "\n"


SAMPLE = """#pragma once
// What it is. Cost: a look at all. Threads: any.
namespace lamellar {
/// Do it. Then rest.
/// Cost: one round
/// trip. Collective. Throws: out_of_memory on all.
template <class T, class F = std::plus<>>
  requires list<T> task<std::vector<T>> act(const T& on, F f = {}, std::size_t n = 3,
                                            std::source_location where = current());
class box {
 public:
  box() = default;
  // ---- many ----
  // Cost: a record each. Not collective.
  /// Put it in.
  void put(int k) const { if (k > 0) { other(k); } }
  std::size_t size() const { return 0; }
 private:
  void secret();
};
namespace detail { void inner(); }
}  // namespace lamellar
// ---- detail ----
namespace lamellar { void more(); }
"""


def self_test():
    operations = Header(SAMPLE).operations
    got = [(each.owner, each.call, each.gives, each.does, each.remarks.cost, each.remarks.collective, each.remarks.throws)
           for each in operations]
    expected = [("", "act(on, f, n)", "task<std::vector<T>>", "Do it", "one round trip", "yes", "out_of_memory on all"),
                ("box", "put(k)", "void", "Put it in", "a record each", "no", ""),
                ("box", "size()", "std::size_t", "", "a record each", "no", "")]
    if got != expected:
        sys.exit(f"self-test: got\n{got}\nexpected\n{expected}")


def main():
    arguments = sys.argv[1:]
    if "--self-test" in arguments:
        return self_test()
    write = "--write" in arguments
    rest = [each for each in arguments if each != "--write"]
    root = rest[0] if rest else os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    path = os.path.join(root, PAGE)
    text = page(root)
    if write:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return None
    with open(path, encoding="utf-8") as file:
        shown = file.read()
    if shown != text:
        old, new = shown.splitlines(), text.splitlines()
        different = [f"+ {line}" for line in new if line not in old] + [f"- {line}" for line in old if line not in new]
        sys.exit("\n".join([f"{PAGE} is not what the headers say; run tools/cost_table.py --write", *different[:20]]))
    return None


if __name__ == "__main__":
    main()
