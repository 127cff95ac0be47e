"""Lines, rows and parts of answers, from bytes."""

import pytest

from flatwater import errors
from flatwater.budget.budget import Budget
from flatwater.live.client import reading


@pytest.fixture
def reservation():
    with Budget("10 MiB").reserve(1_000, "test") as made:
        yield made


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, 10_000])
def test_lines(reservation, size):
    """Lines are what they were, however their bytes are cut into pieces."""
    wanted = [b'{"a": %d}\n' % number for number in range(100)]
    text = b"".join(wanted)
    lines = reading.Lines(1_000, reservation)
    found = [line for at in range(0, len(text), size) for line in lines.feed(text[at : at + size])]
    lines.end()
    assert found == wanted


def test_a_line_without_an_end(reservation):
    """Is cut."""
    lines = reading.Lines(1_000, reservation)
    assert lines.feed(b"a\nb") == [b"a\n"]
    with pytest.raises(errors.BrokenError):
        lines.end()


def test_long_lines(reservation):
    """A line takes bytes while it arrives, gives them back, and may be so long and no longer."""
    lines = reading.Lines(200_000, reservation)
    for _ in range(19):
        assert lines.feed(b"x" * 10_000) == []
    assert reservation.bytes == 1_000 + 3 * 190_000
    assert len(lines.feed(b"\n")) == 1
    assert reservation.bytes == 1_000
    with pytest.raises(errors.LimitReached):
        lines.feed(b"x" * 200_001)


@pytest.mark.parametrize("wanted", [[10], [3, 3, 4], [1] * 10, [100]])
def test_parts(reservation, wanted):
    """A file of pieces gives what is asked for, and fewer bytes only at the end."""
    pieces = iter([b"01", b"2345", b"", b"6789"])
    pieces = iter([b"01", b"2345", b"6789"])
    parts = reading.Parts(lambda: next(pieces, b""), reservation)
    assert b"".join(parts.read(size) for size in wanted) == b"0123456789"
    assert parts.read(1) == b""
    with pytest.raises(errors.LimitReached):
        parts.read(1 << 40)


@pytest.mark.parametrize("said", ["", "id", "{}", "[1]", '["a"', '["\udcff"]'])
def test_columns_that_are_none(said):
    """A header that is no list of names is refused; without one they are not known yet."""
    with pytest.raises(errors.BrokenError, match="columns"):
        reading.columns_of({"flatwater-columns": said})
    assert reading.columns_of({}) == ()
    assert reading.columns_of({"flatwater-columns": '["a", "\\u00fc"]'}) == ("a", "ü")
