"""cli.reports.watch_text: what is shown of a process."""

from __future__ import annotations

import json
import os

import pytest

from flatwater.cli.reports import watch_text
from flatwater.units import MIB
from flatwater.watch.onlooking import Onlooker


@pytest.fixture
def seen():
    """This process, with a curve that was made up."""
    now = [0.0]
    with Onlooker(os.getpid(), alone=True, limit_bytes=100 * MIB, clock=lambda: now[0]) as made:
        for step in range(40):
            now[0] = step / 10
            made.rss, made.anon = (20 + step) * MIB, (10 + step) * MIB
            made.history.add(now[0], rss=made.rss, anon=made.anon)
        yield made


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_no_row_is_wider_than_the_terminal(seen, columns):
    """And each is there."""
    rows = watch_text.screen(seen, columns).splitlines()
    assert max(map(len, rows)) <= max(20, columns)
    assert [row.split()[0] for row in rows if row.strip()][:3] == ["process", "resident", "anonymous"]


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_a_narrow_terminal_cuts_no_words(seen, columns):
    """The limit with who says so, the scale and the forecast go on in the next row."""
    seen.limit_source = "50% of 8.0 GiB physical memory; no other limit was found"
    rows = watch_text.screen(seen, columns).splitlines()
    words = "".join(row[watch_text.LABEL :] for row in rows).replace(" ", "")
    for text in (f"100 MiB, of which 49% ({seen.limit_source})", watch_text.scale(seen), seen.forecast.words):
        assert text.replace(" ", "") in words
    assert [row.split()[0] for row in rows if row[: watch_text.LABEL].strip()] == [
        "process", "resident", "anonymous", "limit", "curve", "forecast", "watched",
    ]  # fmt: skip


def test_the_scale_of_the_curve(seen):
    """From nothing to the highest, and over which time, in the row below it; nothing before the first look."""
    rows = watch_text.screen(seen, 80).splitlines()
    at = next(number for number, row in enumerate(rows) if row.startswith("curve"))
    assert rows[at + 1].strip() == watch_text.scale(seen) == "from 0 to 49.0 MiB, over 3.9 s"
    with Onlooker(os.getpid(), alone=True, limit_bytes=100 * MIB) as fresh:
        assert watch_text.scale(fresh) == ""
        assert watch_text.screen(fresh, 80)


def test_the_curve_rises(seen):
    """From low to the highest."""
    drawn = watch_text.curve(seen, 40)
    assert len(drawn) == 40
    assert [watch_text.BARS.index(each) for each in drawn] == sorted(watch_text.BARS.index(each) for each in drawn)
    assert drawn[-1] == "█"


def test_a_reading_is_json(seen):
    """With bytes, and no infinity."""
    told = json.loads(json.dumps(watch_text.reading(seen)), parse_constant=pytest.fail)
    assert (told["anon_bytes"], told["limit_bytes"], told["ended"]) == (49 * MIB, 100 * MIB, False)
    assert told["forecast"]["seconds"] > 0


def test_lines_say_how_much_of_the_limit(seen):
    """And what the forecast says."""
    assert "49.0 MiB anonymous (49% of 100 MiB)" in watch_text.line(seen)
    assert "49.0 MiB anonymous at most, of 100 MiB; it goes on" in watch_text.ended(seen)
