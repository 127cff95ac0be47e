"""`flatwater store`: look after a store: what it takes, whether it is sound, smaller files, copies, dumps.

Covers:     the group; `stats`, `check`, `compact`, `backup`.
Not here:   `dump` and `load` (`cli.store_dump`), `explain` (`cli.store_explain`), the store (`store.store`).
Holds:      what an open store holds.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import click

from flatwater import errors, units
from flatwater.cli import main, store_dump, store_explain
from flatwater.cli.groups import InOrder
from flatwater.cli.leaving import leaving_on_signals
from flatwater.cli.options import json_option, quiet_option
from flatwater.cli.output import deliver
from flatwater.cli.reports import files
from flatwater.cli.reports.store_text import plain, said_check


class _Share(click.ParamType[float]):
    """A share such as 20%."""

    name = "share"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """A number from 0 up to, and without, 1."""
        text = str(value).strip()
        try:
            share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            share = -1
        if not 0 <= share < 1:
            self.fail(f"{value!r} is no share of a file: give one such as 20%.", param, ctx)
        return share


@click.group("store", cls=InOrder)
def command() -> None:
    """Look after a store: what it takes, whether it is sound, smaller files, copies, dumps.

    PATH is the directory of a store (fw.Store). What only reads (stats, backup, dump) works beside programs that write to it;
    RocksDB's files are one process's at a time.

    Exit code 0: done, or sound. 1: check found something. 2: wrong use, or PATH is no store. 4: it failed; the reason is said.
    """


@command.command("stats", short_help="What it takes on disk and in memory, and who reads it.")
@click.argument("path")
@json_option
@click.pass_context
def stats(ctx: click.Context, path: str, *, json_path: str | None) -> None:
    """What it takes on disk and in memory, how much of it is free, and who reads it.

    \b
    Examples:
      flatwater store stats state
      flatwater store stats state --json - | jq .free_bytes
    """  # noqa: D301 - click reads the backspace as "keep these lines"
    files.check({"--json": None if json_path == "-" else json_path})
    from flatwater.store.store import Store

    with Store(path, read_only=True) as store:
        found = store.stats()
    if json_path != "-":
        click.echo(plain(str(found)))
    _end(ctx, json_path, found.to_dict())


@command.command("check", short_help="Read all of it, and say what is wrong.")
@click.argument("path")
@json_option
@quiet_option
@click.pass_context
def check(ctx: click.Context, path: str, *, json_path: str | None, quiet: bool) -> None:
    """Read all of it, and say what is wrong. Others cannot write meanwhile.

    Exit code 0: it is sound. 1: it is damaged; each line says where. 4: it could not be read.

    \b
    Examples:
      flatwater store check state
      flatwater store check state --json - | jq .is_sound
    """  # noqa: D301 - click reads the backspace as "keep these lines"
    files.check({"--json": None if json_path == "-" else json_path})
    from flatwater.store.store import Store

    try:
        is_writable = _existing(path)
        with Store(path, read_only=not is_writable) as store:
            findings = store.check()
    except errors.CorruptError as error:  # too damaged to be opened
        findings = [str(error)]
    if not quiet or findings:
        click.echo(said_check(path, findings), err=json_path == "-", nl=False)
    _end(
        ctx, json_path, {"path": os.path.abspath(path), "is_sound": not findings, "findings": findings},
        main.DOES_NOT_HOLD if findings else main.HOLDS,
    )  # fmt: skip


@command.command("compact", short_help="Give free room in the files back to the disk.")
@click.argument("path")
@click.option(
    "--if-free", "share", type=_Share(), metavar="SHARE",
    help="Only if so much of the files is free, such as 20%, and it is worth it.  [default: in any case]",
)  # fmt: skip
@json_option
@quiet_option
@click.pass_context
def compact(ctx: click.Context, path: str, *, share: float | None, json_path: str | None, quiet: bool) -> None:
    """Give free room in the files back to the disk, and say how much.

    No other program may have the store open. Beside the old file there must be room for the new one, which takes its place
    when it is complete: whatever ends the command, the store is whole.

    Exit code 0: done, or not worth it. 4: not possible, for instance because another process has the store open.

    \b
    Examples:
      flatwater store compact state
      flatwater store compact state --if-free 20%
    """  # noqa: D301 - click reads the backspace as "keep these lines"
    files.check({"--json": None if json_path == "-" else json_path})
    from flatwater.store.compacting import Policy
    from flatwater.store.store import Store

    _existing(path)
    with leaving_on_signals(ctx), Store(path) as store:
        done = store.compact(None if share is None else Policy(free_share=share))
    if not quiet:
        click.echo(f"flatwater store compact: {plain(path)}: {done}", err=json_path == "-")
    _end(
        ctx, json_path,
        {"is_done": done.is_done, "reason": done.reason, "before_bytes": done.before_bytes, "after_bytes": done.after_bytes},
    )  # fmt: skip


@command.command("backup", short_help="Copy it, as it is at one moment.")
@click.argument("path")
@click.argument("target")
@quiet_option
@click.pass_context
def backup(ctx: click.Context, path: str, target: str, *, quiet: bool) -> None:
    """Copy a store, as it is at one moment, to TARGET, which must not exist. The copy is a store itself.

    Programs that write to it go on. TARGET is there when it is complete, or not at all.

    \b
    Example:
      flatwater store backup state backups/state-monday
    """  # noqa: D301 - click reads the backspace as "keep these lines"
    from flatwater.store.store import Store

    with leaving_on_signals(ctx):
        with Store(path, read_only=True) as store:
            store.backup(target)
        if not quiet:
            with Store(target, read_only=True) as copy:
                made = copy.stats()
            size = units.format_bytes(made.file_bytes)
            click.echo(f"flatwater store backup: {plain(target)}: {made.entries:,} entries, {size}")


def _existing(path: str) -> bool:
    """Refuse what is no store, which opening for writing would make one of; whether it can be written to."""
    from flatwater.store.directory import Directory

    Directory(path, backend=None, read_only=True).close()
    return os.access(path, os.W_OK)


def _end(ctx: click.Context, json_path: str | None, figures: dict[str, Any], code: int = main.HOLDS) -> None:
    """Write the figures where they were asked for, and exit."""
    written = json_path is None or deliver(json_path, json.dumps(figures, indent=1) + "\n")
    sys.stdout.flush()
    ctx.exit(code or (main.HOLDS if written else main.FAILED))


command.add_command(store_dump.dump)
command.add_command(store_dump.load)
command.add_command(store_explain.explain)
