"""The words of `flatwater run`: the live line, and the summary at the end.

Covers:     what each figure is, in the words of docs/numbers.md.
Not here:   the page for a browser (`run_html`).
Holds:      one text.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from flatwater import limits, units

if TYPE_CHECKING:
    from flatwater.watch.result import RunResult
    from flatwater.watch.supervise import Run

LABEL_WIDTH = 16
SUSPECTS_SHOWN = 5
SUSPECT_BYTES_MIN = 16 * units.MIB  # a program that holds its budget and grew by less has no suspects
RATE_WINDOW_S = 1.0
HEADROOM = 1.25  # of a suggested budget over the peak


def live_line(run: Run) -> str:
    """Memory now, against the budget, and the rate of the last second."""
    points = run.timeline.points()
    if not points:
        return "flatwater: starting"
    last = points[-1]
    earlier = next((point for point in reversed(points) if last.t_s - point.t_s >= RATE_WINDOW_S), points[0])
    seconds = last.t_s - earlier.t_s
    rate = (last.anon_max - earlier.anon_max) / seconds if seconds > 0 else 0.0
    budget = run.result.budget_bytes
    against = f" of {_size(budget)} ({100 * last.anon_max / budget:.0f} %)" if budget else ""
    return f"flatwater: {_size(last.anon_max)}{against}, {_rate(rate)}, {units.format_duration(last.t_s)}"


def render(result: RunResult) -> str:
    """The summary: a line a figure, at most about twenty lines."""
    lines = [click.style(f"flatwater run: {command_words(result.argv)[:200]}", bold=True)]
    lines += [f"  {label:<{LABEL_WIDTH}}{text}" for label, text in _figures(result)]
    lines += _suspects(result)
    lines += [f"  {'note':<{LABEL_WIDTH}}{plain(note)}" for note in result.notes]
    if result.profile:
        lines.append(f"  {'profile':<{LABEL_WIDTH}}{plain(result.profile)}")
    lines.append(f"  {'result':<{LABEL_WIDTH}}{verdict(result)}")
    if suggestion := next_command(result):
        lines.append(f"  {'next':<{LABEL_WIDTH}}{suggestion}")
    return "\n".join(lines) + "\n"


def _figures(result: RunResult) -> list[tuple[str, str]]:
    rows = [("peak", peak_words(result))]
    if result.budget_bytes:
        rows.append(("budget", f"{_size(result.budget_bytes)}, held by {limit_words(result)}"))
    rows.append(("pattern", result.pattern.words))
    if result.forecast is not None and not result.killed:
        rows.append(("forecast", result.forecast.words))
    rows.append(
        (
            "time",
            f"{units.format_duration(result.wall_s)} wall, {units.format_duration(result.cpu_s)} CPU, {_samples(result)}",
        )
    )
    return rows


def peak_words(result: RunResult) -> str:
    """The peak, its kind, and the anonymous part."""
    anon = f"{_size(result.peak_anon)} anonymous (sampled every 10 ms)" if result.samples else "anonymous not sampled"
    if result.peak_kind == "exact":
        return f"{_size(result.peak_rss)} resident (exact), {anon}"
    if not result.samples:
        return f"at most {_size(result.peak_rss_upper)} resident: it ended before it could be sampled"
    processes = f"{result.processes} processes" if result.processes > 1 else "1 process"
    return f"{_size(result.peak_rss)} to {_size(result.peak_rss_upper)} resident (interval, {processes}), {anon}"


def limit_words(result: RunResult) -> str:
    """What holds the budget."""
    scope = {"rlimit_data": "RLIMIT_DATA, each process on its own, and the tree is watched", "watched": "watching only"}
    words = scope.get(result.limit_kind, f"{result.limit_kind}, the whole tree")
    return f"{words} ({result.limit_note})" if result.limit_note else words


def verdict(result: RunResult) -> str:
    """How it ended, in one sentence."""
    if result.killed:
        growth = result.growth_before_end
        before = f", growing by {units.format_bytes(growth)}/s before the end" if growth > 0 else ""
        return click.style(
            f"killed by the budget of {_size(result.budget_bytes)}{before}: exit {result.exit_code}", fg="red"
        )
    if result.refused:
        return click.style(
            f"ended with code {result.exit_code} close to its budget of {_size(result.budget_bytes)}: "
            "most likely refused memory",
            fg="red",
        )
    how = (
        f"ended by {_signal_name(result.signal)}: exit {result.exit_code}"
        if result.signal
        else f"exit {result.exit_code}"
    )
    if result.budget_bytes:
        return click.style(f"stayed inside {_size(result.budget_bytes)}: {how}", fg="green")
    return how


def next_command(result: RunResult) -> str:
    """The command that is worth trying after this one; empty if there is none."""
    program = command_words(result.argv)
    if result.profile:
        return ""
    if not result.holds and result.suspects:
        whole, rest = divmod(result.budget_bytes, units.MIB)  # without the budget it might take the machine with it
        return f"flatwater run --budget {result.budget_bytes if rest else f'{whole}MiB'} --profile profile.json -- {program}"
    if not result.budget_bytes and result.peak_rss_upper and result.exit_code == 0:
        least = limits.LIMIT_BYTES_MIN // units.MIB
        megabytes = max(int(result.peak_rss_upper * HEADROOM / units.MIB) + 1, least)
        return f"flatwater run --budget {megabytes}MiB -- {program}"
    return ""


def _suspects(result: RunResult) -> list[str]:
    if not result.suspects or (result.holds and result.suspects_growth < SUSPECT_BYTES_MIN):
        return []
    lines = [
        f"  {'suspect lines':<{LABEL_WIDTH}}what was running while the peak rose by {_size(result.suspects_growth)}"
    ]
    for suspect in result.suspects[:SUSPECTS_SHOWN]:
        share = suspect.growth_bytes / result.suspects_growth
        if share < 0.01 and len(lines) > 1:  # noqa: PLR2004 - a per cent is noise
            break
        frame = suspect.frame
        inside = "" if suspect.inner == frame else f" > {suspect.inner.function}"
        where = f"{short(frame.file)}:{frame.line} {frame.function}{inside}"
        lines.append(
            f"    {share:4.0%}  {_size(suspect.growth_bytes):>9}  {plain(where):<36}  {plain(frame.source[:60])}".rstrip()
        )
    return lines


def command_words(argv: Sequence[str]) -> str:
    r"""A command as a shell reads it, with nothing in it that a terminal would obey.

    >>> print(command_words(["echo", "it's", "\x1b[31m", "two\nlines"]))
    echo 'it'"'"'s' $'\x1b[31m' $'two\nlines'
    """
    return " ".join(
        shlex.quote(word) if word.isprintable() else "$'" + plain(word.replace("\\", r"\\").replace("'", r"\'")) + "'"
        for word in argv
    )


def plain(text: str) -> str:
    """Text that comes from a program, without control characters; bytes that are no text as they were."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else _escape(letter) for letter in text)


def _escape(letter: str) -> str:
    if "\udc80" <= letter <= "\udcff":  # how Python keeps a byte that is no UTF-8
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return letter.encode("unicode_escape").decode()


def short(path: str) -> str:
    """A file's name relative to the working directory, where that is shorter."""
    try:
        relative = os.path.relpath(path) if os.path.isabs(path) else path
    except OSError:  # our own directory was removed
        return path
    return relative if len(relative) < len(path) else path


def _samples(result: RunResult) -> str:
    return f"{result.samples} samples" if result.samples != 1 else "1 sample"


def _signal_name(number: int) -> str:
    import signal

    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _size(count: float) -> str:
    return units.format_bytes(count)


def _rate(rate: float) -> str:
    return f"{'+' if rate > 0 else ''}{units.format_bytes(rate)}/s"
