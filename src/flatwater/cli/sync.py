"""`flatwater sync`: keep a destination as its source is: plan, apply, audit.

Covers:     the group and its three commands, what they print, how they end.
Not here:   their options (`cli.sync_options`), what they tell while they work (`cli.sync_telling`), the sync (`sync`).
Holds:      what a sync holds.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from flatwater import units
from flatwater.cli import main, sync_options
from flatwater.cli.groups import InOrder
from flatwater.cli.leaving import leaving_on_signals
from flatwater.cli.options import budget_of
from flatwater.cli.reports import files
from flatwater.cli.sync_telling import Telling

if TYPE_CHECKING:
    from flatwater.sync.auditing import Difference
    from flatwater.sync.report import Base
    from flatwater.sync.scanning import Told

_SIGNS = {"new": "+", "changed": "~", "pending": "~", "retry": "!", "refused": "x", "delete": "-"}
_SHOWN = 20  # of a plan's changes, unless all are asked for
_REASONS = 10  # of what failed, where little is said


@click.group("sync", cls=InOrder)
def command() -> None:
    """Keep a destination as its source is, however many files there are.

    SRC and DST are paths or URLs: s3://bucket/prefix, gs://, az://, ftp://user@host/path, ftps://, sftp://. What is known
    of each file is kept in a state on disk, so that an unchanged file costs no request to the destination, and a run that
    was killed goes on. Only files that a sync put there are ever deleted.

    Exit code 0: done. 1: more would be deleted than --max-delete allows (none was), an audit found files missing or altered, an
    alert threshold was crossed, or the budget is too small. 2: wrong use. 4: it failed, or single files or folders did; the
    next run tries them again. 130: Ctrl-C, 143: SIGTERM; the next run goes on.
    """


@command.command("plan", short_help="What apply would do; writes nothing.")
@sync_options.common
@click.option("--list", "lists", is_flag=True, help="Print every file that would be copied or deleted.")
@click.pass_context
def plan(ctx: click.Context, /, source: str | None, destination: str | None, *, lists: bool, **flags: Any) -> None:
    """Say what apply would do. Nothing is written, neither at the destination nor in the state.

    A line for each file: + new, ~ changed or left over, ! tried again, x cannot be copied, - deleted.

    \b
    Examples:
      flatwater sync plan photos s3://bucket/photos
      flatwater sync plan s3://bucket ftp://user@host/mirror --list
    """  # noqa: D301 - click reads the backspace as "keep these lines"
    from flatwater.sync.remote import shown, text_of

    _check(flags)

    def said(told: Told) -> None:
        reason = f"  ({told.reason})" if told.reason else ""
        size = "" if told.action == "delete" else f"  {units.format_bytes(told.size)}"
        click.echo(f"{_SIGNS[told.action]} {shown(told.path)}{size}{reason}", err=flags["json_path"] == "-")

    def each(told: Told) -> None:
        telling.event(
            {
                "event": "change",
                "action": told.action,
                "path": text_of(told.path),
                "size": told.size,
                "reason": told.reason,
            }
        )
        if lists and not flags["quiet"]:
            said(told)

    with leaving_on_signals(ctx), budget_of(flags["budget"], "sync"):
        sync = sync_options.made(ctx, source, destination, flags)
        with Telling(flags["json_path"], quiet=flags["quiet"] or lists) as telling:
            found = sync.plan(each, event=telling.event if telling.is_wanted else None)
            telling.event({"event": "report", **found.to_dict()})
    if not flags["quiet"]:
        changes = found.new + found.changed + found.pending + found.retry + found.refused + found.delete
        for told in [] if lists else found.changes[:_SHOWN]:
            said(told)
        if not lists and changes > _SHOWN:
            click.echo(f"and {changes - _SHOWN:,} more; --list prints all of them", err=flags["json_path"] == "-")
        click.echo(str(found), err=flags["json_path"] == "-")
    else:
        _say_unread(found)
    _end(ctx, main.DOES_NOT_HOLD if found.guard else main.FAILED if found.unread else main.HOLDS)


@command.command("apply", short_help="Copy what is new or changed, delete what is gone.")
@sync_options.common
@sync_options.of_apply
@click.pass_context
def apply(ctx: click.Context, /, source: str | None, destination: str | None, **flags: Any) -> None:
    """Copy what is new or changed, and delete what is gone from the source. A run that was killed is gone on with.

    \b
    Examples:
      flatwater sync apply photos s3://bucket/photos --state photos.state
      flatwater sync apply s3://bucket ftp://user@host/mirror --budget 128MiB --max-delete 1000
      flatwater sync apply --config mirror.toml --json events.jsonl
    """  # noqa: D301 - click reads the backspace as "keep these lines"
    from flatwater.sync.deleting import DeleteGuard

    _check(flags)
    guard: DeleteGuard | None = None
    with leaving_on_signals(ctx), budget_of(flags["budget"], "sync"):
        sync = sync_options.made(ctx, source, destination, flags)
        with Telling(flags["json_path"], quiet=flags["quiet"]) as telling:
            try:
                report = sync.apply(event=telling.event if telling.is_wanted else None)
            except DeleteGuard as error:
                guard, report = error, error.report
            telling.event({"event": "report", **report.to_dict(), "guard": str(guard or "")})
    if not flags["quiet"]:
        click.echo(str(report), err=flags["json_path"] == "-")
    if guard is not None:
        raise guard
    code = main.HOLDS
    if report.failed or report.not_deleted or report.unread:
        code = main.FAILED
    elif report.alerts:
        code = main.DOES_NOT_HOLD
    if flags["quiet"]:
        _say_failures(report.failures, report.failed + report.not_deleted, "file", "failed; the next run tries again")
        _say_unread(report)
        for alert in report.alerts:
            main.say(f"flatwater: {alert}")
    _end(ctx, code)


@command.command("audit", short_help="Whether the destination still has what was copied.")
@sync_options.common
@click.option("--repair", is_flag=True, help="Let the next apply copy again what is missing or altered.")
@click.pass_context
def audit(ctx: click.Context, /, source: str | None, destination: str | None, *, repair: bool, **flags: Any) -> None:
    """Compare the destination with what was copied there: files that somebody else deleted, altered or added.

    Without --repair no record of a file changes. Exit code 0: all is there. 1: something is missing or altered (files that no
    sync put there are only counted). 4: not all of it could be looked at.

    \b
    Examples:
      flatwater sync audit photos s3://bucket/photos --state photos.state
      flatwater sync audit s3://bucket ftp://user@host/mirror --repair
    """  # noqa: D301 - click reads the backspace as "keep these lines"
    from flatwater.sync.remote import text_of

    _check(flags)

    def each(found: Difference) -> None:
        telling.event({"event": "difference", "kind": found.kind, "path": text_of(found.path), "size": found.size})

    with leaving_on_signals(ctx), budget_of(flags["budget"], "sync"):
        sync = sync_options.made(ctx, source, destination, flags)
        with Telling(flags["json_path"], quiet=flags["quiet"]) as telling:
            wanted = each if flags["json_path"] is not None else None
            found = sync.audit(wanted, repair=repair, event=telling.event if telling.is_wanted else None)
            telling.event({"event": "report", **found.to_dict()})
    if not flags["quiet"]:
        click.echo(str(found), err=flags["json_path"] == "-")
    else:
        _say_unread(found)
    _end(ctx, main.HOLDS if found.is_fine else main.FAILED if found.unread else main.DOES_NOT_HOLD)


def _check(flags: dict[str, Any]) -> None:
    path = flags["json_path"]
    files.check({"--json": None if path == "-" else path})


def _say_unread(found: Base) -> None:
    _say_failures(found.unread_folders, found.unread, "folder", "could not be listed; nothing is deleted")


def _say_failures(failures: list[tuple[bytes, str]], count: int, noun: str, verb: str) -> None:
    """What a quiet command says of what went wrong: how much, and the first reasons."""
    if count:
        reasons = "".join(f"\n  {reason}" for _path, reason in failures[:_REASONS])
        more = f"\n  and {count - _REASONS:,} more" if count > _REASONS else ""
        main.say(f"flatwater: {count:,} {noun}{'' if count == 1 else 's'} {verb}:{reasons}{more}")


def _end(ctx: click.Context, code: int) -> None:
    sys.stdout.flush()
    ctx.exit(code)
