#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every message that the library can say to a person stands in docs/messages.md, with its cause and what to do.

  message_catalogue.py [ROOT]          check that, and that the page names no message that the sources do not have
  message_catalogue.py --list [ROOT]   the messages of the sources, each with its places
  message_catalogue.py --self-test

A message is a text of three words or more in a statement that throws, refuses, warns, ends the job or writes to standard
error. What a program puts in, `{...}` in a format, is written as ... on the page, where messages stand in backquotes in the first
column of tables: | `one`<br>`another` | why |.
"""

import os
import re
import sys

PAGE = "docs/messages.md"
FOLDERS = ("lamellae", "substrate", "containers", "algorithms", "tools/lamellar_run")
# Words that make a statement one that says something to a person.
SAYS = re.compile(r"\b(?:throw|(?:misuse|refuse|abort|fail|give_up|end_job|end_with|warn|die|stranger|failure)\w*|stderr"
                  r"|corrupt\w*|[a-z_]*refused|why|reason|because|complaint)\b")
TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\\n]){1,4}\'|[\w]+|\s+|.', re.DOTALL)
WORDS = 3
# Sources that make what others say.
SAY_ALL = ("fabric/provider_reports.cpp", "fabric/probe.cpp", "substrate/src/waiting.cpp", "src/address_check.cpp", "src/membership.cpp",
           "detail/array_route.hpp", "rofi/control.cpp", "src/access_queue.cpp", "bootstrap/bootstrap.cpp",
           "lamellae/src/segments.cpp", "substrate/src/error.cpp", "src/array_errors.cpp", "src/conversion.cpp")


def statements(text):
    """Yield (tokens, line) of each statement, or part of one up to a brace of a body."""
    text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*$", lambda found: "\n" * found.group(0).count("\n"), text, flags=re.MULTILINE)
    tokens, line, start, round_brackets = [], 1, 1, 0
    for found in TOKEN.finditer(text):
        token = found.group(0)
        newlines = token.count("\n")
        if token.startswith(("//", "/*")) or token.isspace():
            line += newlines
            continue
        if not tokens:
            start = line
        round_brackets += (token == "(") - (token == ")")
        at_end = token == ";" or (token == "{" and tokens and tokens[-1] == ")" and round_brackets == 0)
        if at_end or (token == "}" and round_brackets == 0 and tokens and tokens[-1] == "}"):
            if token != ";":
                tokens.append(token)
            yield tokens, start
            tokens, round_brackets = [], 0
        else:
            tokens.append(token)
        line += newlines
    if tokens:
        yield tokens, start


def literals(tokens):
    """The texts in a statement; those that follow each other are one."""
    found, current = [], None
    for token in tokens:
        if token.startswith('"'):
            current = (current or "") + token[1:-1]
        elif current is not None:
            found.append(current)
            current = None
    return found + ([current] if current is not None else [])


def as_shown(literal):
    """A format as the page writes it."""
    text = literal.replace('\\"', '"').replace("\\n", " ").replace("{{", "\0").replace("}}", "\1")
    text = re.sub(r"\{[^{}]*\}", "...", text).replace("\0", "{").replace("\1", "}")
    return re.sub(r"\s+", " ", text).strip()


def is_message(text):
    return sum(len(re.findall("[A-Za-z]", word)) > 1 for word in text.split()) >= WORDS


def messages_of(text, say_all=False):
    """Yield (message, line) of one source."""
    for tokens, line in statements(text):
        if tokens and tokens[0] == "static_assert":
            continue
        if say_all or any(SAYS.fullmatch(token) for token in tokens):
            for literal in literals(tokens):
                shown = as_shown(literal)
                if is_message(shown):
                    yield shown, line


def sources(root):
    for folder in FOLDERS:
        for path, folders, files in os.walk(os.path.join(root, folder)):
            folders.sort()
            for file in sorted(files):
                if file.endswith((".hpp", ".cpp")):
                    yield os.path.join(path, file)


def all_messages(root):
    """{message: [places]}"""
    found = {}
    for path in sources(root):
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
        for message, line in messages_of(text, path.endswith(SAY_ALL)):
            found.setdefault(message, []).append(f"{os.path.relpath(path, root)}:{line}")
    return found


def all_texts(root):
    """Every text in the sources, whether it is said or not."""
    found = set()
    for path in sources(root):
        with open(path, encoding="utf-8") as stream:
            for tokens, _ in statements(stream.read()):
                found.update(as_shown(literal) for literal in literals(tokens))
    return found


def listed(page):
    """The messages that the page has: in backquotes, in the first column of a table."""
    rows = [line.split(" | ")[0] for line in page.splitlines() if line.startswith("| `")]
    return [message for row in rows for message in re.findall("`([^`]*)`", row)]


def check(root):
    """What is wrong, as lines of text."""
    with open(os.path.join(root, PAGE), encoding="utf-8") as file:
        on_page = listed(file.read())
    said = all_messages(root)
    wrong = [f"{places[0]}: not in {PAGE}: `{message}`" for message, places in said.items() if message not in on_page]
    texts = all_texts(root)
    wrong += [f"{PAGE}: no source says `{message}` (any more)" for message in on_page if message not in texts]
    return wrong


SAMPLE = r'''
#include "a header of some name"
static_assert(works, "this is for the compiler");  // "and this is a comment"
void f(int n) {
  if (n < 0) throw error{fmt::format("a number of {} items: "
                                     "it must be {{positive}}", n)};
  const std::string unsaid = "what nobody says to anybody";
  misuse(at, "two words");
  std::fputs("lamellar: it is \"you\"\n", stderr);
}
'''


def self_test():
    got = [message for message, _ in messages_of(SAMPLE)]
    expected = ["a number of ... items: it must be {positive}", 'lamellar: it is "you"']
    if got != expected:
        sys.exit(f"self-test: got {got}, expected {expected}")
    got = listed("| `one two`<br>`three` | why `not this` |\ntext `nor this`\n| `...` is | `a sample` |\n")
    if got != ["one two", "three", "..."]:
        sys.exit(f"self-test: got {got}")


def main():
    arguments = sys.argv[1:]
    rest = [each for each in arguments if not each.startswith("--")]
    root = rest[0] if rest else os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if "--self-test" in arguments:
        self_test()
    elif "--list" in arguments:
        for message, places in all_messages(root).items():
            print(message, *places, sep="\n    ")
    else:
        wrong = check(root)
        if wrong:
            sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
