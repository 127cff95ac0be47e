"""`flatwater watch`: any running process, its memory against its limit, and when that will be reached.

Covers:     a screen on a terminal, lines in a pipe, JSON; until it ends, for some time, or once.
Not here:   looking (`watch.onlooking`), the words (`cli.reports.watch_text`), programs that flatwater starts (`cli.run`).
Holds:      what an onlooker holds.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import time
from typing import TYPE_CHECKING

import click

from flatwater import limits
from flatwater.cli.options import BytesType, SecondsType

if TYPE_CHECKING:
    from flatwater.watch.onlooking import Onlooker


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("pid", type=click.IntRange(1))
@click.option(
    "--budget", type=BytesType(),
    help="What it may have. If left out: the least that its control groups and its RLIMIT_DATA allow, or, where there is no such "
    f"limit, {limits.BUDGET_RAM_SHARE:.0%} of the machine's memory.",
)  # fmt: skip
@click.option("--alone", is_flag=True, help="Without its children.")
@click.option(
    "--interval", "interval_s", type=SecondsType(), default="1s", show_default=True, help="Between two readings."
)
@click.option("--for", "for_s", type=SecondsType(), help="End after so long; when the process ends, if left out.")
@click.option("--once", is_flag=True, help="One reading, and end.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each reading.")
def command(
    *, pid: int, budget: int | None, alone: bool, interval_s: float, for_s: float | None, once: bool, as_json: bool
) -> None:
    """Watch a process that runs already: its memory, the curve of it, and a forecast.

    It is only looked at: nothing is sent to it. Ctrl-C ends the watching, with a last line.

    Exit codes: 0; 1 if more than --budget was seen; 2 if there is no such process.
    """
    from flatwater.cli.reports import watch_text
    from flatwater.watch.onlooking import Onlooker

    if not limits.ONLOOK_INTERVAL_S_MIN <= interval_s <= limits.ONLOOK_INTERVAL_S_MAX:
        raise click.BadParameter(
            f"from {limits.ONLOOK_INTERVAL_S_MIN} to {limits.ONLOOK_INTERVAL_S_MAX} seconds.", param_hint="--interval"
        )
    if once and for_s is not None:
        raise click.UsageError("--once is one reading, beside which --for would do nothing.")
    with Onlooker(pid, alone=alone, limit_bytes=budget or 0) as seen:
        is_screen = _has_screen() and not as_json and not once
        with contextlib.suppress(KeyboardInterrupt):
            _watch(seen, interval_s=interval_s, for_s=0.0 if once else for_s, as_json=as_json, is_screen=is_screen)
        if not as_json and not once:
            click.echo(watch_text.ended(seen))
        if budget and seen.history.peak_anon > budget:
            raise click.exceptions.Exit(1)


def _has_screen() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM") not in {None, "", "dumb"}


def _watch(seen: Onlooker, *, interval_s: float, for_s: float | None, as_json: bool, is_screen: bool) -> None:
    """Look ten times a second at least, so that there is soon something to forecast from; show when it is due."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from flatwater.cli.reports import watch_text

    due_s = 0.0
    with contextlib.ExitStack() as ending:
        # On the alternate screen: what stands on the other one comes back, and no rest of a wider window is left behind.
        live = Live(console=Console(), auto_refresh=False, screen=True) if is_screen else None
        if live is not None:
            ending.enter_context(live)
        while seen.look():
            if seen.seconds >= due_s:
                due_s = seen.seconds + interval_s
                if live is not None:
                    live.update(Text(watch_text.screen(seen, shutil.get_terminal_size().columns)), refresh=True)
                else:
                    click.echo(json.dumps(watch_text.reading(seen)) if as_json else watch_text.line(seen))
            if for_s is not None and seen.seconds >= for_s:
                return
            time.sleep(min(limits.ONLOOK_PERIOD_S, interval_s))
        if as_json:
            click.echo(json.dumps(watch_text.reading(seen)))  # the last one says that it has ended
