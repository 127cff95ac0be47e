"""`flatwater store dump` and `load`: a store as JSON lines, to a file or a pipe, and back.

Covers:     options, files that are whole or not there, compressed input, how far a load came.
Not here:   the lines (`store.dumping`, `store.loading`).
Holds:      a batch; the longest line, a few times.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice

import click

from flatwater import errors, limits, units
from flatwater.cli import main
from flatwater.cli.leaving import leaving_on_signals
from flatwater.cli.options import BytesType, quiet_option
from flatwater.cli.reports import files
from flatwater.cli.reports.store_text import plain

LONGEST_LINE_BYTES = limits.STORE_DUMP_LINE_BYTES


@click.command("dump", short_help="Write it as JSON lines.")
@click.argument("path")
@click.option(
    "--partition", "names", multiple=True, metavar="NAME", help="Only this one. Can be given again.  [default: all]"
)
@click.option("--output", "-o", default="-", metavar="FILE", help="Where to; - is stdout.  [default: -]")
@click.option(
    "--format", "form", type=click.Choice(["base64", "json", "msgpack", "text"]), default="base64", show_default=True,
    help="How values are written: those that are JSON, msgpack or text can be read then; what would not come back as it was stays in base64.",
)  # fmt: skip
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but the dump and errors.")
@click.pass_context
def dump(ctx: click.Context, path: str, *, names: tuple[str, ...], output: str, form: str, quiet: bool) -> None:
    """Write a store as JSON lines, an entry a line, in fixed memory.

    Each batch is read by itself: programs that write to the store go on, and what they write meanwhile is in the dump or
    not. For one moment, dump a backup. FILE is there when it is complete, or not at all.

    \b
    Examples:
      flatwater store dump state | gzip > state.jsonl.gz
      flatwater store dump state --partition users --format json | jq .value.name
      flatwater store dump old | flatwater store load new --backend rocksdb
    """  # noqa: D301 - click reads the backspace as "keep these lines"
    files.check({"--output": None if output == "-" else output})
    if output != "-" and f"{os.path.realpath(output)}/".startswith(f"{os.path.realpath(path)}/"):
        raise errors.UsageError(f"--output: {output!r} is in the store itself.", hint="Give a path outside of it.")
    from flatwater.store import dumping
    from flatwater.store.store import Store

    lines = written = 0
    with leaving_on_signals(ctx), Store(path, read_only=True) as store:
        pieces = dumping.dump(store, names or None, form)  # type: ignore[arg-type]  # click knows the forms
        with contextlib.closing(pieces), _written(output) as write:
            for piece in pieces:
                write(piece)
                lines += piece.count(b"\n")
                written += len(piece)
    if not quiet:
        main.say(f"flatwater store dump: {lines - 2:,} entries, {units.format_bytes(written)}")


@click.command("load", short_help="Put a dump into a store, a new one or one that is there.")
@click.argument("path")
@click.option(
    "--input", "-i", "source", default="-", metavar="FILE", help="What `dump` wrote, compressed or not; - is stdin.  [default: -]"
)  # fmt: skip
@click.option("--backend", type=click.Choice(["lmdb", "rocksdb"]), help="Of a store that is new.  [default: lmdb]")
@click.option(
    "--sync", type=click.Choice(["full", "normal", "off"]), default="full", show_default=True,
    help="What is durable when the power fails; at the end, all is.",
)  # fmt: skip
@click.option(
    "--batch-rows", type=click.IntRange(1, limits.STORE_BATCH_ROWS_MAX), default=limits.STORE_COMMIT_ROWS, show_default=True,
    metavar="N", help="Entries written at once, all or nothing.",
)  # fmt: skip
@click.option(
    "--longest-line", type=BytesType(1 << 10, "a line may have at least"), default=LONGEST_LINE_BYTES, metavar="SIZE",
    help=f"Refuse longer ones; about six times as much memory is reserved.  [default: {units.format_bytes(LONGEST_LINE_BYTES)}]",
)  # fmt: skip
@click.option(
    "--partial", "is_part", is_flag=True, help="The dump was filtered: its first or last line may be missing, its count be another."
)  # fmt: skip
@quiet_option
@click.pass_context
def load(
    ctx: click.Context,
    path: str,
    *,
    source: str,
    backend: str | None,
    sync: str,
    batch_rows: int,
    longest_line: int,
    is_part: bool,
    quiet: bool,
) -> None:
    """Put the entries of a dump into a store, which is made if it does not exist.

    Entries of the same keys are replaced, others stay. A line that is broken ends it, and is named; what stands in front of
    it is loaded. After any failure, load again: it puts the same entries.

    Exit code 0: all is loaded. 2: this is no dump. 4: it failed; how far it came is said.

    \b
    Examples:
      flatwater store load state --input state.jsonl.gz
      grep '"users"' state.jsonl | flatwater store load users --partial
    """  # noqa: D301 - click reads the backspace as "keep these lines"
    from flatwater.source.files.line_reader import lines as lines_of
    from flatwater.store import loading
    from flatwater.store.store import Store

    if source == "-" and sys.stdin.isatty() and not quiet:
        main.say("flatwater store load: reading a dump from standard input")
    with leaving_on_signals(ctx), lines_of(source, longest_line, encoding=None) as lines:
        turns = _told_by_option(lines)
        first = list(islice(turns, 1))
        if not is_part:
            loading.head_of(*first or [b""])  # before a store is made
        with Store(path, backend, sync) as store:  # type: ignore[arg-type]  # click knows backends and levels
            work = loading.Loading(store, chain(first, turns), rows=batch_rows, is_part=is_part)
            try:
                work.run()
            except loading.DumpBroken:
                raise  # says how far it came
            except BaseException:
                main.say(f"flatwater store load: {work.entries:,} entries were loaded; load again, it does no harm")
                raise
    if not quiet:
        click.echo(f"flatwater store load: {work.entries:,} entries loaded into {plain(path)}")


def _told_by_option(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The lines; one that is too long is told with the option that helps."""
    try:
        yield from lines
    except errors.LimitReached as error:
        raise errors.LimitReached(
            error.args[0], what=error.what, limit=error.limit, hint="Give --longest-line a larger size."
        ) from None


@contextlib.contextmanager
def _written(path: str) -> Iterator[Callable[[bytes], object]]:
    """A file that is there when it is complete, or not at all; pipes, devices and stdout are written to as they are.

    Raises:
        BrokenError: it could not be written; of stdout, whoever runs the command tells.
    """
    if path == "-":
        yield sys.stdout.buffer.write
        sys.stdout.buffer.flush()
        return
    real = os.path.realpath(path)  # a link stays a link
    is_stream = os.path.abspath(path).startswith(files.STREAMS) or (os.path.exists(real) and not os.path.isfile(real))
    temporary = "" if is_stream else os.path.join(os.path.dirname(real), f".flatwater-{os.urandom(8).hex()}")
    try:
        with open(temporary or path, "ab" if is_stream else "xb") as file:
            yield file.write
            if temporary:
                file.flush()
                os.fsync(file.fileno())
        if temporary:
            with contextlib.suppress(FileNotFoundError):
                os.chmod(temporary, stat.S_IMODE(os.stat(real).st_mode))
            os.replace(temporary, real)
            temporary = ""
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise errors.BrokenError(f"{path!r} could not be written: {reason}.") from error
    finally:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
