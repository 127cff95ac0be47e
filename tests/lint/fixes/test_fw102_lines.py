"""`for line in file.readlines()` becomes `for line in file`, where nobody can tell."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

KEPT = {
    "it prints": """
        def f(path):
            with open(path) as file:
                for line in file.readlines():
                    print(line)
        """,
    "it yields": """
        def f(path):
            with open(path) as file:
                for line in file.readlines():
                    yield line
        """,
    "it breaks off": """
        def f(path):
            found = []
            with open(path) as file:
                for line in file.readlines():
                    if line == "end": break
                    found.append(line)
            return found
        """,
    "it returns": """
        def f(path):
            with open(path) as file:
                for line in file.readlines():
                    if line == "end": return 1
        """,
    "the file is used in it": """
        def f(path):
            found = []
            with open(path) as file:
                for line in file.readlines():
                    found.append(file.tell())
            return found
        """,
    "the file is used behind it": """
        def f(path):
            found = []
            with open(path) as file:
                for line in file.readlines():
                    found.append(line)
                found.append(file.tell())
            return found
        """,
    "the file is known to others": """
        import csv
        def f(path):
            with open(path) as file:
                reader = csv.reader(file)
                found = [line.strip() for line in file.readlines()]
                return found, list(reader)
        """,
    "a list of somebody else's": """
        def f(path, found):
            with open(path) as file:
                for line in file.readlines():
                    found.append(line)
        """,
    "a list that others have": """
        def f(self, path):
            self.found = found = []
            with open(path) as file:
                for line in file.readlines():
                    found.append(line)
        """,
    "a list that others have been given": """
        def f(path, keep):
            found = []
            keep(found)
            with open(path) as file:
                for line in file.readlines():
                    found.append(line)
        """,
    "a list that others are given in the next round": """
        def f(paths, keep):
            found = []
            for path in paths:
                with open(path) as file:
                    for line in file.readlines():
                        found.append(line)
                keep(found)
        """,
    "a function that holds the list": """
        def f(path):
            found = []
            def look(): return found
            g(look)
            with open(path) as file:
                for line in file.readlines():
                    found.append(line)
        """,
    "an attribute": """
        def f(self, path):
            with open(path) as file:
                for line in file.readlines():
                    self.last = line
        """,
    "a global": """
        last = ""
        def f(path):
            global last
            with open(path) as file:
                for line in file.readlines():
                    last = line
        """,
    "an error that is caught": """
        def f(path):
            found = []
            try:
                with open(path) as file:
                    for line in file.readlines():
                        found.append(line)
            except ValueError:
                pass
            return found
        """,
    "an error that is left out": """
        import contextlib
        def f(path):
            found = []
            with contextlib.suppress(ValueError), open(path) as file:
                for line in file.readlines():
                    found.append(line)
            return found
        """,
    "a call that is not known": """
        def f(path, g):
            with open(path) as file:
                return [g(line) for line in file.readlines()]
        """,
    "a method of somebody else's": """
        def f(path, target):
            with open(path) as file:
                for line in file.readlines():
                    x = target.replace(line)
        """,
    "the same by another name": """
        def f(path, target):
            with open(path) as file:
                for line in file.readlines():
                    x = target
                    x.replace(line)
        """,
    "the same out of a list": """
        def f(path, target):
            held = []
            with open(path) as file:
                for line in file.readlines():
                    held.append(target)
                    held[0].replace(line)
        """,
    "an iterator of somebody else's": """
        def f(path, names):
            with open(path) as file:
                return [dict(zip(names, line.split())) for line in file.readlines()]
        """,
    "a part of somebody else's dict": """
        def f(path, known):
            with open(path) as file:
                return [known[line] for line in file.readlines()]
        """,
    "a file that was given": """
        def f(file):
            return [line.strip() for line in file.readlines()]
        """,
    "a file of another kind": """
        import fsspec
        def f(path):
            with fsspec.open(path) as file:
                return [line.strip() for line in file.readlines()]
        """,
    "a bound": """
        def f(path):
            with open(path) as file:
                return [line.strip() for line in file.readlines(100)]
        """,
    "a loop around it": """
        def f(path):
            with open(path) as file:
                while True:
                    found = [line.strip() for line in file.readlines()]
        """,
    "it waits": """
        async def f(path, g):
            with open(path) as file:
                return [await g(line) for line in file.readlines()]
        """,
    "a walrus": """
        def f(path):
            with open(path) as file:
                return [last := line for line in file.readlines()], last
        """,
    "the list is kept": """
        def f(path):
            with open(path) as file:
                lines = file.readlines()
            for line in lines:
                x = line
            return lines
        """,
    "the second `for`": """
        def f(path):
            with open(path) as file:
                return [line for _ in range(2) for line in file.readlines()]
        """,
    "a class body": """
        class A:
            found = []
            with open("a") as file:
                for line in file.readlines():
                    found.append(line)
        """,
    "a key that calls": """
        def f(path, g):
            with open(path) as file:
                return [sorted(line, key=g) for line in file.readlines()]
        """,
}  # fmt: skip

CHANGED = {
    "a comprehension": """
        def f(path):
            with open(path) as file:
                return [line.split(",")[0] for line in file.readlines() if line.strip()]
        """,
    "behind a heading": """
        def f(path):
            with open(path, newline="") as file:
                names = file.readline().split()
                rows = {number: line.rstrip() for number, line in enumerate(file.readlines(), 1)}
            return names, rows
        """,
    "a parser": """
        def f(path):
            found = {}
            count = 0
            with open(path, encoding="ascii") as file:
                for line in file.readlines():
                    line = line.strip()
                    if not line or line.startswith("#"):
                        continue
                    key, _, value = line.partition("=")
                    found.setdefault(key.lower(), []).append(value)
                    count += 1
            return found, count
        """,
    "an error of the loop": """
        def f(path):
            total = 0
            with open(path, encoding="ascii") as file:
                for line in file.readlines():
                    total += int(line)
            return total
        """,
    "bytes": """
        import collections
        def f(path):
            counts = collections.Counter()
            with open(path, "rb") as file:
                for line in file.readlines():
                    for word in line.split():
                        counts[word] += len(word)
            return counts
        """,
    "lines of JSON": """
        import json
        def f(path):
            rows = []
            with open(path, "rb") as file:
                for line in file.readlines():
                    row = json.loads(line)
                    if isinstance(row, dict):
                        row["n"] = len(rows)
                        rows.append(row)
            return rows
        """,
    "patterns": """
        import re
        WORD = re.compile("[a-z]+")
        def f(path):
            found = set()
            with open(path, encoding="utf-8", errors="replace") as file:
                for number, line in enumerate(file.readlines()):
                    if match := None:
                        pass
                    found.add(WORD.split(line)[0])
            return found
        """.replace("                    if match := None:\n                        pass\n", ""),
    "each file anew": """
        def f(*paths):
            every = {}
            for path in paths:
                with open(path, "rb") as file:
                    found = []
                    for line in file.readlines():
                        found.append(line.upper())
                every[path] = found
            return every
        """,
}  # fmt: skip
LINES = st.one_of(
    st.binary(max_size=60),
    st.lists(st.sampled_from(["a=1", "#b", "", "12", "A = b", '{"x": 1}', "[1]", "é", "x y z", "a\x0cb\u2028c"]), max_size=8).map(
        lambda lines: "\n".join(lines).encode()
    ),
    st.lists(st.integers(-9, 9).map(str), max_size=8).map(lambda lines: "\r\n".join(lines).encode() + b"\r"),
)  # fmt: skip


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_nothing_is_changed(fixed, text):
    """Where somebody could tell that the file is still being read."""
    text = textwrap.dedent(text)
    assert fixed("FW102", text) == text


@pytest.mark.parametrize("text", CHANGED.values(), ids=CHANGED)
def test_it_goes_over_the_file(fixed, text):
    """Only `.readlines()` is gone."""
    text = textwrap.dedent(text)
    assert fixed("FW102", text) == text.replace(".readlines()", "")


@pytest.mark.parametrize("text", CHANGED.values(), ids=CHANGED)
def test_it_does_the_same(fixed, outcome, tmp_path, text):
    """Of any bytes, both give the same, or both raise."""
    before, path = textwrap.dedent(text), tmp_path / "data"
    after = fixed("FW102", before)

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(LINES)
    def same(data):
        path.write_bytes(data)
        one, other = outcome(before, str(path)), outcome(after, str(path))
        faults = {"UnicodeDecodeError", "ValueError", "JSONDecodeError", "IndexError", "TypeError"}
        assert one == other or {one[0], other[0]} <= faults

    same()


def test_comments_and_brackets_stay(fixed):
    """A comment within what would go keeps it; brackets around it stay."""
    kept = "def f(path):\n    with open(path) as file:\n        return [x.strip() for x in file.readlines(  # all\n        )]\n"
    assert fixed("FW102", kept) == kept
    text = "def f(path):\n    with open(path) as file:  # é\n        return [x.strip() for x in (\n            file.readlines()  # all\n        )]\n"
    assert fixed("FW102", text) == text.replace(".readlines()", "")
