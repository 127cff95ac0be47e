"""watch.account: promised beside seen."""

from __future__ import annotations

import json
import sys
import threading

import pytest

from flatwater.meter import Probe
from flatwater.watch import promised_and_seen
from flatwater.watch.account import HOLDERS_SHOWN, Account

MIB = 1 << 20


class FakeBudget:
    limit = 64 * MIB
    held = 24 * MIB
    peak = 32 * MIB

    def __init__(self, rows=()):
        self.rows = list(rows)

    def holders(self):
        return self.rows


def account(**changed):
    figures = {
        "limit": 64 * MIB, "promised": 10 * MIB, "promised_peak": 20 * MIB, "rss": 40 * MIB, "anon": 30 * MIB,
        "rss_peak": 50 * MIB, "reusable": -1,
    }  # fmt: skip
    return Account(**{**figures, **changed})


def test_both_sides_are_read():
    """What the budget counts is taken as it is; what is seen is this process's own size, within a page a thread."""
    seen = promised_and_seen(FakeBudget([("flow", MIB, MIB), ("store.cache", 23 * MIB, 30 * MIB)]))
    rss, anon = Probe().read()
    assert (seen.limit, seen.promised, seen.promised_peak) == (64 * MIB, 24 * MIB, 32 * MIB)
    assert seen.holders == (("store.cache", 23 * MIB), ("flow", MIB))
    assert abs(seen.rss - rss) < 4 * MIB
    if sys.platform == "linux":
        assert abs(seen.anon - anon) < 4 * MIB
        assert seen.rss_peak >= seen.rss - MIB


def test_memory_that_nobody_promised_moves_the_difference():
    """32 MiB that are touched and not reserved are 32 MiB more of difference."""
    before = promised_and_seen(FakeBudget())
    held = bytearray(b"x") * (32 * MIB)
    after = promised_and_seen(FakeBudget())
    assert after.difference - before.difference == pytest.approx(len(held), rel=0.1)


def test_the_ambient_budget_is_the_default():
    """Without an argument it is the budget of the `with` block around."""
    budget = pytest.importorskip("flatwater.budget").Budget
    with budget("64 MiB") as ambient, ambient.reserve("3 MiB", "flow"):
        found = promised_and_seen()
    assert (found.limit, found.promised, found.holders) == (64 * MIB, 3 * MIB, (("flow", 3 * MIB),))


@pytest.mark.parametrize(
    ("changed", "difference", "words"),
    [
        ({}, 20 * MIB, "20.0 MiB nobody promised: the interpreter, modules"),
        ({"promised": 35 * MIB}, -5 * MIB, "5.0 MiB are promised and not touched yet"),
        ({"reusable": 8 * MIB}, 20 * MIB, "8.0 MiB freed but kept by allocators, 12.0 MiB the interpreter"),
        ({"reusable": 90 * MIB}, 20 * MIB, "20.0 MiB freed but kept by allocators, 0 B the interpreter"),
        ({"anon": -1}, 30 * MIB, "30.0 MiB nobody promised"),
    ],
)
def test_the_difference_is_named(changed, difference, words):
    """Promised and untouched, kept by allocators, or nobody's; where anonymous memory is unknown, resident counts."""
    found = account(**changed)
    assert found.difference == difference
    assert words in found.words


def test_unknown_figures_are_null_and_unknown():
    """What the platform does not tell is None in JSON and "unknown" in the table, never -1."""
    found = account(anon=-1, rss_peak=-1, doubt="no anonymous sizes here")
    seen = json.loads(json.dumps(found.to_dict()))["seen"]
    assert (seen["anon_bytes"], seen["rss_peak_bytes"], seen["reusable_bytes"]) == (None, None, None)
    assert "unknown" in str(found)
    assert "-1" not in str(found)
    assert str(found).endswith("doubt: no anonymous sizes here")


def test_the_table_is_short():
    """A thousand holders show as the largest ten; JSON has them all."""
    rows = tuple((f"holder {n}", (1000 - n) * MIB) for n in range(1000))
    found = account(holders=rows)
    assert str(found).count("holder ") == HOLDERS_SHOWN
    assert len(found.to_dict()["promised"]["holders"]) == 1000


def test_a_running_program_may_be_asked_from_any_thread():
    """Eight threads that ask at once each get an account of the same budget."""
    found, errors = [], []

    def ask():
        try:
            found.extend(promised_and_seen(FakeBudget()) for _ in range(50))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert {one.promised for one in found} == {24 * MIB}
    assert len(found) == 400
