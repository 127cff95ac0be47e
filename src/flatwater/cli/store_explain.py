"""`flatwater store explain`: how much memory a store takes, before there is one.

Covers:     settings as options and as a TOML file, the JSON file.
Not here:   the arithmetic (`store.explaining`).
Holds:      one text.
"""

from __future__ import annotations

import json
import tomllib
from typing import Any

import click

from flatwater import errors, limits
from flatwater.cli import main
from flatwater.cli.options import BytesType, json_option
from flatwater.cli.output import deliver
from flatwater.cli.reports import files
from flatwater.cli.reports.store_text import plain

_SIZE = BytesType(1, "a setting of RocksDB is at least")
_TABLE = ("storage", "rocksdb")


@click.command("explain", short_help="How much memory a store will take, before there is one.")
@click.option("--backend", type=click.Choice(["rocksdb", "lmdb"]), default="rocksdb", show_default=True)
@click.option(
    "--tables", type=click.IntRange(1, limits.STORE_PARTITIONS_MAX), default=1, show_default=True, metavar="N",
    help="Tables, or partitions, of the store.",
)  # fmt: skip
@click.option(
    "--per-table-families",
    is_flag=True,
    help="As if each table had a column family of its own; fw.Store puts all into one.",
)
@click.option("--write-buffer-size", type=_SIZE, metavar="SIZE", help="Of one write buffer.")
@click.option("--max-write-buffers", type=int, metavar="N", help="Write buffers of one column family.")
@click.option("--block-cache-size", type=_SIZE, metavar="SIZE", help="Of the one cache that everything is charged to.")
@click.option("--max-background-jobs", type=int, metavar="N", help="Flushes and compactions at once.")
@click.option("--max-open-files", type=int, metavar="N", help="Table files that stay open.")
@click.option(
    "--config", type=click.Path(exists=True, dir_okay=False), metavar="FILE",
    help="A TOML file with these settings in its table [storage.rocksdb]. Options win over it.",
)  # fmt: skip
@json_option
@click.pass_context
def explain(
    ctx: click.Context,
    /,
    *,
    backend: str,
    tables: int,
    per_table_families: bool,
    config: str | None,
    json_path: str | None,
    **settings: int | None,
) -> None:
    """How much memory a store would take with so many tables and these settings, addend by addend. Nothing is opened.

    \b
    Examples:
      flatwater store explain --tables 1000
      flatwater store explain --tables 50 --per-table-families --write-buffer-size 64MiB --max-write-buffers 3
      flatwater store explain --tables 1000 --config server.toml
    """  # noqa: D301 - click reads the backspace as "keep these lines"
    files.check({"--json": None if json_path == "-" else json_path})
    from flatwater.store.explaining import explain as explained

    options = {} if config is None else _settings_of(config)
    options |= {name: value for name, value in settings.items() if value is not None}
    found = explained(backend, tables, per_table_families=per_table_families, options=options)
    if json_path != "-":
        click.echo(plain(str(found)))
    written = json_path is None or deliver(json_path, json.dumps(found.to_dict(), indent=1) + "\n")
    ctx.exit(main.HOLDS if written else main.FAILED)


def _settings_of(path: str) -> dict[str, Any]:
    """The table [storage.rocksdb] of a TOML file."""
    try:
        with open(path, "rb") as stream:
            found: Any = tomllib.load(stream)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise errors.BrokenError(f"--config: {path!r} cannot be read: {reason}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise errors.UsageError(f"--config: {path!r} is no TOML: {error}.") from error
    for name in _TABLE:
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        raise errors.UsageError(
            f"--config: {path!r} has no table [{'.'.join(_TABLE)}].",
            hint="Such a table has lines like write_buffer_size = 8388608.",
        )
    return found
