"""`sum([…])` becomes `sum(…)`, where each step of the sum is seen by nobody."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

KEPT = {
    "any stops early": "def f(path):\n    with open(path) as file: return any([len(line) > 3 for line in file])",
    "all stops early": "def f(path):\n    with open(path) as file: return all([len(line) > 3 for line in file])",
    "a length": "def f(path):\n    with open(path) as file: return len([line for line in file])",
    "a part is written": "def f(path, copy):\n    with open(path) as file: copy.writelines([line.lower() for line in file])",
    "a call of the program's": "def f(path, g):\n    with open(path) as file: return sum([g(line) for line in file])",
    "one within a length": "def f(path, g):\n    with open(path) as file: return sum([len(g(line)) for line in file])",
    "a StopIteration": "def f(path, it):\n    with open(path) as file: return sum([len(next(it)) for line in file])",
    "adding what is not known": "def f(rows):\n    return sum([row[0] for row in rows])",
    "lists": "def f(path):\n    with open(path) as file: return sum([line.split() for line in file], [])",
    "the larger of two lists": "def f(path):\n    with open(path) as file: return max([len(line) for line in file], [1])",
    "a key": "def f(path, g):\n    with open(path) as file: return max([line.strip() for line in file], key=g)",
    "it waits": "async def f(path, g):\n    with open(path) as file: return sum([len(await g(line)) for line in file])",
    "a stream that waits": "async def f(stream):\n    return sum([len(each) async for each in stream])",
    "a walrus": "def f(path):\n    with open(path) as file: return sum([(n := len(line)) for line in file]), n",
    "another sum": "from x import sum\ndef f(path):\n    with open(path) as file: return sum([len(line) for line in file])",
    "a start that calls": "def f(path, g):\n    with open(path) as file: return sum([len(line) for line in file], g())",
}

CHANGED = {
    "lengths": ("sum([len(line) for line in file])", "sum(len(line) for line in file)"),
    "numbers": ("max([int(line) for line in file if line.strip()], default=0)", "max((int(line) for line in file if line.strip()), default=0)"),
    "a start": ("sum([float(x) * 2 for line in file for x in line.split()], 5)", "sum((float(x) * 2 for line in file for x in line.split()), 5)"),
    "texts": ("min([line.strip() for line in file])", "min(line.strip() for line in file)"),
    "counts": ("collections.Counter([line.lower() for line in file])", "collections.Counter(line.lower() for line in file)"),
    "a comma": ("sum([1 for line in file],)", "sum((1 for line in file),)"),
    "on lines of its own": ("sum(\n        [len(line) for line in file]\n    )", "sum(\n        len(line) for line in file\n    )"),
    "with comments": ("sum([  # all\n        len(line)  # of each\n        for line in file\n    ])", "sum(  # all\n        len(line)  # of each\n        for line in file\n    )"),
}  # fmt: skip
HEAD = "import collections\ndef f(path):\n    file = open(path)\n    return "


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_nothing_is_changed(fixed, text):
    """Where a step may be seen, or the end may not be reached."""
    assert fixed("FW205", text) == text


@pytest.mark.parametrize(("old", "new"), CHANGED.values(), ids=CHANGED)
def test_the_list_is_a_generator(fixed, old, new):
    """Brackets are gone, or are round where they must be; comments stay."""
    text = fixed("FW205", f"{HEAD}{old}\n")
    assert text == f"{HEAD}{new}\n"
    assert fixed("FW205", text) == text


@pytest.mark.parametrize("old", [each[0] for each in CHANGED.values()], ids=CHANGED)
def test_it_does_the_same(fixed, outcome, tmp_path, old):
    """Of any bytes, both give the same or raise the same."""
    before, path = f"{HEAD}{old}\n", tmp_path / "data"
    after = fixed("FW205", before)
    assert textwrap.dedent(after) != before

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.one_of(
            st.binary(max_size=40), st.lists(st.integers(-99, 99)).map(lambda each: "\n".join(map(str, each)).encode())
        )
    )
    def same(data):
        path.write_bytes(data)
        assert outcome(before, str(path)) == outcome(after, str(path))

    same()
