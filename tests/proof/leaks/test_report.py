"""proof.leaks.report: rows for programs, words for people."""

from __future__ import annotations

import json
import pickle

import pytest

from flatwater import errors
from flatwater.proof.leaks import report
from flatwater.proof.leaks.report import Cycles, Leak, LeakReport, Part


def some(kind="container", count=1, size=2048):
    return Leak(kind, "app.CACHE (dict)", count, size, ("app.CACHE['k']", "Row"), (Part("app.Row", 1, 56),), "maybe")


def test_the_table():
    """What, how much a round, who holds it, and what to do, each on a line."""
    text = str(LeakReport("app.load", [some()], None, 8, 2, 18, ["a note"]))
    for words in (
        "1 leak in app.load, 2.0 KiB a round",
        "1 entry longer after each round",
        "1 app.Row",
        "to do",
        "note: a note",
    ):
        assert words in text
    assert "held by  app.CACHE['k'] -> Row" in text


def test_what_is_only_larger():
    """Of a type of which there are not more, it is said that one is larger; bytes that nobody knows are not told."""
    leak = Leak("objects", "object", 1, 0, ("app.X",), (Part("str", 0, 5),))
    assert report.headline(leak) == "1 more object after each round"
    assert "with it  a larger str" in report.rows(leak)


@pytest.mark.parametrize("kind", report.ADVICE)
def test_each_kind_has_words(kind):
    """No kind is without a headline and an advice, for one, for many and for none."""
    for count in (0, 1, 5):
        leak = some(kind, count)
        assert report.headline(leak)
        assert leak.advice in "\n".join(report.rows(leak))


def test_holds_and_check():
    """Without leaks it holds, also beside cycles; with one, check raises the table."""
    clean = LeakReport("app.load", [], Cycles(4, 256, (), ("Node.me", "Node")), 8, 2, 10)
    clean.check()
    assert clean.holds
    assert "no leak, but: 4 objects a round in cycles" in str(clean)
    with pytest.raises(errors.ProofFailed, match=r"app\.CACHE"):
        LeakReport("app.load", [some()], None, 8, 2, 18).check()


def test_many_leaks_are_cut():
    """Of a hundred leaks the largest are printed, and the rest counted."""
    text = str(LeakReport("app.load", [some()] * 100, None, 8, 2, 18))
    assert f"and {100 - report.LEAKS_SHOWN} smaller ones" in text


def test_to_dict_and_pickle():
    """It survives JSON and a process border."""
    one = LeakReport("app.load", [some()], Cycles(4, 256, (Part("Node", 4, 256),), ("Node.me", "Node")), 8, 2, 18)
    data = json.loads(json.dumps(one.to_dict()))
    assert data["leaks"][0]["parts"] == [{"type_name": "app.Row", "objects": 1, "bytes": 56}]
    assert data["cycles"]["objects"] == 4
    assert data["holds"] is False
    assert str(pickle.loads(pickle.dumps(one))) == str(one)
