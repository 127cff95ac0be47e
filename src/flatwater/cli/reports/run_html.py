"""The page of `flatwater run --html`: one file that opens anywhere and asks the network for nothing.

Covers:     the figures, the timeline against the budget, the suspect lines, what each number means.
Not here:   the terminal's words (`run_text`, whose sentences it shares), drawing (`chart`).
Holds:      one page of text.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from flatwater.cli.reports import page, run_text
from flatwater.cli.reports.chart import chart_of

if TYPE_CHECKING:
    from flatwater.watch.result import RunResult


def render(result: RunResult) -> str:
    """The page, UTF-8 text. Everything a program could influence is escaped."""
    points = result.timeline.points()
    return page.render(
        "run.html.j2",
        result=result,
        command=run_text.command_words(result.argv),
        verdict=click.unstyle(run_text.verdict(result)),
        state="bad" if not result.holds else "failed" if result.exit_code else "good",
        peak_words=run_text.peak_words(result),
        limit_words=run_text.limit_words(result) if result.budget_bytes else "none",
        next_command=run_text.next_command(result),
        chart=chart_of(points, budget_bytes=result.budget_bytes),
        suspects=_suspects(result),
        points=_script_json([[round(p.t_s, 3), p.rss_max, p.anon_max] for p in points]),
    )


def _suspects(result: RunResult) -> list[dict[str, object]]:
    whole = max(result.suspects_growth, 1)
    return [
        {
            "where": f"{suspect.frame.file}:{suspect.frame.line}",
            "function": suspect.frame.function,
            "inner": "" if suspect.inner == suspect.frame else suspect.inner.function,
            "source": suspect.frame.source,
            "growth": suspect.growth_bytes,
            "percent": round(100 * suspect.growth_bytes / whole),
            "stack": [f"{frame.file}:{frame.line} {frame.function}" for frame in suspect.stack],
        }
        for suspect in result.suspects
        if suspect.growth_bytes >= 0.01 * whole
    ]


def _script_json(value: object) -> str:
    """JSON that cannot end the script element it stands in."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
