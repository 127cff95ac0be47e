"""The words of `flatwater watch`: a screen, a line, a reading as JSON, the end.

Covers:     sizes against the limit, the curve in one row and its scale, the forecast.
Not here:   looking (`watch.onlooking`), drawing again and again (`cli.watch`).
Holds:      one screen of text.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from flatwater import units

if TYPE_CHECKING:
    from flatwater.watch.onlooking import Onlooker

BARS = " ▁▂▃▄▅▆▇█"
LABEL = 10  # columns of what a row is about
WIDTH_MAX = 120
ROWS_MAX = 16  # of one text, on a narrow terminal


def reading(seen: Onlooker) -> dict[str, object]:
    """For JSON."""
    return {
        "pid": seen.pid,
        "seconds": round(seen.seconds, 3),
        "rss_bytes": seen.rss,
        "anon_bytes": seen.anon,
        "processes": seen.processes,
        "peak_rss_bytes": seen.history.peak_rss,
        "peak_anon_bytes": seen.history.peak_anon,
        "limit_bytes": seen.limit_bytes,
        "limit_source": seen.limit_source,
        "ended": seen.has_ended,
        "forecast": seen.forecast.to_dict(),
    }


def line(seen: Onlooker) -> str:
    """One reading, for a pipe."""
    share = seen.anon / seen.limit_bytes
    return (
        f"{units.format_duration(seen.seconds):>8}  {units.format_bytes(seen.rss):>9} resident  "
        f"{units.format_bytes(seen.anon):>9} anonymous ({share:.0%} of {units.format_bytes(seen.limit_bytes)})  {seen.forecast.words}"
    )


def screen(seen: Onlooker, columns: int) -> str:
    """All there is to see, in so many columns."""
    width = max(20, min(columns, WIDTH_MAX))
    share = seen.anon / seen.limit_bytes
    many = f", {seen.processes} processes" if seen.processes > 1 else ""
    rows = [
        ("process", f"{seen.pid}  {seen.name}{many}"),
        ("resident", f"{units.format_bytes(seen.rss)}, at most {units.format_bytes(seen.history.peak_rss)}"),
        ("anonymous", f"{units.format_bytes(seen.anon)}, at most {units.format_bytes(seen.history.peak_anon)}"),
        *_wrapped(
            "limit", f"{units.format_bytes(seen.limit_bytes)}, of which {share:.0%} ({seen.limit_source})", width
        ),
        ("", _bar(share, width - LABEL - 2)),
        ("curve", curve(seen, width - LABEL - 2)),
        *_wrapped("", scale(seen), width),
        *_wrapped("forecast", seen.forecast.words, width),
        ("watched", units.format_duration(seen.seconds)),
    ]
    return "\n".join(f"{label:<{LABEL}}{text}"[:width] for label, text in rows)


def curve(seen: Onlooker, width: int) -> str:
    """The anonymous size over the time that was watched, from nothing to the highest."""
    points = seen.history.points()
    if not points:
        return ""
    first, last = points[0].t_s, points[-1].t_s
    highest = max(point.anon_max for point in points) or 1
    columns = [0] * min(width, len(points))
    for point in points:
        place = int((point.t_s - first) / max(last - first, 1e-9) * (len(columns) - 1))
        columns[place] = max(columns[place], point.anon_max)
    before = 0
    for place, value in enumerate(columns):
        before = columns[place] = value or before
    return "".join(BARS[round(value / highest * (len(BARS) - 1))] for value in columns)


def scale(seen: Onlooker) -> str:
    """What the curve's height and its width stand for."""
    points = seen.history.points()
    if not points:
        return ""
    highest = units.format_bytes(max(point.anon_max for point in points))
    return f"from 0 to {highest}, over {units.format_duration(points[-1].t_s - points[0].t_s)}"


def ended(seen: Onlooker) -> str:
    """The last line."""
    how = "the process has ended" if seen.has_ended else "it goes on"
    peak, limit = units.format_bytes(seen.history.peak_anon), units.format_bytes(seen.limit_bytes)
    return f"watched for {units.format_duration(seen.seconds)}: {peak} anonymous at most, of {limit}; {how}. {seen.forecast.words}"


def _wrapped(label: str, words: str, width: int) -> list[tuple[str, str]]:
    rows = textwrap.wrap(words, width - LABEL, max_lines=ROWS_MAX)
    return [(label if number == 0 else "", row) for number, row in enumerate(rows)]


def _bar(share: float, width: int) -> str:
    full = max(0, min(width, round(share * width)))
    return "█" * full + "░" * (width - full)
