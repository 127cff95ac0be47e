"""proof.sidebyside: the table of a comparison, as people read it."""

from __future__ import annotations

import runpy
from pathlib import Path

from flatwater.proof import sidebyside
from flatwater.proof.points import ScenarioFailed

HELPERS = runpy.run_path(str(Path(__file__).with_name("compared.py")))
compared, fails_from = HELPERS["compared"], HELPERS["fails_from"]
MIB = 1 << 20


def test_the_table():
    """A head and a line for each, aligned to the right; the first is 1x."""
    found = compared({"all": lambda n: 400 * n, "batched": lambda n: 2 * MIB}, target="10M", budget="256 MiB")
    head, first, second = sidebyside.table(found)
    words = [" ".join(line.split()) for line in (head, first, second)]
    assert words == [
        "at n=160,000 peak (rss) above start per item CPU wall verdict times less at target spent at n",
        "all 73.0 MiB 61.0 MiB 400 B 1.6 s 3.2 s grows (linear) 1x 3.7 GiB 639,631",
        "batched 14.0 MiB 2.0 MiB < 1.6 B 1.6 s 3.2 s constant 31x 14.0 MiB never",
    ]
    assert len({len(line) for line in (head, first, second)}) == 1
    assert len(head) < 122


def test_what_is_not_asked_has_no_column():
    """Without a target and a budget the table fits a hundred letters."""
    found = compared({"all": lambda n: 400 * n, "batched": lambda n: 0})
    head, _first, second = sidebyside.table(found)
    assert head.endswith("times less")
    assert second.endswith("at least 320x")
    assert len(head) < 100


def test_a_failed_one():
    """It has dashes instead of figures, and so has everybody's ratio to it."""
    error = ScenarioFailed("all at n=10,000 failed: ValueError.", n=10_000)
    found = compared({"all": fails_from(1, error), "batched": lambda n: 0}, budget="256 MiB")
    _head, first, second = sidebyside.table(found)
    assert first.split() == ["all", *"-----", "failed", "-", "-"]
    assert second.split()[-3:] == ["constant", "-", "never"]


def test_all_failed():
    """There is a table even so."""
    error = ScenarioFailed("it failed.", n=10_000)
    text = str(compared({name: fails_from(1, error) for name in ("a", "b")}))
    assert text.splitlines()[0].split()[0] == "scenario"
    assert "failed" in text.splitlines()[-1]


def test_rows_below():
    """A sentence for each, notes, and the outcome last; an undecided one says what it may be."""
    found = compared({"a": lambda n: 400 * n, "b": lambda n: MIB}, sizes=[10, 20, 40, 80, 160])
    labels = [label for label, _text in sidebyside.rows(found)]
    assert labels[:2] == ["a", "b"]
    assert labels[-1] == "undecided"


def test_long_names_keep_their_ends():
    """A name that does not fit loses its beginning, and the lines stay aligned."""
    long = "a/very/deep/folder/of/jobs.py::load_everything"
    found = compared({long: lambda n: 400 * n, "b": lambda n: MIB})
    _head, first, second = sidebyside.table(found)
    assert "...jobs.py::load_everything"[3:] in first
    assert long not in first
    assert len(first.split()[0]) == sidebyside.NAME_LETTERS
    assert len(second) <= len(first) + 20
