"""What the commands of `flatwater sync` have in common: two remotes, a state, and how it is done, by flags or a TOML file.

Covers:     the flags, the file, which of them holds; the sync that they make.
Not here:   the commands (`cli.sync`), what an option does (`sync.options`).
Holds:      nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from flatwater import limits, units
from flatwater.cli.options import BytesType

if TYPE_CHECKING:
    from flatwater.sync.sync import Sync

Command = TypeVar("Command", bound=Callable[..., Any])


class _Option(click.ParamType[tuple[str, str]]):
    """An option of a remote, such as endpoint=https://..."""

    name = "name=value"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Its name and its value."""
        name, found, text = str(value).partition("=")
        if not found or not name:
            self.fail(f"{name!r} has no value: write name=value.", param, ctx)
        return name.strip(), text


_SIZE = BytesType(1, "there is nothing to be done with less than")
_OPTIONS: list[tuple[tuple[str, ...], dict[str, Any]]] = [
    (("--state",), {"metavar": "DIR", "help": "Where the state is kept.  [default: a folder of its own for each pair, in ~/.local/state]"}),
    (("--config",), {"metavar": "FILE", "type": click.Path(dir_okay=False), "help": "A TOML file of options; flags win over it."}),
    (("--include",), {"multiple": True, "metavar": "PATTERN", "help": "Take only files that match, by a pattern as in .gitignore. Can be given again."}),
    (("--exclude",), {"multiple": True, "metavar": "PATTERN", "help": "Leave out files that match. Can be given again."}),
    (("--compare",), {"type": click.Choice(["auto", "etag", "mtime", "size", "checksum"]), "help": "How a changed file is told from one that is not.  [default: auto, by etag or by size and time]"}),
    (("--max-delete",), {"metavar": "N|SHARE", "help": f"Files that one run may delete, such as 1000 or 25%.  [default: {limits.SYNC_DELETE_SHARE:.0%} of those that were copied, or {limits.SYNC_DELETE_FREE} if that is more]"}),
    (("--no-delete",), {"is_flag": True, "default": None, "help": "Delete nothing at the destination."}),
    (("--list-workers",), {"type": click.IntRange(1, limits.SYNC_WORKERS_MAX), "metavar": "N", "help": f"Parts of a listing at a time.  [default: {limits.SYNC_LIST_WORKERS}]"}),
    (("--levels",), {"type": click.IntRange(0, limits.SYNC_LEVELS_MAX), "metavar": "N", "help": "Levels of folders that divide a listing into parts; 0: one part.  [default: 1]"}),
    (("--requests-per-s",), {"type": click.FloatRange(0, min_open=True), "metavar": "N", "help": "Requests a second to each remote, at most.  [default: no limit]"}),
    (("--tries",), {"type": click.IntRange(1, limits.SYNC_TRIES_MAX), "metavar": "N", "help": f"How often a file or a request is tried.  [default: {limits.SYNC_TRIES}]"}),
    (("--source-option",), {"multiple": True, "type": _Option(), "metavar": "NAME=VALUE", "help": "An option of the source, such as endpoint=https://... Can be given again."}),
    (("--destination-option",), {"multiple": True, "type": _Option(), "metavar": "NAME=VALUE", "help": "An option of the destination. Can be given again."}),
    (("--budget",), {"type": BytesType(), "metavar": "SIZE", "help": "Memory, such as 128MiB.  [default: what the machine or container has]"}),
    (("--json", "json_path"), {"type": click.Path(dir_okay=False), "metavar": "FILE", "help": "Write events, a JSON object a line; - is stdout."}),
    (("--quiet", "-q"), {"is_flag": True, "help": "Print nothing but errors."}),
]  # fmt: skip
_APPLY_OPTIONS: list[tuple[tuple[str, ...], dict[str, Any]]] = [
    (("--check-destination",), {"is_flag": True, "default": None, "help": "List the destination, too: copy again what is missing or altered there; do not copy what is there already."}),
    (("--workers",), {"type": click.IntRange(1, limits.SYNC_WORKERS_MAX), "metavar": "N", "help": f"Files copied at a time.  [default: {limits.SYNC_WORKERS}, fewer in a small budget]"}),
    (("--bytes",), {"type": _SIZE, "metavar": "SIZE", "help": f"Memory for large files under way together.  [default: {units.format_bytes(limits.SYNC_BYTES)}, less in a small budget]"}),
    (("--bandwidth",), {"type": _SIZE, "metavar": "SIZE", "help": "Bytes a second, of all files together.  [default: no limit]"}),
    (("--verify",), {"type": click.Choice(["size", "etag", "content"]), "help": "What is looked at when a file has arrived.  [default: etag, where it is an MD5, and size]"}),
    (("--durability",), {"type": click.Choice(["full", "normal", "off"]), "help": "How safely the state is written: full outlives a power cut, off does not.  [default: full]"}),
    (("--no-rescan",), {"is_flag": True, "default": None, "help": "Behind a killed run, go on with its listing and do not list again."}),
    (("--alert-rss",), {"type": _SIZE, "metavar": "SIZE", "help": "Exit with 1 if the run took more memory."}),
    (("--alert-files-per-s",), {"type": click.FloatRange(0), "metavar": "N", "help": "Exit with 1 if the scan was slower."}),
    (("--alert-growth",), {"metavar": "SHARE", "help": "Exit with 1 if the state grew by more, such as 20%."}),
]  # fmt: skip
_TURNED = {"no_delete": "delete", "no_rescan": "rescan"}
_OWN = {"state", "config", "budget", "json_path", "quiet", "source_option", "destination_option"}


def common(command: Command) -> Command:
    """Two remotes, and the options that all three commands take."""
    command = _with(command, _OPTIONS)
    command = click.argument("destination", required=False, metavar="DST")(command)
    return click.argument("source", required=False, metavar="SRC")(command)


def of_apply(command: Command) -> Command:
    """The options of a run."""
    return _with(command, _APPLY_OPTIONS)


def _with(command: Command, wanted: list[tuple[tuple[str, ...], dict[str, Any]]]) -> Command:
    for names, facts in reversed(wanted):
        command = click.option(*names, **facts)(command)
    return command


def made(ctx: click.Context, source: str | None, destination: str | None, flags: dict[str, Any]) -> Sync:
    """The sync that arguments, flags and the file describe.

    Raises:
        UsageError: a remote is missing, or an option is wrong.
    """
    from flatwater.sync.options import from_file
    from flatwater.sync.sync import Sync

    chosen = from_file(flags["config"]) if flags["config"] else {}
    remotes = {"source": source, "destination": destination, "state": flags["state"]}
    chosen |= {name: value for name, value in remotes.items() if value is not None}
    for name in ("source", "destination"):
        if name not in chosen:
            word = {"source": "SRC", "destination": "DST"}[name]
            raise click.UsageError(f"there is no {word}: give it, or {name} in the file of --config.", ctx)
    for name, value in flags.items():
        if name in _OWN or value is None or value == ():
            continue
        if name in _TURNED:
            chosen[_TURNED[name]] = not value
        else:
            chosen[name] = list(value) if isinstance(value, tuple) else value
    for name in ("source", "destination"):
        if flags[f"{name}_option"]:
            chosen[f"{name}_options"] = {**chosen.get(f"{name}_options", {}), **dict(flags[f"{name}_option"])}
    return Sync(chosen.pop("source"), chosen.pop("destination"), chosen.pop("state", None), **chosen)
