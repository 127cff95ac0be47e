"""What a schema learns."""

from __future__ import annotations

import pytest

from flatwater.sizing import Sizer, heap_bytes
from flatwater.sizing.schema import Constants

ROWS = 400
GIANT = 1_000_000


def trained(make):
    """A sizer that knows the rows `make(i)` gives."""
    sizer = Sizer()
    for i in range(ROWS):
        sizer.row(make(i))
    return sizer


class Loose(tuple):
    """A tuple of any length."""

    __slots__ = ()


FAT = {
    "one more column": (lambda i: Loose([i, f"text {i}"]), lambda: Loose([1, "a", "x" * GIANT])),
    "text": (lambda i: {"id": i, "t": f"text {i}"}, lambda: {"id": 1, "t": "x" * GIANT}),
    "number turned text": (lambda i: {"id": i, "n": i * 2}, lambda: {"id": 1, "n": "x" * GIANT}),
    "number turned huge": (lambda i: (i, i * 0.5), lambda: (1 << (8 * GIANT), 0.5)),
    "none turned bytes": (lambda i: (i, None), lambda: (1, bytes(GIANT))),
    "none turned nested": (lambda i: [i, None, "a"], lambda: [1, ["x" * GIANT], "a"]),
    "deep text": (lambda i: {"m": {"n": {"t": f"text {i}"}}}, lambda: {"m": {"n": {"t": "x" * GIANT}}}),
    "deeper than before": (lambda i: {"m": {"n": f"text {i}"}}, lambda: {"m": {"n": [["x" * GIANT]]}}),
    "a key": (lambda i: {"m": {f"key {i}": 1}}, lambda: {"m": {"x" * GIANT: 1}}),
    "a column's name": (lambda i: {f"key {i}": i}, lambda: {"x" * GIANT: 1}),
    "atom": (lambda i: f"text {i}", lambda: "x" * GIANT),
    "a list's length": (lambda i: [float(i)] * (i % 20), lambda: [float(i) for i in range(GIANT // 40)]),
    "constants": (lambda i: ["the same"] * (i % 30), lambda: ["x" * GIANT]),
}


@pytest.mark.parametrize("case", FAT)
@pytest.mark.parametrize("way", ["row", "batch"])
def test_one_fat_row_is_charged_in_full(case, way):
    """Whatever the rows before were like, a row of megabytes is charged its megabytes, and later ones are not."""
    make, fat = FAT[case]
    sizer = trained(make)
    rows = [make(i) for i in range(100)]
    before = sizer.batch(rows)
    row = fat()
    truth = heap_bytes(row)
    charged = sizer.row(row) if way == "row" else sizer.batch([*rows[:50], row, *rows[50:]]) - before
    assert charged == pytest.approx(truth, rel=0.25)
    assert sizer.batch(rows) == pytest.approx(before, rel=0.25)


def test_rows_that_become_larger_for_good_are_learned():
    """After a lasting change the charge follows, within a quarter."""
    sizer = trained(lambda i: {"id": i + 1000, "t": f"text {i}"})
    rows = [{"id": i + 1000, "t": f"text {i}" * 200} for i in range(500)]
    assert sum(map(sizer.row, rows)) == pytest.approx(heap_bytes(rows), rel=0.25)


def test_values_that_rows_share_are_charged_about_once():
    """Rows that are dropped as they come still show which of their values they share."""
    note = "shared note " * 30
    sizer = Sizer()
    charges = [sizer.row({"id": i + 1000, "note": note}) for i in range(300)]
    assert charges[0] > 400
    assert max(charges[100:]) < 400


def test_the_same_row_twice_proves_nothing():
    """A row charged twice pays for its values both times."""
    sizer = Sizer()
    row = (int("10" * 5), "".join(["text "] * 20))
    assert sizer.row(row) == sizer.row(row) == sizer.row(row)


def test_columns_of_changing_types():
    """Columns that are now a number, now None, now text are charged within a quarter."""
    values = (None, 1000, "text of a value", 0.5, b"bytes " * 5, [1000, 2000])
    rows = [{"a": values[i % 6], "b": f"b {i}", "c": [f"c {i}"] if i % 5 == 0 else None} for i in range(2000)]
    assert Sizer().batch(rows) == pytest.approx(heap_bytes(rows), rel=0.25)


def test_rows_that_refer_to_their_parents():
    """Rows in a cycle are charged, and in bounded time."""
    rows = []
    for i in range(200):
        parent = {"name": f"parent {i}", "children": []}
        parent["children"] += [{"parent": parent, "name": f"child {i} {j}"} for j in range(3)]
        rows.append(parent)
    assert Sizer().batch(rows) == pytest.approx(heap_bytes(rows), rel=0.25)


def test_the_constants_kept_are_bounded():
    """No more values are kept than the bound says, and no large one."""
    constants = Constants()
    for i in range(5000):
        constants.next_row([i])
        for j in range(20):
            constants.share(f"value {i} {j}", 1)
        constants.share("x" * 10_000, 1)
    assert heap_bytes(constants) <= constants.bytes_max()


def test_a_function_in_a_row_is_not_followed_to_its_module(monkeypatch):
    """Rows that hold a function are glanced at without looking at all that its module has."""
    monkeypatch.setitem(globals(), "large", [[number] for number in range(100_000)])
    sizer, rows = Sizer(), [(number, lambda: None) for number in range(1000)]
    sizer.batch(rows)
    schema = sizer._schema_of(rows[0])
    assert schema._levels == 0
    assert 50 < sizer.row((1234, len)) < 300
